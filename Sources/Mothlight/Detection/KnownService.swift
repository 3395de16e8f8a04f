/// Everyday periodic services, told by port and by what their names say rather than by vendor.
///
/// They keep time as strictly as any bot, so a timer alone says nothing about them.
enum KnownService {
  static func byPort(_ port: UInt16, _ transport: Transport) -> String? {
    if transport.isICMP { return "icmp" }
    switch (transport, port) {
    case (.udp, 123): return "ntp"
    case (_, 53), (.tcp, 853), (.udp, 853): return "dns"
    case (.udp, 67), (.udp, 68), (.udp, 546), (.udp, 547): return "dhcp"
    case (.udp, 137), (.udp, 138), (.udp, 1900), (.udp, 3702), (.udp, 5353), (.udp, 5355): return "local discovery"
    case (.udp, 161), (.udp, 162): return "snmp"
    case (.udp, 514): return "syslog"
    case (.udp, 3478), (.tcp, 3478), (.udp, 19302): return "stun"
    case (.tcp, 5222), (.tcp, 5223), (.tcp, 5228), (.tcp, 5229), (.tcp, 5230): return "push"
    case (.tcp, 8883): return "mqtt"
    case (.tcp, 143), (.tcp, 993), (.tcp, 110), (.tcp, 995), (.tcp, 465), (.tcp, 587): return "mail"
    case (.udp, 500), (.udp, 4500), (.udp, 1194), (.udp, 51820): return "vpn"
    default: return nil
    }
  }

  /// Words that services of these classes carry in their names.
  private static let words: [(label: String, words: [String])] = [
    ("ntp", ["ntp", "time"]),
    (
      "update",
      ["update", "updates", "windowsupdate", "archive", "security", "repo", "mirror", "download", "dl", "swcdn"]
    ),
    ("certificate status", ["ocsp", "crl", "pki"]),
    ("push", ["push", "mtalk", "notify", "notifications", "wns", "alt"]),
    ("connectivity check", ["connectivity", "captive", "ncsi", "detectportal", "msftncsi", "msftconnecttest"]),
    ("telemetry", ["telemetry", "metrics", "stats", "incoming", "beacons", "vortex"]),
    ("mail", ["imap", "smtp", "pop", "mail"]),
    ("stun", ["stun", "turn"]),
  ]

  static func byName(_ name: String) -> String? {
    let tokens = Set(name.split { $0 == "." || $0 == "-" }.map { $0.drop { $0.isNumber } }.map { trimDigits($0) })
    for group in words where group.words.contains(where: { tokens.contains($0) }) { return group.label }
    return nil
  }

  private static func trimDigits(_ text: Substring) -> String {
    var end = text.endIndex
    while end > text.startIndex {
      let before = text.index(before: end)
      guard text[before].isNumber else { break }
      end = before
    }
    return String(text[..<end])
  }

  /// Default ports of BitTorrent, eDonkey, Gnutella and Direct Connect: their programs retry dead peers and servers all day.
  static func isFileSharing(_ port: UInt16) -> Bool {
    switch port {
    case 411, 412, 1214, 4661...4672, 6346, 6347, 6881...6999, 51413: true
    default: false
    }
  }

  /// Ports on which unnamed servers are nothing special.
  static func isCommonPort(_ port: UInt16, _ transport: Transport) -> Bool {
    if byPort(port, transport) != nil { return true }
    switch port {
    case 20, 21, 22, 25, 80, 443, 1935, 3389, 5060, 5061, 8000, 8008, 8080, 8443: return true
    default: return false
    }
  }
}
