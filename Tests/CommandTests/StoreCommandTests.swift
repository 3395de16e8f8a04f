import Foundation
import Glibc
import Synchronization
import Testing

@testable import Mothlight

/// `mothlight store` as an operator runs it, on stores that a station made.
@Suite struct StoreCommandTests {
  private struct Outcome {
    var status: Int32
    var out: String
    var err: String
  }

  private static var program: String {
    let folder =
      Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }.first {
        FileManager.default.isExecutableFile(atPath: $0.appendingPathComponent("mothlight").path)
      } ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    return folder.appendingPathComponent("mothlight").path
  }

  private static func process(_ arguments: [String], in folder: String) -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.environment = ["USER": "tester", "HOME": folder]
    return process
  }

  private func mothlight(_ arguments: [String], in folder: String, input: String = "") throws -> Outcome {
    let process = Self.process(arguments, in: folder)
    let (out, err, entry) = (Pipe(), Pipe(), Pipe())
    process.standardOutput = out
    process.standardError = err
    process.standardInput = entry
    try process.run()
    try entry.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try entry.fileHandleForWriting.close()
    let text = out.fileHandleForReading.readDataToEndOfFile()
    let complaint = err.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Outcome(
      status: process.terminationStatus, out: String(decoding: text, as: UTF8.self),
      err: String(decoding: complaint, as: UTF8.self))
  }

  private func withFolder<T>(_ body: (String) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mothlight-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.path)
  }

  /// A store with a user and a botnet, by way of the commands.
  private func fill(_ data: String, in folder: String, hasUser: Bool = true) throws {
    try FileManager.default.createDirectory(atPath: "\(folder)/\(data)", withIntermediateDirectories: true)
    defer { #expect(FileManager.default.fileExists(atPath: "\(folder)/\(data)/store.sqlite")) }
    if hasUser { try addUser(data, in: folder) }
    let botnet = try mothlight(
      ["registry", "add", "Zeus", "--reason", "for a test", "--data", data], in: folder)
    #expect(botnet.status == 0, "\(botnet.err)")
  }

  private func addUser(_ data: String, in folder: String) throws {
    let user = try mothlight(
      ["users", "add", "alice", "--role", "admin", "--data", data], in: folder, input: "four words of mine\n")
    #expect(user.status == 0, "\(user.err)")
  }

  /// Damages two pages behind those of the schema: of tables that cases need, and the first page does not.
  private func damage(_ path: String) throws {
    var octets = try Data(contentsOf: URL(fileURLWithPath: path))
    for page in [66, 67] {
      octets.replaceSubrange((page * 4096)..<(page * 4096 + 4096), with: Data(repeating: 0x5a, count: 4096))
    }
    try octets.write(to: URL(fileURLWithPath: path))
  }

  /// Backup, loss, restore: by the words of docs/store.md.
  @Test func aBackupBringsEverythingBack() throws {
    try withFolder { folder throws in
      try fill("data", in: folder)
      let status = try mothlight(["store", "status", "--data", "data"], in: folder)
      #expect(status.status == 0 && status.out.hasPrefix("data/store.sqlite: ready, "), "\(status.err)")
      let backup = try mothlight(["store", "backup", "--data", "data", "copy.sqlite"], in: folder)
      #expect(backup.status == 0 && backup.out.hasSuffix("MiB, checked\n"), "\(backup.err)")
      let again = try mothlight(["store", "backup", "--data", "data", "copy.sqlite"], in: folder)
      #expect(again.status == 2 && again.err.contains("overwrites nothing"))
      try damage(folder + "/data/store.sqlite")
      let check = try mothlight(["store", "check", "--data", "data"], in: folder)
      #expect(check.status == 1)
      #expect(check.err.contains("restore a backup") && check.err.contains("mothlight store rescue"))
      // Restore.
      let files = FileManager.default
      try files.createDirectory(atPath: folder + "/away", withIntermediateDirectories: true)
      for name in try files.contentsOfDirectory(atPath: folder + "/data") where name.hasPrefix("store.sqlite") {
        try files.moveItem(atPath: "\(folder)/data/\(name)", toPath: "\(folder)/away/\(name)")
      }
      try files.copyItem(atPath: folder + "/copy.sqlite", toPath: folder + "/data/store.sqlite")
      let restored = try mothlight(["store", "check", "--data", "data"], in: folder)
      #expect(restored.status == 0 && restored.out == "data/store.sqlite: all well\n", "\(restored.err)")
      #expect(try mothlight(["users", "list", "--data", "data"], in: folder).out.hasPrefix("alice\tadmin\t"))
      #expect(try mothlight(["registry", "list", "--data", "data"], in: folder).out.contains("Zeus"))
    }
  }

  @Test func aRescueSavesWhatCanBeRead() throws {
    try withFolder { folder throws in
      try fill("data", in: folder)
      let whole = try mothlight(["store", "rescue", "data/store.sqlite", "whole.sqlite"], in: folder)
      #expect(whole.status == 0, "\(whole.out) \(whole.err)")
      #expect(try mothlight(["users", "list", "--data", "data"], in: folder).status == 0)
      #expect(
        try mothlight(["registry", "show", "Zeus", "--store", "whole.sqlite"], in: folder).out.contains("Zeus"))
      let none = try mothlight(["store", "rescue", "nothing.sqlite", "out.sqlite"], in: folder)
      #expect(none.status == 2 && none.err == "mothlight: nothing.sqlite: there is no store\n", "\(none.err)")
      // Of what is no store nothing can be read, and no second rescue is advised.
      for text in ["no store", String(repeating: "no store either ", count: 4096)] {
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/text"))
        let hopeless = try mothlight(["store", "rescue", "text", "out.sqlite"], in: folder)
        #expect(hopeless.status == 2 && hopeless.err.contains("only a backup helps"), "\(hopeless.err)")
        #expect(!hopeless.err.contains("mothlight store rescue"))
      }
      let over = try mothlight(["store", "rescue", "data/store.sqlite", "whole.sqlite"], in: folder)
      #expect(over.status == 2 && over.err.contains("overwrites nothing"))
    }
  }

  /// One folder, named the same way everywhere; a file apart; never both.
  @Test func theFolderIsNamedAsElsewhere() throws {
    try withFolder { folder throws in
      let none = try mothlight(["store", "status", "--data", "data"], in: folder)
      #expect(none.status == 2 && none.err.contains("data/store.sqlite: there is no store"), "\(none.err)")
      #expect(none.err.contains("mothlight watch") && !none.err.contains("registry import"), "\(none.err)")
      try fill("station-data", in: folder)
      // The folder that `watch` makes when nothing is said.
      #expect(try mothlight(["store", "status"], in: folder).out.hasPrefix("station-data/store.sqlite: ready"))
      let file = try mothlight(["store", "status", "--store", "station-data/store.sqlite"], in: folder)
      #expect(file.status == 0 && file.out.hasPrefix("station-data/store.sqlite: ready"))
      for command in [["store", "status"], ["registry", "list"]] {
        let both = try mothlight(command + ["--data", "station-data", "--store", "x.sqlite"], in: folder)
        #expect(both.status == 2 && both.err.contains("not both"), "\(both.err)")
      }
    }
  }

  /// A damaged store is told by every command that meets it, in words that say what to do.
  @Test func damageIsTold() throws {
    try withFolder { folder throws in
      try fill("data", in: folder)
      try damage(folder + "/data/store.sqlite")
      _ = try mothlight(["store", "check", "--data", "data"], in: folder)
      let status = try mothlight(["store", "status", "--data", "data"], in: folder)
      #expect(status.status == 0 && status.out.contains("read_only"), "\(status.out) \(status.err)")
      #expect(status.out.contains("is damaged") && status.out.contains("mothlight store rescue"))
    }
  }

  // MARK: The station on a damaged store

  private final class Lines: Sendable {
    private let text = Mutex("")
    func add(_ data: Data) { text.withLock { $0 += String(decoding: data, as: UTF8.self) } }
    var all: String { text.withLock { $0 } }
  }

  /// It goes on serving what can be read, says so on the page and to monitoring, and writes nothing.
  @Test(.timeLimit(.minutes(1))) func aStationServesADamagedStore() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mothlight-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder + "/logs", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    // Without users this machine may look.
    try fill("data", in: folder, hasUser: false)
    try damage(folder + "/data/store.sqlite")
    #expect(try mothlight(["store", "check", "--data", "data"], in: folder).status == 1)
    let before = try Data(contentsOf: URL(fileURLWithPath: folder + "/data/store.sqlite"))
    let station = Self.process(["watch", "logs", "--data", "data", "--listen", "127.0.0.1:0"], in: folder)
    let (err, lines) = (Pipe(), Lines())
    station.standardError = err
    station.standardOutput = FileHandle.nullDevice
    err.fileHandleForReading.readabilityHandler = { lines.add($0.availableData) }
    try station.run()
    defer {
      kill(station.processIdentifier, SIGKILL)
      err.fileHandleForReading.readabilityHandler = nil
    }
    var port: UInt16?
    for _ in 0..<400 where port == nil && station.isRunning {
      try await Task.sleep(for: .milliseconds(50))
      port = lines.all.components(separatedBy: "open http://127.0.0.1:").dropFirst().first
        .flatMap { UInt16($0.prefix { $0.isNumber }) }
    }
    let place = try #require(port, "\(lines.all)")
    #expect(lines.all.contains("error: only reading: ") && lines.all.contains("mothlight store rescue"))
    let page = try get(place, "/sensors")
    #expect(page.contains(" 200 ") && page.contains("read only") && page.contains("is damaged"))
    let ready = try get(place, "/readyz")
    #expect(ready.contains(" 503 ") && ready.contains("store: ") && ready.contains("restore a backup"))
    #expect(try get(place, "/healthz").contains(" 200 "))
    kill(station.processIdentifier, SIGTERM)
    station.waitUntilExit()
    #expect(station.terminationStatus == 0)
    #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/data/store.sqlite")) == before)
  }

  /// One answer of the station, head and body as one text; only ever from this machine.
  private func get(_ port: UInt16, _ path: String) throws -> String {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    var wait = timeval(tv_sec: 10, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_port = port.bigEndian
    place.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let isConnected = withUnsafePointer(to: &place) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    try #require(isConnected)
    let request = Array("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n".utf8)
    _ = request.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, 0) }
    var answer: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 65_536)
    while answer.count < 1 << 22 {
      let count = recv(descriptor, &part, part.count, 0)
      guard count > 0 else { break }
      answer += part[..<count]
    }
    return String(decoding: answer, as: UTF8.self)
  }
}
