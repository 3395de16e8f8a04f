/// One record as an exporter gives it, of any format.
struct ExportedRecord {
  struct Has: OptionSet {
    var rawValue: UInt32
    static let source = Has(rawValue: 1 << 0)
    static let destination = Has(rawValue: 1 << 1)
    static let firstUptime = Has(rawValue: 1 << 2)
    static let lastUptime = Has(rawValue: 1 << 3)
    static let icmp = Has(rawValue: 1 << 4)
    static let octets = Has(rawValue: 1 << 5)
    static let packets = Has(rawValue: 1 << 6)
    static let answer = Has(rawValue: 1 << 7)
    static let answerFlags = Has(rawValue: 1 << 8)
    static let sampler = Has(rawValue: 1 << 9)
    static let duration = Has(rawValue: 1 << 10)
    static let boot = Has(rawValue: 1 << 11)
    static let event = Has(rawValue: 1 << 12)
    static let firewallEvent = Has(rawValue: 1 << 13)
    static let biflow = Has(rawValue: 1 << 14)
  }

  var has: Has = []
  var source = IPAddress.unspecified
  var destination = IPAddress.unspecified
  var sourcePort: UInt16 = 0
  var destinationPort: UInt16 = 0
  var transport: UInt8 = 0
  var tcpFlags: UInt8 = 0
  var answerFlags: UInt8 = 0
  var icmpType: UInt8 = 0
  var icmpCode: UInt8 = 0
  /// RFC 5102 section 5.11.3: 1 idle, 2 active timeout, 3 end seen, 4 forced, 5 no room.
  var endReason: UInt8 = 0
  /// RFC 5103 section 6.3: 1 the source began, 2 the destination did.
  var biflowDirection: UInt8 = 0
  var firewallEvent: UInt8 = 0
  var octets: UInt64 = 0
  var packets: UInt64 = 0
  var octetsOut: UInt64 = 0
  var packetsOut: UInt64 = 0
  var answerOctets: UInt64 = 0
  var answerPackets: UInt64 = 0
  var firstUptime: UInt64 = 0
  var lastUptime: UInt64 = 0
  /// Nanoseconds since the Unix epoch, and how exact what gave them was; 0 when nothing did.
  var first: Int64 = 0
  var last: Int64 = 0
  var firstRank: UInt8 = 0
  var lastRank: UInt8 = 0
  var event: Int64 = 0
  var durationNanoseconds: Int64 = 0
  var bootMilliseconds: UInt64 = 0
  var sampling = SamplingFields()
  var sampler: UInt64 = 0

  /// How exact a kind of time is: the better one of two counts.
  private enum Rank {
    static let seconds: UInt8 = 1
    static let uptime: UInt8 = 2
    static let delta: UInt8 = 3
    static let milliseconds: UInt8 = 4
    static let ntp: UInt8 = 5
  }

  /// Takes one field. Its length fits its element, and its octets are there.
  @inline(__always)
  mutating func set(_ element: ExportElement, _ bytes: RawSpan, at offset: Int, length: Int, _ clock: ExportClock) {
    switch element {
    case .ignored: break
    case .sourceV4: setSource(IPAddress(v4: bytes.u32(offset)), isZero: bytes.u32(offset) == 0)
    case .destinationV4: setDestination(IPAddress(v4: bytes.u32(offset)), isZero: bytes.u32(offset) == 0)
    case .sourceV6:
      let address = IPAddress(high: bytes.u64(offset), low: bytes.u64(offset &+ 8))
      setSource(address, isZero: address.isUnspecified)
    case .destinationV6:
      let address = IPAddress(high: bytes.u64(offset), low: bytes.u64(offset &+ 8))
      setDestination(address, isZero: address.isUnspecified)
    case .probability: sampling.setProbability(bytes, at: offset, length: length)
    default: set(element, bytes.unsigned(offset, length: length), length: length, clock)
    }
  }

