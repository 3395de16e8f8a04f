#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A regular expression whose cost is the length of the text times the size of the pattern, whatever the text says.
///
/// The pattern becomes an automaton with one state per octet set (Glushkov, 1961), followed on all paths at once; nothing
/// goes back. Look-around, back references and lazy or possessive repeats cannot be written.
struct LinearPattern: Sendable, Equatable {
  enum Bound {
    /// Octet sets after repeats are written out: the states fit into four words.
    static let positions = 256
    /// Groups inside each other.
    static let depth = 16
    /// Parts visited when repeats are written out; empty groups repeat without adding positions.
    static let steps = 4096
  }

  /// 256 bits: a set of octets, or of positions.
  typealias Bits = SIMD4<UInt64>

  let source: String
  private var octets: [Bits] = []
  private var follow: [Bits] = []
  private var first: Bits = .zero
  private var last: Bits = .zero
  private var isNullable = false
  private let beginsAtStart: Bool
  private let stopsAtEnd: Bool
  private var steps = 0

  /// What cannot be read in a pattern.
  struct Refusal: Error, Equatable { var message: String }

  init(_ source: String) throws(Refusal) {
    self.source = source
    var parser = PatternParser(Array(source.utf8))
    let part = try parser.parse()
    beginsAtStart = parser.beginsAtStart
    stopsAtEnd = parser.stopsAtEnd
    let whole = try build(part)
    (first, last, isNullable) = (whole.first, whole.last, whole.isNullable)
  }

  /// Whether the pattern stands somewhere in `text`, or at its ends where it says so with `^` and `$`.
  func matches(_ text: some Sequence<UInt8>) -> Bool {
    if isNullable && !stopsAtEnd { return true }
    var states = Bits.zero
    var isStart = true
    for octet in text {
      var reachable = isStart || !beginsAtStart ? first : .zero
      Self.forEach(states) { reachable |= follow[$0] }
      states = .zero
      Self.forEach(reachable) { if Self.has(octets[$0], Int(octet)) { Self.insert($0, &states) } }
      isStart = false
      if !stopsAtEnd, states & last != .zero { return true }
      if beginsAtStart, states == .zero { return false }
    }
    return states & last != .zero || (isNullable && (isStart || !beginsAtStart))
  }
}

extension LinearPattern {
  static func has(_ bits: Bits, _ n: Int) -> Bool { bits[n >> 6 & 3] >> UInt64(n & 63) & 1 != 0 }

  static func insert(_ n: Int, _ bits: inout Bits) { bits[n >> 6 & 3] |= 1 << UInt64(n & 63) }

  @inline(__always)
  private static func forEach(_ bits: Bits, _ body: (Int) -> Void) {
    for word in 0..<4 {
      var left = bits[word]
      while left != 0 {
        body(word &* 64 &+ left.trailingZeroBitCount)
        left &= left &- 1
      }
    }
  }

  /// How many bits of a text the cheapest way through the pattern fixes.
  var leastBits: Double {
    if isNullable { return 0 }
    let own = octets.map { set in 8 - log2(Double(max(1, (0..<4).reduce(0) { $0 &+ set[$1].nonzeroBitCount }))) }
    var best = octets.indices.map { Self.has(first, $0) ? own[$0] : .infinity }
    // Each round settles at least one more position on its cheapest way (Bellman, Ford).
    for _ in octets.indices {
      var isSettled = true
      for from in octets.indices where best[from] < .infinity {
        Self.forEach(follow[from]) { to in
          guard best[from] + own[to] < best[to] else { return }
          best[to] = best[from] + own[to]
          isSettled = false
        }
      }
      if isSettled { break }
    }
    return octets.indices.filter { Self.has(last, $0) }.map { best[$0] }.min() ?? 0
  }

  private struct Fragment {
    var first: Bits = .zero
    var last: Bits = .zero
    var isNullable = true
  }

  private mutating func build(_ part: PatternPart) throws(Refusal) -> Fragment {
    steps &+= 1
    guard steps <= Bound.steps else { throw Refusal(message: "too many repeats") }
    switch part {
    case .set(let bits):
      guard octets.count < Bound.positions else {
        throw Refusal(message: "more than \(Bound.positions) characters once repeats are written out")
      }
      var own = Bits.zero
      Self.insert(octets.count, &own)
      octets.append(bits)
      follow.append(.zero)
      return Fragment(first: own, last: own, isNullable: false)
    case .sequence(let parts):
      var whole = Fragment()
      for part in parts { whole = join(whole, try build(part)) }
      return whole
    case .choice(let parts):
      var whole = Fragment(isNullable: false)
      for part in parts {
        let one = try build(part)
        whole.first |= one.first
        whole.last |= one.last
        whole.isNullable = whole.isNullable || one.isNullable
      }
      return whole
    case .repeated(let part, let least, let most):
      return try build(part, least: least, most: most)
    }
  }

  private mutating func build(_ part: PatternPart, least: Int, most: Int?) throws(Refusal) -> Fragment {
    var whole = Fragment()
    for _ in 0..<Swift.max(0, most == nil ? least &- 1 : least) { whole = join(whole, try build(part)) }
    guard let most else {
      var loop = try build(part)
      link(loop.last, loop.first)
      loop.isNullable = loop.isNullable || least == 0
      return join(whole, loop)
    }
    for _ in 0..<Swift.max(0, most &- least) {
      var one = try build(part)
      one.isNullable = true
      whole = join(whole, one)
    }
    return whole
  }

  private mutating func link(_ from: Bits, _ to: Bits) {
    for p in follow.indices where Self.has(from, p) { follow[p] |= to }
  }

  private mutating func join(_ a: Fragment, _ b: Fragment) -> Fragment {
    link(a.last, b.first)
    return Fragment(
      first: a.isNullable ? a.first | b.first : a.first, last: b.isNullable ? a.last | b.last : b.last,
      isNullable: a.isNullable && b.isNullable)
  }
}
