import Testing

@testable import Mothlight

/// Expected values as `openssl x509 -nameopt RFC2253` prints them for the fixture.
@Suite struct CertificateTests {
  @Test func readsLeaf() throws {
    let body = Array(WireFixture.certificateMessage[4...])
    let parsed = TLSHandshake.Certificate(chain: body.span.bytes)
    let certificate = try #require(parsed)
    #expect(certificate.sha1 == "7f7b8e09d6ec1518dc1f7ce70aadfa9d968635f7")
    #expect(certificate.sha256 == "9a50e2c39dec0790ca736691f3459e87716d43ea838722424711b27af45169ae")
    #expect(certificate.subject == "CN=example.org,O=Moth\\, Light,C=DE")
    #expect(certificate.isSelfIssued)
    #expect(certificate.notBefore?.description == "2026-11-23T13:08:07.000000Z")
    #expect(certificate.notAfter?.description == "2036-11-20T13:08:07.000000Z")
  }

  @Test func cutAnywhereStillGivesDigests() {
    for length in 1..<WireFixture.certificate.count {
      let certificate = TLSHandshake.Certificate(der: Array(WireFixture.certificate[0..<length]).span.bytes)
      #expect(certificate.sha256?.utf8.count == 64)
      #expect(certificate.subject.isEmpty)
    }
  }

  @Test func readsBothTimeForms() {
    func time(_ tag: UInt8, _ text: String) -> String? {
      DERTime.timestamp(tag, Array(text.utf8).span.bytes)?.dayDescription
    }
    #expect(time(0x17, "491231235959Z") == "2049-12-31")
    #expect(time(0x17, "500101000000Z") == "1950-01-01")
    #expect(time(0x18, "20500101000000Z") == "2050-01-01")
    #expect(time(0x18, "20501301000000Z") == nil)
    #expect(time(0x17, "5001010000Z") == nil)
    #expect(time(0x18, "2050-1-1000000Z") == nil)
  }

  @Test func escapesAndOrdersNames() throws {
    func attribute(_ oid: [UInt8], _ tag: UInt8, _ value: [UInt8]) -> [UInt8] {
      let pair = [6, UInt8(oid.count)] + oid + [tag, UInt8(value.count)] + value
      let sequence = [0x30, UInt8(pair.count)] + pair
      return [0x31, UInt8(sequence.count)] + sequence
    }
    let name =
      attribute([0x55, 4, 3], 0x1e, [0, 0x41, 0x20, 0xac]) + attribute([0x2a, 3, 0x81, 0x01], 0x0c, Array("#x ".utf8))
      + attribute([0x55, 4, 10], 0x0c, [0x1b, 0x5b])
    #expect(try DistinguishedName.text(name.span.bytes) == "O=\\\\x1b[,1.2.3.129=\\#x\\ ,CN=A€")
  }

  @Test func emptyChainIsNoCertificate() {
    #expect(TLSHandshake.Certificate(chain: [UInt8]([0, 0, 0]).span.bytes) == nil)
    #expect(TLSHandshake.Certificate(chain: [UInt8]([0, 0]).span.bytes) == nil)
  }
}
