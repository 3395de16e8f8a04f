import Testing

@testable import Mothlight

@Suite struct DialogueTests {
  private func read(_ bytes: [UInt8], isEnd: Bool = false, port: UInt16 = 80) throws -> DialogueReader.Verdict? {
    let reader = DialogueReader(Recogniser(try SignatureFile.readBuiltin().signatures))
    var scanned = 0
    return bytes.withUnsafeBytes {
      reader.read($0, isEnd: isEnd, ends: SinkholeFixture.ends(v4("192.0.2.1"), port, .tcp), scanned: &scanned)
    }
  }

  /// Whatever is cut off, the same words give the same verdict, and only once enough are there.
  @Test(arguments: [
    Array("POST /x/y.php HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nContent-Length: 8\r\n\r\nEPF#abcd".utf8),
    Array("NICK abcdefgh\r\nUSER x 0 0 :x\r\nJOIN &virtu\r\n".utf8),
    Array("P[endof]".utf8), [0, 0xff, 0xfb, 0, 0, 0],
  ])
  func octetByOctetIsAsAllAtOnce(_ bytes: [UInt8]) throws {
    let reader = DialogueReader(Recogniser(try SignatureFile.readBuiltin().signatures))
    let ends = SinkholeFixture.ends(v4("192.0.2.1"), 443, .tcp)
    var scanned = 0
    var early: [String?] = []
    for count in 1...bytes.count {
      let verdict = Array(bytes[..<count]).withUnsafeBytes {
        reader.read($0, isEnd: false, ends: ends, scanned: &scanned)
      }
      if let verdict { early.append(verdict.rule) }
    }
    let whole = try #require(try read(bytes, port: 443))
    #expect(early == [whole.rule] && whole.rule != nil)
    for count in 0..<bytes.count {
      #expect(try read(Array(bytes[..<count]), isEnd: true, port: 443) != nil)
    }
  }

  @Test func aHelloGivesNameAndPrints() throws {
    var random = RandomSource(seed: 1)
    let hello = SyntheticTLS(client: .device, serverName: "Seized.Example").clientHello(&random)
    let verdict = try #require(try read(hello, port: 443))
    guard case .tls(let event) = verdict.dialogue.content else {
      Issue.record("no hello")
      return
    }
    #expect(event.serverName == "seized.example" && event.ja3?.count == 32 && event.ja4?.count == 36)
    #expect(try read(Array(hello.dropLast(5)), port: 443) == nil)
  }

  @Test func silenceEndsAsSilence() throws {
    #expect(try read([]) == nil)
    #expect(try read([], isEnd: true)?.isSilence == true)
  }

  /// A head that never ends is judged when the room is full.
  @Test func longHeadsAreCutOff() throws {
    var bytes = Array("GET / HTTP/1.1\r\n".utf8)
    while bytes.count < DialogueReader.knownOctetsMost { bytes += Array("X: aaaaaaaaaaaaaaaaaaaaaaaa\r\n".utf8) }
    let verdict = try #require(try read(bytes))
    #expect(verdict.isHTTP)
  }

  /// Nothing that is thrown at it stops it.
  @Test func hostileOctetsAreSurvived() throws {
    let reader = DialogueReader(Recogniser(try SignatureFile.readBuiltin().signatures))
    var random = RandomSource(seed: 9)
    let starts: [[UInt8]] = [
      [], [0x16, 3, 1], Array("GET ".utf8), Array("NICK ".utf8), [0x80],
      Array("POST / HTTP/1.1\r\nContent-Length: ".utf8),
    ]
    for round in 0..<3000 {
      let start = starts[round % starts.count]
      let bytes =
        start + (0..<Int.random(in: 0...600, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      var scanned = 0
      let ends = SinkholeFixture.ends(v4("192.0.2.1"), 443, .tcp)
      let verdict = bytes.withUnsafeBytes { reader.read($0, isEnd: true, ends: ends, scanned: &scanned) }
      #expect(verdict != nil)
    }
  }
}