  /// Templates for both families leave the other one zero.
  @inline(__always)
  private mutating func setSource(_ address: IPAddress, isZero: Bool) {
    guard !isZero || !has.contains(.source) else { return }
    source = address
    has.insert(.source)
  }

  @inline(__always)
  private mutating func setDestination(_ address: IPAddress, isZero: Bool) {
    guard !isZero || !has.contains(.destination) else { return }
    destination = address
    has.insert(.destination)
  }

  @inline(__always)
  private mutating func set(_ element: ExportElement, _ value: UInt64, length: Int, _ clock: ExportClock) {
    switch element {
    case .sourcePort: if value != 0 { sourcePort = UInt16(truncatingIfNeeded: value) }
    case .destinationPort: if value != 0 { destinationPort = UInt16(truncatingIfNeeded: value) }
    case .transport: transport = UInt8(truncatingIfNeeded: value)
    case .tcpFlags: tcpFlags = UInt8(truncatingIfNeeded: value)
    case .octets:
      octets = value
      has.insert(.octets)
    case .packets:
      packets = value
      has.insert(.packets)
    case .octetsTotal: if !has.contains(.octets) { octets = value }
    case .packetsTotal: if !has.contains(.packets) { packets = value }
    case .octetsOut: octetsOut = value
    case .packetsOut: packetsOut = value
    case .answerOctets:
      answerOctets = value
      has.insert(.answer)
    case .answerPackets:
      answerPackets = value
      has.insert(.answer)
    case .firstUptime:
      firstUptime = value
      has.insert(.firstUptime)
    case .lastUptime:
      lastUptime = value
      has.insert(.lastUptime)
    case .firstMilliseconds: setFirst(ExportClock.nanoseconds(milliseconds: value), Rank.milliseconds)
    case .lastMilliseconds: setLast(ExportClock.nanoseconds(milliseconds: value), Rank.milliseconds)
    default: setRare(element, value, length: length, clock)
    }
  }

  @inline(never)
  private mutating func setRare(_ element: ExportElement, _ value: UInt64, length: Int, _ clock: ExportClock) {
    switch element {
    case .icmpTypeCode:
      icmpType = UInt8(truncatingIfNeeded: value >> 8)
      icmpCode = UInt8(truncatingIfNeeded: value)
      if value != 0 { has.insert(.icmp) }
    case .icmpType:
      icmpType = UInt8(truncatingIfNeeded: value)
      has.insert(.icmp)
    case .icmpCode: icmpCode = UInt8(truncatingIfNeeded: value)
    case .answerFlags:
      answerFlags = UInt8(truncatingIfNeeded: value)
      has.insert([.answerFlags, .answer])
    case .firstSeconds: setFirst(ExportClock.nanoseconds(seconds: value), Rank.seconds)
    case .lastSeconds: setLast(ExportClock.nanoseconds(seconds: value), Rank.seconds)
    case .firstNTP: setFirst(ExportClock.nanoseconds(ntp: value), Rank.ntp)
    case .lastNTP: setLast(ExportClock.nanoseconds(ntp: value), Rank.ntp)
    case .firstDelta: setFirst(before(clock, microseconds: value), Rank.delta)
    case .lastDelta: setLast(before(clock, microseconds: value), Rank.delta)
    case .eventSeconds: setEvent(ExportClock.nanoseconds(seconds: value))
    case .eventMilliseconds: setEvent(ExportClock.nanoseconds(milliseconds: value))
    case .eventNTP: setEvent(ExportClock.nanoseconds(ntp: value))
    case .durationMilliseconds:
      durationNanoseconds = ExportClock.nanoseconds(milliseconds: value)
      has.insert(.duration)
    case .durationMicroseconds:
      durationNanoseconds = value > UInt64(Int64.max / 1000) ? .max : Int64(value) &* 1000
      has.insert(.duration)
    case .bootMilliseconds:
      bootMilliseconds = value
      has.insert(.boot)
    case .endReason: endReason = UInt8(truncatingIfNeeded: value)
    case .biflowDirection:
      biflowDirection = UInt8(truncatingIfNeeded: value)
      has.insert(.biflow)
    case .firewallEvent:
      firewallEvent = UInt8(truncatingIfNeeded: value)
      has.insert(.firewallEvent)
    case .sampler:
      sampler = value
      has.insert(.sampler)
    default: sampling.set(element, value)
    }
  }

