import Foundation
import Mothlight
import Testing

@testable import MothlightStation

@Suite struct SinkholeHeaderTests {
  @Test(arguments: ["CERT Example", "x", "CERT Example; abuse@cert.example (+34 1)", String(repeating: "a", count: 64)])
  func plainTextsAreTaken(_ text: String) { #expect(SinkholeHeader(text)?.value == text) }

  /// Nothing that could end the field, begin another one or a body, or hide.
  @Test(arguments: [
    "", " x", "x ", "a\r\nLocation: http://x", "a\nb", "a\rb", "a\u{0}b", "a\tb", "ü", "a\u{7f}", "a\u{85}b",
    "a\u{2028}b",
    String(repeating: "a", count: 65),
  ])
  func otherTextsAreRefused(_ text: String) { #expect(SinkholeHeader(text) == nil) }

  @Test func withoutItRepliesAreWhatTheyWere() {
    let plain = ReplyOctets(nil)
    for reply in Reply.allCases {
      let wanted = reply.octets.map { text in text.withUTF8Buffer { Array($0) } }
      #expect(plain[reply] == wanted)
    }
  }

  /// One more line in the head, and still no body; what has no octets gets none.
  @Test func theFieldIsOneLineOfTheHead() throws {
    let replies = ReplyOctets(SinkholeHeader("CERT Example"))
    #expect(replies[.none] == nil && replies[.close] == nil)
    for reply in [Reply.http404, .http200Empty] {
      let text = String(decoding: try #require(replies[reply]), as: UTF8.self)
      let plain = String(decoding: try #require(ReplyOctets(nil)[reply]), as: UTF8.self)
      #expect(text.replacingOccurrences(of: "X-Sinkhole: CERT Example\r\n", with: "") == plain && text != plain)
      #expect(text.hasSuffix("\r\n\r\n") && text.components(separatedBy: "\r\n\r\n").count == 2)
    }
  }

  @Test func theConfigurationSaysIt() throws {
    func header(_ line: String) throws -> SinkholeHeader? {
      let text = """
        sinkhole:
          operator: {name: Test, abuse_contact: abuse@example.org}
          addresses: {ipv4: [192.0.2.80]}
          dns: {listen: ["127.0.0.1:5353"], ns: [ns1.example.org]}
          zones: zones.yaml
        \(line)
        """
      return try SinkholeConfiguration.read(Array(text.utf8), path: "x.yaml").listeners.header
    }
    #expect(try header("") == nil)
    #expect(try header("  x_sinkhole: CERT Example")?.value == "CERT Example")
    #expect(throws: ZoneFile.Problem.self) { try header("  x_sinkhole: \"a\\r\\nb\"") }
    #expect(throws: ZoneFile.Problem.self) { try header("  x_sinkhole: \(String(repeating: "a", count: 65))") }
  }

  @Test func aRequestGetsItAndADatagramNothing() throws {
    var configuration = RunningListeners.configuration([
      .init(.anyPort, .tcp), .init(.anyPort, .udp), .init(.anyPort, .tcp, reply: .close),
    ])
    configuration.header = SinkholeHeader("CERT Example")
    let running = try RunningListeners(configuration)
    let request = Array("GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n".utf8)
    var answers: [[UInt8]?] = []
    for port in running.ports.tcp {
      let peer = try #require(LoopbackPeer(port: port, isStream: true))
      #expect(peer.send(request))
      answers.append(peer.readToEnd())
      peer.end()
    }
    #expect(answers == [ReplyOctets(configuration.header)[.http404], []])
    let peer = try #require(LoopbackPeer(port: running.ports.udp[0], isStream: false))
    #expect(peer.send(request))
    usleep(200_000)
    #expect(peer.readNow() == 0)
    peer.end()
    running.end()
    #expect(running.counters.checkIns == 3)
  }
}
