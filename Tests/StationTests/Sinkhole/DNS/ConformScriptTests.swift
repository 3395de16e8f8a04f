import Foundation
import Testing

@testable import MothlightStation

/// An independent judge, where it is there: a script of 44 checks with its own DNS library.
@Suite struct ConformScriptTests {
  static let script = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
    .appending(path: "../../../../../shared/bench/dns/conform.py").standardized.path(percentEncoded: false)

  static let canRun: Bool = {
    guard FileManager.default.fileExists(atPath: script) else { return false }
    return (try? run(["-c", "import dns.message"]).status) == 0
  }()

  private static func run(_ arguments: [String]) throws -> (status: Int32, output: Data) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = arguments
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, output)
  }

  /// knot passes 39 and fails one.
  @Test(.enabled(if: canRun, "conform.py and dnspython"))
  func passesAtLeastAsMuchAsKnot() throws {
    let running = try RunningServer()
    let result = try Self.run([Self.script, "\(running.address.port)", "seized00.test", "--json"])
    let counts = running.stop()
    #expect(counts.contains { $0.name == "seized00.test" })
    let rows = try #require(try JSONSerialization.jsonObject(with: result.output) as? [[String]])
    #expect(rows.count == 44)
    #expect(rows.filter { $0[1] == "FAIL" } == [])
    #expect(rows.count { $0[1] == "PASS" } >= 39)
  }
}
