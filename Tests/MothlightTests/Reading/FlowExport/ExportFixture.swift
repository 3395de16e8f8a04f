@testable import Mothlight

/// Octets in network order, put together by hand.
struct Octets {
  var bytes: [UInt8] = []
  mutating func u8(_ value: Int) { bytes.append(UInt8(truncatingIfNeeded: value)) }
  mutating func u16(_ value: Int) { for i in [8, 0] { bytes.append(UInt8(truncatingIfNeeded: value >> i)) } }
  mutating func u32(_ value: Int) { for i in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: value >> i)) } }
  mutating func u64(_ value: UInt64) {
    for i in stride(from: UInt64(56), through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: value >> i)) }
  }
  mutating func unsigned(_ value: UInt64, length: Int) {
    for i in stride(from: length - 1, through: 0, by: -1) {
      bytes.append(i > 7 ? 0 : UInt8(truncatingIfNeeded: value >> UInt64(8 * i)))
    }
  }
  mutating func add(_ more: [UInt8]) { bytes += more }
  mutating func padTo4() { while bytes.count % 4 != 0 { bytes.append(0) } }
}

/// One direction of a conversation, as the tests want it exported.
struct ExportedFlow: Hashable {
  var source = IPAddress(v4: 0x0a00_0005)
  var destination = IPAddress(v4: 0xc633_6407)
  var sourcePort = 40_000
  var destinationPort = 443
  var transport = 6
  var flags = 0x1b
  var packets: UInt64 = 9
  var octets: UInt64 = 900
  /// Milliseconds before the export.
  var firstAgo = 20_000
  var lastAgo = 10_000

  var answer: ExportedFlow {
    var r = self
    swap(&r.source, &r.destination)
    swap(&r.sourcePort, &r.destinationPort)
    r.packets = 7
    r.octets = 7000
    r.firstAgo = firstAgo - 20
    return r
  }
}

enum ExportFixture {
  /// When everything is exported: 2026-11-25T12:00:00Z.
  static let seconds = 1_795_608_000
  static let now = Timestamp(seconds: Int64(seconds))
  static let uptime = 7_200_000
  static let device = IPAddress(v4: 0xc000_0201)

  static func netflow5(
    _ flows: [ExportedFlow], sequence: Int = 0, engine: Int = 0, sampling: Int = 0, seconds: Int = seconds,
    uptime: Int = uptime
  ) -> [UInt8] {
    var o = Octets()
    o.u16(5)
    o.u16(flows.count)
    o.u32(uptime)
    o.u32(seconds)
    o.u32(0)
    o.u32(sequence)
    o.u16(engine)
    o.u16(sampling)
    for flow in flows {
      o.u32(Int(flow.source.v4))
      o.u32(Int(flow.destination.v4))
      o.u32(0)
      o.u16(1)
      o.u16(2)
      o.u32(Int(flow.packets))
      o.u32(Int(flow.octets))
      o.u32(uptime - flow.firstAgo)
      o.u32(uptime - flow.lastAgo)
      o.u16(flow.sourcePort)
      o.u16(flow.destinationPort)
      o.u8(0)
      o.u8(flow.flags)
      o.u8(flow.transport)
      o.add([UInt8](repeating: 0, count: 9))
    }
    return o.bytes
  }

  /// A field of a template: element, length (65535 for variable), enterprise.
  struct Field: Hashable {
    var id: Int
    var length: Int
    var enterprise = 0
  }

  static let fields9 = [
    Field(id: 8, length: 4), Field(id: 12, length: 4), Field(id: 7, length: 2), Field(id: 11, length: 2),
    Field(id: 4, length: 1), Field(id: 6, length: 1), Field(id: 2, length: 4), Field(id: 1, length: 4),
    Field(id: 22, length: 4), Field(id: 21, length: 4),
  ]
  static let fields10 = [
    Field(id: 8, length: 4), Field(id: 12, length: 4), Field(id: 7, length: 2), Field(id: 11, length: 2),
    Field(id: 4, length: 1), Field(id: 6, length: 2), Field(id: 2, length: 8), Field(id: 1, length: 8),
    Field(id: 152, length: 8), Field(id: 153, length: 8),
  ]

