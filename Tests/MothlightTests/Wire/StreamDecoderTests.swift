import Crypto
import Testing

@testable import Mothlight

@Suite struct StreamDecoderTests {
  typealias Piece = (fromClient: Bool, bytes: [UInt8])

  private static func text(_ fromClient: Bool, _ text: String) -> Piece { (fromClient, Array(text.utf8)) }

  private static let tls12: [Piece] = [
    (true, WireFixture.records(WireFixture.handshake(1, WireFixture.chromeHello))),
    (
      false,
      WireFixture.records(
        WireFixture.handshake(
          2, WireFixture.serverHelloBody(cipher: 49200, extensions: [WireFixture.tlsExtension(0xff01, [0])]))
          + WireFixture.certificateMessage + WireFixture.handshake(14, []), recordOctets: 200)
    ),
  ]

  private static let tls13: [Piece] = [
    tls12[0],
    (
      false,
      WireFixture.records(
        WireFixture.handshake(
          2, WireFixture.serverHelloBody(cipher: 0x1301, extensions: [WireFixture.tlsExtension(43, [3, 4])])))
        + [20, 3, 3, 0, 1, 1, 23, 3, 3, 0, 1, 0]
    ),
  ]

  private static let http: [Piece] = [
    text(true, "GET /a HTTP/1.1\r\nHost: h.example\r\n\r\n"),
    text(
      false, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nGET /"
    ),
    text(true, "POST /b HTTP/1.1\r\nHost: h.example\r\nContent-Length: 10\r\n\r\nGET / HTTPHEAD /c HTTP/1.1\r\n\r\n"),
    text(
      false,
      "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n4;x=y\r\nHTTP\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n"
        + "HTTP/1.1 204 No Content\r\nContent-Length: 77\r\n\r\n"),
    text(true, "GET /d HTTP/1.1\r\n\r\n"),
  ]

  private static let dns: [Piece] = [
    (
      true,
      WireFixture.vector16(WireFixture.query(id: 1, "a.b")) + WireFixture.vector16(WireFixture.query(id: 2, "c.d"))
    ),
    (
      false,
      WireFixture.vector16(WireFixture.answer(id: 2, "c.d", code: 3))
        + WireFixture.vector16(WireFixture.answer(id: 1, "a.b", records: [(1, 60, [10, 0, 0, 1])]))
    ),
  ]

  private static let tunnel: [Piece] = [
    text(true, "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n"),
    text(false, "HTTP/1.1 200 Connection established\r\n\r\n"), tls13[0], tls13[1],
  ]

  static let conversations: [(UInt16, [Piece])] = [
    (443, tls12), (443, tls13), (80, http), (53, dns), (3128, tunnel), (22, SSHTests.pieces),
  ]

  /// What an observation says, without the payload sizes that depend on the cut.
  private func summary(_ events: [Observation]) -> [String] { events.map { "\($0.time) \($0.event)" } }

  @Test func tls12GivesCertificate() throws {
    let (events, decoder) = WireFixture.run(Self.tls12)
    #expect(events.count == 1)
    let tls = try #require(events.first?.tls)
    #expect(tls.version == 0x0303)
    #expect(tls.serverName == "example.org")
    // MD5 of "771,49200,65281" by md5sum(1).
    #expect(tls.ja3s == "364ff14b04ef93c3b4cfa429d729c0d9")
    #expect(tls.certificate?.subject == "CN=example.org,O=Moth\\, Light,C=DE")
    #expect(tls.ja4 == "t13d1516h2_8daaf6152771_e5627efa2ab1")
    #expect(tls.anomalies.isEmpty)
    #expect(decoder.service == .tls)
  }

  @Test func tls13EndsAtServerHello() {
    var decoder = StreamDecoder(ends: WireFixture.tcp)
    var out: [Observation] = []
    let hello = Self.tls13[0].bytes
    let answer = Self.tls13[1].bytes
    let more = decoder.feed(hello.span.bytes, fromClient: true, at: WireFixture.at(0), into: &out)
    #expect(more && out.isEmpty)
    let after = decoder.feed(answer.span.bytes, fromClient: false, at: WireFixture.at(1), into: &out)
    #expect(!after)
    #expect(out.first?.tls?.version == 0x0304)
    #expect(out.first?.tls?.certificate == nil)
    #expect(out.first?.time == WireFixture.at(0))
  }

  @Test func helloWithoutAnswerIsToldAtTheEnd() {
    let (events, _) = WireFixture.run([Self.tls12[0]], WireFixture.ends(4444))
    #expect(events.count == 1)
    #expect(events.first?.tls?.version == 0x0304)
    #expect(events.first?.tls?.ja3s == nil)
    #expect(events.first?.tls?.established == nil)
    #expect(events.first?.tls?.anomalies == .protocolOnOddPort)
  }

