import Testing

@testable import Mothlight

private typealias P = PacketFixture

@Suite struct CaptureReaderTests {
  private enum Order { case little, big }

  private func word(_ v: UInt32, _ order: Order) -> [UInt8] { order == .big ? P.be32(v) : P.be32(v).reversed() }
  private func half(_ v: UInt16, _ order: Order) -> [UInt8] { order == .big ? P.be16(v) : P.be16(v).reversed() }

  private func frames(_ count: Int) -> [[UInt8]] {
    (0..<count).map {
      P.ethernet(P.ipv4(P.udp([UInt8](repeating: 7, count: 40), from: UInt16(30_000 + $0)), transport: 17))
    }
  }

  private func pcap(_ frames: [[UInt8]], _ order: Order = .little, nano: Bool = false, link: UInt32 = 1) -> [UInt8] {
    var out =
      word(nano ? 0xa1b2_3c4d : 0xa1b2_c3d4, order) + half(2, order) + half(4, order) + word(0, order) + word(0, order)
      + word(65_535, order) + word(link, order)
    for (i, frame) in frames.enumerated() {
      out +=
        word(1_600_000_000 + UInt32(i), order) + word(nano ? 250_000_000 : 250_000, order)
        + word(UInt32(frame.count), order) + word(UInt32(frame.count), order) + frame
    }
    return out
  }

  private func block(_ type: UInt32, _ body: [UInt8], _ order: Order) -> [UInt8] {
    let padded = body + [UInt8](repeating: 0, count: (4 - body.count % 4) % 4)
    let length = word(UInt32(12 + padded.count), order)
    return word(type, order) + length + padded + length
  }

  private func section(_ order: Order) -> [UInt8] {
    block(
      0x0a0d_0d0a, word(0x1a2b_3c4d, order) + half(1, order) + half(0, order) + [UInt8](repeating: 0xff, count: 8),
      order)
  }

  /// `resolution` is the if_tsresol octet: 6 is microseconds, 9 nanoseconds, 0x8a is 2⁻¹⁰ s.
  private func interface(_ link: UInt16, resolution: UInt8, _ order: Order) -> [UInt8] {
    block(
      1,
      half(link, order) + half(0, order) + word(0, order) + half(9, order) + half(1, order) + [resolution, 0, 0, 0]
        + word(0, order), order)
  }

  private func enhanced(_ frame: [UInt8], interface: UInt32, ticks: UInt64, _ order: Order) -> [UInt8] {
    block(
      6,
      word(interface, order) + word(UInt32(ticks >> 32), order) + word(UInt32(truncatingIfNeeded: ticks), order)
        + word(UInt32(frame.count), order) + word(UInt32(frame.count), order) + frame, order)
  }

  private func read(_ bytes: [UInt8], batch: Int = 512) throws -> (InputSummary, [Flow]) {
    let reader = try CaptureReader(window: try ByteWindow(bytes: bytes, name: "made"), path: "made", index: 3)
    var all: [Observation] = []
    var part: [Observation] = []
    while try reader.read(into: &part, limit: batch) {
      all += part
      part.removeAll()
    }
    return (reader.summary, all.compactMap { if case .flow(let flow) = $0.event { flow } else { nil } })
  }

  @Test func everyByteOrderAndResolutionGivesTheSame() throws {
    let reference = try read(pcap(frames(5))).1
    #expect(reference.count == 5)
    #expect(reference[0].first.nanoseconds == 1_600_000_000_250_000_000)
    #expect(reference[0].origin.input == 3 && reference.map(\.origin.record).sorted() == [1, 2, 3, 4, 5])
    for order in [Order.little, .big] {
      for nano in [false, true] { #expect(try read(pcap(frames(5), order, nano: nano)).1 == reference) }
    }
  }

  @Test func pcapngKeepsInterfacesApartAndSectionsMayTurn() throws {
    let f = frames(4)
    var bytes = section(.little) + interface(1, resolution: 6, .little) + interface(101, resolution: 9, .little)
    bytes += enhanced(f[0], interface: 0, ticks: 1_600_000_000_250_000, .little)
    bytes += block(5, [UInt8](repeating: 0, count: 8), .little)  // statistics, no packet
    bytes += enhanced(Array(f[1][14...]), interface: 1, ticks: 1_600_000_001_250_000_000, .little)
    bytes += section(.big) + interface(1, resolution: 0x8a, .big)
    bytes += enhanced(f[2], interface: 0, ticks: 1_600_000_002 * 1024 + 256, .big)
    let (summary, flows) = try read(bytes)
    #expect(summary.format == "pcapng" && summary.records == 3 && summary.unparsed == 0)
    #expect(
      flows.map { $0.first.nanoseconds }.sorted() == [
        1_600_000_000_250_000_000, 1_600_000_001_250_000_000, 1_600_000_002_250_000_000,
      ])
  }

