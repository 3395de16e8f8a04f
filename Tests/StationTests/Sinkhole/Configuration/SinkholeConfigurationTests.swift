import Foundation
import Mothlight
import Testing

@testable import MothlightStation

@Suite struct SinkholeConfigurationTests {
  private static let whole = [
    "sinkhole:",
    "  operator: { name: \"Example CERT\", abuse_contact: \"abuse@cert.example\" }",
    "  spool: ./spool",
    "  addresses: { ipv4: [127.0.0.1], ipv6: [\"::1\"] }",
    "  dns:",
    "    listen: [\"127.0.0.1:5353\", \"[::1]:5353\"]",
    "    ns: [ns1.sink.example, ns2.sink.example]",
    "  zones: zones.yaml",
  ]

  private func read(_ change: (inout [String]) -> Void = { _ in }) throws -> SinkholeConfiguration {
    var lines = Self.whole
    change(&lines)
    return try SinkholeConfiguration.read(Array(lines.joined(separator: "\n").utf8), path: "conf/sink.yaml")
  }

  @Test func defaults() throws {
    let configuration = try read()
    #expect(configuration.zones == "conf/zones.yaml" && configuration.spool == "conf/./spool")
    let dns = configuration.dns
    #expect(dns.listen.map(\.description) == ["127.0.0.1:5353", "[::1]:5353"])
    #expect(dns.servers.map(\.description) == ["ns1.sink.example", "ns2.sink.example"])
    #expect(dns.mailbox.description == "abuse.cert.example")
    #expect(dns.ownership == ["Example CERT", "abuse@cert.example"])
    #expect(dns.usesCookies && dns.udpPayload == 1232 && dns.ttlSeconds == 300 && dns.nsid == [])
    #expect(dns.limits == .init(perSecond: 200, slip: 2, ipv4Bits: 24, ipv6Bits: 56))
  }

  /// What the page of the listeners prints can be taken as it is.
  @Test func theDocumentedExampleIsWhole() throws {
    let page = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../../../docs/sinkhole-listeners.md")
    let text = try String(contentsOf: page, encoding: .utf8)
    let example = try #require(text.components(separatedBy: "```yaml\n").dropFirst().first)
    let octets = Array(try #require(example.components(separatedBy: "```").first).utf8)
    let configuration = try SinkholeConfiguration.read(octets, path: "sink.yaml")
    #expect(configuration.operator.domainExpiry != nil && configuration.zones == "zones.yaml")
    #expect(configuration.listeners.listeners.count == 5 && configuration.listeners.problems == [])
    for key in ["operator", "spool", "addresses", "zones", "dns", "listeners"] {
      #expect(text.contains("| `\(key)` |"), "\(key) is not explained")
    }
  }

  @Test func everyKey() throws {
    let configuration = try read {
      $0[1] = "  operator: { name: a, abuse_contact: a@b.example, domain_expiry: 2030-01-01 }"
      $0.insert(
        contentsOf: [
          "    hostmaster: hostmaster@sink.example", "    ttl: 600", "    negative_ttl: 60", "    nsid: a1",
          "    udp_payload: 1200", "    observe: zones", "    cookies: false", "    cookie_secrets: s.txt",
          "    workers: 2",
          "    text: [one, two]", "    rrl: { responses_per_second: 5, slip: 1, ipv4_prefix: 20, ipv6_prefix: 48 }",
          "    tcp: { connections: 10, connections_per_network: 2, idle_timeout_seconds: 3 }",
        ], at: 7)
    }
    let dns = configuration.dns
    #expect(configuration.operator.domainExpiry == 21_915)
    #expect(dns.mailbox.description == "hostmaster.sink.example" && dns.ownership == ["one", "two"])
    #expect(dns.ttlSeconds == 600 && dns.negativeTTLSeconds == 60 && dns.nsid == Array("a1".utf8))
    #expect(dns.udpPayload == 1200 && dns.observes == .zones && !dns.usesCookies && dns.udpWorkers == 2)
    #expect(dns.cookieSecretsFile == "conf/s.txt")
    #expect(dns.limits == .init(perSecond: 5, slip: 1, ipv4Bits: 20, ipv6Bits: 48))
    #expect(dns.tcp.connections == 10 && dns.tcp.connectionsPerNetwork == 2 && dns.tcp.idleTimeoutSeconds == 3)
  }

  @Test(arguments: [
    (1, "  operator: { name: a }", 2, "'operator' lacks 'abuse_contact'"),
    (1, "  operator: { name: a, abuse_contact: nobody }", 2, "'abuse_contact' is no mail address"),
    (2, "  spol: x", 3, "'sinkhole' knows no key 'spol'"),
    (3, "  addresses: { ipv4: [] }", 4, "'ipv4' is empty"),
    (5, "    listen: [\"localhost:53\"]", 6, "'localhost:53' is no address with a port"),
    (5, "    listen: [\"127.0.0.1\"]", 6, "'127.0.0.1' is no address with a port"),
    (6, "    ns: [\"a..b\"]", 7, "'ns': 'a..b' has an empty label"),
    (6, "    ns: [a.example, A.example]", 7, "'ns' has a name twice"),
    (6, "    ns: [a.example]\n    udp_payload: 4096", 8, "'udp_payload' is not a number from 512 to 1232"),
    (6, "    ns: [a.example]\n    rrl: { rate: 1 }", 8, "'rrl' knows no key 'rate'"),
    (7, "  zone: z", 8, "'sinkhole' lacks 'zones'; is 'zone' a typing error for it?"),
  ])
  func wrongLine(_ index: Int, _ line: String, _ number: Int, _ reason: String) throws {
    do {
      _ = try read { $0[index] = line }
      Issue.record("was taken")
    } catch let problem as ZoneFile.Problem {
      #expect(problem.line == number && problem.reason.hasPrefix(reason), "\(problem)")
    }
  }

  @Test func listenAddresses() {
    for text in ["127.0.0.1:0", "[2001:db8::1]:53", "0.0.0.0:65535"] {
      #expect(ListenAddress(text)?.description == text)
    }
    for text in ["", ":53", "127.0.0.1", "127.0.0.1:65536", "::1:53", "[127.0.0.1]:53", "[::1]", "host:53", "[::1]:-1"]
    {
      #expect(ListenAddress(text) == nil, "\(text)")
    }
  }
}
