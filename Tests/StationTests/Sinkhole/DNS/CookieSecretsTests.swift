import Foundation
import Mothlight
import Testing

@testable import MothlightStation

@Suite struct CookieSecretsTests {
  private func octets(_ hex: String) throws -> [UInt8] { try #require(CookieSecrets.hex(Array(hex.utf8))) }

  private func secrets(_ hex: String...) throws -> CookieSecrets {
    CookieSecrets(try hex.map { try #require(CookieSecrets.Secret(try octets($0))) })
  }

  private func make(_ secrets: CookieSecrets, _ client: String, _ address: String, _ second: Int64) throws -> String {
    let client = try octets(client)
    let address = try #require(IPAddress(address))
    var out = [UInt8](repeating: 0, count: CookieSecrets.octets)
    client.withUnsafeBytes { client in
      out.withUnsafeMutableBytes { out in
        guard let client = client.baseAddress, let out = out.baseAddress else { return }
        secrets.make(client: client, address: address, second: second, into: out)
      }
    }
    return out.map { String(format: "%02x", $0) }.joined()
  }

  private func check(
    _ secrets: CookieSecrets, _ client: String, _ server: String, _ address: String, _ second: Int64
  ) throws -> CookieSecrets.Check {
    let (client, server) = (try octets(client), try octets(server))
    let address = try #require(IPAddress(address))
    return try client.withUnsafeBytes { client in
      try server.withUnsafeBytes { server in
        secrets.check(
          client: try #require(client.baseAddress), server: try #require(server.baseAddress), length: server.count,
          address: address, second: second)
      }
    }
  }

  /// RFC 9018 appendix A.1 and A.2.
  @Test func makesThePublishedCookies() throws {
    let secrets = try secrets("e5e973e5a6b2a43f48e7dc849e37bfcf")
    let client = "2464c4abcf10c957"
    let address = "198.51.100.100"
    #expect(try make(secrets, client, address, 0x5cf7_9f11) == "010000005cf79f111f8130c3eee29480")
    #expect(try make(secrets, client, address, 0x5cf7_a871) == "010000005cf7a871d4a564a1442aca77")
    #expect(try check(secrets, client, "010000005cf79f111f8130c3eee29480", address, 0x5cf7_9f11) == .valid)
    #expect(try check(secrets, client, "010000005cf79f111f8130c3eee29480", address, 0x5cf7_a871) == .ageing)
  }

  /// RFC 9018 appendix A.3: the reserved octets are hashed as they came.
  @Test func reservedOctetsAreHashed() throws {
    let secrets = try secrets("e5e973e5a6b2a43f48e7dc849e37bfcf")
    #expect(
      try check(secrets, "fc93fc62807ddb86", "01abcdef5cf78f71a314227b6679ebf5", "203.0.113.203", 0x5cf7_8f71) == .valid
    )
  }

  /// RFC 9018 appendix A.4: IPv6, and a secret that was rolled over.
  @Test func rolledOverSecretsAreAccepted() throws {
    let (old, new) = ("dd3bdf9344b678b185a6f5cb60fca715", "445536bcd2513298075a5d379663c962")
    let address = "2001:db8:220:1:59de:d0f4:8769:82b8"
    let client = "22681ab97d52c298"
    let both = try secrets(new, old)
    #expect(try check(both, client, "010000005cf7c57926556bd0934c72f8", address, 0x5cf7_c609) == .valid)
    #expect(try make(both, client, address, 0x5cf7_c609) == "010000005cf7c609a6bb79d16625507a")
    #expect(try check(try secrets(new), client, "010000005cf7c57926556bd0934c72f8", address, 0x5cf7_c609) == .invalid)
  }

  @Test func whatIsNotOursIsInvalid() throws {
    let secrets = CookieSecrets.random()
    let client = "2464c4abcf10c957"
    let address = "198.51.100.100"
    let now: Int64 = 1_780_315_200
    let cookie = try make(secrets, client, address, now)
    #expect(try check(secrets, client, cookie, address, now) == .valid)
    #expect(try check(secrets, client, cookie, "198.51.100.101", now) == .invalid)
    #expect(try check(secrets, "2464c4abcf10c958", cookie, address, now) == .invalid)
    #expect(try check(secrets, client, "02" + cookie.dropFirst(2), address, now) == .invalid)
    #expect(try check(secrets, client, cookie + "00", address, now) == .invalid)
    #expect(try check(.random(), client, cookie, address, now) == .invalid)
    #expect(try check(secrets, client, cookie, address, now + 3601) == .invalid)
    #expect(try check(secrets, client, cookie, address, now + 3600) == .ageing)
    #expect(try check(secrets, client, cookie, address, now - 300) == .valid)
    #expect(try check(secrets, client, cookie, address, now - 301) == .invalid)
    #expect(try check(secrets.rotated(), client, cookie, address, now) == .valid)
    #expect(try check(secrets.rotated().rotated(), client, cookie, address, now) == .invalid)
  }

  @Test func fileOfSecrets() throws {
    let folder = try ScratchFolder()
    let path = try folder.write(
      "secrets", "# ours\ne5e973e5a6b2a43f48e7dc849e37bfcf\n445536bcd2513298075a5d379663c962\n")
    let read = try CookieSecrets.read(path)
    #expect(read == (try secrets("e5e973e5a6b2a43f48e7dc849e37bfcf", "445536bcd2513298075a5d379663c962")))
    let bad = try folder.write("bad", "e5e973e5a6b2a43f48e7dc849e37bfcf\nnothex\n")
    #expect(throws: ZoneFile.Problem(bad, 2, "a secret is 32 hexadecimal digits")) { try CookieSecrets.read(bad) }
    let empty = try folder.write("empty", "\n")
    #expect(throws: ZoneFile.Problem.self) { try CookieSecrets.read(empty) }
  }

  /// The first and the last of the vectors published with SipHash-2-4.
  @Test func sipHashAsPublished() {
    let key: (UInt64, UInt64) = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)
    let input = (0..<63).map { UInt8($0) }
    #expect([].withUnsafeBytes { SipHash.hash($0, key: key) } == 0x726f_db47_dd0e_0e31)
    #expect(input[..<15].withUnsafeBytes { SipHash.hash($0, key: key) } == 0xa129_ca61_49be_45e5)
    #expect(input.withUnsafeBytes { SipHash.hash($0, key: key) } == 0x958a_324c_eb06_4572)
  }
}
