import Foundation
import Mothlight
import Testing

@testable import MothlightStation

/// Every way in which logs are put away, with rows written before, while and after: each comes once.
@Suite struct LogFolderTests {
  @Test func rowsComeAsTheyAreWritten() async throws {
    let bench = try LogBench()
    try bench.append("conn.log", LogFixture.header(1) + LogFixture.row(1))
    bench.start()
    #expect(await bench.waitFor(1))
    try bench.append("conn.log", LogFixture.row(2) + "17630000")
    #expect(await bench.waitFor(2))
    try await Task.sleep(for: .milliseconds(60))
    #expect(bench.ports == [1, 2], "half a row is no row")
    try bench.append("conn.log", String(LogFixture.row(3).dropFirst(8)))
    #expect(await bench.waitFor(3))
    #expect(bench.ports == [1, 2, 3])
    let health = try #require(bench.health)
    #expect(health.state == .running && health.records == 3 && health.used == 3 && health.unparsed == 0)
    #expect(health.newest == Timestamp(nanoseconds: 1_763_000_003_500_000_000))
    #expect(await bench.stop() == nil)
  }

  /// Zeek: the log is renamed, a new one takes its name; the writer may still write into the old one.
  @Test func renamed() async throws {
    let bench = try LogBench()
    try bench.append("conn.log", LogFixture.header(1) + LogFixture.row(1))
    bench.start()
    #expect(await bench.waitFor(1))
    try bench.append("conn.log", LogFixture.row(2))
    try bench.rename("conn.log", "conn.10-11.log")
    try bench.append("conn.log", LogFixture.header(2) + LogFixture.row(4))
    try bench.append("conn.10-11.log", LogFixture.row(3))
    #expect(await bench.waitFor(4))
    #expect(bench.ports.sorted() == [1, 2, 3, 4])
    // Packed an hour later.
    try bench.pack("conn.10-11.log")
    try bench.append("conn.log", LogFixture.row(5))
    #expect(await bench.waitFor(5))
    try await Task.sleep(for: .milliseconds(150))
    #expect(bench.ports.sorted() == [1, 2, 3, 4, 5])
    await bench.stop()
  }

  /// Zeek's archive lies elsewhere: the old log leaves the folder with rows that were not read, and its last line unfinished.
  @Test func takenAway() async throws {
    let bench = try LogBench()
    try bench.append("conn.log", LogFixture.header(1) + LogFixture.row(1))
    bench.start()
    #expect(await bench.waitFor(1))
    let outside = bench.scratch.path + "/conn.old"
    try FileManager.default.moveItem(atPath: bench.logs + "/conn.log", toPath: outside)
    let handle = try #require(FileHandle(forWritingAtPath: outside))
    try handle.seekToEnd()
    handle.write(Data((LogFixture.row(2) + String(LogFixture.row(3).dropLast())).utf8))
    #expect(await bench.waitFor(3))
    #expect(bench.ports == [1, 2, 3])
    #expect(await eventually { bench.health?.details["files"] == "0" })
    await bench.stop()
  }

  /// logrotate with copytruncate: the copy goes on where the original was read, the original begins anew.
  @Test func copiedAndCut() async throws {
    let bench = try LogBench()
    try bench.append("eve.json", (1...3).map(LogFixture.eve).joined())
    bench.start()
    #expect(await bench.waitFor(3))
    try bench.append("eve.json", LogFixture.eve(4) + LogFixture.eve(5))
    try bench.copy("eve.json", "eve.json.1")
    bench.truncate("eve.json")
    try bench.append("eve.json", LogFixture.eve(6))
    #expect(await bench.waitFor(6))
    try await Task.sleep(for: .milliseconds(100))
    #expect(bench.ports.sorted() == [1, 2, 3, 4, 5, 6])
    try bench.pack("eve.json.1")
    try bench.append("eve.json", LogFixture.eve(7))
    #expect(await bench.waitFor(7))
    try await Task.sleep(for: .milliseconds(100))
    #expect(bench.ports.sorted() == [1, 2, 3, 4, 5, 6, 7])
    await bench.stop()
  }

  /// The cut log grows beyond its old length between two looks: its beginning tells that it is another one.
  @Test func cutAndLongerThanBefore() async throws {
    let bench = try LogBench { $0.pollSeconds = 0.3 }
    try bench.append("eve.json", LogFixture.eve(1))
    bench.start()
    #expect(await bench.waitFor(1))
    bench.truncate("eve.json")
    try bench.append("eve.json", (2...9).map(LogFixture.eve).joined())
    #expect(await bench.waitFor(9))
    #expect(bench.ports == Array(1...9))
    await bench.stop()
  }

  /// Put away and packed while nobody watched, with rows that were never read.
  @Test func packedWhileStopped() async throws {
    let bench = try LogBench()
    try bench.append("conn.log", LogFixture.header(1) + LogFixture.row(1) + LogFixture.row(2))
    bench.start()
    #expect(await bench.waitFor(2))
    await bench.stop()
    try bench.append("conn.log", LogFixture.row(3))
    try bench.rename("conn.log", "conn.1.log")
    try bench.pack("conn.1.log")
    try bench.append("conn.log", LogFixture.header(2) + LogFixture.row(4))
    await bench.restart()
    #expect(await bench.waitFor(2))
    try await Task.sleep(for: .milliseconds(150))
    // What was packed a moment ago has to lie still first.
    #expect(bench.ports.sorted() == [3, 4])
    await bench.restart()
    try await Task.sleep(for: .milliseconds(200))
    #expect(bench.ports == [])
    await bench.stop()
  }

