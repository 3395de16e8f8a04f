import Testing

@testable import Mothlight

@Suite struct TagKeysTests {
  private let secret = (0..<16).map { UInt8($0) }

  /// The message forms that are hashed without a buffer, beside the published function over octets.
  @Test func unitsAreSipHashOfTheAddress() throws {
    let keys = try TagKeys(secret: secret)
    let key: (UInt64, UInt64) = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)
    let four = try #require(IPAddress("192.0.2.77"))
    #expect(keys.unit(of: four) == four.networkBytes.withUnsafeBytes { SipHash.hash($0, key: key) })
    let six = try #require(IPAddress("2001:db8:1:2::77"))
    #expect(keys.unit(of: six) == six.networkBytes[..<8].withUnsafeBytes { SipHash.hash($0, key: key) })
    let identity: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 0x69]
    #expect(
      keys.unit(ofIdentity: 0x0807_0605_0403_0201) == identity.withUnsafeBytes { SipHash.hash($0, key: key) })
  }

  @Test func householdsOfIPv6AreOneUnit() throws {
    let keys = TagKeys.published
    let a = try #require(IPAddress("2001:db8:1:2::1"))
    let b = try #require(IPAddress("2001:db8:1:2:ffff::9"))
    let c = try #require(IPAddress("2001:db8:1:3::1"))
    #expect(keys.unit(of: a) == keys.unit(of: b) && keys.unit(of: a) != keys.unit(of: c))
  }

  @Test func anotherSecretIsAnotherWorld() throws {
    let a = try TagKeys(secret: secret)
    let b = try TagKeys(secret: Array(secret.reversed()))
    #expect(a.id != b.id && a.unit(of: IPAddress(v4: 1)) != b.unit(of: IPAddress(v4: 1)))
    #expect(throws: SketchError.badSecret) { try TagKeys(secret: Array(secret.dropLast())) }
    #expect(throws: SketchError.badSecret) { try TagKeys(secret: [UInt8](repeating: 7, count: 16)) }
  }
}
