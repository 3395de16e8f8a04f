@testable import Mothlight

/// Frames made by hand, one layer at a time.
enum PacketFixture {
  static let us = IPAddress(v4: 0x0a00_0005)
  static let them = IPAddress(v4: 0xc633_6407)

  static func ethernet(_ payload: [UInt8], type: UInt16 = 0x0800) -> [UInt8] {
    [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2] + be16(type) + payload
  }

  static func ipv4(
    _ payload: [UInt8], from source: IPAddress = us, to destination: IPAddress = them, transport: UInt8 = 6,
    options: [UInt8] = [], fragment: UInt16 = 0, id: UInt16 = 7
  ) -> [UInt8] {
    let header = 20 + options.count
    return [0x40 | UInt8(header / 4), 0] + be16(UInt16(header + payload.count)) + be16(id) + be16(fragment)
      + [64, transport, 0, 0] + source.networkBytes + destination.networkBytes + options + payload
  }

  static func ipv6(_ payload: [UInt8], from source: IPAddress, to destination: IPAddress, next: UInt8) -> [UInt8] {
    [0x60, 0, 0, 0] + be16(UInt16(payload.count)) + [next, 64] + source.networkBytes + destination.networkBytes
      + payload
  }

  static func tcp(
    _ payload: [UInt8] = [], from sourcePort: UInt16 = 40_000, to destinationPort: UInt16 = 80, flags: UInt8,
    sequence: UInt32 = 1000
  ) -> [UInt8] {
    be16(sourcePort) + be16(destinationPort) + be32(sequence) + be32(0) + [0x50, flags, 0xff, 0xff, 0, 0, 0, 0]
      + payload
  }

  static func udp(_ payload: [UInt8], from sourcePort: UInt16 = 40_000, to destinationPort: UInt16 = 9999) -> [UInt8] {
    be16(sourcePort) + be16(destinationPort) + be16(UInt16(8 + payload.count)) + [0, 0] + payload
  }

  static func be16(_ v: UInt16) -> [UInt8] { [UInt8(v >> 8), UInt8(v & 255)] }
  static func be32(_ v: UInt32) -> [UInt8] { be16(UInt16(v >> 16)) + be16(UInt16(v & 0xffff)) }

  /// Decodes `bytes` and returns the headers with the outcome.
  static func decode(_ bytes: [UInt8], link: LinkType = .ethernet) -> (PacketOutcome, PacketHeaders) {
    var headers = PacketHeaders()
    let outcome = bytes.withUnsafeBytes { PacketDecoder.decode($0.bytes, link: link, into: &headers) }
    return (outcome, headers)
  }
}

/// A meter fed with frames at chosen times.
struct MeterBench: ~Copyable {
  var meter: Meter
  var out: [Observation] = []
  private var record: UInt64 = 0

  init(limit: Int = 1024) { meter = Meter(input: 0, limit: limit) }

  mutating func send(_ frame: [UInt8], at seconds: Double) {
    record += 1
    frame.withUnsafeBytes { raw in
      var headers = PacketHeaders()
      guard PacketDecoder.decode(raw.bytes, link: .ethernet, into: &headers) == .decoded else { return }
      let key = meter.key(&headers)
      meter.add(headers, key, raw.bytes, at: Timestamp(secondsSinceEpoch: seconds), record: record, into: &out)
    }
  }

  mutating func flows() -> [Flow] {
    while meter.finish(into: &out, limit: 3) {}
    return out.compactMap { if case .flow(let flow) = $0.event { flow } else { nil } }
  }
}
