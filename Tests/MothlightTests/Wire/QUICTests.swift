import Crypto
import CryptoExtras
import Testing

@testable import Mothlight

@Suite struct QUICTests {
  static let destination = WireFixture.hex("8394c8f03e515708")

  /// RFC 9001 appendix A.1 and RFC 9369 appendix A.1.
  @Test(arguments: [
    (
      UInt32(1), "1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"
    ),
    (
      UInt32(0x6b33_43cf), "8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f",
      "45b95e15235d6f45a6b19cbcb0294ba9"
    ),
  ]) func derivesPublishedKeys(_ number: UInt32, _ key: String, _ iv: String, _ header: String) throws {
    let version = try #require(QUIC.Version.numbered(number))
    let keys = QUIC.Keys(version: version, destinationID: Self.destination)
    #expect(keys.key.withUnsafeBytes { Hex.encode($0) } == key)
    #expect(Hex.encode(keys.iv) == iv)
    #expect(keys.header.withUnsafeBytes { Hex.encode($0) } == header)
  }

  /// The protected client Initial of RFC 9001 appendix A.2.
  @Test func opensThePublishedPacket() throws {
    let datagram = QUICVector.clientInitial
    #expect(datagram.count == 1200)
    var handshakes = QUICHandshakes()
    let got = handshakes.take(datagram.span.bytes, ends: WireFixture.ends(443, .udp), at: WireFixture.at(0))
    let event = try #require(got?.event)
    #expect(event.serverName == "example.com")
    #expect(event.isQUIC)
    #expect(event.version == 0x0304)
    #expect(event.ja4?.hasPrefix("q13d") == true)
  }

  /// Protects a payload as a client would; the inverse of what is tested, built on the same primitives.
  static func seal(
    _ frames: [UInt8], version number: UInt32 = 1, number packet: UInt8 = 0, padTo size: Int = 1162
  ) throws -> [UInt8] {
    let version = try #require(QUIC.Version.numbered(number))
    let keys = QUIC.Keys(version: version, destinationID: destination)
    let plain = frames + [UInt8](repeating: 0, count: max(0, size - frames.count))
    let versionBytes = WireFixture.word(Int(number >> 16)) + WireFixture.word(Int(number & 0xffff))
    var head: [UInt8] = [0xc0 | version.initialType << 4] + versionBytes
    head += WireFixture.vector8(destination) + [0, 0]
    head += WireFixture.word(0x4000 | (plain.count + 16 + 1)) + [packet]
    var nonce = keys.iv
    nonce[11] ^= packet
    let box = try AES.GCM.seal(plain, using: keys.key, nonce: AES.GCM.Nonce(data: nonce), authenticating: head)
    let sealed = Array(box.ciphertext) + Array(box.tag)
    var mask = Array(sealed[3..<19])
    try AES.permute(&mask, key: keys.header)
    head[0] ^= mask[0] & 0x0f
    head[head.count - 1] ^= mask[1]
    return head + sealed
  }

  static func crypto(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    [6] + WireFixture.word(0x4000 | bytes.startIndex) + WireFixture.word(0x4000 | bytes.count) + Array(bytes)
  }

  private func run(_ datagrams: [[UInt8]], port: UInt16 = 443) -> [TLSHandshake] {
    var decoder = DatagramDecoder()
    var out: [Observation] = []
    for bytes in datagrams {
      let service = decoder.decode(
        bytes.span.bytes, ends: WireFixture.ends(port, .udp), fromClient: true, at: WireFixture.at(0), into: &out)
      #expect(service == .quic)
    }
    decoder.finish(into: &out)
    return out.compactMap(\.tls)
  }

  @Test(arguments: [UInt32(1), 0x6b33_43cf, 0xff00_001d]) func readsHelloOfEachVersion(_ version: UInt32) throws {
    let hello = WireFixture.handshake(1, WireFixture.chromeHello)
    let events = run([try Self.seal(Self.crypto(hello[...]), version: version)])
    #expect(events.count == 1)
    #expect(events.first?.serverName == "example.org")
    #expect(events.first?.ja4 == "q13d1516h2_8daaf6152771_e5627efa2ab1")
    #expect(events.first?.anomalies.isEmpty == true)
  }

  @Test func joinsPiecesInAnyOrderOverDatagrams() throws {
    let hello = WireFixture.handshake(1, WireFixture.chromeHello)
    let first = Self.crypto(hello[60..<100]) + [1] + Self.crypto(hello[0..<20])
    let second = Self.crypto(hello[90...]) + Self.crypto(hello[15..<60])
    let datagrams = [try Self.seal(first), try Self.seal(second, number: 1)]
    #expect(run(datagrams).map(\.serverName) == ["example.org"])
    #expect(run(datagrams.reversed()).map(\.serverName) == ["example.org"])
    #expect(run([datagrams[0]]).isEmpty)
    // Repeats say nothing new.
    #expect(run(datagrams + datagrams).count == 1)
  }

  @Test func oddPortIsMarked() throws {
    let hello = WireFixture.handshake(1, WireFixture.chromeHello)
    #expect(run([try Self.seal(Self.crypto(hello[...]))], port: 4444).first?.anomalies == .protocolOnOddPort)
  }