  static func set(_ id: Int, _ content: [UInt8], pads: Bool = true) -> [UInt8] {
    var o = Octets(bytes: content)
    if pads { o.padTo4() }
    var head = Octets()
    head.u16(id)
    head.u16(o.bytes.count + 4)
    return head.bytes + o.bytes
  }

  static func template(_ id: Int, _ fields: [Field]) -> [UInt8] {
    var o = Octets()
    o.u16(id)
    o.u16(fields.count)
    for field in fields { put(field, into: &o) }
    return o.bytes
  }

  /// - Parameter scopes: how many of the fields say what the others are about.
  static func optionsTemplate(_ id: Int, _ fields: [Field], scopes: Int, isIPFIX: Bool) -> [UInt8] {
    var o = Octets()
    o.u16(id)
    o.u16(isIPFIX ? fields.count : scopes * 4)
    o.u16(isIPFIX ? scopes : (fields.count - scopes) * 4)
    for field in fields { put(field, into: &o) }
    return o.bytes
  }

  private static func put(_ field: Field, into o: inout Octets) {
    o.u16(field.enterprise != 0 ? field.id | 0x8000 : field.id)
    o.u16(field.length)
    if field.enterprise != 0 { o.u32(field.enterprise) }
  }

  static func record(_ flow: ExportedFlow, _ fields: [Field], uptime: Int = uptime, seconds: Int = seconds) -> [UInt8] {
    var o = Octets()
    for field in fields {
      var value: UInt64 = 0
      switch (field.enterprise, field.id) {
      case (0, 8), (0, 27): o.add(flow.source.networkBytes)
      case (0, 12), (0, 28): o.add(flow.destination.networkBytes)
      case (0, 7): value = UInt64(flow.sourcePort)
      case (0, 11): value = UInt64(flow.destinationPort)
      case (0, 4): value = UInt64(flow.transport)
      case (0, 6): value = UInt64(flow.flags)
      case (0, 2), (0, 86): value = flow.packets
      case (0, 1), (0, 85): value = flow.octets
      case (0, 22): value = UInt64(uptime - flow.firstAgo)
      case (0, 21): value = UInt64(uptime - flow.lastAgo)
      case (0, 150): value = UInt64(seconds - flow.firstAgo / 1000)
      case (0, 151): value = UInt64(seconds - flow.lastAgo / 1000)
      case (0, 152): value = UInt64(seconds * 1000 - flow.firstAgo)
      case (0, 153): value = UInt64(seconds * 1000 - flow.lastAgo)
      case (0, 154), (0, 156): value = ntp(seconds * 1000 - flow.firstAgo)
      case (0, 155), (0, 157): value = ntp(seconds * 1000 - flow.lastAgo)
      case (0, 158): value = UInt64(flow.firstAgo * 1000)
      case (0, 159): value = UInt64(flow.lastAgo * 1000)
      case (29_305, 1): value = flow.answer.octets
      case (29_305, 2): value = flow.answer.packets
      case (29_305, 6): value = 0x1b
      default: value = 0
      }
      switch (field.enterprise, field.id) {
      case (0, 8), (0, 12), (0, 27), (0, 28): break
      default:
        if field.length == 65_535 {
          o.u8(3)
          o.add([1, 2, 3])
        } else {
          o.unsigned(value, length: field.length)
        }
      }
    }
    return o.bytes
  }

  static func ntp(_ milliseconds: Int) -> UInt64 {
    let seconds = UInt64(milliseconds / 1000 + 2_208_988_800)
    return seconds << 32 | (UInt64(milliseconds % 1000) << 32) / 1000
  }

