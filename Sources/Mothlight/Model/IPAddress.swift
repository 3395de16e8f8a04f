/// An IPv4 or IPv6 address in 16 bytes; IPv4 is held as an IPv4-mapped address (RFC 4291 section 2.5.5.2).
public struct IPAddress: Hashable, Sendable, Comparable, BitwiseCopyable {
  /// The upper and lower 64 bits in host order.
  public var high: UInt64
  public var low: UInt64

  @inlinable public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// An IPv4 address from its 32 bits in host order.
  @inlinable public init(v4 bits: UInt32) {
    high = 0
    low = 0x0000_ffff_0000_0000 | UInt64(bits)
  }

  public static let unspecified = IPAddress(high: 0, low: 0)

  @inlinable public var isV4: Bool { high == 0 && low >> 32 == 0xffff }
  /// The 32 bits of an IPv4 address; meaningless for IPv6.
  @inlinable public var v4: UInt32 { UInt32(truncatingIfNeeded: low) }

  public static func < (a: IPAddress, b: IPAddress) -> Bool {
    a.high != b.high ? a.high < b.high : a.low < b.low
  }

  /// A well-mixed 64-bit hash that is equal on every machine and run.
  @inlinable public var mixed: UInt64 {
    var x = (high ^ 0x9e37_79b9_7f4a_7c15) &* 0xbf58_476d_1ce4_e5b9
    x ^= x >> 32
    x = (x ^ low) &* 0x94d0_49bb_1331_11eb
    x ^= x >> 29
    x = x &* 0xd6e8_feb8_6659_fd93
    return x ^ (x >> 32)
  }

  /// The 4 or 16 bytes in network order.
  public var networkBytes: [UInt8] {
    if isV4 { return (0..<4).map { UInt8(truncatingIfNeeded: v4 >> UInt32(24 - 8 * $0)) } }
    return (0..<8).map { UInt8(truncatingIfNeeded: high >> UInt64(56 - 8 * $0)) }
      + (0..<8).map { UInt8(truncatingIfNeeded: low >> UInt64(56 - 8 * $0)) }
  }
}

extension IPAddress {
  /// RFC 1918, RFC 6598 shared space, unique local (RFC 4193).
  public var isPrivate: Bool {
    guard isV4 else { return high >> 57 == 0xfc >> 1 }
    let b = v4
    return b >> 24 == 10 || b >> 20 == 0xac1 || b >> 16 == 0xc0a8 || b >> 22 == 0x6440_0000 >> 22
  }
  /// RFC 3927 and RFC 4291 section 2.5.6.
  public var isLinkLocal: Bool { isV4 ? v4 >> 16 == 0xa9fe : high >> 54 == 0xfe80 >> 6 }
  public var isLoopback: Bool { isV4 ? v4 >> 24 == 127 : high == 0 && low == 1 }
  public var isMulticast: Bool { isV4 ? v4 >> 28 == 0xe : high >> 56 == 0xff }
  public var isUnspecified: Bool { isV4 ? v4 == 0 : high == 0 && low == 0 }
  /// Limited broadcast, or a last octet of 255 in private space (the subnet mask is not known from traffic).
  public var isBroadcast: Bool { isV4 && (v4 == 0xffff_ffff || (v4 & 0xff == 0xff && isPrivate)) }
  /// 240.0.0.0/4 without broadcast: unassigned, so only a random generator aims there (RFC 1112 section 4).
  public var isReserved: Bool { isV4 && v4 >> 28 == 0xf && v4 != 0xffff_ffff }
  /// One machine on a network, not a group, a placeholder or this host itself.
  public var isUnicastHost: Bool { !isMulticast && !isBroadcast && !isUnspecified && !isLoopback }

  /// The /16 of an IPv4 address or the /32 of an IPv6 one: a coarse "which network" without ASN data.
  public var network16: UInt32 { isV4 ? v4 >> 16 : UInt32(truncatingIfNeeded: high >> 32) | 0x8000_0000 }
}

extension IPAddress: CustomStringConvertible {
  /// Dotted quad, RFC 5952 for IPv6, or the name of a stand-in.
  public var description: String {
    if isV4 { return "\(v4 >> 24).\(v4 >> 16 & 255).\(v4 >> 8 & 255).\(v4 & 255)" }
    if isStandIn { return (low & StandIn.bitsMost == 0 ? StandIn.prefix : "net-") + StandIn.letters(low) }
    let groups = (0..<8).map { i -> UInt16 in
      UInt16(truncatingIfNeeded: (i < 4 ? high : low) >> UInt64(48 - 16 * (i & 3)))
    }
    var best = (start: 0, count: 0)
    var i = 0
    while i < 8 {
      var j = i
      while j < 8, groups[j] == 0 { j += 1 }
      if j - i > best.count { best = (i, j - i) }
      i = max(j, i + 1)
    }
    let hex = groups.map { String($0, radix: 16) }
    guard best.count > 1 else { return hex.joined(separator: ":") }
    return hex[..<best.start].joined(separator: ":") + "::" + hex[(best.start + best.count)...].joined(separator: ":")
  }
}

extension IPAddress {
  /// Parses a textual address (RFC 4291 section 2.2, dotted quad); `nil` when it is not one. A zone (`%eth0`) is dropped.
  public init?(_ text: some StringProtocol) {
    var copy = Substring(text)
    let parsed = copy.utf8.withContiguousStorageIfAvailable { IPAddress(ascii: UnsafeRawBufferPointer($0)) }
    if let parsed {
      guard let parsed else { return nil }
      self = parsed
    } else {
      copy.makeContiguousUTF8()
      guard let again = copy.utf8.withContiguousStorageIfAvailable({ IPAddress(ascii: UnsafeRawBufferPointer($0)) }),
        let again
      else { return nil }
      self = again
    }
  }

