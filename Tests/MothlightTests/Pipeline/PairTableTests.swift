import Testing

@testable import Mothlight

@Suite struct PairTableTests {
  private func flow(_ first: Double, _ last: Double, port: UInt16, state: ConnectionState = .established) -> Flow {
    Flow(
      source: PipelineFixture.ours(5), destination: PipelineFixture.outside(1), sourcePort: port, destinationPort: 443,
      transport: .tcp, first: Timestamp(secondsSinceEpoch: first), last: Timestamp(secondsSinceEpoch: last),
      state: state,
      sourceOctets: 100, destinationOctets: 200, sourcePackets: 2, destinationPackets: 2)
  }
  private func table(_ flows: [Flow]) -> (PairTable, [Bool]) {
    var table = PairTable()
    let continued = flows.map { table.update($0, host: 0, peer: $0.destination, isInside: false).isContinuation }
    return (table, continued)
  }

  /// A connection cut into 60-second records is one start; interleaved ones stay apart.
  @Test func activeTimeoutsAreStitched() throws {
    var flows: [Flow] = []
    for i in 0..<30 {
      flows.append(flow(Double(i) * 60, Double(i) * 60 + 59.5, port: 50_001))
      flows.append(flow(Double(i) * 60 + 5, Double(i) * 60 + 64, port: 50_002))
    }
    let (table, continued) = table(flows)
    let pair = try #require(table.pairs.first)
    #expect(pair.starts == 2)
    #expect(continued.filter { !$0 }.count == 2)
    #expect(pair.longest > 1790)
    #expect(pair.octetsOut == 6000)
  }

  @Test func retriedSYNsAreOneAttempt() throws {
    let flows = [0.0, 7, 15, 31].map { flow($0, $0 + 0.1, port: 50_003, state: .unanswered) }
    #expect(try #require(table(flows).0.pairs.first).starts == 1)
  }

  @Test func portReuseAfterAnEndIsANewStart() throws {
    let flows = [0.0, 20, 40].map { flow($0, $0 + 1, port: 50_004, state: .closed) }
    #expect(try #require(table(flows).0.pairs.first).starts == 3)
  }

  /// One connection with a keep-alive every ten minutes, which the meter closes for idleness each time.
  @Test func aSilentConnectionIsNoSeriesOfConnections() throws {
    let flows = (0..<140).map {
      flow(Double($0) * 600, Double($0) * 600 + 1, port: 50_009, state: $0 == 0 ? .established : .midstream)
    }
    #expect(try #require(table(flows).0.pairs.first).starts == 1)
  }

  /// Records in any order give the same number of conversations.
  @Test func orderOfRecordsDoesNotMatter() throws {
    var flows: [Flow] = []
    for call in 0..<20 {
      for part in 0..<4 {
        let t = Double(call) * 1000 + Double(part) * 60
        flows.append(flow(t, t + 59, port: 40_000, state: .unknown))
      }
    }
    #expect(try #require(table(flows).0.pairs.first).starts == 20)
    #expect(try #require(table(flows.reversed()).0.pairs.first).starts == 20)
  }

  /// What another input of another decade says does not move a pair's times.
  @Test func timesOfAPairDependOnThePairAlone() throws {
    let old = (0..<20).map { flow(Double($0) * 300, Double($0) * 300 + 1, port: UInt16(30_000 + $0), state: .closed) }
    var table = PairTable()
    var recent = old
    for i in recent.indices {
      recent[i].destination = PipelineFixture.outside(2)
      recent[i].first = recent[i].first.advanced(bySeconds: 1.5e9)
      recent[i].last = recent[i].last.advanced(bySeconds: 1.5e9)
    }
    for flow in old + recent { _ = table.update(flow, host: 0, peer: flow.destination, isInside: false) }
    #expect(table.pairs.map { table.startSeconds(of: $0) }.allSatisfy { $0 == (0..<20).map { Double($0) * 300 } })
  }

