extension Indicator {
  /// Octets of the longest value kept; URLs of real feeds stay below 2,048.
  static let octetsMost = 2048

  /// Canonical form of `text` read as one certain kind; `nil` when it is none.
  public static func reading(_ text: String, as kind: Kind) -> Indicator? {
    guard !text.isEmpty, text.utf8.count <= octetsMost else { return nil }
    let lower = text.lowercased()
    switch kind {
    case .domain: return domain(lower).map { Indicator(kind: .domain, value: $0) }
    case .address: return IPAddress(lower).map { Indicator(kind: .address, value: $0.description) }
    case .endpoint:
      if let end = endpoint(lower) {
        return Indicator(kind: .endpoint, value: Registry.endpointText(end.address, end.port))
      }
      return nil
    case .prefix:
      return lower.contains("/") ? Prefix(lower).map { Indicator(kind: .prefix, value: $0.description) } : nil
    case .ja3: return isHex(lower, [32]) ? Indicator(kind: .ja3, value: lower) : nil
    case .ja4: return lower.utf8.count >= 20 && lower.contains("_") ? Indicator(kind: .ja4, value: lower) : nil
    case .certificate: return isHex(lower, [40, 64]) ? Indicator(kind: .certificate, value: lower) : nil
    case .userAgent: return Indicator(kind: .userAgent, value: text)
    case .hash: return isHex(lower, [32, 40, 64, 96, 128]) ? Indicator(kind: .hash, value: lower) : nil
    case .url: return url(text).map { Indicator(kind: .url, value: $0.text) }
    }
  }

  /// Everything that `text` may be: 40 hexadecimal digits are a certificate or a file, `hxxp://` and `[.]` are undone.
  public static func readings(_ text: String) -> [Indicator] {
    let plain = refanged(text)
    let marks: [(String, Kind)] = [
      ("ja3:", .ja3), ("ja4:", .ja4), ("ua:", .userAgent), ("cert:", .certificate), ("hash:", .hash),
      ("domain:", .domain), ("url:", .url),
    ]
    let lower = plain.lowercased()
    for (mark, kind) in marks where lower.hasPrefix(mark) {
      return reading(String(plain.dropFirst(mark.utf8.count)), as: kind).map { [$0] } ?? []
    }
    let kinds: [Kind] = [.url, .address, .endpoint, .prefix, .certificate, .ja3, .hash, .ja4, .domain]
    var found = kinds.compactMap { reading(plain, as: $0) }
    if found.isEmpty, let end = namedEndpoint(plain) { found = [Indicator(kind: .domain, value: end)] }
    return found
  }

  /// `bad[.]example`, `hxxp://`: how people write what must not be clicked.
  static func refanged(_ text: String) -> String {
    var out = text
    for (from, to) in [("[.]", "."), ("(.)", "."), ("[:]", ":"), ("[://]", "://")] where out.contains(from) {
      out = out.replacing(from, with: to)
    }
    if out.lowercased().hasPrefix("hxxp") { out = "http" + out.dropFirst(4) }
    return out
  }

  /// Name of `name:port`.
  static func namedEndpoint(_ text: String) -> String? {
    guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]), port > 0 else {
      return nil
    }
    return domain(String(text[..<colon]))
  }

  /// Scheme and host lowered, the rest as it is: paths know case.
  static func url(_ text: String) -> (text: String, host: String)? {
    guard let mark = text.firstRange(of: "://") else { return nil }
    let scheme = text[..<mark.lowerBound].lowercased()
    guard ["http", "https", "ftp", "tcp", "udp", "ws", "wss"].contains(scheme) else { return nil }
    let rest = text[mark.upperBound...]
    let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
    let authority = rest[..<end].lowercased()
    let isVisible = text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7f }
    guard isVisible, let host = host(ofAuthority: Substring(authority)) else { return nil }
    return (scheme + "://" + authority + rest[end...], host)
  }

  /// Without user, port and brackets.
  private static func host(ofAuthority text: Substring) -> String? {
    var host = text
    if let at = host.lastIndex(of: "@") { host = host[host.index(after: at)...] }
    if host.first == "[", let close = host.firstIndex(of: "]") {
      return IPAddress(host[host.index(after: host.startIndex)..<close])?.description
    }
    if let colon = host.lastIndex(of: ":") {
      guard UInt16(host[host.index(after: colon)...]) != nil else { return nil }
      host = host[..<colon]
    }
    return IPAddress(host)?.description ?? domain(String(host))
  }

  /// The bare address or name inside an endpoint or a URL; `nil` for other kinds.
  public var host: String? {
    switch kind {
    case .endpoint: Self.endpoint(value)?.address.description
    case .url: Self.url(value)?.host
    default: nil
    }
  }

  /// The address it names itself, for the check that it can be on the Internet at all.
  var address: IPAddress? {
    switch kind {
    case .address: IPAddress(value)
    case .endpoint: Self.endpoint(value)?.address
    case .url: host.flatMap { IPAddress($0) }
    default: nil
    }
  }

  /// `name` and its parents down to two labels, the most specific first.
  public static func parents(of name: String) -> [String] {
    let labels = name.split(separator: ".")
    guard labels.count >= 2 else { return [] }
    return (0...(labels.count - 2)).map { labels[$0...].joined(separator: ".") }
  }
}