  /// The random of a HelloRetryRequest is SHA-256 of "HelloRetryRequest" (RFC 8446 section 4.1.3).
  @Test func helloRetryIsFollowedByTheTrueHello() {
    let random = Array(SHA256.hash(data: Array("HelloRetryRequest".utf8)))
    let retry = WireFixture.handshake(
      2,
      WireFixture.serverHelloBody(cipher: 0x1302, extensions: [WireFixture.tlsExtension(43, [3, 4])], random: random))
    let first: Piece = (false, WireFixture.records(retry) + [20, 3, 3, 0, 1, 1])
    let (events, _) = WireFixture.run([Self.tls13[0], first, Self.tls13[0], Self.tls13[1]])
    #expect(events.count == 1)
    #expect(events.first?.tls?.ja3s != nil)
    let alone = WireFixture.run([Self.tls13[0], first]).events
    #expect(alone.first?.tls?.version == 0x0304)
    #expect(alone.first?.tls?.ja3s == nil)
  }

  @Test func serverHelloCountsBeforeItsRecordEnds() {
    let whole = WireFixture.records(
      WireFixture.handshake(2, WireFixture.serverHelloBody(cipher: 49200, extensions: []))
        + WireFixture.certificateMessage)
    var decoder = StreamDecoder(ends: WireFixture.tcp)
    var out: [Observation] = []
    let hello = Self.tls12[0].bytes
    let part = Array(whole[..<120])
    _ = decoder.feed(hello.span.bytes, fromClient: true, at: WireFixture.at(0), into: &out)
    _ = decoder.feed(part.span.bytes, fromClient: false, at: WireFixture.at(0), into: &out)
    decoder.skip(fromClient: false)
    decoder.finish(at: WireFixture.at(1), into: &out)
    #expect(out.first?.tls?.version == 0x0303)
    #expect(out.first?.tls?.ja3s != nil)
  }

  @Test func alertInsteadOfHelloIsNoConnection() {
    let (events, _) = WireFixture.run([Self.tls12[0], (false, [21, 3, 3, 0, 2, 2, 40])])
    #expect(events.first?.tls?.established == false)
  }

  @Test func serverAloneStillGivesItsSide() {
    let (events, _) = WireFixture.run([Self.tls12[1]])
    #expect(events.first?.tls?.certificate != nil)
    #expect(events.first?.tls?.ja3 == nil)
    #expect(events.first?.tls?.ends == WireFixture.tcp)
  }

  @Test func turnedConnectionSwapsEnds() {
    let (events, decoder) = WireFixture.run(Self.tls13.map { (!$0.fromClient, $0.bytes) }, WireFixture.tcp.turned)
    #expect(events.first?.tls?.ends == WireFixture.tcp)
    #expect(events.first?.tls?.anomalies == .directionGuessed)
    #expect(decoder.anomalies.contains(.directionGuessed))
  }

  @Test func oldHelloIsAnAnomaly() {
    let hello: [UInt8] = [0x80, 25, 1, 3, 1, 0, 6, 0, 0, 0, 10, 0, 0, 4, 1, 0, 0x80] + [UInt8](repeating: 1, count: 10)
    let (events, decoder) = WireFixture.run([(true, hello)])
    #expect(events.isEmpty)
    #expect(decoder.service == .tls)
    #expect(decoder.anomalies == .oddService)
    let answered = WireFixture.run([(true, hello), Self.tls12[1]]).events
    #expect(answered.first?.tls?.certificate != nil)
    #expect(answered.first?.tls?.anomalies == .oddService)
  }

  @Test func httpPairsInOrder() {
    let (events, decoder) = WireFixture.run(Self.http, WireFixture.ends(80))
    let got = events.compactMap(\.http)
    #expect(got.map(\.target) == ["/a", "/b", "/c", "/d"])
    #expect(got.map(\.status) == [200, 404, 204, nil])
    #expect(got.map(\.method) == ["GET", "POST", "HEAD", "GET"])
    #expect(got[0].contentType == "text/html")
    #expect(got[0].responseBodyOctets == 5)
    #expect(got[1].requestBodyOctets == 10)
    #expect(decoder.service == .http)
    #expect(decoder.anomalies.isEmpty)
  }

  @Test func httpOnOddPortIsMarked() {
    let (events, _) = WireFixture.run([Self.http[0]], WireFixture.ends(6667))
    #expect(events.first?.http?.anomalies == .protocolOnOddPort)
  }

  @Test func requestGoesOnAfterMissingBytes() {
    var decoder = StreamDecoder(ends: WireFixture.ends(80))
    var out: [Observation] = []
    for (bytes, skip) in [
      ("POST /1 HTTP/1.1\r\nContent-Length: 99\r\n\r\nxx", true), ("rest of body", false),
      ("GET /2 HTTP/1.1\r\n\r\n", false),
    ] {
      _ = decoder.feed(Array(bytes.utf8).span.bytes, fromClient: true, at: WireFixture.at(0), into: &out)
      if skip { decoder.skip(fromClient: true) }
    }
    decoder.finish(at: WireFixture.at(1), into: &out)
    #expect(out.compactMap(\.http).map(\.target) == ["/1", "/2"])
  }

