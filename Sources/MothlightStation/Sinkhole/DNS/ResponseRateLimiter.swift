import Mothlight

/// Limits replies to one network that did not prove its address, so that nobody is flooded through this server (Vixie
/// and Schryver, ISC-TN-2012-1). A token bucket per /24, /56 and kind of reply, in a table of fixed size.
///
/// When many networks share a set of four buckets the one least used makes room: a network under attack is used most.
public struct ResponseRateLimiter {
  public enum Decision: Sendable, Equatable {
    case send
    /// A truncated reply: who is real comes back over TCP.
    case slip
    case drop
  }

  /// Kinds that an attacker cannot mix to get more: names below a zone count as one (wildcards make as many as he likes).
  public enum Kind: UInt64, Sendable {
    case answer = 1
    case negative = 2
    case error = 3
  }

  public struct Limits: Sendable, Equatable {
    /// Replies a second for one network and kind; 0 is no limit.
    public var perSecond: Int
    /// Every so-manieth reply over the limit goes out truncated; 0: none, 1: all.
    public var slip: Int
    public var ipv4Bits: Int
    public var ipv6Bits: Int

    public init(perSecond: Int = 200, slip: Int = 2, ipv4Bits: Int = 24, ipv6Bits: Int = 56) {
      self.perSecond = perSecond
      self.slip = slip
      self.ipv4Bits = ipv4Bits
      self.ipv6Bits = ipv6Bits
    }
  }

  enum Bound {
    /// Buckets: 2^16 of 16 octets are 1 MiB, room for 65,536 networks at once.
    static let buckets = 1 << 16
    /// Buckets that are looked at for one network.
    static let ways = 4
  }

  private struct Bucket {
    /// Hash of the network and kind; 0: never used.
    var tag: UInt32 = 0
    /// Thousandths of a reply that may go out now.
    var tokens: Int32 = 0
    /// Millisecond of the last look, modulo 2^32.
    var last: UInt32 = 0
    /// Replies over the limit, for the slip.
    var over: UInt32 = 0
  }

  private let limits: Limits
  private let (mask4, mask6): (UInt64, UInt64)
  private let most: Int32
  private let seed: UInt64
  private var buckets: [Bucket]
  /// Networks that made room for others while they were still limited.
  public private(set) var evictions: UInt64 = 0

  /// - Parameter seed: secret, so that nobody can choose addresses that fall into one set.
  public init(_ limits: Limits, seed: UInt64) {
    self.limits = limits
    self.seed = seed
    // Two seconds' worth may come at once; at most 2^30 thousandths.
    most = Int32(clamping: min(1 << 30, max(0, limits.perSecond) * 2000))
    mask4 = ~(UInt64.max >> UInt64(max(0, min(64, limits.ipv4Bits + 32))))
    mask6 = ~(UInt64.max >> UInt64(max(0, min(64, limits.ipv6Bits))))
    buckets = limits.perSecond > 0 ? Array(repeating: Bucket(), count: Bound.buckets) : []
  }

  private func hash(_ source: IPAddress, _ kind: Kind) -> UInt64 {
    let masked = source.isV4 ? (UInt64(source.v4) | 0xffff_ffff_0000_0000) & mask4 : source.high & mask6
    let product = (masked ^ seed).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15 &+ kind.rawValue << 1)
    let mixed = (product.high ^ product.low) &* 0xd6e8_feb8_6659_fd93
    return mixed ^ mixed >> 32
  }

  /// What to do with a reply to `source`.
  /// - Parameter millisecond: of a clock that only goes forward.
  public mutating func decide(_ source: IPAddress, _ kind: Kind, millisecond: Int64) -> Decision {
    guard !buckets.isEmpty else { return .send }
    let hash = hash(source, kind)
    let tag = UInt32(truncatingIfNeeded: hash >> 32) | 1
    let now = UInt32(truncatingIfNeeded: millisecond)
    let place = find(tag, set: Int(truncatingIfNeeded: hash) & (Bound.buckets &- 1) & ~(Bound.ways &- 1), now)
    return buckets.withUnsafeMutableBufferPointer { all in
      let elapsed = Int64(now &- all[place].last)
      let filled = Int64(all[place].tokens) &+ elapsed &* Int64(limits.perSecond)
      all[place].tokens = Int32(clamping: min(Int64(most), filled))
      all[place].last = now
      if all[place].tokens >= 1000 {
        all[place].tokens &-= 1000
        return .send
      }
      all[place].over &+= 1
      guard limits.slip > 0, all[place].over % UInt32(clamping: limits.slip) == 0 else { return .drop }
      return .slip
    }
  }

  /// The bucket of `tag`; if there is none, that of the set which was not used for longest is emptied for it.
  private mutating func find(_ tag: UInt32, set: Int, _ now: UInt32) -> Int {
    var oldest = set
    for place in set..<(set &+ Bound.ways) {
      if buckets[place].tag == tag { return place }
      if now &- buckets[place].last > now &- buckets[oldest].last || buckets[place].tag == 0 { oldest = place }
    }
    if buckets[oldest].tag != 0, now &- buckets[oldest].last < 1000, buckets[oldest].tokens < 1000 { evictions &+= 1 }
    buckets[oldest] = Bucket(tag: tag, tokens: most, last: now, over: 0)
    return oldest
  }
}
