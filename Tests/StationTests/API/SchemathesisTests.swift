import Foundation
import Mothlight
import Testing

@testable import MothlightStation

/// Requests that a tool made up from the document, and its judgement of the answers (Hatfield-Dodds and Dygalo, ICSE 2022).
@Suite struct SchemathesisTests {
  /// Named in the environment, or found on the path.
  static let program: String? = {
    let environment = ProcessInfo.processInfo.environment
    if let named = environment["MOTHLIGHT_SCHEMATHESIS"], !named.isEmpty { return named }
    let folders = (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/schemathesis" }
    return folders.first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  @Test(
    .enabled(if: program != nil, "`pip install schemathesis` in a venv and name it in MOTHLIGHT_SCHEMATHESIS"),
    .timeLimit(.minutes(10)))
  func findsNothing() async throws {
    let program = try #require(Self.program)
    let examples = ProcessInfo.processInfo.environment["MOTHLIGHT_EXAMPLES"] ?? "10"
    try await LiveStation.run { station async throws in
      let arguments = [
        "run", "http://127.0.0.1:\(station.live.port)/api/v1/openapi.json", "-H",
        "Authorization: Bearer \(station.tokens[.admin] ?? "")", "--max-examples", examples, "--seed", "1",
        "--checks", "all",
        // Where a cursor was given out, which rules parse and which key was used before, no schema can say.
        "--exclude-checks", "positive_data_acceptance", "--phases", "examples,coverage,fuzzing", "--no-color",
        "--request-timeout", "10",
      ]
      let (status, text) = try await Program.run(program, arguments)
      #expect(status == 0, "\(text.suffix(6000))")
      #expect(try await station.get("/api/v1/hosts").status == 200, "the server is still there")
    }
  }
}

/// Another program, with what it printed.
enum Program {
  static func run(_ path: String, _ arguments: [String], input: String = "") async throws -> (
    status: Int32, text: String
  ) {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(
          with: Result {
            let process = Process()
            process.executableURL = URL(filePath: path)
            process.arguments = arguments
            // What the program keeps for itself is none of the project's.
            process.currentDirectoryURL = FileManager.default.temporaryDirectory
            let (output, entry) = (Pipe(), Pipe())
            process.standardOutput = output
            process.standardError = output
            process.standardInput = entry
            try process.run()
            try entry.fileHandleForWriting.write(contentsOf: Data(input.utf8))
            try entry.fileHandleForWriting.close()
            let octets = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return (process.terminationStatus, String(decoding: octets, as: UTF8.self))
          })
      }
    }
  }
}
