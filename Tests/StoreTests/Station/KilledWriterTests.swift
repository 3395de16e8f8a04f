import Foundation
import GRDB
import Glibc
import Mothlight
import Testing

@testable import MothlightStore

/// A process that writes is killed at moments that nobody chose. It is this very test program, told to write by its environment.
@Suite(.serialized) struct KilledWriterTests {
  private static let variable = "MOTHLIGHT_TEST_STORE_WRITER"
  private static var folder: String? { ProcessInfo.processInfo.environment[variable] }
  private static let hostsOfABatch = 20
  /// Batches after which a forgotten writer ends by itself.
  private static let batchesMost = 20_000

  private static func batch(_ life: Int, _ number: Int) -> [HostDay] {
    (0..<hostsOfABatch).map { n in
      let host = "10.\(life).\(number / 12).\(number % 12 * hostsOfABatch + n)"
      return StationFixture.plain(
        host, day: StationFixture.today - number % 3, verdict: n == 0 ? .infected : .suspicious, botnet: "Zeus",
        subject: "s\(number) \(n)")
    }
  }

  /// The writer: after each batch that was acknowledged it notes so in a file.
  @Test(.enabled(if: folder != nil)) func write() async throws {
    let folder = try #require(Self.folder)
    let life = Int(try String(contentsOfFile: folder + "/life", encoding: .utf8)) ?? 0
    let store = try StationStore.open(folder + "/store.sqlite", at: StationFixture.now)
    let notes = open("\(folder)/acknowledged", O_WRONLY | O_CREAT | O_APPEND, 0o600)
    for number in 0..<Self.batchesMost {
      try await store.keep(Self.batch(life, number), run: "life \(life)", at: StationFixture.now)
      let line = Array("\(life) \(number)\n".utf8)
      _ = line.withUnsafeBytes { Glibc.write(notes, $0.baseAddress, $0.count) }
    }
  }

  /// This program again, with the writer as its only test.
  private func start(_ folder: String) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    var arguments = CommandLine.arguments.dropFirst()
    while let place = arguments.firstIndex(where: { $0 == "--filter" || $0 == "--skip" }) {
      arguments.removeSubrange(place..<min(place + 2, arguments.endIndex))
    }
    process.arguments = arguments + ["--filter", "KilledWriterTests/write"]
    process.environment = ProcessInfo.processInfo.environment.merging([Self.variable: folder]) { $1 }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  @Test(.enabled(if: folder == nil), .timeLimit(.minutes(2)))
  func whatWasAcknowledgedIsThere() async throws {
    try await StationFixture.withFolder { folder in
      var random = SystemRandomNumberGenerator()
      for life in 0..<4 {
        try Data("\(life)".utf8).write(to: URL(fileURLWithPath: folder + "/life"))
        let writer = try start(folder)
        for _ in 0..<600 where !acknowledged(folder).contains(where: { $0.life == life }) {
          try await Task.sleep(for: .milliseconds(50))
        }
        try await Task.sleep(for: .milliseconds(Int.random(in: 1...300, using: &random)))
        kill(writer.processIdentifier, SIGKILL)
        writer.waitUntilExit()
        #expect(writer.terminationReason == .uncaughtSignal)
        try await check(folder, life)
      }
    }
  }

  private func acknowledged(_ folder: String) -> [(life: Int, number: Int)] {
    let text = (try? String(contentsOfFile: folder + "/acknowledged", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ").compactMap { Int($0) }
      return words.count == 2 ? (words[0], words[1]) : nil
    }
  }

  private func check(_ folder: String, _ life: Int) async throws {
    let notes = acknowledged(folder)
    #expect(notes.contains { $0.life == life }, "the writer of life \(life) wrote nothing")
    let store = try StationStore.open(folder + "/store.sqlite", at: StationFixture.now)
    defer { store.close() }
    #expect(try await store.check(at: StationFixture.now) == [])
    #expect(try KeepTests.differences(store) == [])
    let held = try hosts(store)
    for note in notes {
      for day in Self.batch(note.life, note.number) {
        #expect(held.contains("\(day.host) \(day.day)"), "life \(note.life), batch \(note.number)")
      }
    }
    // A batch is there as a whole or not at all.
    #expect(held.count % Self.hostsOfABatch == 0)
    // At most one batch more than was noted in each life.
    #expect(held.count <= (notes.count + life + 1) * Self.hostsOfABatch)
  }

  private func hosts(_ store: StationStore) throws -> Set<String> {
    try store.file.read { db in
      var all: Set<String> = []
      try Prepared(db, "SELECT host, day FROM host_day").each { row in
        all.insert("\(try row.address(0)) \(row.integer(1))")
        return true
      }
      return all
    }
  }
}
