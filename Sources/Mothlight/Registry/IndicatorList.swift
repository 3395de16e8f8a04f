/// A dated list of indicators from one source, as read from one text file.
public struct IndicatorList: Sendable, Hashable {
  public var name: String
  public var source: String
  /// UTC day of the list, days since the epoch.
  public var day: Int
  /// Last UTC day on which it holds; `nil` when the list does not expire.
  public var lastDay: Int?
  /// The source vouches for each line alone, so that one match needs no second opinion.
  public var isHighConfidence: Bool
  public var indicators: [Indicator]

  public init(
    name: String, source: String, day: Int, lastDay: Int? = nil, isHighConfidence: Bool = false,
    indicators: [Indicator] = []
  ) {
    self.name = name
    self.source = source
    self.day = day
    self.lastDay = lastDay
    self.isHighConfidence = isHighConfidence
    self.indicators = indicators
  }

  /// Held against event time, never against a clock.
  public func isExpired(at time: Timestamp) -> Bool { lastDay.map { time.day > $0 } ?? false }

  /// Whole years from the list's date to `time`; negative before it.
  public func ageYears(at time: Timestamp) -> Double { Double(time.day &- day) / 365.25 }
}

/// One published name, address or print.
public struct Indicator: Sendable, Hashable {
  public enum Kind: String, Sendable, CaseIterable {
    case domain, address, endpoint, prefix, ja3, ja4, certificate
    case userAgent = "user_agent"
    /// Of the registry's ledger only; list files do not carry them, as traffic shows neither.
    case url, hash
  }
  public var kind: Kind
  /// Canonical text: lower case except for user agents.
  public var value: String
  /// Botnet or malware family; `nil` when the list does not say.
  public var family: String?
  /// On hosting that others share: a match points at the landlord, not at the tenant.
  public var isShared: Bool
  public init(kind: Kind, value: String, family: String? = nil, isShared: Bool = false) {
    self.kind = kind
    self.value = value
    self.family = family
    self.isShared = isShared
  }

  /// Reads a value with an optional `kind:` before it (`ja3:…`, `ja4:…`, `ua:…`, `cert:…`, `domain:…`); without it the shape decides:
  /// 40 or 64 hexadecimal digits are a certificate, an address with `/` a prefix, with a port an endpoint.
  public init?(_ text: String, family: String? = nil, isShared: Bool = false) {
    guard let (kind, value) = Self.parse(text) else { return nil }
    self.init(kind: kind, value: value, family: family, isShared: isShared)
  }

  private static func parse(_ text: String) -> (Kind, String)? {
    let lower = text.lowercased()
    for (mark, kind) in [
      ("ja3", Kind.ja3), ("ja4", .ja4), ("ua", .userAgent), ("cert", .certificate), ("domain", .domain),
    ] {
      guard lower.hasPrefix(mark + ":") else { continue }
      let value = String(text.dropFirst(mark.utf8.count + 1))
      switch kind {
      case .ja3: return isHex(value, [32]) ? (kind, value.lowercased()) : nil
      case .certificate: return isHex(value, [40, 64]) ? (kind, value.lowercased()) : nil
      case .userAgent: return value.isEmpty ? nil : (kind, value)
      case .ja4: return value.utf8.count >= 20 && value.contains("_") ? (kind, value.lowercased()) : nil
      default: return domain(value).map { (kind, $0) }
      }
    }
    if isHex(lower, [40, 64]) { return (.certificate, lower) }
    if let address = IPAddress(lower) { return (.address, address.description) }
    if lower.contains("/") {
      guard let prefix = Prefix(lower) else { return nil }
      return prefix.bits == 128 ? (.address, prefix.address.description) : (.prefix, prefix.description)
    }
    if let end = endpoint(lower) { return (.endpoint, Registry.endpointText(end.address, end.port)) }
    return domain(lower).map { (.domain, $0) }
  }

  static func isHex(_ text: String, _ lengths: [Int]) -> Bool {
    lengths.contains(text.utf8.count)
      && text.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x66) }
  }

  /// `192.0.2.1:443` or `[2001:db8::1]:443`.
  static func endpoint(_ text: String) -> (address: IPAddress, port: UInt16)? {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
      return nil
    }
    var host = text[..<colon]
    if host.first == "[", host.last == "]" {
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    guard let address = IPAddress(host) else { return nil }
    return (address, port)
  }

  /// A name of at least two labels, lower case, without final dot and without a leading `*.`.
  static func domain(_ text: String) -> String? {
    var name = Substring(text.lowercased())
    if name.hasPrefix("*.") { name = name.dropFirst(2) }
    if name.last == "." { name = name.dropLast() }
    let labels = name.utf8.split(separator: 0x2e, omittingEmptySubsequences: false)
    guard labels.count >= 2, name.utf8.count <= 253, labels.allSatisfy({ !$0.isEmpty && $0.count <= 63 }) else {
      return nil
    }
    let allowed = name.utf8.allSatisfy {
      ($0 >= 0x61 && $0 <= 0x7a) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2d || $0 == 0x2e || $0 == 0x5f
    }
    // A dotted quad out of range is a typing error, not a name.
    guard allowed, let top = labels.last, !top.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
    return String(name)
  }
}
