import Testing

@testable import Mothlight

@Suite struct PayloadRulesTests {
  private func datagram(_ hex: String, port: UInt16 = 3431, fromClient: Bool = true) -> String? {
    PayloadRules.match(datagram: WireFixture.hex(hex).span.bytes, serverPort: port, fromClient: fromClient)?.id
  }

  /// Derived by hand from the published formula.
  @Test(arguments: ["6100 0099 8b89 c9", "6101 0298 8988 cb", "615a c3c3 48d3 0a"])
  func recognisesJoin(_ hex: String) {
    #expect(datagram(hex) == "bfbot-join")
    #expect(datagram(hex, fromClient: false) == nil)
  }

  @Test func everyOtherOctetBreaksTheJoin() {
    let join = WireFixture.hex("6101029889 88cb")
    for i in join.indices {
      var changed = join
      changed[i] ^= 0x80
      let rule = PayloadRules.match(datagram: changed.span.bytes, serverPort: 3431, fromClient: true)
      #expect(rule?.evidence != .strong)
    }
  }

  @Test func otherWordIsWeak() {
    // "abcd" under sequence 00 00 and length 4: XOR with 0xfb.
    #expect(datagram("61 0000 9a99989f") == "bfbot-join-other-word")
    #expect(PayloadRules.rule("bfbot-join-other-word")?.evidence == .weak)
    #expect(PayloadRules.rule("bfbot-join")?.evidence == .strong)
  }

  @Test func recognisesOtherBFBotShapes() {
    #expect(datagram("01 0203") == "bfbot-keepalive")
    #expect(datagram("01 0203 04") == nil)
    #expect(datagram("80 0203", fromClient: false) == "bfbot-keepalive-ack")
    #expect(datagram("40 0000 0102030405", fromClient: false) == "bfbot-join-ack")
    let filler = String(repeating: "11", count: 16)
    #expect(datagram("18 \(filler) 0000 2222") == "bfbot-join-21")
    #expect(datagram("18 \(filler) 0001 2222") == nil)
    #expect(datagram("38 \(filler) 2222 2222", fromClient: false) == "bfbot-join-ack-21")
    #expect(PayloadRules.rule("bfbot-keepalive")?.evidence == .weak)
  }

  @Test func recognisesZeroAccess() {
    #expect(datagram("aabbccdd 28948dabc9c0d199 01020304", port: 16464) == "zeroaccess-getl")
    #expect(datagram("aabbccdd 28948dabc9c0d198 01020304", port: 16464) == nil)
    #expect(datagram("aabbccdd 0000 9e98 000000000000000000000000", port: 53) == "zeroaccess-port53")
    #expect(datagram("aabbccdd 0000 9e98 000000000000000000000000", port: 54) == nil)
  }

  private func stream(_ bytes: [UInt8], port: UInt16) -> [String] {
    let pieces = [(fromClient: true, bytes: bytes)]
    let whole = WireFixture.run(pieces, WireFixture.ends(port)).events.compactMap(\.rule)
    let cut = WireFixture.run(WireFixture.cut(pieces, 1), WireFixture.ends(port)).events.compactMap(\.rule)
    #expect(whole == cut)
    return whole
  }

  @Test func recognisesStreams() {
    #expect(stream(WireFixture.hex("00fffb000000"), port: 443) == ["ramnit-hello"])
    #expect(stream(WireFixture.hex("00ff4b000001"), port: 447) == ["ramnit-frame"])
    #expect(stream(WireFixture.hex("00fffb000000"), port: 80) == [])
    #expect(stream(Array("P[endof]".utf8), port: 1177) == ["njrat-keepalive"])
    #expect(stream(Array("lv|'|'|SGVsbG8=|'|'|PC[endof]".utf8), port: 1177) == ["njrat-hello"])
    #expect(stream(Array("lvm is not a bot".utf8), port: 1177) == [])
    #expect(stream(Array("174\0ll|'|'|x".utf8), port: 5552) == ["njrat-hello-07d"])
    #expect(stream(Array("PASS ngrBot\r\n".utf8), port: 6667) == ["ngrbot-irc-pass"])
    #expect(stream(Array("PASS secret\r\n".utf8), port: 6667) == [])
    #expect(stream(WireFixture.hex("e5aac031 0102030405 5b74084d9b39c1 00000000"), port: 22292) == ["zeroaccess-tcp"])
  }

  private func request(_ text: String) -> [String] {
    stream(Array((text.replacing("\n", with: "\r\n") + "\r\n\r\n").utf8), port: 80)
  }

  @Test func recognisesRequests() {
    #expect(request("GET /search?q=12&aq=7 HTTP/1.0\nHost: 192.0.2.1") == ["conficker-a-get"])
    #expect(request("GET /search?q=12&aq=7?0123abcd HTTP/1.0\nHost: 192.0.2.1") == ["conficker-a-get"])
    #expect(request("GET /search?q=999 HTTP/1.0\nHost: 192.0.2.1") == ["conficker-b-get"])
    #expect(request("GET /search?q=1000 HTTP/1.0\nHost: 192.0.2.1") == [])
    #expect(request("GET /search?q=12&aq=7 HTTP/1.0\nHost: example.org") == [])
    #expect(request("GET /i/logo.gif?1a2b3c=-42&id=7 HTTP/1.1\nHost: a.b") == ["sality-uri"])
    #expect(request("GET /logo.png?1a2b3c=42 HTTP/1.1\nUser-Agent: KUKU v5\nHost: a.b") == ["sality-uri-kuku"])
    #expect(request("GET /logo.png?1a2b3c=42 HTTP/1.1\nAccept: */*\nHost: a.b") == [])
    #expect(request("GET /?rnd=123&id=456 HTTP/1.1\nHost: a.b") == ["sality-rnd-id"])
    #expect(
      request("GET /setup.htm HTTP/1.1\nHost: 192.0.2.1\nContent-Length: 0\nUser-Agent: Mozilla") == ["kelihos-f-get"])
    #expect(request("GET /setup.htm HTTP/1.1\nHost: 192.0.2.1\nUser-Agent: Mozilla\nContent-Length: 0") == [])
  }

  @Test func tableIsSound() {
    #expect(Set(PayloadRules.all.map(\.id)).count == PayloadRules.all.count)
    for rule in PayloadRules.all {
      #expect(!rule.family.isEmpty && !rule.source.isEmpty)
    }
  }

  @Test func randomDatagramsAreNeverStrong() {
    var random = WireFixture.Random(state: 5)
    for _ in 0..<20_000 {
      let bytes = (0..<Int.random(in: 1...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      for fromClient in [true, false] {
        let rule = PayloadRules.match(datagram: bytes.span.bytes, serverPort: 53, fromClient: fromClient)
        #expect(rule?.evidence != .strong)
      }
    }
  }
}
