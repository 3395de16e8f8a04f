import Mothlight

/// Why octets of the store are no body.
struct BodyDefect: Error {}

/// A body begins with the version of its layout and the host that it is about.
enum BodyLayout {
  /// Field after field.
  private static let plain: UInt8 = 1
  /// The same, packed from behind the host on (`PackedBody`).
  private static let packed: UInt8 = 2

  static func begin(_ host: IPAddress, reserving count: Int = 512) -> BodyWriter {
    var out = BodyWriter(reserving: count)
    out.put(byte: plain)
    out.put(host)
    return out
  }

  /// The shorter of both.
  static func sealed(_ body: BodyWriter, about host: IPAddress) -> [UInt8] {
    let head = host.isV4 ? 6 : 18
    let small = body.bytes.withUnsafeBytes { PackedBody.pack(UnsafeRawBufferPointer(rebasing: $0[head...])) }
    guard let small else { return body.bytes }
    return [packed] + body.bytes[1..<head] + small
  }

  /// - Throws: `BodyDefect`, also when `body` leaves something over.
  static func open<T>(
    _ bytes: UnsafeRawBufferPointer, _ body: (IPAddress, inout BodyReader) throws -> T
  ) throws -> T {
    var input = BodyReader(bytes)
    let version = try input.byte()
    let host = try input.address()
    func read(_ rest: UnsafeRawBufferPointer) throws -> T {
      var reader = BodyReader(rest)
      let result = try body(host, &reader)
      guard reader.isAtEnd else { throw BodyDefect() }
      return result
    }
    switch version {
    case plain: return try read(input.rest)
    case packed: return try PackedBody.unpack(input.rest).withUnsafeBytes(read)
    default: throw BodyDefect()
    }
  }

  static func host(_ bytes: UnsafeRawBufferPointer) throws -> IPAddress {
    var input = BodyReader(bytes)
    guard (plain...packed).contains(try input.byte()) else { throw BodyDefect() }
    return try input.address()
  }
}

/// Octets of one record: little numbers are short, texts carry their length.
struct BodyWriter {
  private(set) var bytes: [UInt8] = []

  init(reserving count: Int = 512) { bytes.reserveCapacity(count) }

  mutating func put(byte: UInt8) { bytes.append(byte) }

  /// Seven bits an octet, lowest first.
  mutating func put(count value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Small magnitudes of either sign are short.
  mutating func put(signed value: Int64) { put(count: UInt64(bitPattern: (value << 1) ^ (value >> 63))) }

  mutating func put(_ text: String) {
    var text = text
    text.withUTF8 { utf8 in
      put(count: UInt64(utf8.count))
      bytes.append(contentsOf: utf8)
    }
  }

  mutating func put(_ text: String?) {
    put(byte: text == nil ? 0 : 1)
    if let text { put(text) }
  }

  /// Whole numbers take what their digits need; others eight octets after a zero.
  mutating func put(_ value: Double) {
    if abs(value) < 1e15, let whole = Int64(exactly: value), whole != 0 || value.sign == .plus {
      put(count: (UInt64(bitPattern: (whole << 1) ^ (whole >> 63)) << 1) | 1)
    } else {
      put(byte: 0)
      withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }
  }

  mutating func put(_ address: IPAddress) {
    if address.isV4 {
      put(byte: 4)
      withUnsafeBytes(of: address.v4.bigEndian) { bytes.append(contentsOf: $0) }
    } else {
      put(byte: 6)
      withUnsafeBytes(of: address.high.bigEndian) { bytes.append(contentsOf: $0) }
      withUnsafeBytes(of: address.low.bigEndian) { bytes.append(contentsOf: $0) }
    }
  }

  mutating func put(_ time: Timestamp, since base: Timestamp) {
    put(signed: time.nanoseconds &- base.nanoseconds)
  }
}

/// Reads what `BodyWriter` wrote; octets that end too early or say nonsense are a `BodyDefect`.
struct BodyReader {
  private let bytes: UnsafeRawBufferPointer
  private var at = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var isAtEnd: Bool { at == bytes.count }

  mutating func byte() throws -> UInt8 {
    guard at < bytes.count else { throw BodyDefect() }
    defer { at &+= 1 }
    return bytes[at]
  }