  static func netflow9(
    _ sets: [[UInt8]], sequence: Int = 0, domain: Int = 1, seconds: Int = seconds, uptime: Int = uptime
  ) -> [UInt8] {
    var o = Octets()
    o.u16(9)
    o.u16(sets.count)
    o.u32(uptime)
    o.u32(seconds)
    o.u32(sequence)
    o.u32(domain)
    return o.bytes + sets.flatMap { $0 }
  }

  static func ipfix(_ sets: [[UInt8]], sequence: Int = 0, domain: Int = 1, seconds: Int = seconds) -> [UInt8] {
    let content = sets.flatMap { $0 }
    var o = Octets()
    o.u16(10)
    o.u16(16 + content.count)
    o.u32(seconds)
    o.u32(sequence)
    o.u32(domain)
    return o.bytes + content
  }

  // MARK: sFlow

  /// A sampled packet as an Ethernet frame.
  static func flowSample(_ frame: [UInt8], rate: Int, isExpanded: Bool = false, frameOctets: Int? = nil) -> [UInt8] {
    var header = Octets()
    header.u32(1)
    header.u32(frameOctets ?? frame.count)
    header.u32(4)
    header.u32(frame.count)
    header.add(frame)
    header.padTo4()
    return flowSample(records: [item(1, header.bytes)], rate: rate, isExpanded: isExpanded)
  }

  static func flowSample(records: [[UInt8]], rate: Int, isExpanded: Bool = false) -> [UInt8] {
    var o = Octets()
    o.u32(1)
    o.u32(0)
    if isExpanded { o.u32(7) }
    o.u32(rate)
    o.u32(rate * 10)
    o.u32(0)
    for _ in 0..<(isExpanded ? 4 : 2) { o.u32(1) }
    o.u32(records.count)
    o.add(records.flatMap { $0 })
    return item(isExpanded ? 3 : 1, o.bytes)
  }

  static func item(_ format: Int, _ content: [UInt8]) -> [UInt8] {
    var o = Octets()
    o.u32(format)
    o.u32(content.count)
    o.add(content)
    o.padTo4()
    return o.bytes
  }

  static func sflow(_ samples: [[UInt8]], sequence: Int = 0, agent: IPAddress = device) -> [UInt8] {
    var o = Octets()
    o.u32(5)
    o.u32(agent.isV4 ? 1 : 2)
    o.add(agent.networkBytes)
    o.u32(0)
    o.u32(sequence)
    o.u32(uptime)
    o.u32(samples.count)
    return o.bytes + samples.flatMap { $0 }
  }

  /// A TCP packet in an Ethernet frame, cut after `kept` octets.
  static func frame(_ flow: ExportedFlow, payload: Int = 0, kept: Int = 128) -> [UInt8] {
    var o = Octets()
    o.add([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2])
    o.u16(0x0800)
    o.u8(0x45)
    o.u8(0)
    o.u16(40 + payload)
    o.u32(0)
    o.u8(64)
    o.u8(6)
    o.u16(0)
    o.add(flow.source.networkBytes + flow.destination.networkBytes)
    o.u16(flow.sourcePort)
    o.u16(flow.destinationPort)
    o.u32(1)
    o.u32(1)
    o.u8(0x50)
    o.u8(flow.flags)
    o.u16(1000)
    o.u32(0)
    o.add([UInt8](repeating: 0, count: payload))
    return Array(o.bytes.prefix(kept))
  }
}

extension FlowCollector {
  func take(_ bytes: [UInt8], from source: IPAddress = ExportFixture.device, at time: Timestamp = ExportFixture.now) {
    bytes.withUnsafeBytes { take($0, from: source, at: time) }
  }

  /// What came out of it in all, once it has finished.
  func finished() -> [Flow] {
    finish()
    return (whole + sampled).compactMap { if case .flow(let flow) = $0.event { flow } else { nil } }
  }
}
