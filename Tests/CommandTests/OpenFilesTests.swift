import Foundation
import Glibc
import Testing

/// No descriptor left: the sinkhole closes what it cannot take in, counts it, does not spin, and comes back.
@Suite(.serialized) struct OpenFilesTests {
  private static let prlimit = ["/usr/bin/prlimit", "/bin/prlimit"].first { (path: String) in access(path, X_OK) == 0 }

  private static func limit(_ process: Int32, to files: Int) throws {
    let tool = Process()
    tool.executableURL = URL(fileURLWithPath: try #require(prlimit))
    tool.arguments = ["--pid", "\(process)", "--nofile=\(files):"]
    try tool.run()
    tool.waitUntilExit()
    #expect(tool.terminationStatus == 0)
  }

  /// The lowest descriptor number that stays free: as a limit it leaves room for none. Not one above the highest, since a process
  /// that starts beside other tests may inherit a high one of theirs, with room below it.
  private static func lowestFree(of process: Int32) throws -> Int {
    var (lowest, sightings) = (0, 0)
    while sightings < 5 {
      let open = Set(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").compactMap { Int($0) })
      let free = try #require((0...open.count).first { !open.contains($0) })
      sightings = free == lowest ? sightings + 1 : 1
      lowest = free
      usleep(20_000)
    }
    return lowest
  }

  private static func cpuTicks(_ process: Int32) -> Int {
    let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
    let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
    return fields.count > 12 ? (Int(fields[11]) ?? 0) + (Int(fields[12]) ?? 0) : 0
  }

  @Test(.enabled(if: prlimit != nil, "prlimit is not installed"))
  func itClosesWhatItCannotTakeIn() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mothlight-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let program = try SinkholeCommandTests.Program(
      ["listen", "--udp", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--sources", "4096", "--family", "Mariposa"],
      in: folder)
    let udp = try #require(program.port("udp"))
    let tcp = try #require(program.port("tcp"))
    let process = program.process.processIdentifier
    try Self.limit(process, to: Self.lowestFree(of: process))
    let before = Self.cpuTicks(process)
    let peers = try (0..<50).map { _ in try #require(Loopback(tcp, isStream: true)) }
    for _ in 0..<50 {
      let bot = try #require(Loopback(udp, isStream: false))
      bot.send([0x61, 0x01, 0x02, 0x98, 0x89, 0x88, 0xcb])
    }
    for peer in peers { #expect(peer.readToEnd() == []) }
    usleep(500_000)
    // A loop that is woken for ever would have used half a second and more.
    #expect(Self.cpuTicks(process) - before < 20)
    try Self.limit(process, to: 256)
    let late = try #require(Loopback(tcp, isStream: true))
    late.send(Array("GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n".utf8))
    #expect(late.readToEnd()?.starts(with: Array("HTTP/1.1 404 ".utf8)) == true)
    #expect(program.end() == 0)
    #expect(program.out.hasPrefix("check-ins 101,"), "\(program.out)")
  }

  /// A limit that is too low for the ports is told at the start.
  @Test func tooFewFilesAreToldInOneLine() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mothlight-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    let program = SinkholeCommandTests.Program.executable
    shell.arguments = ["-c", "ulimit -n 200; exec \"$0\" listen --tcp 127.0.0.1:0 --sources 4096", program.path]
    let err = Pipe()
    shell.standardError = err
    try shell.run()
    let said = String(decoding: err.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    shell.waitUntilExit()
    #expect(shell.terminationStatus == 2)
    #expect(said == "mothlight: 200 open files do not suffice for 1 ports; raise the limit (LimitNOFILE)\n")
  }
}

/// A peer of the sinkhole, on this machine only.
final class Loopback {
  private let descriptor: Int32

  /// - Parameter source: last three octets of its address within 127/8; 0 for 127.0.0.1.
  init?(_ port: UInt16, isStream: Bool, source: UInt32 = 0) {
    descriptor = socket(AF_INET, Int32(isStream ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue), 0)
    var limit = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    if source > 0, !Self.call(Glibc.bind, descriptor, 0x7f00_0000 | source & 0xff_ffff, 0) { return nil }
    if !Self.call(Glibc.connect, descriptor, 0x7f00_0001, port) { return nil }
  }

  deinit { close(descriptor) }

  private static func call(
    _ function: (Int32, UnsafePointer<sockaddr>?, socklen_t) -> Int32, _ descriptor: Int32, _ address: UInt32,
    _ port: UInt16
  ) -> Bool {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = address.bigEndian
    return withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        function(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }

  @discardableResult
  func send(_ octets: [UInt8]) -> Bool {
    Glibc.send(descriptor, octets, octets.count, Int32(MSG_NOSIGNAL)) == octets.count
  }

  /// Everything until the other side closes; `nil` when it does not within five seconds.
  func readToEnd() -> [UInt8]? {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count == 0 { return all }
      if count < 0 { return errno == ECONNRESET ? all : nil }
      all += buffer[..<count]
    }
  }
}
