/// What one sensor saw of one source within one hour: the row that a census is made of.
public struct CensusSighting: Sendable, Hashable {
  /// Whole UTC hours since 1970.
  public var hour: UInt32
  /// Index into the names of the sensors.
  public var sensor: UInt8
  public var address: IPAddress
  /// Number of the autonomous system (RFC 6793); 0: not known.
  public var system: UInt32
  public var country: CountryCode
  /// Hours east of UTC of the place, rounded down; 0 where nobody knows.
  public var timeZone: Int8
  /// A stable trait of the machine that many share, such as a build or a language, hashed; 0: none.
  public var fingerprint: UInt64
  /// What the protocol carries to tell machines apart, hashed; 0: none.
  public var identity: UInt64
  /// Check-ins within the hour.
  public var contacts: UInt32
  /// Spoke the bot's protocol; others are counted as dropped.
  public var isValid: Bool

  public init(
    hour: UInt32, sensor: UInt8 = 0, address: IPAddress, system: UInt32 = 0, country: CountryCode = .unknown,
    timeZone: Int8 = 0, fingerprint: UInt64 = 0, identity: UInt64 = 0, contacts: UInt32 = 1, isValid: Bool = true
  ) {
    self.hour = hour
    self.sensor = sensor
    self.address = address
    self.system = system
    self.country = country
    self.timeZone = timeZone
    self.fingerprint = fingerprint
    self.identity = identity
    self.contacts = contacts
    self.isValid = isValid
  }
}

/// ISO 3166-1 alpha-2 in two octets.
public struct CountryCode: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let raw: UInt16
  public static let unknown = CountryCode(raw: 0)

  public init(raw: UInt16) { self.raw = raw }

  /// Two letters, of either case; anything else is `unknown`.
  public init(_ text: some StringProtocol) {
    let letters = Array(text.utf8.prefix(3)).map { $0 & 0xdf }
    guard letters.count == 2, letters.allSatisfy({ (0x41...0x5a).contains($0) }) else {
      raw = 0
      return
    }
    raw = UInt16(letters[0]) << 8 | UInt16(letters[1])
  }

  /// Two capitals, or `??`.
  public var description: String {
    raw == 0 ? "??" : String(decoding: [UInt8(raw >> 8), UInt8(raw & 255)], as: UTF8.self)
  }

  public static func < (a: CountryCode, b: CountryCode) -> Bool { a.raw < b.raw }
}