  @Test func unfinishedHeadIsTold() {
    let (events, _) = WireFixture.run([Self.text(true, "GET /slow HTTP/1.1\r\nHost: x\r\nX-a: ")], WireFixture.ends(80))
    #expect(events.first?.http?.target == "/slow")
    #expect(events.first?.http?.anomalies == .malformedHTTP)
  }

  @Test func otherProtocolWithHTTPShapeIsLeftAlone() {
    let (events, decoder) = WireFixture.run([Self.text(true, "OPTIONS rtsp://x RTSP/1.0\r\nCSeq: 1\r\n\r\n")])
    #expect(events.isEmpty)
    #expect(decoder.service == .other)
  }

  @Test func tunnelShowsBothLayers() {
    let (events, decoder) = WireFixture.run(Self.tunnel, WireFixture.ends(3128))
    #expect(events.compactMap(\.http).first?.target == "example.org:443")
    #expect(events.compactMap(\.http).first?.host == "example.org")
    #expect(events.compactMap(\.tls).first?.serverName == "example.org")
    #expect(events.compactMap(\.tls).first?.anomalies.isEmpty == true)
    #expect(decoder.service == .http)
  }

  @Test func dnsOverTCPPairs() {
    let (events, decoder) = WireFixture.run(Self.dns, WireFixture.ends(53))
    let got = events.compactMap(\.dns)
    #expect(got.map(\.name) == ["c.d", "a.b"])
    #expect(got.map(\.responseCode) == [3, 0])
    #expect(decoder.service == .dns)
  }

  @Test(arguments: [
    ("220 mail.example ESMTP ready\r\n", false, Service.smtp), ("220 FTP here\r\n", false, .ftp),
    ("USER bot\r\n", true, .irc), ("EHLO x\r\n", true, .smtp), ("\u{13}BitTorrent protocol", true, .bittorrent),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", true, .http), ("hello", true, .unknown),
  ]) func namesServices(_ text: String, _ fromClient: Bool, _ service: Service) {
    for size in [1, 100] {
      let pieces = WireFixture.cut([Self.text(fromClient, text)], size)
      let (events, decoder) = WireFixture.run(pieces, WireFixture.ends(80))
      #expect(events.isEmpty)
      #expect(decoder.service == service)
    }
  }

  @Test func greetingDecidesWhatUserMeans() {
    let user = Self.text(true, "USER a\r\n")
    #expect(WireFixture.run([Self.text(false, "220 hi\r\n"), user]).decoder.service == .ftp)
    #expect(WireFixture.run([Self.text(false, "+OK pop\r\n"), user]).decoder.service == .other)
    #expect(WireFixture.run([user]).decoder.service == .irc)
  }

  @Test func unknownBytesEndAtOnce() {
    var decoder = StreamDecoder(ends: WireFixture.ends(9999))
    var out: [Observation] = []
    let first = decoder.feed([UInt8]([0, 1, 2]).span.bytes, fromClient: true, at: WireFixture.at(0), into: &out)
    let second = decoder.feed([UInt8]([3, 4, 5]).span.bytes, fromClient: false, at: WireFixture.at(0), into: &out)
    #expect(first && !second && out.isEmpty)
  }

  @Test(arguments: conversations.indices) func anyCutGivesTheSame(_ index: Int) {
    let (port, pieces) = Self.conversations[index]
    let whole = summary(WireFixture.run(pieces, WireFixture.ends(port)).events)
    #expect(!whole.isEmpty)
    for size in [1, 2, 3, 5, 13, 64, 500] {
      #expect(summary(WireFixture.run(WireFixture.cut(pieces, size), WireFixture.ends(port)).events) == whole)
    }
    for piece in pieces.indices {
      for at in stride(from: 1, to: pieces[piece].bytes.count, by: 7) {
        var split = pieces
        split[piece].bytes = Array(pieces[piece].bytes[..<at])
        split.insert((pieces[piece].fromClient, Array(pieces[piece].bytes[at...])), at: piece + 1)
        #expect(summary(WireFixture.run(split, WireFixture.ends(port)).events) == whole)
      }
    }
  }

  /// Damage anywhere, bytes missing anywhere: no trap, and never more events than messages.
  @Test func damageNeverTraps() {
    var random = WireFixture.Random(state: 11)
    for round in 0..<3000 {
      let (port, pieces) = Self.conversations[round % Self.conversations.count]
      var decoder = StreamDecoder(ends: WireFixture.ends(port))
      var out: [Observation] = []
      for piece in WireFixture.cut(pieces, Int.random(in: 1...400, using: &random)) {
        var bytes = piece.bytes
        if Int.random(in: 0..<3, using: &random) == 0 {
          bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        if Int.random(in: 0..<20, using: &random) == 0 { decoder.skip(fromClient: piece.fromClient) }
        if !decoder.feed(bytes.span.bytes, fromClient: piece.fromClient, at: WireFixture.at(0), into: &out) { break }
      }
      decoder.finish(at: WireFixture.at(1), into: &out)
      decoder.finish(at: WireFixture.at(1), into: &out)
      #expect(out.count <= 60)
    }
  }
}
