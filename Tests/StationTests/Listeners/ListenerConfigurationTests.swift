import Foundation
import Mothlight
import Testing

@testable import MothlightStation

@Suite struct ListenerConfigurationTests {
  private func read(_ text: String) throws -> ListenerConfiguration {
    var fields = try YAMLFields(try StrictYAML.read(Array(text.utf8)), "'sinkhole'")
    let configuration = try ListenerConfiguration(&fields, path: "sinkhole.yaml")
    try fields.finish()
    return configuration
  }

  private func failure(_ text: String) -> String {
    do {
      _ = try read(text)
      return ""
    } catch { return (error as? YAMLNode.Problem)?.message ?? "\(error)" }
  }

  @Test func everyKeyArrives() throws {
    let configuration = try read(
      """
      listeners:
        - {listen: "127.0.0.1:3431", transport: udp, family: Mariposa, sockets: 2, receive_buffer: 1048576}
        - {listen: "[::]:8080", transport: tcp, reply: http200-empty, transparent: true}
        - {listen: "127.0.0.1:8443", transport: tcp, tls: close}
        - {listen: "127.0.0.1:9443", transport: tcp, tls: terminate}
      limits:
        connections: 5000
        connections_per_source: 9
        timeout_seconds: 7
        tls_sessions: 11
        tls_handshakes_per_second: 12
        tls_handshakes_per_source_minute: 13
      tally: {sources: 5000, networks_v6: 2000, idle_hours: 48, file: tally.bin}
      privacy: {sample_days: 10, samples_per_day: 2, uniform_one_in: 500, samples_per_second: 77}
      visitors: {scanners: ["198.51.100.0/24"], hosting: ["2001:db8::/32"], unannounced_names: [xq.a.example]}
      drop_privileges: {user: mothlight}
      metrics: "127.0.0.1:9464"
      """)
    #expect(configuration.listeners.map(\.carrier) == [.udp, .tcp, .tcp, .tcp])
    #expect(configuration.listeners[0].family == "Mariposa" && configuration.listeners[0].sockets == 2)
    #expect(configuration.listeners[0].receiveBufferOctets == 1_048_576)
    #expect(configuration.listeners[1].reply == .http200Empty && configuration.listeners[1].isTransparent)
    #expect(configuration.listeners[2].reply == nil && configuration.problems == [])
    #expect(configuration.limits.connections == 5000 && configuration.limits.connectionsPerSource == 9)
    #expect(configuration.limits.timeoutSeconds == 7 && configuration.sampleDays == 10)
    #expect(configuration.tally.sourcesV4 == 5000 && configuration.tally.path == "tally.bin")
    #expect(configuration.tally.samplesPerDay == 2 && configuration.tally.uniformOneIn == 500)
    // Off unless it is asked for.
    #expect(configuration.listeners.map(\.terminatesTLS) == [false, false, false, true])
    let tls = configuration.limits.tls
    #expect(tls.sessions == 11 && tls.perSecond == 12 && tls.perSourceInMinute == 13)
    #expect(configuration.user == "mothlight" && configuration.metrics?.port == 9464)
  }

  /// One port of two carriers, or of two addresses, is two ports; 0 is any.
  @Test func portsThatOnlyLookAlike() throws {
    let places = [
      ("127.0.0.1:1", "tcp"), ("127.0.0.1:1", "udp"), ("127.0.0.2:1", "tcp"), ("127.0.0.1:0", "tcp"),
      ("127.0.0.1:0", "tcp"),
    ]
    let lines = places.map { "  - {listen: \"\($0.0)\", transport: \($0.1)}\n" }.joined()
    #expect(try read("listeners:\n" + lines).listeners.count == 5)
  }

  @Test(arguments: [
    ("listeners:\n  - {listen: \"127.0.0.1:1\", transport: udp, reply: http404}", "never answered"),
    ("listeners:\n  - {listen: \"127.0.0.1:1\", transport: tcp, reply: \"HTTP/1.1 200\"}", "is one of: none, close"),
    ("listeners:\n  - {listen: \"127.0.0.1:1\", transport: tcp, answer: hello}", "knows no key 'answer'"),
    ("listeners:\n  - {listen: \"localhost:1\", transport: tcp}", "no address with a port"),
    ("listeners:\n  - {listen: \"127.0.0.1:1\", transport: tcp, sockets: 2}", "'sockets' is for udp"),
    ("listeners:\n  - {listen: \"127.0.0.1:1\", transport: udp, tls: terminate}", "'tls' is for tcp"),
    ("listeners:\n  - {listen: \"127.0.0.1:1\", transport: tcp, tls: answer}", "is one of: close, terminate"),
    ("listeners:\n  - {listen: \"127.0.0.1:1\", transprot: tcp}", "lacks 'transport'; is 'transprot' a typing error"),
    // Not taken for a typing error: it is a key of its own.
    ("listeners:\n  - {listen: \"127.0.0.1:1\", transparent: true}", "a listener lacks 'transport'"),
    (
      "listeners:\n  - {listen: \"127.0.0.1:1\", transport: tcp}\n  - {listen: \"127.0.0.1:1\", transport: tcp}",
      "two listeners want tcp 127.0.0.1:1"
    ),
    ("metrics: \"192.0.2.1:9464\"", "for this machine"),
    ("visitors: {scanners: [\"no-such-file.txt\"]}", "no-such-file.txt"),
    ("tally: {sources: 3}", "'sources' is not a number"),
  ])
  func errorsHaveOneLine(_ text: String, _ words: String) {
    #expect(failure(text).contains(words), "\(failure(text))")
  }
}
