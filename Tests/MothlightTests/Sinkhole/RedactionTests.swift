import Testing

@testable import Mothlight

@Suite struct RedactionTests {
  private func prefix(_ bytes: [UInt8], personal: Bool = false) -> [UInt8] {
    Redaction.prefix(bytes.span.bytes, declares: personal)
  }

  @Test func wordsBecomeTheirMakeUp() {
    let bytes: [UInt8] = [1, 2] + Array("ANNA-PC2".utf8) + [0, 0x41, 0x42, 9]
    #expect(prefix(bytes) == [1, 2] + Array("aaaa-aa9".utf8) + [0, 0x41, 0x42, 9])
    #expect(prefix(bytes, personal: true) == [])
  }

  @Test func aWordAtTheCutIsHidden() {
    let bytes = [UInt8](repeating: 0, count: 126) + Array("secret".utf8)
    #expect(prefix(bytes) == [UInt8](repeating: 0, count: 126) + Array("aa".utf8))
  }

  @Test func targetsLoseTheirValues() {
    #expect(Redaction.uriShape("/gate.php?user=anna&pc=LAPTOP&x", declares: false) == "/gate.php?user=&pc=&a")
    #expect(Redaction.uriShape("/u/anna@example.org/0123456789abcdef", declares: false) == "/u/a@a.a/9a")
    #expect(Redaction.uriShape("/anna/laptop/", declares: true) == "/a/a/")
  }

  @Test func agentsThatCouldBeNamesAreNotText() {
    #expect(Redaction.agent("Mozilla/4.0 (compatible)", declares: false) == "Mozilla/4.0 (compatible)")
    #expect(Redaction.agent("ANNA-PC", declares: false) == nil)
    #expect(Redaction.agent("Mozilla/4.0", declares: true) == nil)
  }

  /// No name, password or key of any message is in what a spool gets.
  @Test func nothingPersonalIsKept() throws {
    let fixture = try SinkholeFixture { $0.uniformOneIn = 1 }
    let secrets = ["anna", "laptop", "hunter2", "SGVsbG8", "geheim"]
    fixture.tcp(v4("192.0.2.1"), Array("174\0ll|'|'|SGVsbG8=|'|'|anna-laptop|'|'|".utf8), port: 1177)
    fixture.tcp(v4("192.0.2.2"), Array("PASS hunter2\r\nNICK anna\r\nUSER laptop 0 0 :geheim\r\n".utf8), port: 6667)
    let body = "user=anna&password=hunter2&pc=laptop"
    fixture.tcp(
      v4("192.0.2.3"),
      Array(
        "POST /login?u=anna HTTP/1.1\r\nHost: a.example\r\nAuthorization: Basic SGVsbG8\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
          .utf8))
    fixture.udp(v4("192.0.2.4"), [1, 2, 3] + Array("DE anna@laptop".utf8), family: "Mariposa")
    fixture.udp(v4("192.0.2.5"), Array("login anna hunter2".utf8))
    #expect(fixture.tally.flush())
    #expect(fixture.sink.samples.count >= 5)
    for record in fixture.sink.records {
      let text = "\(record)"
      let octets = fixture.sink.samples.map { String(decoding: $0.prefix, as: UTF8.self) }.joined(separator: " ")
      for secret in secrets {
        #expect(!text.contains(secret) && !octets.contains(secret), "\(secret) in \(text)")
      }
    }
  }
}