  mutating func count() throws -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while shift < 64 {
      let next = try byte()
      value |= UInt64(next & 0x7f) << shift
      if next < 0x80 { return value }
      shift &+= 7
    }
    throw BodyDefect()
  }

  /// A number of things that follow, each of at least one octet.
  mutating func length() throws -> Int {
    let value = try count()
    guard value <= UInt64(bytes.count &- at) else { throw BodyDefect() }
    return Int(value)
  }

  mutating func number<T: FixedWidthInteger>(_: T.Type) throws -> T {
    guard let value = T(exactly: try count()) else { throw BodyDefect() }
    return value
  }

  mutating func signed() throws -> Int64 {
    let value = try count()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  mutating func text() throws -> String {
    let length = try length()
    defer { at &+= length }
    return String(decoding: UnsafeRawBufferPointer(rebasing: bytes[at..<at &+ length]), as: UTF8.self)
  }

  mutating func copy(_ count: Int, to out: UnsafeMutableRawBufferPointer) throws {
    guard count <= bytes.count &- at, count <= out.count else { throw BodyDefect() }
    out.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[at..<at &+ count]))
    at &+= count
  }

  /// What is left.
  var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[at...]) }

  mutating func optionalText() throws -> String? { try byte() == 0 ? nil : try text() }

  mutating func double() throws -> Double {
    let value = try count()
    if value & 1 == 1 {
      let zigzag = value >> 1
      return Double(Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1))
    }
    guard value == 0, at &+ 8 <= bytes.count else { throw BodyDefect() }
    defer { at &+= 8 }
    return Double(bitPattern: UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)))
  }

  mutating func address() throws -> IPAddress {
    switch try byte() {
    case 4:
      guard at &+ 4 <= bytes.count else { throw BodyDefect() }
      defer { at &+= 4 }
      return IPAddress(v4: UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
    case 6:
      guard at &+ 16 <= bytes.count else { throw BodyDefect() }
      defer { at &+= 16 }
      return IPAddress(
        high: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)),
        low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: at &+ 8, as: UInt64.self)))
    default: throw BodyDefect()
    }
  }

  mutating func time(since base: Timestamp) throws -> Timestamp {
    Timestamp(nanoseconds: base.nanoseconds &+ (try signed()))
  }

  mutating func flag() throws -> Bool { try byte() != 0 }
}

/// Enumerations by their place in `allCases`, which only ever grows at its end... so a name is kept where order may change.
extension BodyReader {
  mutating func named<T: RawRepresentable>(_: T.Type) throws -> T where T.RawValue == String {
    guard let value = T(rawValue: try text()) else { throw BodyDefect() }
    return value
  }
}

extension IPAddress {
  /// 16 octets in network order: their order is that of addresses.
  var octets: [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      raw.storeBytes(of: high.bigEndian, as: UInt64.self)
      raw.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
      count = 16
    }
  }

  init?(octets bytes: UnsafeRawBufferPointer) {
    guard bytes.count == 16 else { return nil }
    self.init(
      high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
      low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
  }
}

extension SQLRow {
  func address(_ column: Int32) throws -> IPAddress {
    guard let address = withBlob(column, { IPAddress(octets: $0) }) else { throw BodyDefect() }
    return address
  }
}

extension Verdict {
  /// Its place in the store; the order of verdicts is part of their meaning.
  var place: Int64 {
    switch self {
    case .notEnoughData: 0
    case .noSign: 1
    case .suspicious: 2
    case .infected: 3
    }
  }

  init(place: Int64) {
    switch place {
    case 1: self = .noSign
    case 2: self = .suspicious
    case 3...: self = .infected
    default: self = .notEnoughData
    }
  }

  var isFlagged: Bool { self >= .suspicious }
}

extension EvidenceFamily {
  /// Its number in the store; never changed once given.
  var number: Int64 {
    switch self {
    case .timing: 0
    case .fanOut: 1
    case .dns: 2
    case .payload: 3
    case .peer: 4
    case .list: 5
    }
  }

  init?(number: Int64) {
    guard let found = Self.allCases.first(where: { $0.number == number }) else { return nil }
    self = found
  }
}