  /// Parses ASCII bytes; the fast path of the log readers. `nil` when the bytes are no address.
  /// - Complexity: O(length), no allocation.
  public init?(ascii bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= 2, bytes.count <= 64 else { return nil }
    var value: UInt32 = 0
    var octet: UInt32 = 0
    var digits = 0
    var dots = 0
    for byte in bytes {
      if byte >= 0x30 && byte <= 0x39 {
        octet = octet &* 10 &+ UInt32(byte &- 0x30)
        digits += 1
        if digits > 3 || octet > 255 { break }
      } else if byte == 0x2e {
        guard digits > 0, dots < 3 else { return nil }
        value = value << 8 | octet
        octet = 0
        digits = 0
        dots += 1
      } else {
        if byte == 0x3a || dots == 0, let six = Self.parseV6(bytes) {
          self = six
          return
        }
        return nil
      }
    }
    if dots == 3, digits > 0, digits <= 3, octet <= 255 {
      self.init(v4: value << 8 | octet)
    } else if dots == 0, let six = Self.parseV6(bytes) {
      self = six
    } else {
      return nil
    }
  }

  private static func parseV6(_ bytes: UnsafeRawBufferPointer) -> IPAddress? {
    var words: (UInt64, UInt64) = (0, 0)  // before the gap
    var tail: (UInt64, UInt64) = (0, 0)  // after the gap
    var before = 0
    var after = 0
    var gap = false
    var i = 0
    let end = bytes.firstIndex(of: 0x25) ?? bytes.count
    func push(_ word: UInt64, _ pair: inout (UInt64, UInt64)) {
      pair.0 = pair.0 << 16 | pair.1 >> 48
      pair.1 = pair.1 << 16 | word
    }
    if end >= 2, bytes[0] == 0x3a {
      guard bytes[1] == 0x3a else { return nil }
      gap = true
      i = 2
    }
    while i < end {
      var word: UInt64 = 0
      let start = i
      while i < end, let digit = hexDigit(bytes[i]) {
        word = word << 4 | UInt64(digit)
        i += 1
        if i - start > 4 { return nil }
      }
      if i < end, bytes[i] == 0x2e {
        // A quad follows a colon; without this check a name such as `c.example` would call itself for ever.
        guard start > 0, let quad = IPAddress(ascii: UnsafeRawBufferPointer(rebasing: bytes[start..<end])), quad.isV4
        else {
          return nil
        }
        for w in [UInt64(quad.v4 >> 16), UInt64(quad.v4 & 0xffff)] {
          if gap {
            push(w, &tail)
            after += 1
          } else {
            push(w, &words)
            before += 1
          }
        }
        i = end
        break
      }
      guard i > start else { return nil }
      if gap {
        push(word, &tail)
        after += 1
      } else {
        push(word, &words)
        before += 1
      }
      if i == end { break }
      guard bytes[i] == 0x3a else { return nil }
      i += 1
      if i < end, bytes[i] == 0x3a {
        guard !gap else { return nil }
        gap = true
        i += 1
      } else if i == end {
        return nil
      }
    }
    guard gap ? before + after <= 7 : before == 8 else { return nil }
    if gap {
      for _ in before..<8 { push(0, &words) }
      return IPAddress(high: words.0 | tail.0, low: words.1 | tail.1)
    }
    return IPAddress(high: words.0, low: words.1)
  }
}

@inline(__always) func hexDigit(_ byte: UInt8) -> UInt8? {
  switch byte {
  case 0x30...0x39: byte - 0x30
  case 0x61...0x66: byte - 0x61 + 10
  case 0x41...0x46: byte - 0x41 + 10
  default: nil
  }
}

/// A network prefix in CIDR form.
public struct Prefix: Hashable, Sendable, CustomStringConvertible {
  public let address: IPAddress
  /// Bits of the 128-bit form: 96 more than the written length for IPv4.
  let bits: Int
  /// The written length: 0…32 for IPv4, 0…128 for IPv6.
  public var length: Int { address.isV4 ? bits - 96 : bits }

  /// - Parameter length: 0…32 for IPv4, 0…128 for IPv6; clamped.
  public init(_ address: IPAddress, length: Int) {
    bits = address.isV4 ? 96 + max(0, min(32, length)) : max(0, min(128, length))
    let (high, low) = Self.mask(bits)
    self.address = IPAddress(high: address.high & high, low: address.low & low)
  }

  /// Parses `147.32.0.0/16`, `fd00::/8` or a single address.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard let address = IPAddress(parts[0]), parts.count <= 2 else { return nil }
    guard parts.count == 2 else {
      self.init(address, length: 128)
      return
    }
    guard let length = Int(parts[1]), length >= 0, length <= (address.isV4 ? 32 : 128) else { return nil }
    self.init(address, length: length)
  }

  private static func mask(_ bits: Int) -> (UInt64, UInt64) {
    (
      bits == 0 ? 0 : bits >= 64 ? .max : ~(.max >> UInt64(bits)),
      bits <= 64 ? 0 : bits == 128 ? .max : ~(.max >> UInt64(bits - 64))
    )
  }

  public func contains(_ other: IPAddress) -> Bool {
    let (high, low) = Self.mask(bits)
    return other.high & high == address.high && other.low & low == address.low
  }

  public var description: String { "\(address)/\(address.isV4 ? bits - 96 : bits)" }
}
