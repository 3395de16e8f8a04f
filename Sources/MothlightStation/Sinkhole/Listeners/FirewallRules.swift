import Mothlight

/// The lines by which a machine hands every port of its sinkhole addresses to the transparent listeners.
///
/// TPROXY, as it keeps the address and port that a datagram was sent to; REDIRECT loses them for UDP. It keeps no state
/// per source, and `notrack` sees to it that nothing else does.
public struct FirewallRules: Sendable {
  /// Table, mark and routing table of their own, so that they are taken out again without touching anything else.
  private static let table = "mothlight_sinkhole"
  private static let mark = 0x6d74
  private static let routes = 27_988

  private let addresses: [IPAddress]
  private let listeners: [ListenerConfiguration.Listener]
  private let kept: [UInt16]

  /// - Parameters:
  ///   - addresses: the sinkhole's own.
  ///   - kept: ports that are not handed over: the name server's, the operator's way in.
  /// - Throws: when no transparent listener could take anything.
  public init(
    addresses: [IPAddress], _ configuration: ListenerConfiguration, keeping kept: [UInt16]
  ) throws(ListenError) {
    listeners = configuration.listeners.filter(\.isTransparent)
    guard !listeners.isEmpty else {
      throw ListenError(
        "firewall: no listener has 'transparent: true'; add one for udp and one for tcp, e.g. 0.0.0.0:9999")
    }
    guard addresses.contains(where: { !$0.isUnspecified }) else {
      throw ListenError("firewall: 'addresses' names none of this machine's addresses")
    }
    self.addresses = addresses
    self.kept = Array(Set(kept)).sorted()
  }

  /// For `nft -f`.
  public var nftables: String {
    var lines = ["table inet \(Self.table) {"]
    lines += ["  chain untracked {", "    type filter hook prerouting priority raw; policy accept;"]
    lines += families.map { "    \($0.match) notrack" }
    lines += ["  }", "  chain catch_all {", "    type filter hook prerouting priority mangle; policy accept;"]
    if !kept.isEmpty {
      let ports = kept.map(String.init).joined(separator: ", ")
      lines.append("    meta l4proto { tcp, udp } th dport { \(ports) } accept")
    }
    for family in families {
      for listener in listeners where listener.address.address.isV4 == family.isV4 {
        lines.append(
          "    \(family.match) meta l4proto \(listener.carrier.rawValue) tproxy \(family.word) to "
            + "\(target(listener)) meta mark set \(hex) accept")
      }
    }
    return (lines + ["  }", "}"]).joined(separator: "\n") + "\n"
  }

  /// Routes that bring marked packets to this machine, whatever address they are for.
  public var routing: [String] {
    families.flatMap { family -> [String] in
      let ip = family.isV4 ? "ip -4" : "ip -6"
      let all = family.isV4 ? "0.0.0.0/0" : "::/0"
      return [
        "\(ip) rule add fwmark \(hex) lookup \(Self.routes)",
        "\(ip) route add local \(all) dev lo table \(Self.routes)",
      ]
    }
  }

  public var removal: [String] {
    ["nft delete table inet \(Self.table)"]
      + families.flatMap { family -> [String] in
        let ip = family.isV4 ? "ip -4" : "ip -6"
        return ["\(ip) rule del fwmark \(hex) lookup \(Self.routes)", "\(ip) route flush table \(Self.routes)"]
      }
  }

  /// A shell script that says what it does.
  public var script: String {
    var lines = [
      "# Hands all ports of the sinkhole's addresses to the transparent listeners. Run as root.", "nft -f - <<'RULES'",
    ]
    lines += [nftables.trimmedEnd, "RULES"]
    lines += routing
    lines += ["# To take it back:"] + removal.map { "#   " + $0 }
    return lines.joined(separator: "\n") + "\n"
  }

  private var hex: String { "0x" + String(Self.mark, radix: 16) }

  private struct Family {
    var isV4: Bool
    var word: String
    var match: String
  }

  private var families: [Family] {
    [true, false].compactMap { isV4 in
      let own = addresses.filter { $0.isV4 == isV4 && !$0.isUnspecified }
      guard !own.isEmpty, listeners.contains(where: { $0.address.address.isV4 == isV4 }) else { return nil }
      let list = own.map(\.description).joined(separator: ", ")
      return Family(isV4: isV4, word: isV4 ? "ip" : "ip6", match: "\(isV4 ? "ip" : "ip6") daddr { \(list) }")
    }
  }

  private func target(_ listener: ListenerConfiguration.Listener) -> String {
    listener.address.isWildcard ? ":\(listener.address.port)" : "\(listener.address)"
  }
}

extension String {
  fileprivate var trimmedEnd: String { hasSuffix("\n") ? String(dropLast()) : self }
}
