import Testing

@testable import Mothlight

@Suite struct TLSTests {
  @Test func readsClientHello() throws {
    let hello = try TLSClientHello(WireFixture.chromeHello.span.bytes)
    #expect(hello.serverName == "example.org")
    #expect(hello.alpn == ["h2", "http/1.1"])
    #expect(hello.version == 0x0304)
    #expect(hello.ciphers.count == 16)
    #expect(hello.anomalies.isEmpty)
  }

  /// FoxIO's own example of a JA4, from its technical description.
  @Test func ja4MatchesThePublishedExample() throws {
    let hello = try TLSClientHello(WireFixture.chromeHello.span.bytes)
    #expect(hello.ja4(isQUIC: false) == "t13d1516h2_8daaf6152771_e5627efa2ab1")
    #expect(hello.ja4(isQUIC: true).hasPrefix("q13d1516h2_"))
  }

  /// Both examples of the JA3 publication.
  @Test func ja3MatchesThePublishedExamples() throws {
    let full = WireFixture.clientHelloBody(
      version: 0x0301, ciphers: [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4],
      extensions: [
        WireFixture.serverName("a.b"),
        WireFixture.tlsExtension(10, WireFixture.vector16(WireFixture.words([23, 24, 25]))),
        WireFixture.tlsExtension(11, WireFixture.vector8([0])),
      ])
    #expect(try TLSClientHello(full.span.bytes).ja3 == "ada70206e40642a3e4461f35503241d5")
    let bare = WireFixture.clientHelloBody(
      version: 0x0301, ciphers: [4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99], extensions: nil)
    let hello = try TLSClientHello(bare.span.bytes)
    #expect(hello.ja3 == "de350869b8c85de67a350c8d186f11e6")
    #expect(hello.ja4(isQUIC: false).hasPrefix("t10i110000_"))
    #expect(hello.ja4(isQUIC: false).hasSuffix("_000000000000"))
  }

  @Test func ja4UsesHexForOddALPN() throws {
    var body = WireFixture.clientHelloBody(
      ciphers: [1],
      extensions: [WireFixture.tlsExtension(16, WireFixture.vector16(WireFixture.vector8([0xab, 0x30, 0xcd])))])
    #expect(try TLSClientHello(body.span.bytes).ja4(isQUIC: false).hasPrefix("t12i0101ad_"))
    body = WireFixture.clientHelloBody(ciphers: [1], extensions: [WireFixture.alpn(["x"])])
    #expect(try TLSClientHello(body.span.bytes).ja4(isQUIC: false).hasPrefix("t12i0101xx_"))
  }

  @Test func readsServerHello() throws {
    let body = WireFixture.serverHelloBody(
      cipher: 0x1301, extensions: [WireFixture.tlsExtension(43, [3, 4]), WireFixture.tlsExtension(51, [0, 0])])
    let hello = try TLSServerHello(body.span.bytes)
    #expect(hello.version == 0x0304)
    #expect(String(decoding: hello.ja3sText, as: UTF8.self) == "771,4865,43-51")
    // MD5 by md5sum(1).
    #expect(hello.ja3s == "f4febc55ea12b31ae17cfb7e614afda8")
    #expect(!hello.isHelloRetryRequest)
  }

  @Test func damagedExtensionIsAnAnomaly() throws {
    let body = WireFixture.clientHelloBody(
      ciphers: [1], extensions: [WireFixture.tlsExtension(0, [0, 9, 0]), WireFixture.alpn(["h2"])])
    let hello = try TLSClientHello(body.span.bytes)
    #expect(hello.anomalies == .malformedTLS)
    #expect(hello.alpn == ["h2"])
    let hasServerName = hello.hasServerName
    #expect(hasServerName)
    #expect(hello.serverName == nil)
  }

  @Test func cutAnywhereNeverTraps() {
    let body = WireFixture.chromeHello
    for length in 0..<body.count {
      let cut = Array(body[0..<length])
      do {
        let hello = try TLSClientHello(cut.span.bytes)
        let (ciphers, extensions, anomalies) = (hello.ciphers, hello.extensions, hello.anomalies)
        #expect(ciphers.count == 16 && (extensions.isEmpty || !anomalies.isEmpty))
      } catch {
        continue
      }
    }
  }

  @Test func joinsMessagesAcrossRecords() {
    let message = WireFixture.handshake(1, WireFixture.chromeHello)
    for size in [1, 5, 100, 16_384] {
      var records = TLSRecords()
      records.append(WireFixture.records(message, recordOctets: size).span.bytes)
      let next = records.nextMessage()
      #expect(next?.type == 1)
      #expect(next.map { Array(records.bytes($0.body)) } == WireFixture.chromeHello)
      #expect(records.nextMessage() == nil)
    }
  }

  @Test func recordsEndAtTheFirstThatIsNotClear() {
    func end(_ bytes: [UInt8]) -> TLSRecords.End? {
      var records = TLSRecords()
      records.append(bytes.span.bytes)
      return records.end
    }
    #expect(end([20, 3, 3, 0, 1, 1]) == .changeCipherSpec)
    #expect(end([23, 3, 3, 0, 9]) == .applicationData)
    #expect(end([21, 3, 3, 0, 2, 2, 40]) == .alert(40))
    #expect(end([21, 3, 3, 0, 2, 1, 112]) == nil)
    #expect(end([21, 3, 3, 0, 2, 1, 0]) == .alert(0))
    #expect(end([22, 2, 0, 0, 1]) == .malformed)
    #expect(end([22, 3, 1, 0xff, 0xff]) == .malformed)
    #expect(end([22, 3, 1, 0, 9]) == nil)
  }
}
