import Foundation
import Mothlight
import Testing

/// `mothlight sinkhole` as a user would run it.
@Suite(.serialized) struct SinkholeCommandTests {
  /// The program while it runs; ended with its owner.
  final class Program {
    let process = Process()
    private let folder: URL
    private let name: String
    private var errFile: URL { folder.appending(path: "\(name)err") }
    private var outFile: URL { folder.appending(path: "\(name)out") }

    static var executable: URL {
      let built =
        Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }.first {
          FileManager.default.isExecutableFile(atPath: $0.appending(path: "mothlight").path)
        } ?? URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
      return built.appending(path: "mothlight")
    }

    /// - Parameter name: begins the names of the files that keep what it says.
    init(_ arguments: [String], in folder: URL, name: String = "") throws {
      self.folder = folder
      self.name = name
      process.executableURL = Self.executable
      process.arguments = arguments
      process.currentDirectoryURL = folder
      for file in [outFile, errFile] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
      process.standardOutput = try FileHandle(forWritingTo: outFile)
      process.standardError = try FileHandle(forWritingTo: errFile)
      try process.run()
    }

    deinit { if process.isRunning { process.terminate() } }

    var err: String { (try? String(contentsOf: errFile, encoding: .utf8)) ?? "" }
    var out: String { (try? String(contentsOf: outFile, encoding: .utf8)) ?? "" }

    /// Waits for words on standard error, at most ten seconds.
    func says(_ words: String) -> Bool {
      for _ in 0..<200 {
        if err.contains(words) { return true }
        if !process.isRunning { return err.contains(words) }
        usleep(50_000)
      }
      return false
    }

    /// The port in the line "mothlight: WHAT 127.0.0.1:PORT", once it is said.
    func port(_ what: String) -> UInt16? {
      guard says("mothlight: \(what) 127.0.0.1:") else { return nil }
      for _ in 0..<20 {
        // A line is whole once the next one has begun or its end is there.
        let line = err.split(separator: "\n").first { $0.contains("mothlight: \(what) 127.0.0.1:") }
        if err.hasSuffix("\n"), let number = line?.split(separator: ":").last { return UInt16(number) }
        usleep(50_000)
      }
      return nil
    }

