import Foundation
import Mothlight
import Testing

@testable import MothlightStation

/// Killed at any moment and started again: the positions say what was sent.
@Suite struct RestartTests {
  /// The program dies inside the n-th hand-over. What the pipeline had acknowledged is not sent again, what it had not is.
  @Test(arguments: 0..<6)
  func killedInTheMiddle(_ calls: Int) async throws {
    let bench = try LogBench()
    for n in 0..<2 {
      let rows = (0..<1500).map { LogFixture.row(1 + $0 * 2 + n) }.joined()
      try bench.append("conn.\(n).log", LogFixture.header(n) + rows)
    }
    bench.start(callsMost: calls)
    #expect(await eventually { bench.sink.isStuck })
    let before = bench.ports
    #expect(before.count < 3000)
    // What is on disk at that moment is all that a killed program leaves.
    let positions = bench.scratch.path + "/killed.positions"
    try FileManager.default.copyItem(atPath: bench.scratch.path + "/zeek.positions", toPath: positions)
    let next = try LogBench(after: bench, positionsPath: positions)
    next.start()
    #expect(await next.waitFor(3000 - before.count))
    try await Task.sleep(for: .milliseconds(50))
    #expect((before + next.ports).sorted() == Array(1...3000))
    await next.stop()
    await bench.stop()
  }

  /// With a pipeline that says what is safe, everything behind its word comes again, and nothing in front of it.
  @Test func whenTold() async throws {
    let bench = try LogBench { $0.keeping = .whenTold }
    try bench.append("conn.log", LogFixture.header(1) + (1...10).map(LogFixture.row).joined())
    bench.start()
    #expect(await bench.waitFor(10))
    await bench.restart()
    #expect(await bench.waitFor(10))
    #expect(bench.ports == Array(1...10), "nothing was said to be safe")
    bench.source?.commit()
    try bench.append("conn.log", LogFixture.row(11))
    #expect(await bench.waitFor(11))
    await bench.restart()
    #expect(await bench.waitFor(1))
    try await Task.sleep(for: .milliseconds(50))
    #expect(bench.ports == [11])
    await bench.stop()
  }

  /// A run that fails and is called again by the supervisor goes on where it was, told or not.
  @Test func aSecondRunGoesOn() async throws {
    let bench = try LogBench { $0.keeping = .whenTold }
    try bench.append("conn.log", LogFixture.header(1) + LogFixture.row(1))
    bench.start()
    #expect(await bench.waitFor(1))
    await bench.stop()
    try bench.append("conn.log", LogFixture.row(2))
    bench.start()
    #expect(await bench.waitFor(1))
    #expect(bench.ports == [2])
    await bench.stop()
  }
}

@Suite struct PositionJournalTests {
  private let now = Timestamp(seconds: 1_763_000_000)

  @Test func remembers() throws {
    let scratch = try ScratchFolder()
    let path = scratch.path + "/positions"
    do {
      var journal = try PositionJournal(path: path)
      let isKnown = journal.isKnown
      #expect(!isKnown)
      journal.put("log:10:ab", octets: 5, lines: 1, at: now)
      journal.put("log:10:ab", octets: 9, lines: 2, held: 4, at: now)
      journal.put("log:20:cd", octets: 7, lines: 1, at: now)
      journal.put("log:30:ef", octets: 7, lines: 1, at: now)
      journal.remove("log:20:cd", at: now)
    }
    let journal = try PositionJournal(path: path)
    let (isKnown, lastSeen, damaged, marks) = (journal.isKnown, journal.lastSeen, journal.damagedLines, journal.marks)
    #expect(isKnown && lastSeen == 1_763_000_000 && damaged == 0)
    #expect(Set(marks.keys) == ["log:10:ab", "log:30:ef"])
    #expect(marks["log:10:ab"] == .init(octets: 9, lines: 2, held: 4, seen: 1_763_000_000))
  }

  /// A crash while a line was written costs that line.
  @Test func everyTornEnd() throws {
    let scratch = try ScratchFolder()
    let path = scratch.path + "/positions"
    do {
      var journal = try PositionJournal(path: path)
      journal.put("a", octets: 1, lines: 1, at: now)
      journal.put("b", octets: 123_456, lines: 99, at: now)
    }
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    let last = try #require(whole.dropLast().lastIndex(of: 0x0a)) + 1
    for end in last..<whole.count {
      try whole[..<end].write(to: URL(fileURLWithPath: path))
      let marks = try PositionJournal(path: path).marks
      #expect(marks["a"]?.octets == 1)
      // Without its newline a line is whole.
      #expect(marks["b"]?.octets == (end == whole.count - 1 ? 123_456 : nil), "cut at \(end)")
      try whole.write(to: URL(fileURLWithPath: path))
    }
  }

  /// A changed number is not believed.
  @Test func damageIsCounted() throws {
    let scratch = try ScratchFolder()
    let path = scratch.path + "/positions"
    do {
      var journal = try PositionJournal(path: path)
      journal.put("a", octets: 1234, lines: 1, at: now)
    }
    let text = try String(contentsOfFile: path, encoding: .utf8).replacingOccurrences(of: "1234", with: "1235")
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    let journal = try PositionJournal(path: path)
    let (marks, damaged) = (journal.marks, journal.damagedLines)
    #expect(marks.isEmpty && damaged == 1)
  }

  @Test func staysShort() throws {
    let scratch = try ScratchFolder()
    let path = scratch.path + "/positions"
    var journal = try PositionJournal(path: path)
    for n in 0..<20_000 {
      journal.put("a", octets: UInt64(n), lines: 1, at: now)
      if n % 1000 == 0 { journal.synchronise() }
    }
    journal.synchronise()
    let size = try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
    #expect(size < 6000 * 40)
    let marks = journal.marks
    #expect(marks["a"]?.octets == 19_999)
  }

  @Test func oldestAreForgotten() throws {
    let scratch = try ScratchFolder()
    var journal = try PositionJournal(path: scratch.path + "/positions")
    for n in 0...PositionJournal.marksMost {
      journal.put("k\(n)", octets: 1, lines: 1, at: now.advanced(bySeconds: Double(n)))
    }
    let (forgotten, marks) = (journal.forgotten, journal.marks)
    #expect(forgotten > 0 && marks.count < PositionJournal.marksMost)
    #expect(marks["k0"] == nil && marks["k\(PositionJournal.marksMost)"] != nil)
  }

  @Test func aPlaceThatCannotBeWritten() throws {
    #expect(throws: SourceError(.unreadable, "")) { _ = try PositionJournal(path: "/nonexistent/positions") }
  }
}
