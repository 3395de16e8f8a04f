import Foundation
import Testing

/// `mothlight watch` as an operator starts, reloads and stops it.
@Suite(.serialized) struct WatchCommandTests {
  /// A station that runs, with its log.
  private final class Station {
    let process = Process()
    private let log: URL

    init(_ arguments: [String], in folder: URL, through words: [String] = []) throws {
      log = folder.appendingPathComponent("log")
      _ = FileManager.default.createFile(atPath: log.path, contents: nil)
      let all = words + [BuiltProgram.path, "watch"] + arguments
      process.executableURL = URL(fileURLWithPath: words.isEmpty ? BuiltProgram.path : "/usr/bin/env")
      process.arguments = words.isEmpty ? Array(all.dropFirst()) : all
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = FileHandle.nullDevice
      process.standardError = try FileHandle(forWritingTo: log)
      try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    var said: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

    /// Until the log holds `text`, or it has ended, or `seconds` are over.
    func wait(for text: String, seconds: Double = 60) -> Bool {
      let end = ContinuousClock.now.advanced(by: .seconds(seconds))
      while ContinuousClock.now < end {
        if said.contains(text) { return true }
        if !process.isRunning { return said.contains(text) }
        usleep(20_000)
      }
      return false
    }

    /// - Returns: its exit status and how long that took.
    func stop(_ signal: Int32 = SIGTERM) -> (status: Int32, seconds: Double) {
      let start = ContinuousClock.now
      kill(process.processIdentifier, signal)
      process.waitUntilExit()
      return (process.terminationStatus, start.duration(to: .now) / .seconds(1))
    }
  }

  @Test(arguments: [
    ([], "name a source"), (["demo", "--config", "a.yaml"], "not both"), (["demo", "--judge-every", "0"], "1 to 3600"),
    (["demo", "--pseudonyms", "all"], "nobody, viewers or everybody"), (["nope0"], "no interface, no folder"),
    (["--config", "/nonexistent/a.yaml"], "/nonexistent/a.yaml"),
    (["demo", "--listen", "here"], "no address with a port"),
    (["demo", "--home", "10.0.0.0/99"], "not a prefix"),
    (["demo", "--listen", "192.0.2.1:8443"], "there is no user yet"),
  ])
  func whatCannotStartSaysWhy(_ arguments: [String], _ expected: String) throws {
    try BuiltProgram.withFolder { folder in
      let outcome = try BuiltProgram.run(["watch"] + arguments + ["--data", folder.path + "/data"])
      #expect(outcome.status == 2 && outcome.err.contains(expected), "\(outcome.err)")
    }
  }

  @Test func runsReloadsAndStops() throws {
    try BuiltProgram.withFolder { folder in
      let file = folder.appendingPathComponent("station.yaml")
      let text =
        "station:\n  data: data\n  sources:\n    - { captures: inbox }\n  judge_every_s: 1\n  serve: { listen: \"127.0.0.1:0\" }\n"
      try text.write(to: file, atomically: true, encoding: .utf8)
      try FileManager.default.createDirectory(
        at: folder.appendingPathComponent("inbox"), withIntermediateDirectories: false)
      let station = try Station(["--config", file.path], in: folder)
      #expect(station.wait(for: "open http://127.0.0.1:"), "\(station.said)")
      #expect(station.wait(for: "inbox: running"), "\(station.said)")
      // A mistake in the file is told, and the station goes on as it was.
      try text.replacing("captures", with: "capture").write(to: file, atomically: true, encoding: .utf8)
      kill(station.process.processIdentifier, SIGHUP)
      #expect(station.wait(for: "not reloaded") && station.said.contains("station.yaml:4"), "\(station.said)")
      try (text + "  privacy: { pseudonyms: everybody }\n").write(to: file, atomically: true, encoding: .utf8)
      kill(station.process.processIdentifier, SIGHUP)
      #expect(station.wait(for: "reloaded; at the next start only: privacy"), "\(station.said)")
      // Its port is taken: the second one says so and ends.
      let port = try #require(station.said.firstMatch(of: /127\.0\.0\.1:(\d+)/)?.1)
      let second = try BuiltProgram.run(
        ["watch", "demo", "--data", folder.path + "/other", "--listen", "127.0.0.1:\(port)"])
      #expect(second.status == 2 && second.err.contains("cannot listen on 127.0.0.1 port \(port)"), "\(second.err)")
      #expect(second.err.split(separator: "\n").count == 1, "\(second.err)")
      #expect(!FileManager.default.fileExists(atPath: folder.path + "/other"))
      let end = station.stop()
      // Five seconds are demanded; the machine may be at other work.
      #expect(end.status == 0 && end.seconds < 15 && station.said.contains("stopped"), "\(end) \(station.said)")
      let key = try FileManager.default.attributesOfItem(atPath: folder.path + "/data/pseudonyms.key")
      #expect(key[.posixPermissions] as? Int == 0o600)
    }
  }

