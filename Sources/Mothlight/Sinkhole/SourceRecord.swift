/// What is known about one source in one botnet: 28 octets, so an IPv4 entry takes 32 and half a cache line.
///
/// Counters are those of the current hour; the row that the spool gets for an hour is made from them.
struct SourceRecord {
  /// Check-ins of this hour; saturates.
  var count: UInt32 = 0
  /// Hours with a check-in of the highest level so far, newest at bit 0, relative to `hour`.
  var hours: UInt32 = 0
  /// Hour of the counters, relative to the table's first one.
  var hour: UInt16 = 0
  /// Seconds into that hour.
  var first: UInt16 = 0
  var last: UInt16 = 0
  /// Seconds between the last two recognised check-ins, saturated; 0: none yet.
  var gap: UInt16 = 0
  /// Word numbers of botnet and rule; 0: none.
  var botnet: UInt16 = 0
  var rule: UInt16 = 0
  var sourcePort: UInt16 = 0
  var destinationPort: UInt16 = 0
  /// Destination ports by hash, one bit each.
  var ports: UInt16 = 0
  private var state: UInt16 = 0

  private func field(_ shift: UInt16, _ width: UInt16) -> UInt16 { state >> shift & ((1 << width) &- 1) }
  private mutating func set(_ value: UInt16, _ shift: UInt16, _ width: UInt16) {
    let mask: UInt16 = ((1 << width) &- 1) << shift
    state = state & ~mask | (value << shift) & mask
  }

  var isUsed: Bool {
    get { field(0, 1) != 0 }
    set { set(newValue ? 1 : 0, 0, 1) }
  }
  /// `EvidenceLevel` by number.
  var level: UInt16 {
    get { field(1, 2) }
    set { set(newValue, 1, 2) }
  }
  /// `VisitorJudgement.Label` by number; 0: none.
  var visitor: UInt16 {
    get { field(3, 4) }
    set { set(newValue, 3, 4) }
  }
  /// Samples kept of this source and botnet today.
  var samples: UInt16 {
    get { field(7, 2) }
    set { set(newValue, 7, 2) }
  }
  /// Binary logarithm of the highest sampling factor of this hour.
  var factor: UInt16 {
    get { field(9, 4) }
    set { set(newValue, 9, 4) }
  }
  var isStream: Bool {
    get { field(13, 1) != 0 }
    set { set(newValue ? 1 : 0, 13, 1) }
  }

  static func portBit(_ port: UInt16) -> UInt16 { 1 << ((port &* 0x9e37) >> 12) }
}

/// What a table is keyed by: an IPv4 address, or the upper 64 bits of an IPv6 one, since privacy extensions (RFC 8981)
/// change the rest at will.
typealias SourceKey = FixedWidthInteger & UnsignedInteger & Sendable

struct SourceEntry<Key: SourceKey> {
  var key: Key = 0
  var record = SourceRecord()
}
