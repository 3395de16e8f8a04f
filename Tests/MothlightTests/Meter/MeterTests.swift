import Testing

@testable import Mothlight

private typealias P = PacketFixture

@Suite struct MeterTests {
  private func outward(_ flags: UInt8, _ payload: [UInt8] = [], seq: UInt32 = 1000, port: UInt16 = 40_000) -> [UInt8] {
    P.ethernet(P.ipv4(P.tcp(payload, from: port, flags: flags, sequence: seq)))
  }
  private func inward(_ flags: UInt8, _ payload: [UInt8] = [], seq: UInt32 = 5000, port: UInt16 = 40_000) -> [UInt8] {
    P.ethernet(P.ipv4(P.tcp(payload, from: 80, to: port, flags: flags, sequence: seq), from: P.them, to: P.us))
  }

  @Test func conversationIsOneFlowWithBothDirections() throws {
    var bench = MeterBench()
    bench.send(outward(TCPFlag.syn, seq: 999), at: 1)
    bench.send(inward(TCPFlag.syn | TCPFlag.ack, seq: 4999), at: 1.1)
    bench.send(outward(TCPFlag.ack, Array(repeating: 1, count: 100)), at: 1.2)
    bench.send(inward(TCPFlag.ack, Array(repeating: 2, count: 700)), at: 1.3)
    bench.send(outward(TCPFlag.fin | TCPFlag.ack, seq: 1100), at: 1.4)
    bench.send(inward(TCPFlag.fin | TCPFlag.ack, seq: 5700), at: 1.5)
    let flows = bench.flows()
    let flow = try #require(flows.first)
    #expect(flows.count == 1)
    #expect(flow.source == P.us && flow.destination == P.them)
    #expect(flow.sourcePort == 40_000 && flow.destinationPort == 80)
    #expect(flow.state == .closed)
    #expect(flow.sourcePackets == 3 && flow.destinationPackets == 3)
    #expect(flow.sourcePayload == 100 && flow.destinationPayload == 700)
    #expect(flow.sourceOctets == 3 * 40 + 100 && flow.destinationOctets == 3 * 40 + 700)
    #expect(abs(flow.duration - 0.5) < 1e-6)
  }

  @Test func retransmittedOctetsCountOnce() throws {
    var bench = MeterBench()
    bench.send(outward(TCPFlag.syn, seq: 999), at: 1)
    bench.send(inward(TCPFlag.syn | TCPFlag.ack), at: 1.1)
    let data = [UInt8](repeating: 9, count: 50)
    bench.send(outward(TCPFlag.ack, data, seq: 1000), at: 1.2)
    bench.send(outward(TCPFlag.ack, data, seq: 1000), at: 1.5)
    bench.send(outward(TCPFlag.ack, data, seq: 1025), at: 1.6)
    let flow = try #require(bench.flows().first)
    #expect(flow.sourcePayload == 75)
    #expect(flow.anomalies.contains(.retransmission))
  }

  @Test func sequenceNumberWrapsWithoutLoss() throws {
    var bench = MeterBench()
    bench.send(outward(TCPFlag.syn, seq: .max - 10), at: 1)
    bench.send(outward(TCPFlag.ack, [UInt8](repeating: 1, count: 20), seq: .max - 9), at: 1.1)
    bench.send(outward(TCPFlag.ack, [UInt8](repeating: 1, count: 20), seq: 10), at: 1.2)
    let flow = try #require(bench.flows().first)
    #expect(flow.sourcePayload == 40)
    #expect(!flow.anomalies.contains(.sequenceGap))
  }

  @Test(arguments: [
    (UInt8(0), ConnectionState.unanswered), (TCPFlag.rst | TCPFlag.ack, .refused),
    (TCPFlag.syn | TCPFlag.ack, .established),
  ])
  func answerToSYNDecidesState(answer: UInt8, state: ConnectionState) throws {
    var bench = MeterBench()
    bench.send(outward(TCPFlag.syn), at: 1)
    if answer != 0 { bench.send(inward(answer), at: 1.1) }
    #expect(try #require(bench.flows().first).state == state)
  }

  @Test func icmpUnreachableRefusesTheQuotedFlow() throws {
    var bench = MeterBench()
    let probe = P.ipv4(P.udp([1, 2, 3]), transport: 17)
    bench.send(P.ethernet(probe), at: 1)
    let icmp: [UInt8] = [3, 3, 0, 0, 0, 0, 0, 0] + probe
    bench.send(P.ethernet(P.ipv4(icmp, from: P.them, to: P.us, transport: 1)), at: 1.1)
    let flow = try #require(bench.flows().first { $0.transport == .udp })
    #expect(flow.state == .refused)
  }

  @Test func idleFlowEndsAndTheNextPacketBeginsAnother() {
    var bench = MeterBench()
    let datagram = P.ethernet(P.ipv4(P.udp([UInt8](repeating: 0, count: 64)), transport: 17))
    bench.send(datagram, at: 0)
    bench.send(datagram, at: 59)
    bench.send(datagram, at: 120)
    #expect(bench.flows().map(\.sourcePackets).sorted() == [1, 2])
  }

