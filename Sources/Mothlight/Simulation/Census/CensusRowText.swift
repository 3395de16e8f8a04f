/// Writes rows as `hour,sensor,ip,asn,cc,tz,fp,id,contacts,valid` into one buffer: an allocation for each million rows, not
/// for each field.
struct CensusRowText {
  static let header = "hour,sensor,ip,asn,cc,tz,fp,id,contacts,valid\n"
  /// The longest row: ten fields, the name of a sensor (32 octets) and an IPv6 address among them.
  private static let rowOctetsMost = 192
  private static let hex = Array("0123456789abcdef".utf8)
  private let sensors: [[UInt8]]
  private var octets: [UInt8]
  private(set) var count = 0

  init(sensors: [String], capacity: Int = 1 << 18) {
    self.sensors = sensors.map { Array($0.utf8.prefix(32)) }
    octets = [UInt8](repeating: 0, count: max(Self.rowOctetsMost, capacity))
  }

  /// No further row is sure to fit.
  var isFull: Bool { count + Self.rowOctetsMost > octets.count }

  mutating func drain(_ body: (ArraySlice<UInt8>) throws(SimulationError) -> Void) throws(SimulationError) {
    try body(octets[..<count])
    count = 0
  }

  /// - Precondition: not `isFull`.
  mutating func append(_ row: CensusSighting) {
    number(UInt64(row.hour))
    comma()
    if Int(row.sensor) < sensors.count {
      for octet in sensors[Int(row.sensor)] { put(octet) }
    }
    comma()
    address(row.address)
    comma()
    if row.system != 0 { number(UInt64(row.system)) }
    comma()
    if row.country != .unknown {
      put(UInt8(row.country.raw >> 8))
      put(UInt8(row.country.raw & 255))
    }
    comma()
    if row.timeZone < 0 { put(UInt8(ascii: "-")) }
    number(UInt64(row.timeZone.magnitude))
    comma()
    if row.fingerprint != 0 { hexadecimal(row.fingerprint) }
    comma()
    if row.identity != 0 { hexadecimal(row.identity) }
    comma()
    number(UInt64(row.contacts))
    comma()
    put(UInt8(ascii: row.isValid ? "1" : "0"))
    put(UInt8(ascii: "\n"))
  }

  private mutating func address(_ address: IPAddress) {
    guard address.isV4 else {
      for octet in address.description.utf8 { put(octet) }
      return
    }
    for i in 0..<4 {
      if i > 0 { put(UInt8(ascii: ".")) }
      number(UInt64(address.v4 >> UInt32(24 - 8 * i) & 255))
    }
  }

  private mutating func number(_ value: UInt64) {
    var divisor: UInt64 = 1
    while value / divisor >= 10 { divisor *= 10 }
    while divisor > 0 {
      put(UInt8(truncatingIfNeeded: 48 + value / divisor % 10))
      divisor /= 10
    }
  }

  private mutating func hexadecimal(_ value: UInt64) {
    var shift = (63 - value.leadingZeroBitCount) / 4 * 4
    while shift >= 0 {
      put(Self.hex[Int(value >> UInt64(shift) & 15)])
      shift -= 4
    }
  }

  @inline(__always)
  private mutating func comma() { put(UInt8(ascii: ",")) }

  @inline(__always)
  private mutating func put(_ octet: UInt8) {
    octets[count] = octet
    count &+= 1
  }
}