  /// Times beyond what is kept go on counting in the gap histogram.
  @Test func longSeriesKeepTheirGaps() throws {
    let flows = (0..<5000).map { flow(Double($0) * 30, Double($0) * 30 + 1, port: UInt16(10_000 + $0), state: .closed) }
    let (table, _) = table(flows)
    let pair = try #require(table.pairs.first)
    let detail = try #require(table.detail(of: pair))
    #expect(pair.starts == 5000)
    #expect(detail.ticks.count <= 2 * PairDetail.timesKept)
    let all = GapHistogram.count(Periodicity.differences(table.startSeconds(of: pair)), onto: detail.oldGaps)
    #expect(all.reduce(0, +) == 4999)
    let bin = all.firstIndex { $0 > 0 }
    #expect(bin == GapHistogram.bin(ofSeconds: 30))
    #expect(table.samples(of: pair, from: PipelineFixture.ours(5)).count == Limits.evidenceFlowsPerFinding)
  }

  /// Issue 3, demand 9: state of a pair before the expensive test. An index slot has 16 bytes, and no more than four for a pair.
  @Test func aPairCostsAtMost512BytesBeforeTheTest() {
    let pair = MemoryLayout<Pair>.stride
    let times = MemoryLayout<PairTimes>.stride
    let index = 4 * 16 + MemoryLayout<Int32>.stride
    let recent = MemoryLayout<PairRecent>.stride
    #expect(pair == 128 && recent == 48 && times == 256)
    #expect(pair + recent + times + index <= 512)
    var table = PairTable()
    for n in 0..<PairTimes.ticksMost {
      let flow = flow(Double(n) * 60, Double(n) * 60 + 1, port: UInt16(10_000 + n), state: .closed)
      _ = table.update(flow, host: 0, peer: flow.destination, isInside: false)
    }
    #expect(table.series.isEmpty)
    #expect(table.startSeconds(of: table.pairs[0]) == (0..<PairTimes.ticksMost).map { Double($0) * 60 })
  }

  /// Times wait in the pair before they go to its long series; whoever asks meanwhile gets them all, in order of arrival.
  @Test(arguments: [20, 21, 39, 40, 41, 1023, 1024, 1043, 1044, 3000])
  func waitingTimesAreNotForgotten(_ count: Int) throws {
    var table = PairTable()
    for n in 0..<count {
      let flow = flow(Double(n) * 60, Double(n) * 60 + 1, port: UInt16(10_000 + n), state: .closed)
      _ = table.update(flow, host: 0, peer: flow.destination, isInside: false)
    }
    let pair = table.pairs[0]
    let detail = try #require(table.detail(of: pair))
    #expect(detail.ticks.count + Int(detail.ticksDropped) == count)
    #expect(detail.ticks == detail.ticks.sorted() && detail.ticks.last == Int32(count - 1) * 6000)
    table.handOverAll()
    let after = try #require(table.detail(of: pair))
    #expect(after.ticks == detail.ticks && after.oldGaps == detail.oldGaps)
    #expect(after.ticksDropped == detail.ticksDropped)
  }

  /// The first record is kept with the pair and its conversation begins to be followed with the second.
  @Test func theOnlyRecordIsTheLatestConversation() throws {
    let one = flow(100, 160, port: 50_005)
    var (table, _) = table([one])
    let recent = try #require(table.recent(of: table.pairs[0]))
    #expect(recent.zero == one.first && recent.items[0].last == 60 && recent.items[0].port == 50_005)
    #expect(!recent.items[0].hasEnded && recent.items[1].last == -.infinity)
    #expect(table.asFlow(table.pairs[0], of: PipelineFixture.ours(5)).sourcePort == 50_005)
    let next = flow(300, 301, port: 50_006, state: .closed)
    #expect(!table.update(next, host: 0, peer: next.destination, isInside: false).isContinuation)
    let further = flow(310, 320, port: 50_005)
    #expect(table.update(further, host: 0, peer: further.destination, isInside: false).isContinuation)
    let both = try #require(table.recent(of: table.pairs[0]))
    #expect(both.items[0].port == 50_006 && both.items[0].hasEnded && both.items[0].began == 200)
    #expect(both.items[1].port == 50_005 && both.items[1].last == 220 && both.items[1].began == 0)
    #expect(table.pairs[0].starts == 2 && table.pairs[0].longest == 220)
    #expect(table.asFlow(table.pairs[0], of: PipelineFixture.ours(5)).sourcePort == 50_006)
    let none = Pair(host: 0, peer: one.destination, port: 1, transport: .udp, isInside: false)
    #expect(PairTable().recent(of: none) == nil)
  }

