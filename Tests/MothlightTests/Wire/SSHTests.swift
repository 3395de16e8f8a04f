import Testing

@testable import Mothlight

@Suite struct SSHTests {
  static func keyExchange(_ lists: [String]) -> [UInt8] {
    var payload: [UInt8] = [20] + [UInt8](repeating: 3, count: 16)
    for list in lists { payload += [0, 0] + WireFixture.vector16(Array(list.utf8)) }
    payload += [0, 0, 0, 0, 0]
    return payload
  }
  static func packet(_ payload: [UInt8]) -> [UInt8] {
    [0, 0] + WireFixture.word(payload.count + 5) + [4] + payload + [0, 0, 0, 0]
  }
  static let clientLists = [
    "curve25519-sha256,ext-info-c", "ssh-ed25519", "aes128-ctr,aes256-ctr", "x", "hmac-sha2-256", "y", "none", "z", "",
    "",
  ]
  static let serverLists = [
    "curve25519-sha256", "ssh-ed25519", "x", "aes256-gcm@openssh.com", "y", "hmac-sha2-512", "z",
    "none,zlib@openssh.com",
    "", "",
  ]
  static let pieces: [(fromClient: Bool, bytes: [UInt8])] = [
    (false, Array("SSH-2.0-Server_1\r\n".utf8) + packet(keyExchange(serverLists))),
    (true, Array("SSH-2.0-Go\r\n".utf8) + packet(keyExchange(clientLists))),
  ]

  /// Digests by md5sum(1) over the HASSH texts.
  @Test func hasshOverTheRightLists() throws {
    let client = try SSHKeyExchange(Self.keyExchange(Self.clientLists).span.bytes)
    #expect(client.hassh == "dbf9d92c1b608e8e98aafda4ea75bf92")
    let server = try SSHKeyExchange(Self.keyExchange(Self.serverLists).span.bytes)
    #expect(server.hasshServer == "d76c2ddaaa35ea40b3647c17c8e6da56")
  }

  @Test func pairsBothSidesWhateverTheCut() throws {
    for size in [1, 7, 4096] {
      let (events, decoder) = WireFixture.run(WireFixture.cut(Self.pieces, size), WireFixture.ends(22))
      #expect(events.count == 1)
      let ssh = try #require(events.first?.ssh)
      #expect(ssh.clientBanner == "SSH-2.0-Go")
      #expect(ssh.serverBanner == "SSH-2.0-Server_1")
      #expect(ssh.hassh == "dbf9d92c1b608e8e98aafda4ea75bf92")
      #expect(ssh.hasshServer == "d76c2ddaaa35ea40b3647c17c8e6da56")
      #expect(ssh.anomalies.isEmpty)
      #expect(ssh.ends == WireFixture.ends(22))
      #expect(decoder.service == .ssh)
    }
  }

  @Test func lonelyBannerIsTold() {
    let (events, _) = WireFixture.run([(false, Array("SSH-2.0-x\r\n".utf8))], WireFixture.ends(2222))
    #expect(events.first?.ssh?.serverBanner == "SSH-2.0-x")
    #expect(events.first?.ssh?.hassh == nil)
    #expect(events.first?.ssh?.anomalies == .protocolOnOddPort)
  }

  @Test func junkAfterBannerIsMalformed() {
    let (events, _) = WireFixture.run(
      [(true, Array("SSH-2.0-x\n".utf8) + [UInt8](repeating: 0xff, count: 40))], WireFixture.ends(22))
    #expect(events.first?.ssh?.anomalies == .malformedSSH)
  }

  @Test func cutKeyExchangeThrows() {
    let whole = Self.keyExchange(Self.clientLists)
    for length in 0..<(whole.count - 5) {
      #expect(throws: DecodeError.truncated) { try SSHKeyExchange(Array(whole[0..<length]).span.bytes) }
    }
  }
}
