import Testing

@testable import Mothlight

@Suite struct HTTPTests {
  private func request(_ text: String) throws -> HTTPRequest {
    try HTTPRequest(Array(text.utf8).span.bytes, ends: WireFixture.ends(80))
  }

  @Test func readsRequestHead() throws {
    let got = try request(
      "POST /a?b=c HTTP/1.1\r\nHost: Example.ORG:8080\r\nUser-Agent:  Mozilla/4.0 \r\nReferer: http://r/\r\n"
        + "Content-Length: 12\r\nX-One: 1\r\n\r\n")
    #expect(got.exchange.method == "POST")
    #expect(got.exchange.target == "/a?b=c")
    #expect(got.exchange.host == "example.org")
    #expect(got.exchange.userAgent == "Mozilla/4.0")
    #expect(got.exchange.referer == "http://r/")
    #expect(got.exchange.requestBodyOctets == 12)
    #expect(got.exchange.headerNames == ["host", "user-agent", "referer", "content-length", "x-one"])
    #expect(got.body == .length(12))
    #expect(got.exchange.anomalies.isEmpty)
  }

  @Test func readsConnectAndAbsoluteForm() throws {
    let connect = try request("CONNECT mail.example.org:443 HTTP/1.1\r\n\r\n").exchange
    #expect(connect.target == "mail.example.org:443")
    #expect(connect.host == "mail.example.org")
    #expect(try request("GET http://Proxy.example:81/x HTTP/1.0\r\n\r\n").exchange.host == "proxy.example")
    #expect(try request("GET / HTTP/1.1\r\nHost: [2001:DB8::1]:80\r\n\r\n").exchange.host == "2001:db8::1")
  }

  @Test func marksOddHeads() throws {
    #expect(try request("GET /old\r\n\r\n").exchange.anomalies == .malformedHTTP)
    #expect(try request("GET / HTTP/1.1\r\nno colon here\r\n\r\n").exchange.anomalies == .malformedHTTP)
    #expect(
      try request("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n").exchange.anomalies
        == .malformedHTTP)
    #expect(throws: DecodeError.unsupported) { try request("OPTIONS rtsp://x/ RTSP/1.0\r\n\r\n") }
    #expect(throws: DecodeError.unsupported) { try request("OPTIONS sip:x SIP/2.0\r\n\r\n") }
    #expect(throws: DecodeError.malformed) { try request("\r\n") }
  }

  @Test func boundsAndCleansText() throws {
    let long = String(repeating: "a", count: 9000)
    let got = try request("GET /\(long) HTTP/1.1\r\nUser-Agent: \(long)\r\nReferer: \u{1b}[2Jx\r\n\r\n").exchange
    #expect(got.target.utf8.count == Limits.httpTargetOctets)
    #expect(got.userAgent?.utf8.count == Limits.textOctets)
    #expect(got.referer == "\\x1b[2Jx")
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "GET", HTTP.Body.length(5)),
    ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD", .none),
    ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "GET", .none),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n", "GET", .chunked),
    ("HTTP/1.0 200 OK\r\n\r\n", "GET", .unknown),
    ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "GET", .none),
  ]) func tellsBodyLength(_ head: String, _ method: String, _ body: HTTP.Body) throws {
    #expect(try HTTPResponse(Array(head.utf8).span.bytes).body(answering: method) == body)
  }

  @Test func refusesWhatIsNoStatusLine() {
    for text in ["HTTP/1.1 2x0 OK\r\n", "HTTP/1.1", "HTTP/1.1 099 X\r\n", ""] {
      #expect(throws: DecodeError.malformed) { try HTTPResponse(Array(text.utf8).span.bytes) }
    }
  }
}
