import Testing

@testable import Mothlight

private typealias P = PacketFixture

/// Time that passes on a wire: what is said of flows while they are open, and when no packet comes any more.
@Suite struct LiveMeterTests {
  private static let second: Int64 = 1_000_000_000

  private func outward(_ flags: UInt8, _ payload: [UInt8] = [], seq: UInt32 = 1000) -> [UInt8] {
    P.ethernet(P.ipv4(P.tcp(payload, flags: flags, sequence: seq)))
  }
  private func inward(_ flags: UInt8, _ payload: [UInt8] = [], seq: UInt32 = 5000) -> [UInt8] {
    P.ethernet(P.ipv4(P.tcp(payload, from: 80, to: 40_000, flags: flags, sequence: seq), from: P.them, to: P.us))
  }
  private func flows(_ out: [Observation]) -> [Flow] {
    out.compactMap { if case .flow(let flow) = $0.event { flow } else { nil } }
  }

  /// Frames at chosen seconds, then sweeps; the packets' own times are the clock.
  private struct Wire: ~Copyable {
    var meter: Meter
    var out: [Observation] = []
    var record: UInt64 = 0

    init(activeSeconds: Int64 = 120) {
      meter = Meter(input: 0, limit: 1024, activeTimeout: activeSeconds * LiveMeterTests.second)
    }
    mutating func send(_ frame: [UInt8], at seconds: Double) {
      record += 1
      frame.withUnsafeBytes { raw in
        var headers = PacketHeaders()
        guard PacketDecoder.decode(raw.bytes, link: .ethernet, into: &headers) == .decoded else { return }
        let key = meter.key(&headers)
        meter.add(headers, key, raw.bytes, at: Timestamp(secondsSinceEpoch: seconds), record: record, into: &out)
      }
    }
    mutating func sweep(at seconds: Int64) {
      meter.sweep(at: seconds * LiveMeterTests.second, visits: 1024, into: &out)
    }
    mutating func finish() { while meter.finish(into: &out, limit: 10) {} }
  }

  /// A datagram's flow is over after 60 s of silence, without another packet.
  @Test func silenceEndsAFlow() {
    var wire = Wire()
    wire.send(P.ethernet(P.ipv4(P.udp([1, 2, 3]), transport: 17)), at: 1)
    wire.sweep(at: 61)
    #expect(flows(wire.out).isEmpty)
    wire.sweep(at: 62)
    #expect(flows(wire.out).count == 1)
    wire.finish()
    #expect(flows(wire.out).count == 1)
  }

  /// A conversation that ended is told five seconds later.
  @Test func anEndedConversationIsTold() throws {
    var wire = Wire()
    wire.send(outward(TCPFlag.syn, seq: 999), at: 1)
    wire.send(inward(TCPFlag.syn | TCPFlag.ack, seq: 4999), at: 1.1)
    wire.send(outward(TCPFlag.fin | TCPFlag.ack), at: 2)
    wire.send(inward(TCPFlag.fin | TCPFlag.ack), at: 2.1)
    wire.sweep(at: 8)
    #expect(try #require(flows(wire.out).first).state == .closed)
  }

  /// A connection that stays open is told in parts, also while it is silent; the parts add up to what it did.
  @Test func longFlowsAreToldInParts() throws {
    var wire = Wire()
    wire.send(outward(TCPFlag.syn, seq: 999), at: 0)
    wire.send(inward(TCPFlag.syn | TCPFlag.ack, seq: 4999), at: 0.1)
    wire.send(outward(TCPFlag.ack, [1, 2, 3]), at: 1)
    wire.sweep(at: 119)
    #expect(flows(wire.out).isEmpty)
    wire.sweep(at: 121)
    let first = try #require(flows(wire.out).first)
    #expect(first.anomalies.contains(.cutByTimeout))
    #expect(first.sourcePackets == 2 && first.destinationPackets == 1)
    // The silence goes on: there is nothing new to tell.
    wire.sweep(at: 200)
    wire.sweep(at: 260)
    #expect(flows(wire.out).count == 1)
    wire.send(outward(TCPFlag.ack, [4, 5], seq: 1003), at: 270)
    wire.send(inward(TCPFlag.ack, [9], seq: 5000), at: 271)
    wire.sweep(at: 391)
    let all = flows(wire.out)
    #expect(all.count == 2)
    let second = all[1]
    #expect(second.first == Timestamp(seconds: 270) && second.last == Timestamp(seconds: 271))
    #expect(second.source == first.source && second.sourcePort == first.sourcePort)
    #expect(second.state == .established, "it was answered before it was cut")
    #expect(all.reduce(0) { $0 + $1.sourcePayload } == 5 && all.reduce(0) { $0 + $1.destinationPayload } == 1)
    // It ends by silence: the rest was told.
    wire.sweep(at: 900)
    wire.finish()
    #expect(flows(wire.out).count == 2)
  }