  @Test func changedOrCutPacketsSayNothing() throws {
    let whole = try Self.seal(Self.crypto(WireFixture.handshake(1, WireFixture.chromeHello)[...]))
    for at in stride(from: 6, to: whole.count, by: 37) {
      var changed = whole
      changed[at] ^= 1
      var handshakes = QUICHandshakes()
      #expect(
        handshakes.take(changed.span.bytes, ends: WireFixture.ends(443, .udp), at: WireFixture.at(0)) == nil)
      #expect(
        handshakes.take(
          Array(whole[0..<at]).span.bytes, ends: WireFixture.ends(443, .udp), at: WireFixture.at(0)) == nil)
    }
  }

  @Test func integersOfAllLengths() throws {
    // The samples of RFC 9000 appendix A.1.
    for (hex, value) in [
      ("c2197c5eff14e88c", 151_288_809_941_952_652), ("9d7f3e7d", 494_878_333), ("7bbd", 15_293), ("25", 37),
      ("4025", 37),
    ] {
      let bytes = WireFixture.hex(hex)
      var cursor = WireCursor(bytes.span.bytes)
      #expect(try cursor.quicInteger() == value)
      #expect(cursor.remaining == 0)
    }
  }
}

/// The sample packet of RFC 9001 appendix A.2.
enum QUICVector {
  static let clientInitial = WireFixture.hex(
    """
    c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9bd8bab936b47d92ec356c0bab7df5976d27cd
    449f63300099f3991c260ec4c60d17b31f8429157bb35a1282a643a8d2262cad67500cadb8e7378c8eb7539ec4d4905fed1bee1fc8aafba1
    7c750e2c7ace01e6005f80fcb7df621230c83711b39343fa028cea7f7fb5ff89eac2308249a02252155e2347b63d58c5457afd84d05dfffd
    b20392844ae812154682e9cf012f9021a6f0be17ddd0c2084dce25ff9b06cde535d0f920a2db1bf362c23e596d11a4f5a6cf3948838a3aec
    4e15daf8500a6ef69ec4e3feb6b1d98e610ac8b7ec3faf6ad760b7bad1db4ba3485e8a94dc250ae3fdb41ed15fb6a8e5eba0fc3dd60bc8e3
    0c5c4287e53805db059ae0648db2f64264ed5e39be2e20d82df566da8dd5998ccabdae053060ae6c7b4378e846d29f37ed7b4ea9ec5d82e7
    961b7f25a9323851f681d582363aa5f89937f5a67258bf63ad6f1a0b1d96dbd4faddfcefc5266ba6611722395c906556be52afe3f565636a
    d1b17d508b73d8743eeb524be22b3dcbc2c7468d54119c7468449a13d8e3b95811a198f3491de3e7fe942b330407abf82a4ed7c1b311663a
    c69890f4157015853d91e923037c227a33cdd5ec281ca3f79c44546b9d90ca00f064c99e3dd97911d39fe9c5d0b23a229a234cb36186c481
    9e8b9c5927726632291d6a418211cc2962e20fe47feb3edf330f2c603a9d48c0fcb5699dbfe5896425c5bac4aee82e57a85aaf4e2513e4f0
    5796b07ba2ee47d80506f8d2c25e50fd14de71e6c418559302f939b0e1abd576f279c4b2e0feb85c1f28ff18f58891ffef132eef2fa09346
    aee33c28eb130ff28f5b766953334113211996d20011a198e3fc433f9f2541010ae17c1bf202580f6047472fb36857fe843b19f5984009dd
    c324044e847a4f4a0ab34f719595de37252d6235365e9b84392b061085349d73203a4a13e96f5432ec0fd4a1ee65accdd5e3904df54c1da5
    10b0ff20dcc0c77fcb2c0e0eb605cb0504db87632cf3d8b4dae6e705769d1de354270123cb11450efc60ac47683d7b8d0f811365565fd98c
    4c8eb936bcab8d069fc33bd801b03adea2e1fbc5aa463d08ca19896d2bf59a071b851e6c239052172f296bfb5e72404790a2181014f3b94a
    4e97d117b438130368cc39dbb2d198065ae3986547926cd2162f40a29f0c3c8745c0f50fba3852e566d44575c29d39a03f0cda721984b6f4
    40591f355e12d439ff150aab7613499dbd49adabc8676eef023b15b65bfc5ca06948109f23f350db82123535eb8a7433bdabcb909271a6ec
    bcb58b936a88cd4e8f2e6ff5800175f113253d8fa9ca8885c2f552e657dc603f252e1a8e308f76f0be79e2fb8f5d5fbbe2e30ecadd220723
    c8c0aea8078cdfcb3868263ff8f0940054da48781893a7e49ad5aff4af300cd804a6b6279ab3ff3afb64491c85194aab760d58a606654f9f
    4400e8b38591356fbf6425aca26dc85244259ff2b19c41b9f96f3ca9ec1dde434da7d2d392b905ddf3d1f9af93d1af5950bd493f5aa731b4
    056df31bd267b6b90a079831aaf579be0a39013137aac6d404f518cfd46840647e78bfe706ca4cf5e9c5453e9f7cfd2b8b4c8d169a44e55c
    88d4a9a7f9474241e221af44860018ab0856972e194cd934
    """)
}