  @Test func anHourLongFlowIsReportedInParts() {
    var bench = MeterBench()
    bench.send(outward(TCPFlag.syn, seq: 999), at: 0)
    bench.send(inward(TCPFlag.syn | TCPFlag.ack), at: 0.1)
    for i in 1...80 { bench.send(outward(TCPFlag.ack, [1], seq: 999 + UInt32(i)), at: Double(i) * 100) }
    let flows = bench.flows()
    #expect(flows.count == 3)
    #expect(flows.allSatisfy { $0.anomalies.contains(.cutByTimeout) })
    #expect(flows.allSatisfy { $0.state == .established })
    #expect(flows.reduce(0) { $0 + $1.sourcePayload } == 80)
  }

  @Test func fullTableEvictsCountsAndLosesNothing() {
    var bench = MeterBench(limit: 8)
    for port in 0..<100 { bench.send(outward(TCPFlag.syn, port: UInt16(20_000 + port)), at: Double(port) * 0.01) }
    let evicted = bench.meter.evicted
    let flows = bench.flows()
    #expect(evicted == 92)
    #expect(Set(flows.map(\.sourcePort)).count == 100)
  }

  @Test func newSYNAfterCloseIsANewFlow() {
    var bench = MeterBench()
    for round in 0..<3 {
      let t = Double(round)
      bench.send(outward(TCPFlag.syn, seq: UInt32(round) * 100_000), at: t)
      bench.send(inward(TCPFlag.rst | TCPFlag.ack), at: t + 0.1)
    }
    #expect(bench.flows().map(\.state) == [.refused, .refused, .refused])
  }

  @Test func retriedSYNIsTheSameAttempt() {
    var bench = MeterBench()
    for t in [0.0, 1, 3, 7] { bench.send(outward(TCPFlag.syn), at: t) }
    #expect(bench.flows().map(\.sourcePackets) == [4])
  }

  @Test func laterFragmentsCountIntoTheirFlow() throws {
    var bench = MeterBench()
    let whole = P.udp([UInt8](repeating: 5, count: 1472))
    bench.send(P.ethernet(P.ipv4(Array(whole[0..<1000]), transport: 17, fragment: 0x2000, id: 77)), at: 1)
    bench.send(P.ethernet(P.ipv4(Array(whole[1000...]), transport: 17, fragment: 125, id: 77)), at: 1.01)
    let flows = bench.flows()
    let flow = try #require(flows.first)
    #expect(flows.count == 1)
    #expect(flow.sourcePackets == 2 && flow.destinationPort == 9999)
    #expect(flow.anomalies.contains(.fragmented))
  }

  /// Backscatter and forged answers: the other side's SYN-ACK does not show that ours began.
  @Test func answerWithoutQuestionIsNobodysConnection() throws {
    var bench = MeterBench()
    bench.send(inward(TCPFlag.syn | TCPFlag.ack), at: 1)
    bench.send(outward(TCPFlag.rst), at: 1.1)
    let flow = try #require(bench.flows().first)
    #expect(flow.state == .midstream && flow.anomalies.contains(.directionGuessed))
    #expect(flow.state.wasAnswered == nil)
  }

  @Test func ourOwnErrorMessagesAskForNoAnswer() throws {
    var bench = MeterBench()
    let icmp: [UInt8] = [3, 3, 0, 0, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 28)
    bench.send(P.ethernet(P.ipv4(icmp, transport: 1)), at: 1)
    #expect(try #require(bench.flows().first { $0.transport == .icmp }).state == .unknown)
    var ping = MeterBench()
    ping.send(P.ethernet(P.ipv4([8, 0, 0, 0, 0, 0, 0, 0], transport: 1)), at: 1)
    #expect(try #require(ping.flows().first).state == .unanswered)
  }

  /// A capture that begins in mid-conversation with a bare ACK still counts what follows.
  @Test func bareAcknowledgementFirst() throws {
    var bench = MeterBench()
    bench.send(outward(TCPFlag.ack, seq: 0x9000_0000), at: 1)
    bench.send(outward(TCPFlag.ack, [UInt8](repeating: 1, count: 30), seq: 0x9000_0000), at: 1.1)
    let flow = try #require(bench.flows().first)
    #expect(flow.sourcePayload == 30)
    #expect(!flow.anomalies.contains(.retransmission) && !flow.anomalies.contains(.sequenceGap))
  }

  /// One packet stamped in 2106 does not end the conversations of today.
  @Test func aStrayClockEndsNothing() throws {
    var bench = MeterBench()
    for port in 0..<50 as Range<UInt16> {
      bench.send(outward(TCPFlag.syn, port: 20_000 + port), at: 1 + Double(port) / 1000)
    }
    bench.send(P.ethernet(P.ipv4(P.udp([1]), transport: 17)), at: 4_294_967_295)
    for port in 0..<50 as Range<UInt16> {
      bench.send(inward(TCPFlag.syn | TCPFlag.ack, port: 20_000 + port), at: 1.2 + Double(port) / 1000)
    }
    let flows = bench.flows().filter { $0.transport == .tcp }
    #expect(flows.count { $0.state == .established } >= 49)
  }

  @Test func finishingTwiceGivesNothingMore() {
    var bench = MeterBench()
    bench.send(outward(TCPFlag.syn), at: 1)
    #expect(bench.flows().count == 1)
    #expect(bench.flows().count == 1)
  }
}
