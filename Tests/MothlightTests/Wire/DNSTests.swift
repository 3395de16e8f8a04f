import Testing

@testable import Mothlight

@Suite struct DNSTests {
  @Test func readsAnswerWithCompressedNames() throws {
    // Two CNAME steps and an address; the second target points into the first one's name.
    let bytes = WireFixture.answer(
      id: 0x1234, "WWW.Example.com",
      records: [
        (5, 300, [3, 0x63, 0x64, 0x6e, 0xc0, 0x10]), (1, 60, [93, 184, 216, 34]), (1, 120, [93, 184, 216, 35]),
      ])
    let message = try DNSMessage(bytes.span.bytes)
    #expect(message.id == 0x1234)
    #expect(message.isResponse)
    #expect(message.question.text == "www.example.com")
    #expect(message.type == 1)
    #expect(message.targets == ["cdn.example.com"])
    #expect(message.addresses.map(\.description) == ["93.184.216.34", "93.184.216.35"])
    #expect(message.ttlSeconds == 60)
    #expect(message.anomalies.isEmpty)
  }

  @Test func readsSixMXAndTXT() throws {
    let six = [UInt8](repeating: 0, count: 15) + [1]
    let bytes = WireFixture.answer(
      id: 1, "a.b", type: 255,
      records: [
        (28, 5, six), (15, 7, [0, 10, 2, 0x6d, 0x78, 0xc0, 0x0c]), (16, 9, [2, 0x68, 0x69, 3, 0x20, 0x07, 0x22]),
      ])
    let message = try DNSMessage(bytes.span.bytes)
    #expect(message.addresses.map(\.description) == ["::1"])
    #expect(message.targets == ["mx.a.b", "hi \\007\""])
    #expect(message.ttlSeconds == 5)
  }

  @Test func extendsResponseCodeByEDNS() throws {
    // BADVERS is 16: upper bits 1 in the OPT record's TTL (RFC 6891 section 6.1.3).
    var bytes = WireFixture.answer(id: 1, "a.b")
    bytes[11] = 1
    bytes += [0, 0, 41, 0x10, 0, 1, 0, 0, 0, 0, 0]
    #expect(try DNSMessage(bytes.span.bytes).responseCode == 16)
  }

  @Test func escapesOddOctets() throws {
    let bytes: [UInt8] = [3, 0x61, 0x2e, 0x00, 1, 0x20, 0]
    #expect(try DNSMessage.name(bytes.span.bytes, at: 0).text == "a\\.\\000.\\032")
    #expect(try DNSMessage.name([0].span.bytes, at: 0).text == "")
  }

  @Test(arguments: [
    [0xc0, 0x00],  // to itself
    [1, 0x61, 0xc0, 0x00],  // to the run it ends
    [1, 0x61, 0xc0, 0x04, 1, 0x62, 0xc0, 0x00],  // forward
    [0x40, 0x61],  // reserved label type
  ]) func refusesPointersThatDoNotGoBack(_ bytes: [UInt8]) {
    #expect(throws: DecodeError.malformed) { try DNSMessage.name(bytes.span.bytes, at: 0) }
  }

  @Test func followsChainsOnlyBackward() throws {
    // c → b → a: each pointer aims before its own run.
    let bytes: [UInt8] = [1, 0x61, 0, 1, 0x62, 0xc0, 0x00, 1, 0x63, 0xc0, 0x03]
    let name = try DNSMessage.name(bytes.span.bytes, at: 7)
    #expect(name.text == "c.b.a")
    #expect(name.octetsRead == 4)
  }

  @Test func refusesNamesBeyond255Octets() {
    let bytes = Array(repeatElement(WireFixture.vector8([UInt8](repeating: 0x61, count: 62)), count: 5).joined()) + [0]
    #expect(throws: DecodeError.malformed) { try DNSMessage.name(bytes.span.bytes, at: 0) }
  }

  @Test func cutAnywhereKeepsTheQuestionOrThrows() throws {
    let whole = WireFixture.answer(id: 7, "ab.cd", records: [(1, 60, [1, 2, 3, 4]), (1, 60, [5, 6, 7, 8])])
    let questionEnd = 12 + 7 + 4
    for length in 0..<whole.count {
      let bytes = Array(whole[0..<length])
      if length < questionEnd {
        #expect(throws: DecodeError.truncated) { try DNSMessage(bytes.span.bytes) }
      } else {
        let message = try DNSMessage(bytes.span.bytes)
        #expect(message.question.text == "ab.cd")
        #expect(message.anomalies == .malformedDNS)
        #expect(message.addresses.count == (length >= questionEnd + 16 ? 1 : 0))
      }
    }
  }

  @Test func falseCountsEndWithTheBytes() throws {
    var bytes = WireFixture.query(id: 1, "x.y")
    for i in 6..<12 { bytes[i] = 0xff }
    let message = try DNSMessage(bytes.span.bytes)
    #expect(message.anomalies == .malformedDNS)
  }

  @Test func keepsAtMostTheLimitOfAnswers() throws {
    let records = (0..<200).map { (type: 1, ttl: 1, data: [10, 0, 0, UInt8($0)]) }
    let message = try DNSMessage(WireFixture.answer(id: 1, "x.y", records: records).span.bytes)
    #expect(message.addresses.count == Limits.dnsAnswers)
    #expect(message.anomalies.isEmpty)
  }
}
