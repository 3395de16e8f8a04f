import Foundation
import GRDB
import Mothlight
import Testing

@testable import MothlightStore

@Suite struct FullDiskTests {
  private let now = StationFixture.now
  private let today = StationFixture.today

  private func batch(_ n: Int) -> [HostDay] {
    (0..<60).map { k in
      StationFixture.hostDay(
        "10.\(n / 250).\(n % 250).\(k)", day: today, verdict: .suspicious,
        findings: (0..<4).map {
          StationFixture.finding(
            StationFixture.address("10.\(n / 250).\(n % 250).\(k)"), day: today, subject: "s\(n) \(k) \($0)")
        })
    }
  }

  /// Writes until the disk is full, then checks that reading goes on and that writing resumes when there is room again.
  private func fillUp(_ store: StationStore, makeRoom: () throws -> Void) async throws {
    var acknowledged = 0
    var failure: StoreError?
    while failure == nil, acknowledged < 2000 {
      do throws(StoreError) {
        try await store.keep(batch(acknowledged), run: "a", at: now)
        acknowledged += 1
      } catch { failure = error }
    }
    let error = try #require(failure)
    #expect(error.code == .full)
    #expect(error.message.contains("the disk is full") && !error.message.contains("\n"))
    var condition = await store.condition()
    #expect(condition.state == .full)
    #expect(condition.reason == error.message)
    #expect(condition.hostDays == UInt64(acknowledged * 60))
    #expect(acknowledged > 0)
    for n in [0, acknowledged - 1] {
      #expect(try await store.hostDay(batch(n)[59].host, day: today)?.findings.count == 4)
    }
    // Still full: tried again, refused again, nothing in part.
    await #expect(throws: StoreError(.full, "")) { try await store.keep(batch(acknowledged), run: "a", at: now) }
    #expect(try KeepTests.differences(store) == [])
    try makeRoom()
    try await store.keep(batch(acknowledged), run: "a", at: now)
    condition = await store.condition()
    #expect(condition.state == .ready)
    #expect(condition.reason == nil)
    #expect(condition.hostDays == UInt64((acknowledged + 1) * 60))
    #expect(try store.file.read { try String.fetchAll($0, sql: "PRAGMA integrity_check") } == ["ok"])
  }

  private func limit(_ store: StationStore, _ pages: Int) throws {
    try store.file.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = \(pages)") }
  }

  @Test func aLimitOfPagesStopsWritingAndItResumes() async throws {
    try await StationFixture.withStore { store, _ in
      try limit(store, 800)
      try await fillUp(store) { try limit(store, 1_000_000) }
    }
  }

  /// Nothing to write is still a try whether there is room again.
  @Test func anEmptyBatchTriesAgain() async throws {
    try await StationFixture.withStore { store, _ in
      try limit(store, 240)
      await #expect(throws: StoreError(.full, "")) {
        for n in 0..<100 { try await store.keep(batch(n), run: "a", at: now) }
      }
      #expect(await store.condition().state == .full)
      try limit(store, 1_000_000)
      try await store.keep([], run: "a", at: now)
      #expect(await store.condition().state == .ready)
    }
  }

  /// A real file system of 12 MiB, where this user may mount one.
  @Test func aSmallFileSystemFillsUp() async throws {
    try await StationFixture.withFolder { folder in
      let place = folder + "/small"
      try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
      guard Self.run("mount", ["-t", "tmpfs", "-o", "size=12m", "tmpfs", place]) else { return }
      defer { _ = Self.run("umount", ["-l", place]) }
      let ballast = place + "/ballast"
      try Data(repeating: 1, count: 4 << 20).write(to: URL(fileURLWithPath: ballast))
      let store = try StationStore.open(place + "/store.sqlite", at: now)
      defer { store.close() }
      try await fillUp(store) { try FileManager.default.removeItem(atPath: ballast) }
    }
  }

  private static func run(_ program: String, _ arguments: [String]) -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }
}
