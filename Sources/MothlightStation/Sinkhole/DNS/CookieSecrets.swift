import Glibc
import Mothlight

/// Makes and checks server cookies in the layout that servers of all makers share (RFC 9018 section 4): version, time,
/// SipHash-2-4 of both and the client's address.
public struct CookieSecrets: Sendable, Equatable {
  public enum Check: Sendable, Equatable {
    case valid
    /// Valid, and old enough to be given anew (RFC 9018 section 4.3).
    case ageing
    case invalid
  }

  enum Bound {
    /// Secrets that are accepted; more than two are never needed in a roll-over (RFC 9018 section 5).
    static let secrets = 3
    /// Seconds after which a cookie is refused, and after which it is made anew (RFC 9018 section 4.3).
    static let oldestSeconds: Int32 = 3600
    static let renewSeconds: Int32 = 1800
    /// Seconds that a cookie may come from the future: clocks of servers that share an address differ.
    static let aheadSeconds: Int32 = 300
  }

  /// Octets of a server cookie.
  static let octets = 16

  struct Secret: Sendable, Equatable {
    var low: UInt64
    var high: UInt64

    /// - Parameter octets: 16 of them.
    init?(_ octets: [UInt8]) {
      guard octets.count == 16 else { return nil }
      (low, high) = octets.withUnsafeBytes {
        (
          $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self).littleEndian,
          $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self).littleEndian
        )
      }
    }
  }

  /// The first makes cookies; all are accepted.
  private var secrets: [Secret]

  init(_ secrets: [Secret]) { self.secrets = Array(secrets.prefix(Bound.secrets)) }

  /// A secret of this process alone.
  public static func random() -> CookieSecrets { CookieSecrets([freshSecret()]) }

  private static func freshSecret() -> Secret {
    var generator = SystemRandomNumberGenerator()
    let octets = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
    return Secret(octets) ?? Secret(low: generator.next(), high: generator.next())
  }

  /// A new secret in front of the present one, which stays valid.
  public func rotated() -> CookieSecrets { CookieSecrets([Self.freshSecret()] + secrets.prefix(1)) }

  /// Reads a file with one secret of 32 hexadecimal digits a line, for servers that share an address: the first makes
  /// cookies, all are accepted (RFC 9018 section 5 rolls over so).
  public static func read(_ path: String) throws(ZoneFile.Problem) -> CookieSecrets {
    let text = String(decoding: try FileOctets.read(path, most: 4096), as: UTF8.self)
    var secrets: [Secret] = []
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let digits = line.utf8.filter { $0 > 0x20 }
      if digits.isEmpty || digits.first == 0x23 { continue }
      guard let octets = hex(digits), let secret = Secret(octets) else {
        throw .init(path, number + 1, "a secret is 32 hexadecimal digits")
      }
      secrets.append(secret)
    }
    guard !secrets.isEmpty, secrets.count <= Bound.secrets else {
      throw .init(path, 1, "holds \(secrets.count) secrets; one to \(Bound.secrets) are wanted")
    }
    return CookieSecrets(secrets)
  }

  static func hex(_ digits: [UInt8]) -> [UInt8]? {
    guard digits.count.isMultiple(of: 2) else { return nil }
    var octets: [UInt8] = []
    for i in stride(from: 0, to: digits.count, by: 2) {
      guard let octet = UInt8(String(decoding: digits[i..<(i + 2)], as: UTF8.self), radix: 16), digits[i] != 0x2b else {
        return nil
      }
      octets.append(octet)
    }
    return octets
  }
}

extension CookieSecrets.Secret {
  fileprivate init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  /// The hash of client cookie, version, reserved, time and address.
  /// - Parameters:
  ///   - client: 8 octets.
  ///   - head: the first 8 octets of the server cookie.
  @inline(__always)
  fileprivate func hash(client: UnsafeRawPointer, head: UnsafeRawPointer, _ address: IPAddress) -> UInt64 {
    withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { input in
      guard let base = input.baseAddress else { return 0 }
      base.copyMemory(from: client, byteCount: 8)
      (base + 8).copyMemory(from: head, byteCount: 8)
      var count = 20
      if address.isV4 {
        base.storeBytes(of: address.v4.bigEndian, toByteOffset: 16, as: UInt32.self)
      } else {
        base.storeBytes(of: address.high.bigEndian, toByteOffset: 16, as: UInt64.self)
        base.storeBytes(of: address.low.bigEndian, toByteOffset: 24, as: UInt64.self)
        count = 32
      }
      return SipHash.hash(UnsafeRawBufferPointer(start: base, count: count), key: (low, high))
    }
  }
}

extension CookieSecrets {
  /// Writes 16 octets of server cookie.
  /// - Parameter second: of the wall clock, since the epoch.
  func make(client: UnsafeRawPointer, address: IPAddress, second: Int64, into out: UnsafeMutableRawPointer) {
    out.storeBytes(of: UInt32(0x0100_0000).bigEndian, as: UInt32.self)
    out.storeBytes(of: UInt32(truncatingIfNeeded: second).bigEndian, toByteOffset: 4, as: UInt32.self)
    let hash = secrets.first?.hash(client: client, head: out, address) ?? 0
    out.storeBytes(of: hash.littleEndian, toByteOffset: 8, as: UInt64.self)
  }

  /// - Parameter server: `length` octets.
  func check(
    client: UnsafeRawPointer, server: UnsafeRawPointer, length: Int, address: IPAddress, second: Int64
  ) -> Check {
    guard length == Self.octets, server.load(as: UInt8.self) == 1 else { return .invalid }
    let time = server.loadUnaligned(fromByteOffset: 4, as: UInt32.self).bigEndian
    // Serial number arithmetic (RFC 1982), so that 2106 is a day like any other.
    let age = Int32(truncatingIfNeeded: UInt32(truncatingIfNeeded: second) &- time)
    guard age <= Bound.oldestSeconds, age >= -Bound.aheadSeconds else { return .invalid }
    let given = server.loadUnaligned(fromByteOffset: 8, as: UInt64.self).littleEndian
    for secret in secrets where secret.hash(client: client, head: server, address) == given {
      return age > Bound.renewSeconds ? .ageing : .valid
    }
    return .invalid
  }
}