  /// Clocks at the ends of time are times like others, but nothing is reckoned from the earliest.
  @Test func recordsAtTheEndsOfTimeKeepTheirPorts() throws {
    let ours = PipelineFixture.ours(5)
    for (time, hasTime) in [(Timestamp.distantFuture, true), (.distantPast, false)] {
      var one = flow(0, 0, port: 50_007)
      (one.first, one.last) = (time, time)
      var (table, _) = table([one])
      #expect(table.asFlow(table.pairs[0], of: ours).sourcePort == 50_007)
      let recent = try #require(table.recent(of: table.pairs[0]))
      #expect(recent.hasTime == hasTime)
      #expect(table.keptStarts(of: table.pairs[0]).count == (hasTime ? 1 : 0))
      _ = table.update(flow(100, 101, port: 50_008), host: 0, peer: one.destination, isInside: false)
      #expect(table.recent(of: table.pairs[0])?.hasTime == true)
    }
  }

  /// What replaces a pair's times replaces those that wait, too.
  @Test func replacedTimesAreNotCountedTwice() throws {
    var table = PairTable()
    for n in 0..<30 {
      let flow = flow(Double(n) * 60, Double(n) * 60 + 1, port: UInt16(10_000 + n), state: .closed)
      _ = table.update(flow, host: 0, peer: flow.destination, isInside: false)
    }
    var detail = try #require(table.detail(of: table.pairs[0]))
    #expect(detail.ticks.count == 30)
    detail.ticks = [0, 6000, 12_000]
    table.put(detail, at: 0)
    #expect(table.detail(of: table.pairs[0])?.ticks == [0, 6000, 12_000])
  }

  /// Without any room the newest ten to twenty starts of each pair stay, and a slow timer is still one.
  @Test func aFullTableStillShowsATimer() throws {
    var table = PairTable()
    table.longSeriesMost = 0
    for n in 0..<48 {
      let start = Double(n) * 1800 + Double(n * 7 % 11) * 20
      _ = table.update(
        flow(start, start + 1, port: UInt16(10_000 + n), state: .closed), host: 0, peer: PipelineFixture.outside(1),
        isInside: false)
    }
    let kept = table.startSeconds(of: table.pairs[0])
    #expect((10...20).contains(kept.count))
    #expect(table.series.isEmpty && table.timesRefused > 0)
    #expect(try #require(Periodicity.analyse(kept)).odds.total >= 8)
  }

  /// Where room for long series is scarce, timers get it and people do not; what was pushed out is counted.
  @Test func scarceRoomGoesToTimers() throws {
    var table = PairTable()
    table.series = [LongSeries](repeating: LongSeries(ticks: []), count: LongSeries.limit / 2)
    for n in 0..<200 {
      var timer = flow(Double(n) * 60, Double(n) * 60 + 1, port: UInt16(10_000 + n), state: .closed)
      timer.destination = PipelineFixture.outside(1)
      // Three visits of some seconds apart, then an hour of nothing.
      var visit = flow(
        Double(n / 3) * 3600 + Double(n % 3) * 4, Double(n / 3) * 3600 + Double(n % 3) * 4 + 1,
        port: UInt16(20_000 + n), state: .closed)
      visit.destination = PipelineFixture.outside(2)
      for flow in [timer, visit] { _ = table.update(flow, host: 0, peer: flow.destination, isInside: false) }
    }
    #expect(table.startSeconds(of: table.pairs[0]).count == 200)
    #expect((10...20).contains(table.startSeconds(of: table.pairs[1]).count))
    #expect(table.timesRefused > 100)
    #expect(try #require(table.detail(of: table.pairs[1])).ticksDropped > 100)
    // The newest are kept.
    let last = try #require(table.detail(of: table.pairs[1])).ticks.max()
    #expect(last == PairDetail.tick(of: table.pairs[1].last.advanced(bySeconds: -1), since: table.details[1].zero))
  }
}
