/// Registered domains of looked-up names, remembered because hosts ask the same names over and over.
struct RegisteredDomains: Sendable {
  /// Names remembered: about 150 B each; beyond it all are forgotten, which costs time and changes nothing.
  private static let namesMost = 1 << 14

  private let suffixes = PublicSuffix.builtin
  /// Empty for names that nobody registered.
  private var known: [String: String] = [:]

  /// The registered domain of a name that anybody could ask; `nil` for local and reversed names and bare suffixes.
  mutating func domain(of name: String) -> String? {
    if let known = known[name] { return known.isEmpty ? nil : known }
    let domain = Self.isPublic(name) ? suffixes.registeredDomain(name) : nil
    if known.count >= Self.namesMost { known.removeAll(keepingCapacity: true) }
    known[name] = domain ?? ""
    return domain
  }

  /// Top-level labels that no registry sells: local zones and special-use names (RFC 6761, RFC 6762 appendix G).
  private static let localTopLevels: Set<String> = [
    "arpa", "local", "localhost", "localdomain", "lan", "home", "internal", "intranet", "corp", "private", "domain",
    "workgroup",
    "test", "invalid", "example", "onion", "alt", "belkin", "dlink", "mshome", "router", "gateway", "dhcp", "wpad",
  ]

  /// Leaves out single labels (Chromium's three probes), local zones, and addresses written backwards (DNS block lists, RFC 5782).
  static func isPublic(_ name: String) -> Bool {
    let labels = name.utf8.split(separator: 0x2e)
    guard labels.count >= 2, let top = labels.last, !localTopLevels.contains(String(Substring(top)).lowercased()) else {
      return false
    }
    let reversedOctets = labels.prefix { $0.count <= 3 && $0.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } }.count
    if reversedOctets >= 4 && labels.count > 4 { return false }
    let reversedNibbles = labels.prefix { $0.count == 1 }.count
    return reversedNibbles < 16
  }

  /// FNV-1a, equal on every run.
  static func hash(_ text: some StringProtocol) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
