import Crypto

/// Layout of a state file: a header, five tables of little-endian records, and the SHA-256 of all that before it.
///
/// docs/state.md holds the layout for people; a change of it raises `version`.
enum StateFormat {
  static let magic: UInt64 = 0x5441_5453_4854_4f4d  // "MOTHSTAT"
  static let version: UInt32 = 1
  static let headerOctets = 120
  static let hostOctets = 76
  static let nameOctets = 25
  static let destinationOctets = 40
  static let pairOctets = 148
  static let timeOctets = 4
  static let inputOctets = 44
  static let checksumOctets = 32
  /// Longest name (RFC 1035 section 2.3.4).
  static let nameLength = 255

  /// Most that a file of this version can hold: what is larger was not written by this program.
  static let octetsMost: UInt64 =
    UInt64(headerOctets + checksumOctets) + UInt64(Limits.rememberedHosts * hostOctets)
    + UInt64(Limits.rememberedNames * (nameOctets + nameLength))
    + UInt64(Limits.rememberedDestinations * destinationOctets)
    + UInt64(Limits.rememberedPairs * (pairOctets + timeOctets * RollingState.startsKept))
    + UInt64(Limits.rememberedInputs * inputOctets)
}

/// Why a state cannot be used or saved: one line, what, where, what to do.
public struct StateError: Error, Sendable, Equatable, CustomStringConvertible {
  public var message: String
  public init(_ message: String) { self.message = message }
  public var description: String { message }
}

/// Why the bytes of a file are no state.
enum StateDefect: Error, Equatable {
  case foreign
  case newer(UInt32)
  case damaged(String)

  var words: String {
    switch self {
    case .foreign: "is not a state file"
    case .newer(let version): "was written by a newer Mothlight (state version \(version))"
    case .damaged(let what): "is damaged: \(what)"
    }
  }
  /// A newer program's file is not to be thrown away.
  var isNewer: Bool { if case .newer = self { true } else { false } }
}

extension RollingState {
  /// Size of the file.
  var octets: UInt64 {
    UInt64(StateFormat.headerOctets + StateFormat.checksumOctets) + UInt64(hosts.count * StateFormat.hostOctets)
      + names.reduce(0) { $0 &+ UInt64(StateFormat.nameOctets &+ $1.text.utf8.count) }
      + UInt64(destinations.count * StateFormat.destinationOctets) + UInt64(pairs.count * StateFormat.pairOctets)
      + UInt64(times.count * StateFormat.timeOctets) + UInt64(inputs.count * StateFormat.inputOctets)
  }

  /// The file, in parts of about a mebibyte.
  func encode<E: Error>(generation: UInt64, to write: ([UInt8]) throws(E) -> Void) throws(E) {
    var out = StateWriter()
    encodeHeader(generation, &out)
    for host in hosts {
      out.put(host)
      if out.isFull { try write(out.drain()) }
    }
    for name in names {
      out.put(name)
      if out.isFull { try write(out.drain()) }
    }
    for destination in destinations {
      out.put(destination.address)
      out.put(destination.seen)
      if out.isFull { try write(out.drain()) }
    }
    for pair in pairs {
      out.put(pair)
      for time in times(of: pair) { out.put(time) }
      if out.isFull { try write(out.drain()) }
    }
    for input in inputs { out.put(input) }
    try write(out.drain())
    try write(out.checksum())
  }

  private func encodeHeader(_ generation: UInt64, _ out: inout StateWriter) {
    out.put(StateFormat.magic)
    out.put(StateFormat.version)
    out.put(runs)
    out.put(generation)
    out.put(octets)
    out.put(first)
    out.put(last)
    out.put(days)
    for count in [hosts.count, names.count, destinations.count, pairs.count, times.count, inputs.count] {
      out.put(UInt32(clamping: count))
    }
    out.put(evicted.pairs)
    out.put(evicted.hosts)
    out.put(evicted.destinations)
    out.put(evicted.names)
    out.put(evicted.expiredPairs)
    // Room for a later minor need; zero in this version.
    out.put(UInt64(0))
  }
}

/// Little-endian octets with their running SHA-256.
struct StateWriter {
  private var bytes: [UInt8] = []
  private var hash = SHA256()

  var isFull: Bool { bytes.count >= 1 << 20 }

  mutating func drain() -> [UInt8] {
    defer { bytes.removeAll(keepingCapacity: true) }
    hash.update(data: bytes)
    return bytes
  }

  /// The digest of all that was drained.
  func checksum() -> [UInt8] { Array(hash.finalize()) }

  mutating func put(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }
  mutating func put(_ value: Float) { put(value.bitPattern) }
  mutating func put(_ address: IPAddress) {
    put(address.high)
    put(address.low)
  }
  mutating func put(_ moments: Pair.Moments) {
    put(moments.count)
    put(moments.mean)
    put(moments.squares)
  }
  mutating func put(_ seen: Acquaintance) {
    put(seen.first)
    put(seen.last)
    put(seen.days)
    put(seen.users)
    put(seen.accused)
  }
  mutating func put(_ host: RememberedHost) {
    put(host.address)
    put(host.first)
    put(host.last)
    put(host.days)
    put(host.newestHour)
    put(host.hours)
    put(host.outboundFlows)
    put(host.lookups)
    put(host.mailReceived)
    put(host.lookupsServed)
    put(host.names)
    put(UInt64(0))
  }
  mutating func put(_ name: RememberedName) {
    put(name.seen)
    put(UInt8(clamping: name.text.utf8.count))
    bytes.append(contentsOf: name.text.utf8)
  }
  mutating func put(_ pair: RememberedPair) {
    put(pair.host)
    put(pair.peer)
    put(pair.port)
    put(pair.transport)
    put(pair.service)
    put(pair.name)
    put(pair.first)
    put(pair.last)
    put(pair.days)
    put(pair.counts.starts)
    put(pair.counts.failed)
    put(pair.counts.answered)
    put(pair.counts.guessed)
    put(pair.counts.octetsOut)
    put(pair.counts.octetsIn)
    put(pair.counts.packetsOut)
    put(pair.counts.packetsIn)
    put(pair.counts.sizesOut)
    put(pair.counts.sizesIn)
    for i in 0..<3 {
      put(pair.recent[i].began)
      put(pair.recent[i].last)
      put(pair.recent[i].port)
      put(UInt16(pair.recent[i].hasEnded ? 1 : 0))
    }
    put(pair.timesCount)
  }
  mutating func put(_ input: KnownInput) {
    put(input.head)
    put(input.octets)
    put(input.print.high)
    put(input.print.low)
    put(input.records)
    put(input.day)
  }
}