  /// What is judged when it stops is written like all before, and the logs that it was read from are not read again.
  @Test func whatCameLastIsKeptAndNotReadTwice() throws {
    try BuiltProgram.withFolder { folder in
      let logs = folder.appendingPathComponent("logs")
      try FileManager.default.createDirectory(at: logs, withIntermediateDirectories: false)
      let fields = [
        "ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service", "duration", "orig_bytes",
        "resp_bytes", "conn_state", "orig_pkts", "orig_ip_bytes", "resp_pkts", "resp_ip_bytes",
      ]
      var log = "#separator \\x09\n#path\tconn\n#fields\t\(fields.joined(separator: "\t"))\n"
      let now = Int(Date.now.timeIntervalSince1970)
      for n in 0..<300 {
        let ends = ["192.168.10.5", "\(40_000 + n)", "198.51.100.\(n % 9)", "443", "tcp", "ssl"]
        let row = ["\(now - 600 + n).5", "C\(n)"] + ends + ["1.0", "500", "900", "SF", "6", "820", "6", "1220"]
        log += row.joined(separator: "\t") + "\n"
      }
      try log.write(to: logs.appendingPathComponent("conn.log"), atomically: true, encoding: .utf8)
      let port = try Self.freePort()
      let file = folder.appendingPathComponent("station.yaml")
      try """
      station:
        data: data
        home: [ 192.168.0.0/16 ]
        judge_every_s: 1
        sources:
          - { logs: logs }
          - { flows: "127.0.0.1:\(port)" }
        serve: { listen: "127.0.0.1:0" }
      """.write(to: file, atomically: true, encoding: .utf8)
      func known() throws -> String {
        try BuiltProgram.run(["store", "status", "--data", folder.path + "/data"]).out
      }
      let station = try Station(["--config", file.path], in: folder)
      #expect(station.wait(for: "flows-\(port): running"), "\(station.said)")
      let end = ContinuousClock.now.advanced(by: .seconds(60))
      while try !known().contains("1 host-day,"), ContinuousClock.now < end { usleep(100_000) }
      // One direction alone waits for the other until the stop.
      try Self.send(Self.halfConversation(of: (192, 168, 10, 9), at: now), to: port)
      #expect(station.stop().status == 0)
      let after = try known()
      #expect(after.contains("2 host-days,"), "\(after) \(station.said)")
      let positions = URL(fileURLWithPath: folder.path + "/data/positions")
      let kept = try FileManager.default.contentsOfDirectory(at: positions, includingPropertiesForKeys: nil)
        .filter { $0.pathExtension.isEmpty }.map { try String(contentsOf: $0, encoding: .utf8) }
      #expect(kept.contains { $0.contains("\(log.utf8.count)") }, "\(kept)")
    }
  }

  private static func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    try #require(bound)
    return UInt16(bigEndian: address.sin_port)
  }