  /// Dated folders, and a link to the present one.
  @Test func foldersAndLinks() async throws {
    let bench = try LogBench()
    let spool = bench.scratch.path + "/spool"
    for folder in [spool, bench.logs + "/2026-11-24"] {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }
    try FileManager.default.createSymbolicLink(atPath: bench.logs + "/current", withDestinationPath: spool)
    // A loop of links traps nobody.
    try FileManager.default.createSymbolicLink(atPath: spool + "/loop", withDestinationPath: bench.logs)
    try bench.append("2026-11-24/conn.log", LogFixture.header(1) + LogFixture.row(1))
    try bench.append("current/conn.log", LogFixture.header(2) + LogFixture.row(2))
    bench.start()
    #expect(await bench.waitFor(2))
    try await Task.sleep(for: .milliseconds(60))
    #expect(bench.ports == [1, 2])
    await bench.stop()
  }

  /// Rows of several logs come in the order of their times, also when a whole day has waited.
  @Test func rowsAreMergedByTime() async throws {
    let bench = try LogBench()
    for n in 0..<8 {
      let rows = (0..<200).map { LogFixture.row(1 + $0 * 8 + n) }.joined()
      try bench.append("conn.\(n).log", LogFixture.header(n) + rows)
      if n % 2 == 0 { try bench.pack("conn.\(n).log") }
    }
    try await Task.sleep(for: .milliseconds(100))
    bench.start()
    #expect(await bench.waitFor(1600))
    #expect(bench.ports == Array(1...1600))
    await bench.stop()
  }

  /// Other columns in a new log, and in the middle of one: read by the new header, and said.
  @Test func columnsChange() async throws {
    let bench = try LogBench()
    let fields = "ts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tconn_state\tlocal_orig"
    let row = { (n: Int) in "\(1_763_000_000 + n).0\t10.0.0.5\t\(n)\t192.0.2.7\t443\ttcp\tSF\tT\n" }
    try bench.append("conn.log", LogFixture.header(1) + LogFixture.row(1))
    bench.start()
    #expect(await bench.waitFor(1))
    try bench.append("conn.log", LogFixture.header(2, fields: fields) + row(2))
    #expect(await bench.waitFor(2))
    #expect(bench.ports == [1, 2])
    #expect(bench.health?.unparsed == 0)
    let said = bench.health?.trouble ?? ""
    #expect(said.contains("other columns") && said.contains("+local_orig") && said.contains("-uid"), "\(said)")
    await bench.restart()
    try bench.append("conn.log", row(3))
    #expect(await bench.waitFor(1))
    #expect(bench.ports == [3])
    await bench.stop()
  }

  /// What is no log for us is left out and counted; old logs are history.
  @Test func othersAreLeftOut() async throws {
    let bench = try LogBench { $0.historySeconds = 3600 }
    try bench.append("weird.log", LogFixture.header(1, path: "weird", fields: "ts\tname") + "1\tx\n")
    try bench.append("notes.txt", "hello\n")
    try bench.append("empty.log", "")
    try bench.append(".hidden.log", LogFixture.header(1) + LogFixture.row(7))
    try bench.append("old.log", LogFixture.header(2) + LogFixture.row(8))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -7200)], ofItemAtPath: bench.logs + "/old.log")
    try bench.append("conn.log", LogFixture.header(3) + LogFixture.row(1))
    bench.start()
    #expect(await bench.waitFor(1))
    #expect(await eventually { bench.health?.skipped.count == 2 })
    #expect(bench.ports == [1])
    #expect(bench.health?.skipped["zeek weird log: not one that is read"] == 1)
    #expect(bench.health?.skipped["files: not a log that is read"] == 1)
    await bench.stop()
  }

  @Test func damageIsSaidWithItsPlace() async throws {
    let bench = try LogBench()
    try bench.append("conn.log", LogFixture.header(1) + LogFixture.row(1) + "1763000001.0\tx\n" + LogFixture.row(2))
    bench.start()
    #expect(await bench.waitFor(2))
    #expect(await eventually { bench.health?.unparsed == 1 })
    let said = bench.health?.trouble ?? ""
    #expect(said.contains("conn.log: line 9: 2 columns where the header has 12"), "\(said)")
    await bench.stop()
  }

  @Test func aFolderThatIsMissingFails() async throws {
    let bench = try LogBench()
    try FileManager.default.removeItem(atPath: bench.logs)
    bench.start()
    let error = await bench.outcome()
    #expect(error?.code == .notFound)
    #expect(error?.message.contains("there is no such folder") == true, "\(String(describing: error))")
  }

  /// Two programs on one positions file would each read half.
  @Test func positionsAreLocked() async throws {
    let bench = try LogBench()
    bench.start()
    #expect(await eventually { bench.health?.state == .running })
    var settings = FolderSettings.logs(
      name: "other", path: bench.logs, positionsPath: bench.scratch.path + "/zeek.positions")
    settings.pollSeconds = 0.01
    let other = LogFolderSource(settings)
    await #expect(throws: SourceError(.unavailable, "")) { try await other.run(into: CollectingSink()) }
    await bench.stop()
  }
}