  /// A file cut at any octet gives its whole packets and says that it was cut.
  @Test func anyCutKeepsWhatWasWhole() throws {
    let f = frames(3)
    let whole = pcap(f)
    let recordOctets = 16 + f[0].count
    for cut in 24...whole.count {
      let (summary, flows) = try read(Array(whole[0..<cut]))
      #expect(flows.count == (cut - 24) / recordOctets)
      let isClean = (cut - 24) % recordOctets == 0
      #expect(summary.warnings.contains { $0.contains("ends inside") } == !isClean)
    }
    for cut in 0..<24 { #expect(throws: SourceError.self) { try read(Array(whole[0..<cut])) } }
  }

  @Test func anyCutOfPcapngIsSafe() throws {
    let whole =
      section(.little) + interface(1, resolution: 6, .little)
      + enhanced(frames(1)[0], interface: 0, ticks: 1_600_000_000_250_000, .little)
    for cut in 24...whole.count {
      let (_, flows) = try read(Array(whole[0..<cut]))
      #expect(flows.count == (cut == whole.count ? 1 : 0))
    }
  }

  @Test func absurdLengthsEndTheFileButKeepTheRest() throws {
    var bytes = pcap(frames(2))
    bytes +=
      word(1, .little) + word(1, .little) + word(0x7fff_ffff, .little) + word(60, .little)
      + [UInt8](repeating: 1, count: 500)
    let (summary, flows) = try read(bytes)
    #expect(flows.count == 2)
    #expect(summary.warnings.contains { $0.contains("claims 2147483647 octets") })
  }

  @Test func unknownLinkTypesAreLeftOutWithTheirNumber() throws {
    let (summary, flows) = try read(pcap(frames(2), link: 147))
    #expect(flows.isEmpty && summary.used == 0)
    #expect(summary.skipped == ["link type 147": 2])
  }

  @Test func relativeAndBackwardClocksAreSaid() throws {
    var bytes = pcap([])
    let frame = frames(1)[0]
    for second in [13, 20, 4, 30] as [UInt32] {
      bytes +=
        word(second, .little) + word(0, .little) + word(UInt32(frame.count), .little)
        + word(UInt32(frame.count), .little) + frame
    }
    let (summary, _) = try read(bytes)
    #expect(summary.clockIsRelative)
    #expect(summary.warnings.contains { $0.contains("went back") } && summary.warnings.contains { $0.contains("1970") })
  }

  @Test func timesBeyond2038AreTimes() throws {
    var bytes = pcap([])
    let frame = frames(1)[0]
    bytes +=
      word(4_102_444_800, .little) + word(0, .little) + word(UInt32(frame.count), .little)
      + word(UInt32(frame.count), .little) + frame
    #expect(try read(bytes).1.first?.first.description == "2100-01-01T00:00:00.000000Z")
  }

  /// Simple packet blocks carry no time; they stand at the time of the packet before them.
  @Test func packetsWithoutTimeTakeTheLastOne() throws {
    let f = frames(2)
    let simple = block(3, word(UInt32(f[1].count), .little) + f[1], .little)
    let bytes =
      section(.little) + interface(1, resolution: 6, .little)
      + enhanced(f[0], interface: 0, ticks: 1_600_000_000_250_000, .little) + simple
    let flows = try read(bytes).1
    #expect(flows.map { $0.first.nanoseconds } == [1_600_000_000_250_000_000, 1_600_000_000_250_000_000])
  }

  @Test func batchSizeChangesNothing() throws {
    let bytes = pcap(frames(300))
    let reference = try read(bytes).1
    for batch in [1, 7, 10_000] { #expect(try read(bytes, batch: batch).1 == reference) }
  }
}