  private static func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }

  private static func send(_ octets: [UInt8], to port: UInt16) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(port: port)
    let sent = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(descriptor, octets, octets.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(sent == octets.count)
  }

  /// NetFlow v5 with one record of one direction.
  private static func halfConversation(of host: (UInt8, UInt8, UInt8, UInt8), at seconds: Int) -> [UInt8] {
    func u16(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }
    func u32(_ value: Int) -> [UInt8] { u16(value >> 16 & 0xffff) + u16(value & 0xffff) }
    let uptime = 7_200_000
    let head = u16(5) + u16(1) + u32(uptime) + u32(seconds) + u32(0) + u32(0) + u16(0) + u16(0)
    let ends: [UInt8] = [host.0, host.1, host.2, host.3, 198, 51, 100, 7, 0, 0, 0, 0]
    let counts = u16(1) + u16(2) + u32(9) + u32(900) + u32(uptime - 20_000) + u32(uptime - 10_000)
    return head + ends + counts + u16(40_000) + u16(443) + [0, 0x1b, 6, 0] + u32(0) + u32(0)
  }

  private static let tools = ["/usr/bin/unshare", "/usr/bin/curl"]
  /// A namespace whose only interface is loopback, with an address that is none of loopback's.
  private static let namespace = [
    "unshare", "--map-root-user", "--net", "sh", "-c",
    "ip link set lo up && ip address add 192.0.2.1/32 dev lo && exec \"$0\" \"$@\"",
  ]
  private static let canUnshare: Bool = {
    guard tools.allSatisfy({ FileManager.default.isExecutableFile(atPath: $0) }) else { return false }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = namespace + ["true"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  /// What monitoring reads is for this machine or for a token; an address of this machine that others reach is neither.
  @Test(.enabled(if: canUnshare, "curl and a network namespace are needed"))
  func monitoringFromElsewhereNeedsAToken() throws {
    try BuiltProgram.withFolder { folder in
      let data = folder.path + "/data"
      let added = try BuiltProgram.run(
        ["users", "add", "boss", "--role", "admin", "--data", data], input: Data("four words of mine\n".utf8))
      #expect(added.status == 0, "\(added.err)")
      let token = try BuiltProgram.run(["users", "token", "add", "boss", "prometheus", "--data", data]).out
        .trimmingCharacters(in: .newlines)
      let station = try Station(
        ["demo", "--data", data, "--listen", "192.0.2.1:8443"], in: folder, through: Self.namespace)
      #expect(station.wait(for: "open https://192.0.2.1:8443/"), "\(station.said)")
      func ask(_ path: String, _ header: String? = nil) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/nsenter")
        // The station's namespaces: user and network.
        process.arguments =
          [
            "-t", "\(station.process.processIdentifier)", "-U", "-n", "--preserve-credentials", "curl", "-sk",
            "--max-time", "20",
          ]
          + ["-w", "\n%{http_code}", "https://192.0.2.1:8443\(path)"] + (header.map { ["-H", $0] } ?? [])
        let out = Pipe()
        process.standardOutput = out
        try process.run()
        let text = out.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: text, as: UTF8.self)
      }
      #expect(try ask("/healthz") == "ok\n\n200")
      for path in ["/metrics", "/readyz"] {
        let nobody = try ask(path)
        #expect(nobody.hasSuffix("\n401") && !nobody.contains("mothlight_"), "\(path): \(nobody)")
        #expect(try ask(path, "Authorization: Bearer mlt_wrong").hasSuffix("\n401"))
        #expect(try ask(path, "X-Forwarded-For: 127.0.0.1").hasSuffix("\n401"))
      }
      let known = try ask("/metrics", "Authorization: Bearer \(token)")
      #expect(known.hasSuffix("\n200") && known.contains("mothlight_info{"), "\(known)")
      #expect(station.stop().status == 0)
    }
  }
}
