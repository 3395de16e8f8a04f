/// The clear part of a TLS handshake: client and server hello with a fixed shape per kind of software (RFC 8446 section 4.1).
struct SyntheticTLS: Sendable {
  /// Whose TLS library it looks like. The lists are plausible, not copies of a product's.
  enum Client: UInt8, Sendable, CaseIterable {
    case browser, system, device, agent
  }

  var client: Client
  var serverName: String?

  var isVersion13: Bool { client != .device }
  var versionName: String { isVersion13 ? "TLSv13" : "TLSv12" }
  var chosenCipher: Int { isVersion13 ? 0x1301 : 0xc02f }
  var cipherName: String { isVersion13 ? "TLS_AES_128_GCM_SHA256" : "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" }
  /// RFC 7301; as ssl.log shows it, only readable below TLS 1.3.
  var applicationProtocols: [String] {
    switch client {
    case .browser: ["h2", "http/1.1"]
    case .agent: ["h2", "http/1.1"]
    case .system, .device: []
    }
  }

  private var ciphers: [Int] {
    switch client {
    case .browser:
      [0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x9c, 0x9d, 0x2f, 0x35]
    case .system:
      [0x1302, 0x1301, 0xc02c, 0xc02b, 0xc030, 0xc02f, 0xc024, 0xc023, 0xc028, 0xc027, 0x9d, 0x9c, 0x3d, 0x3c]
    case .device: [0xc02b, 0xc02f, 0xc009, 0xc013, 0x9c, 0x2f, 0xff]
    case .agent:
      [0xc02f, 0xc030, 0xc02b, 0xc02c, 0xcca8, 0xcca9, 0xc013, 0xc009, 0xc014, 0xc00a, 0x1301, 0x1302, 0x1303]
    }
  }

  func clientHello(_ random: inout RandomSource) -> [UInt8] {
    record(0x16, version: 0x0301) { handshake in
      handshake.u8(1)
      handshake.prefixed(3) { hello in
        hello.u16(0x0303)
        hello.random(32, &random)
        hello.prefixed(1) { $0.random(32, &random) }
        hello.prefixed(2) { list in for cipher in ciphers { list.u16(cipher) } }
        hello.prefixed(1) { $0.u8(0) }
        hello.prefixed(2) { clientExtensions(&$0, &random) }
      }
    }
  }

  private func clientExtensions(_ out: inout OctetBuilder, _ random: inout RandomSource) {
    if let serverName {
      Self.extensionBlock(&out, 0) { body in
        body.prefixed(2) { list in
          list.u8(0)
          list.prefixed(2) { $0.text(serverName) }
        }
      }
    }
    Self.extensionBlock(&out, 23) { _ in }
    Self.extensionBlock(&out, 0xff01) { $0.u8(0) }
    Self.extensionBlock(&out, 10) { body in
      body.prefixed(2) { list in for group in client == .device ? [23, 24] : [29, 23, 24] { list.u16(group) } }
    }
    Self.extensionBlock(&out, 11) { body in body.prefixed(1) { $0.u8(0) } }
    Self.extensionBlock(&out, 35) { _ in }
    if !applicationProtocols.isEmpty {
      Self.extensionBlock(&out, 16) { body in
        body.prefixed(2) { list in for name in applicationProtocols { list.prefixed(1) { $0.text(name) } } }
      }
    }
    if client == .browser { Self.extensionBlock(&out, 5) { $0.bytes([1, 0, 0, 0, 0]) } }
    Self.extensionBlock(&out, 13) { body in
      body.prefixed(2) { list in for scheme in [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501] { list.u16(scheme) } }
    }
    guard isVersion13 else { return }
    Self.extensionBlock(&out, 51) { body in
      body.prefixed(2) { list in
        list.u16(29)
        list.prefixed(2) { $0.random(32, &random) }
      }
    }
    Self.extensionBlock(&out, 45) { body in body.prefixed(1) { $0.u8(1) } }
    Self.extensionBlock(&out, 43) { body in
      body.prefixed(1) { list in for version in [0x0304, 0x0303] { list.u16(version) } }
    }
  }

  /// TLS 1.3: hello and change-cipher-spec (RFC 8446 appendix D.4); the rest is encrypted. TLS 1.2: a resumed session, so
  /// that no certificate needs to be made up (RFC 5246 section 7.3).
  func serverHello(_ random: inout RandomSource) -> [UInt8] {
    var out = record(0x16, version: 0x0303) { handshake in
      handshake.u8(2)
      handshake.prefixed(3) { hello in
        hello.u16(0x0303)
        hello.random(32, &random)
        hello.prefixed(1) { $0.random(32, &random) }
        hello.u16(chosenCipher)
        hello.u8(0)
        hello.prefixed(2) { extensions in
          guard isVersion13 else {
            Self.extensionBlock(&extensions, 0xff01) { $0.u8(0) }
            return
          }
          Self.extensionBlock(&extensions, 51) { body in
            body.u16(29)
            body.prefixed(2) { $0.random(32, &random) }
          }
          Self.extensionBlock(&extensions, 43) { $0.u16(0x0304) }
        }
      }
    }
    out += Self.changeCipherSpec
    if !isVersion13 { out += clientFinished(&random) }
    return out
  }

  static let changeCipherSpec: [UInt8] = [0x14, 3, 3, 0, 1, 1]

  /// An encrypted Finished: TLS 1.2 with AES-GCM has 8 octets of nonce, 16 of message, 16 of tag (RFC 5288); TLS 1.3 hides
  /// 4 + 32 octets, type and tag in a record of application data.
  func clientFinished(_ random: inout RandomSource) -> [UInt8] {
    var out = OctetBuilder(octets: [isVersion13 ? 0x17 : 0x16, 3, 3])
    out.prefixed(2) { $0.random(isVersion13 ? 53 : 40, &random) }
    return out.octets
  }

  private func record(_ type: Int, version: Int, _ body: (inout OctetBuilder) -> Void) -> [UInt8] {
    var out = OctetBuilder()
    out.u8(type)
    out.u16(version)
    out.prefixed(2, body)
    return out.octets
  }

  private static func extensionBlock(_ out: inout OctetBuilder, _ type: Int, _ body: (inout OctetBuilder) -> Void) {
    out.u16(type)
    out.prefixed(2, body)
  }
}