    func end() -> Int32 {
      process.terminate()
      process.waitUntilExit()
      return process.terminationStatus
    }
  }

  private static func zones(_ change: (String) -> String = { $0 }) -> String {
    change(
      """
      orders:
        - authority: { order: "1", issuer: "Court", date: 2026-01-01 }
          family: Mariposa
          start: 2026-01-02
          end: 2099-12-31
          registration_expiry: 2100-12-31
          zones: [ a.test ]

      """)
  }

  private static let config = """
    sinkhole:
      operator: { name: "Example CERT", abuse_contact: "abuse@cert.example" }
      addresses: { ipv4: [192.0.2.80] }
      dns: { listen: ["127.0.0.1:0"], ns: [ns1.sink.example] }
      zones: zones.yaml
    """

  private func withFolder<T>(zones: String, config: String = config, _ body: (URL) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mothlight-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try zones.write(to: folder.appending(path: "zones.yaml"), atomically: true, encoding: .utf8)
    try config.write(to: folder.appending(path: "sink.yaml"), atomically: true, encoding: .utf8)
    return try body(folder)
  }

  @Test func runsReloadsAndEnds() throws {
    try withFolder(zones: Self.zones()) { folder in
      let program = try Program(["sinkhole", "--only", "dns", "sink.yaml"], in: folder)
      #expect(program.says("answers on 127.0.0.1:"))
      #expect(program.err.contains("dns: 1 names of 1 orders, 1 of them served"))
      let file = folder.appending(path: "zones.yaml")
      try Self.zones { $0.replacing("order: \"1\", ", with: "") }.write(to: file, atomically: true, encoding: .utf8)
      kill(program.process.processIdentifier, SIGHUP)
      #expect(program.says("zones.yaml was not taken; the zones of before stay"))
      #expect(program.err.contains("zones.yaml:2: 'authority' lacks 'order'; this order is not served"))
      try Self.zones { $0.replacing("a.test", with: "a.test, b.test") }.write(
        to: file, atomically: true, encoding: .utf8)
      kill(program.process.processIdentifier, SIGHUP)
      #expect(program.says("dns: 2 names of 1 orders, 1 of them served"))
      #expect(program.end() == 0)
      #expect(program.err.contains("dns: stopped after 0 queries"))
    }
  }

  @Test(arguments: [
    ("zones.yaml", "zone.yaml", "mothlight: zone.yaml:1: zone.yaml cannot be read: No such file or directory\n"),
    ("  zones:", "  zonen:", "mothlight: sink.yaml:5: 'sinkhole' lacks 'zones'; is 'zonen' a typing error for it?\n"),
    (
      "127.0.0.1:0", "192.0.2.1:5353",
      "mothlight: udp 192.0.2.1:5353: Cannot assign requested address; no interface of this machine has this address\n"
    ),
  ])
  func oneLineForWhatIsWrong(_ old: String, _ new: String, _ line: String) throws {
    try withFolder(zones: Self.zones(), config: Self.config.replacing(old, with: new)) { folder in
      let program = try Program(["sinkhole", "--only", "dns", "sink.yaml"], in: folder)
      program.process.waitUntilExit()
      #expect(program.process.terminationStatus == 2 && program.err == line)
    }
  }

  @Test func checkSaysWhatIsWrong() throws {
    try withFolder(zones: Self.zones()) { folder in
      let arguments = ["sinkhole", "check", "zones.yaml", "--config", "sink.yaml", "--operator-domain"]
      let good = try Program(arguments + ["sink.example"], in: folder)
      good.process.waitUntilExit()
      #expect(good.process.terminationStatus == 0)
      #expect(good.out == "zones.yaml: 1 names of 1 orders, 0 errors, 0 warnings\n", "\(good.err)")
      let bad = try Program(arguments + ["other.example"], in: folder)
      bad.process.waitUntilExit()
      #expect(bad.process.terminationStatus == 1)
      #expect(bad.out.hasPrefix("error: zones.yaml: name server ns1.sink.example is in no domain of the operator"))
    }
  }

  /// Both parts as processes of their own; one is killed and comes back; what was seen is in the spools.
  @Test func partsComeBackAndTheirSpoolsAreWhole() throws {
    let config = Self.config.replacing(
      "zones: zones.yaml",
      with: """
        zones: zones.yaml
          spool: kept
          tally: { sources: 4096, networks_v6: 1024 }
          listeners:
            - { listen: "127.0.0.1:0", transport: udp, family: Mariposa }
        """)
    try withFolder(zones: Self.zones(), config: config) { folder in
      let program = try Program(["sinkhole", "sink.yaml"], in: folder)
      #expect(program.says("answers on 127.0.0.1:"))
      #expect(program.says("listeners: udp 127.0.0.1:"))
      let children = try Self.children(of: program.process.processIdentifier)
      #expect(children.count == 2)
      let parts = ["dns", "listeners"].map { folder.appending(path: "kept/\($0)").path }
      // Killed before its first segment has a header it would rightly leave a damaged one.
      var areWhole = false
      for _ in 0..<200 where !areWhole {
        usleep(50_000)
        areWhole = parts.allSatisfy { Self.damages($0) == [] }
      }
      #expect(areWhole)
      for child in children.prefix(1) { kill(child, SIGKILL) }
      #expect(program.says("was killed by signal 9; started again in 1 s"))
      var back: [Int32] = []
      for _ in 0..<100 where back.count < 2 || Set(back) == Set(children) {
        usleep(100_000)
        back = try Self.children(of: program.process.processIdentifier)
      }
      #expect(back.count == 2)
      usleep(300_000)
      kill(program.process.processIdentifier, SIGHUP)
      #expect(program.says("listeners: 1 names"))
      #expect(program.end() == 0)
      for part in parts { #expect(Self.damages(part) == []) }
    }
  }

  /// What is wrong with the segments of a spool; `nil` when there is none.
  private static func damages(_ path: String) -> [String]? {
    guard SpoolReader.recognises(path), let segments = try? SpoolReader(path: path).read({ _ in }) else { return nil }
    return segments.compactMap(\.damage)
  }

  static func children(of parent: Int32) throws -> [Int32] {
    let list = try String(contentsOfFile: "/proc/\(parent)/task/\(parent)/children", encoding: .utf8)
    return list.split(separator: " ").compactMap { Int32($0.trimmingCharacters(in: .whitespaces)) }
  }
}
