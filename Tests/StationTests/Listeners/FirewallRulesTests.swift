import Foundation
import Mothlight
import Testing

@testable import MothlightStation

@Suite struct FirewallRulesTests {
  private func rules(_ listeners: [ListenerConfiguration.Listener], _ addresses: [String]) throws -> FirewallRules {
    var configuration = ListenerConfiguration()
    configuration.listeners = listeners
    return try FirewallRules(addresses: addresses.compactMap { IPAddress($0) }, configuration, keeping: [53, 22, 53])
  }

  private func listener(_ text: String, _ carrier: ListenerConfiguration.Listener.Carrier) throws
    -> ListenerConfiguration.Listener
  {
    .init(try #require(ListenAddress(text)), carrier, isTransparent: true)
  }

  @Test func everyPortButTheKeptOnesIsHandedOver() throws {
    let rules = try rules(
      [try listener("0.0.0.0:9999", .udp), try listener("192.0.2.9:9998", .tcp), try listener("[::]:9999", .udp)],
      ["192.0.2.80", "192.0.2.81", "2001:db8::80"])
    #expect(
      rules.nftables == """
        table inet mothlight_sinkhole {
          chain untracked {
            type filter hook prerouting priority raw; policy accept;
            ip daddr { 192.0.2.80, 192.0.2.81 } notrack
            ip6 daddr { 2001:db8::80 } notrack
          }
          chain catch_all {
            type filter hook prerouting priority mangle; policy accept;
            meta l4proto { tcp, udp } th dport { 22, 53 } accept
            ip daddr { 192.0.2.80, 192.0.2.81 } meta l4proto udp tproxy ip to :9999 meta mark set 0x6d74 accept
            ip daddr { 192.0.2.80, 192.0.2.81 } meta l4proto tcp tproxy ip to 192.0.2.9:9998 meta mark set 0x6d74 accept
            ip6 daddr { 2001:db8::80 } meta l4proto udp tproxy ip6 to :9999 meta mark set 0x6d74 accept
          }
        }

        """)
    #expect(rules.routing.first == "ip -4 rule add fwmark 0x6d74 lookup 27988")
    #expect(rules.routing.count == 4 && rules.removal.count == 5)
  }

  @Test func withoutATransparentListenerThereIsNothingToPrint() throws {
    let plain = ListenerConfiguration.Listener(.anyPort, .udp)
    #expect(throws: ListenError.self) { try rules([plain], ["192.0.2.80"]) }
    #expect(throws: ListenError.self) { try rules([try listener("0.0.0.0:9999", .udp)], ["0.0.0.0"]) }
  }
}
