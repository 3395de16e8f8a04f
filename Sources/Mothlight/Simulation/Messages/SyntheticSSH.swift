/// The clear start of an SSH connection: banners, algorithm lists, key exchange (RFC 4253 sections 4.2, 7, 8; RFC 5656).
enum SyntheticSSH {
  static let serverBanner = Array("SSH-2.0-OpenSSH_9.2p1\r\n".utf8)
  /// Names no product: brute-force tools vary, and a rule on a made-up banner would learn the simulator.
  static let clientBanner = Array("SSH-2.0-Go\r\n".utf8)

  /// Binary packet: length, padding length, payload, padding to a multiple of 8 (section 6).
  private static func packet(_ random: inout RandomSource, _ body: (inout OctetBuilder) -> Void) -> [UInt8] {
    var payload = OctetBuilder()
    body(&payload)
    var padding = 8 - (payload.octets.count + 5) % 8
    if padding < 4 { padding += 8 }
    var out = OctetBuilder()
    out.u32(payload.octets.count + padding + 1)
    out.u8(padding)
    out.bytes(payload.octets)
    out.random(padding, &random)
    return out.octets
  }

  static func keyExchangeInit(_ random: inout RandomSource) -> [UInt8] {
    var cookie = OctetBuilder()
    cookie.random(16, &random)
    return packet(&random) { out in
      out.u8(20)
      out.bytes(cookie.octets)
      let ciphers = "aes128-ctr,aes256-ctr"
      let lists = [
        "curve25519-sha256,ecdh-sha2-nistp256", "ssh-ed25519,rsa-sha2-256", ciphers, ciphers, "hmac-sha2-256",
        "hmac-sha2-256",
        "none", "none", "", "",
      ]
      for list in lists { out.prefixed(4) { $0.text(list) } }
      out.u8(0)
      out.u32(0)
    }
  }

  /// SSH_MSG_KEX_ECDH_INIT.
  static func exchangeStart(_ random: inout RandomSource) -> [UInt8] {
    let key = randomOctets(32, &random)
    return packet(&random) { out in
      out.u8(30)
      out.prefixed(4) { $0.bytes(key) }
    }
  }

  /// SSH_MSG_KEX_ECDH_REPLY and SSH_MSG_NEWKEYS.
  static func exchangeReply(_ random: inout RandomSource) -> [UInt8] {
    let key = randomOctets(32, &random)
    let point = randomOctets(32, &random)
    let signature = randomOctets(64, &random)
    let reply = packet(&random) { out in
      out.u8(31)
      out.prefixed(4) { blob in
        blob.prefixed(4) { $0.text("ssh-ed25519") }
        blob.prefixed(4) { $0.bytes(key) }
      }
      out.prefixed(4) { $0.bytes(point) }
      out.prefixed(4) { blob in
        blob.prefixed(4) { $0.text("ssh-ed25519") }
        blob.prefixed(4) { $0.bytes(signature) }
      }
    }
    return reply + newKeys(&random)
  }

  static func newKeys(_ random: inout RandomSource) -> [UInt8] { packet(&random) { $0.u8(21) } }

  private static func randomOctets(_ count: Int, _ random: inout RandomSource) -> [UInt8] {
    var out = OctetBuilder()
    out.random(count, &random)
    return out.octets
  }
}