  private func before(_ clock: ExportClock, microseconds: UInt64) -> Int64 {
    clock.exported &- Int64(min(microseconds, UInt64(UInt32.max))) &* 1000
  }

  @inline(__always)
  private mutating func setFirst(_ time: Int64, _ rank: UInt8) {
    guard rank >= firstRank else { return }
    first = time
    firstRank = rank
  }

  @inline(__always)
  private mutating func setLast(_ time: Int64, _ rank: UInt8) {
    guard rank >= lastRank else { return }
    last = time
    lastRank = rank
  }

  private mutating func setEvent(_ time: Int64) {
    event = time
    has.insert(.event)
  }

  /// Works out `first` and `last` from what the record has; `false` when it has no time at all.
  mutating func resolveTimes(_ clock: ExportClock) -> Bool {
    var clock = clock
    if has.contains(.boot), clock.uptimeMilliseconds == nil {
      clock.boot = ExportClock.nanoseconds(milliseconds: bootMilliseconds)
    }
    if has.contains(.firstUptime), firstRank < Rank.uptime, let time = clock.time(uptime: firstUptime) {
      setFirst(time, Rank.uptime)
    }
    if has.contains(.lastUptime), lastRank < Rank.uptime, let time = clock.time(uptime: lastUptime) {
      setLast(time, Rank.uptime)
    }
    if has.contains(.event) {
      if lastRank == 0 { setLast(event, Rank.seconds) }
      if firstRank == 0, !has.contains(.duration) { setFirst(event, Rank.seconds) }
    }
    switch (firstRank > 0, lastRank > 0) {
    case (true, true): break
    case (true, false): last = has.contains(.duration) ? ExportClock.adding(durationNanoseconds, to: first) : first
    case (false, true): first = has.contains(.duration) ? ExportClock.adding(0 &- durationNanoseconds, to: last) : last
    case (false, false): return false
    }
    if last < first { last = first }
    return true
  }
}

/// How one exporter says that it looked at some packets only; the elements in the order of their invention.
struct SamplingFields {
  var isSaid = false
  private var interval: UInt64 = 0
  private var space: UInt64 = 0
  private var size: UInt64 = 0
  private var population: UInt64 = 0
  private var probability = 0.0

  mutating func set(_ element: ExportElement, _ value: UInt64) {
    switch element {
    case .interval: interval = value
    case .space: space = value
    case .sampleSize: size = value
    case .population: population = value
    default: return
    }
    isSaid = true
  }

  mutating func setProbability(_ bytes: RawSpan, at offset: Int, length: Int) {
    let value = length == 4 ? Double(Float(bitPattern: bytes.u32(offset))) : Double(bitPattern: bytes.u64(offset))
    guard value.isFinite, value > 0, value <= 1 else { return }
    probability = value
    isSaid = true
  }

  /// One packet in so many was looked at, rounded; 1 when all were.
  ///
  /// NetFlow gives the interval alone. RFC 5477 section 8.2: `interval` packets are taken, `space` are passed over.
  var oneIn: UInt32 {
    if probability > 0 { return UInt32(max(1, min(4e9, (1 / probability).rounded()))) }
    if size > 0, population > size { return UInt32(clamping: (population &+ size / 2) / size) }
    guard space > 0 else { return UInt32(clamping: max(1, interval)) }
    let taken = max(1, interval)
    let (all, overflow) = taken.addingReportingOverflow(space)
    return overflow ? .max : UInt32(clamping: max(1, all / taken))
  }
}
