/// What is left of an HTTP request when the parts that change are taken away, and what its agent claims to be.
///
/// Requests of one program to one server have the same shape whatever identifier, counter or time they carry.
enum HTTPShape {
  /// Octets of a template: long enough for a path with a handful of keys.
  static let templateOctets = 96

  /// Path with digits, hexadecimal and long tokens replaced by `#` and `*`, and the keys of the query without their values.
  /// - Complexity: O(octets of the target), which readers bound.
  static func template(_ target: String) -> String {
    var out: [UInt8] = []
    var token: [UInt8] = []
    var isValue = false
    var isQuery = false
    func flush() {
      if isValue {
        if !token.isEmpty { out.append(0x2a) }
      } else {
        out += reduced(token)
      }
      token.removeAll(keepingCapacity: true)
    }
    for byte in path(of: target).utf8 {
      guard out.count < templateOctets, byte != 0x23 else { break }
      if isWordByte(byte) || (isValue && byte != 0x26) {
        if token.count < 64 { token.append(byte) }
        continue
      }
      flush()
      if byte == 0x3f { isQuery = true }
      if isQuery { isValue = byte == 0x3d }
      out.append(byte)
    }
    flush()
    return String(decoding: out.prefix(templateOctets), as: UTF8.self)
  }

  /// The target without scheme and authority (RFC 9112 section 3.2.2), at least `/`.
  static func path(of target: String) -> Substring {
    guard isAbsolute(target), let slashes = target.utf8.firstIndex(of: 0x2f) else { return Substring(target) }
    let authority = target.utf8.index(slashes, offsetBy: 2, limitedBy: target.utf8.endIndex) ?? target.utf8.endIndex
    guard let slash = target.utf8[authority...].firstIndex(of: 0x2f) else { return "/" }
    return target[slash...]
  }

  static func isAbsolute(_ target: String) -> Bool {
    target.hasPrefix("http://") || target.hasPrefix("https://") || target.hasPrefix("ftp://")
  }

  /// The part of the path after its last dot, lower case; empty when there is none or it is longer than eight characters.
  static func suffix(of target: String) -> String {
    let name = path(of: target).prefix { $0 != "?" && $0 != "#" }.utf8
    let last = name.lastIndex(of: 0x2f).map { name.index(after: $0) } ?? name.startIndex
    guard let dot = name[last...].lastIndex(of: 0x2e) else { return "" }
    let suffix = name[name.index(after: dot)...]
    return suffix.count <= 8 ? Substring(suffix).lowercased() : ""
  }

  /// Who an agent says it is.
  enum Agent {
    case missing
    /// A tool or library that scripts, monitors and bots share.
    case library
    case browser
    case program
  }

  private static let libraries = [
    "curl", "wget", "busybox", "python", "go-http-client", "java/", "okhttp", "libwww", "perl", "ruby", "php", "axios",
    "node", "winhttp", "wininet", "httpclient", "aiohttp", "powershell",
  ]

  static func agent(_ text: String?) -> Agent {
    guard let text, !text.isEmpty, text != "-" else { return .missing }
    let lower = text.lowercased()
    if libraries.contains(where: { lower.hasPrefix($0) }) { return .library }
    return lower.hasPrefix("mozilla/") || lower.hasPrefix("opera/") ? .browser : .program
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    default: byte >= 0x80
    }
  }

  /// One word of a path: hexadecimal from eight characters on and long words become `*`, runs of digits `#`.
  private static func reduced(_ token: [UInt8]) -> [UInt8] {
    guard !token.isEmpty else { return [] }
    let digits = token.count { $0 >= 0x30 && $0 <= 0x39 }
    let isHex = token.allSatisfy {
      ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x41 && $0 <= 0x46) || ($0 >= 0x61 && $0 <= 0x66)
    }
    if digits < token.count, token.count > 20 || (isHex && token.count >= 8) { return [0x2a] }
    var out: [UInt8] = []
    for byte in token {
      if byte >= 0x30 && byte <= 0x39 {
        if out.last != 0x23 { out.append(0x23) }
      } else {
        out.append(byte)
      }
    }
    return out
  }
}

extension HTTPExchange {
  /// Sent to a proxy for another server: `CONNECT name:port`, or a target in absolute form.
  ///
  /// Some programs send the absolute form to the server itself; on port 80 outside it says nothing (RFC 9112 section 3.2.2).
  func isProxied(_ orientation: Orientation) -> Bool {
    if method == "CONNECT" { return true }
    return HTTPShape.isAbsolute(target) && (ends.serverPort != 80 || orientation == .inside)
  }

  /// Whether it went outside: directly, or through a proxy that may stand inside.
  func leaves(_ orientation: Orientation) -> Bool {
    orientation == .outbound || (orientation == .inside && isProxied(orientation))
  }

  /// The server it is for: the name in `Host` or target, else the address.
  var serverText: String { host ?? ends.server.description }
}

/// Providers of free names for machines without a fixed address: a minority of harmless programs call such names.
enum DynamicDNS {
  private static let domains: Set<String> = [
    "duckdns.org", "no-ip.org", "no-ip.biz", "no-ip.info", "noip.me", "ddns.net", "hopto.org", "zapto.org", "sytes.net",
    "serveftp.com", "servehttp.com", "serveblog.net", "myftp.org", "myftp.biz", "myvnc.com", "redirectme.net",
    "bounceme.net", "dyndns.org", "dyndns.info", "dyndns.biz", "dynu.net", "dynu.com", "changeip.org", "changeip.net",
    "afraid.org", "mooo.com", "chickenkiller.com", "strangled.net", "sinip.es", "3utilities.com", "gotdns.com",
    "homeip.net", "ath.cx", "ddnsfree.com", "freeddns.org", "kozow.com", "loseyourip.com", "publicvm.com", "linkpc.net",
  ]

  /// Whether `name` is registered below a provider; the table is short and public, its gaps only lower a weight.
  static func owns(_ name: String) -> Bool {
    let labels = name.split(separator: ".")
    guard labels.count >= 3 else { return false }
    return domains.contains(labels.suffix(2).joined(separator: "."))
  }
}
