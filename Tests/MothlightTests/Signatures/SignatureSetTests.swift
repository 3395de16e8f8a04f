import Testing

@testable import Mothlight

@Suite struct SignatureSetTests {
  private static let set = SignatureSet(SignatureFile.builtin?.signatures ?? [], for: .sinkhole)

  private static let datagrams = set.signatures.filter { $0.transport == .udp }

  private func payload(_ count: Int, _ random: inout WireFixture.Random) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  /// Random datagrams of a fitting length match as often as the fixed bits say.
  @Test(arguments: datagrams.map(\.id))
  func randomDatagramsMatchAsOftenAsTheFixedBitsSay(_ id: String) throws {
    let signature = try #require(Self.set.signature(id))
    let chance = try #require(signature.chance)
    var random = WireFixture.Random(state: id.utf8.reduce(7) { $0 &* 31 &+ UInt64($1) })
    let rounds = 30_000
    var matches = 0
    for _ in 0..<rounds {
      let bytes = payload(signature.length.lowerBound, &random)
      if signature.matches(bytes.span.bytes, isStream: false) == .yes { matches += 1 }
    }
    let expected = chance * Double(rounds)
    // Six standard deviations of a Poisson count, and one for counts near nothing.
    #expect(Double(matches) <= expected + 6 * expected.squareRoot() + 1)
    #expect(Double(matches) >= expected - 6 * expected.squareRoot() - 1)
  }

  @Test func randomPayloadsNeverMatchAStrongSignature() {
    var random = WireFixture.Random(state: 17)
    let ports: [UInt16] = [53, 80, 443, 4099]
    for round in 0..<20_000 {
      let bytes = payload(Int.random(in: 1...64, using: &random), &random)
      let port = ports[round % 4]
      let found = [
        Self.set.match(datagram: bytes.span.bytes, serverPort: port, fromClient: true),
        Self.set.match(datagram: bytes.span.bytes, serverPort: port, fromClient: false),
        Self.set.match(streamStart: bytes.span.bytes, serverPort: port).signature,
        RequestView(whole: bytes).flatMap { Self.set.match($0) },
      ]
      #expect(found.allSatisfy { $0?.evidence != .strong })
    }
  }

  /// The masks leave few payloads over, and lose none that matches.
  @Test func masksRefuseNearlyAllAndNothingThatMatches() {
    var random = WireFixture.Random(state: 23)
    var passed = 0
    let rounds = 20_000
    for _ in 0..<rounds {
      let bytes = payload(Int.random(in: 1...1400, using: &random), &random)
      if Self.set.mayMatch(datagram: bytes.span.bytes, fromClient: true) { passed += 1 }
    }
    #expect(passed * 100 < rounds)
    let streams = (UInt8.min...UInt8.max).filter { octet in
      let one = [octet]
      return Self.set.mayMatch(streamStart: one.span.bytes)
    }
    #expect(streams.count <= 32)
    for entry in SignatureFile.builtin?.entries ?? [] {
      for vector in entry.positives {
        guard case .octets(let bytes) = vector.message else { continue }
        let fromClient = entry.signature.direction == .client
        let mayMatch =
          entry.signature.transport == .udp
          ? Self.set.mayMatch(datagram: bytes.span.bytes, fromClient: fromClient)
          : Self.set.mayMatch(streamStart: bytes.span.bytes)
        #expect(mayMatch)
      }
    }
  }

  /// Through the decoders, in one piece and octet by octet: every watched row is found in its own messages.
  @Test func decodersFindEveryRowInItsTests() throws {
    for entry in try SignatureFile.readBuiltin().entries where !entry.signature.isForSinkholeOnly {
      for vector in entry.positives {
        let bytes: [UInt8]
        switch vector.message {
        case .octets(let octets): bytes = octets
        case .request(let octets): bytes = octets
        case .hello: continue
        }
        guard entry.signature.transport == .tcp else { continue }
        let pieces = [(fromClient: true, bytes: bytes)]
        let ends = WireFixture.ends(vector.port)
        let whole = WireFixture.run(pieces, ends).events.compactMap(\.rule)
        let cut = WireFixture.run(WireFixture.cut(pieces, 1), ends).events.compactMap(\.rule)
        #expect(whole == [entry.signature.id], "\(entry.line)")
        #expect(cut == whole)
      }
    }
  }

  @Test func chatIsStillCalledIRCWhileASignatureWaits() {
    let chat = [(fromClient: true, bytes: Array("NICK moth\r\nUSER moth 0 * :A Moth\r\n".utf8))]
    let run = WireFixture.run(chat, WireFixture.ends(6667))
    #expect(run.decoder.service == .irc)
    #expect(run.events.compactMap(\.rule) == [])
  }

  /// The rest of a chat is read as before, and the signature is found on either side of the server's greeting.
  @Test func signaturesAreWatchedBesideTheConversation() {
    let lines = ["NICK abcdefgh\r\n", "USER x 0 0 :x\r\n", "JOIN &virtu\r\n"].map {
      (fromClient: true, bytes: Array($0.utf8))
    }
    let hello = (fromClient: false, bytes: Array(":irc.example 001 moth :Welcome\r\n".utf8))
    let ends = WireFixture.ends(6667)
    for pieces in [lines, [hello] + lines, [lines[0], hello, lines[1], lines[2]]] {
      #expect(WireFixture.run(pieces, ends).events.compactMap(\.rule) == ["virut-irc-join"])
      #expect(WireFixture.run(WireFixture.cut(pieces, 1), ends).events.compactMap(\.rule) == ["virut-irc-join"])
      #expect(WireFixture.run(pieces, ends).decoder.service == .irc)
    }
    let late = [lines[0], (fromClient: true, bytes: [UInt8](repeating: 0x61, count: 600)), lines[2]]
    #expect(WireFixture.run(late, ends).events.compactMap(\.rule) == [])
  }

  @Test func helloConditions() throws {
    let text =
      SignatureFileTests.header
      + SignatureFileTests.entry.replacing(
        "match: {bytes: [{at: 0, text: TOYBOT}]}", with: "match: {tls: {sni: '*.toy.example'}}"
      ).replacing("{text: TOYBOT1}", with: "{sni: a.toy.example}").replacing(
        "{text: TOYBOX1}", with: "{sni: toy.example}")
    let file = try SignatureFileTests.file(text)
    #expect(file.failures == [])
    let set = SignatureSet(file.signatures, for: .passive)
    var hello = TLSHandshake(ends: WireFixture.tcp, version: 0x0303)
    #expect(set.match(hello) == nil)
    hello.serverName = "x.TOY.example"
    #expect(set.match(hello)?.id == "toy-hello")
    #expect(Self.set.match(hello) == nil)
  }
}