  /// A packet that comes after a part was told, but carries an earlier time, gives no flow from before 1970.
  @Test func aLatePacketKeepsItsTime() throws {
    var wire = Wire()
    wire.send(outward(TCPFlag.syn, seq: 999), at: 1000)
    wire.send(inward(TCPFlag.syn | TCPFlag.ack, seq: 4999), at: 1001)
    wire.sweep(at: 1121)
    wire.send(outward(TCPFlag.ack, [7]), at: 1000.5)
    wire.finish()
    let all = flows(wire.out)
    #expect(all.count == 2)
    #expect(all.allSatisfy { $0.first >= Timestamp(seconds: 1000) && $0.last >= $0.first })
    #expect(all.reduce(0) { $0 + $1.sourcePackets } == 2)
  }

  /// Packets keep a busy connection's parts coming without a sweep.
  @Test func busyFlowsAreCutByTheirPackets() {
    var wire = Wire(activeSeconds: 60)
    wire.send(outward(TCPFlag.syn, seq: 0), at: 0)
    wire.send(inward(TCPFlag.syn | TCPFlag.ack, seq: 4999), at: 0.1)
    for second in 1...300 { wire.send(outward(TCPFlag.ack, [1], seq: UInt32(second)), at: Double(second)) }
    wire.finish()
    let all = flows(wire.out)
    #expect((5...6).contains(all.count))
    #expect(all.reduce(0) { $0 + $1.sourcePackets } == 301)
  }

  /// Files keep their hour.
  @Test func filesAreCutByTheHour() {
    #expect(Meter(input: 0, limit: 16).activeTimeout == 3600 * Self.second)
  }

  /// A sweep visits no more than it is told, and comes round.
  @Test func aSweepIsBounded() {
    var wire = Wire()
    for n in 0..<100 {
      wire.send(P.ethernet(P.ipv4(P.udp([1], from: UInt16(1000 + n)), transport: 17)), at: 1)
    }
    wire.meter.sweep(at: 100 * Self.second, visits: 10, into: &wire.out)
    #expect(flows(wire.out).count == 10)
    for _ in 0..<9 { wire.meter.sweep(at: 100 * Self.second, visits: 10, into: &wire.out) }
    #expect(flows(wire.out).count == 100)
  }

  /// The public meter gives the flows and events that the reader of a file with the same frames gives.
  @Test func packetMeterReadsAsTheReaderDoes() throws {
    var frames: [(time: Double, octets: [UInt8])] = []
    for n in 0..<200 {
      let port = UInt16(20_000 + n % 40)
      frames.append((Double(n) / 100, P.ethernet(P.ipv4(P.udp([UInt8(n)], from: port), transport: 17))))
      frames.append((Double(n) / 100, P.ethernet([0, 1, 8, 0], type: 0x0806)))
    }
    let meter = PacketMeter(input: 0, link: 1)
    var out: [Observation] = []
    for chunk in stride(from: 0, to: frames.count, by: 50) {
      let part = frames[chunk..<min(frames.count, chunk + 50)]
      // All octets in one buffer, as they lie in a ring.
      let octets = part.flatMap(\.octets)
      octets.withUnsafeBytes { raw in
        var at = 0
        let views = part.map { frame in
          defer { at += frame.octets.count }
          return PacketMeter.Frame(
            octets: UnsafeRawBufferPointer(rebasing: raw[at..<at + frame.octets.count]), length: frame.octets.count,
            time: Timestamp(secondsSinceEpoch: 1_700_000_000 + frame.time))
        }
        views.withUnsafeBufferPointer { meter.add($0, into: &out) }
      }
    }
    while meter.finish(into: &out) {}
    #expect(flows(out).count == 40)
    #expect(flows(out).allSatisfy { $0.sourcePackets == 5 })
    #expect(meter.counts.frames == 400 && meter.counts.notIP == 200 && meter.counts.unparsed == 0)
    #expect(meter.counts.newest == Timestamp(secondsSinceEpoch: 1_700_000_001.99))
    #expect(PacketMeter.reads(link: 1) && PacketMeter.reads(link: 101) && !PacketMeter.reads(link: 147))
  }
}
