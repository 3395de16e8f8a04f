/// A set of hours as bits, from the first hour's word to the last's.
///
/// 24 octets, and 8 for each further 64 hours between the first and the last; a set within one word of 64 hours needs no memory of its
/// own. The same set has one form, however it was made.
public struct HourSet: Sendable, Hashable {
  /// `hour >> 6` of the first word.
  private(set) var base: UInt32 = 0
  /// The first word; 0: the set is empty.
  private var head: UInt64 = 0
  private var tail: [UInt64] = []

  public init() {}

  public init(_ hours: some Sequence<UInt32>) {
    for hour in hours { insert(hour) }
  }

  /// From words that begin and end with a set bit; `nil` for others, or when hours would not be numbers of 32 bits.
  init?(base: UInt32, words: some Collection<UInt64>) {
    guard let first = words.first, first != 0, Array(words.suffix(1)) != [0], base < 1 << 26,
      words.count <= (1 << 26) - Int(base)
    else { return nil }
    self.base = base
    head = first
    tail = Array(words.dropFirst())
  }

  public var isEmpty: Bool { head == 0 }
  var wordCount: Int { head == 0 ? 0 : 1 + tail.count }

  @inline(__always)
  func word(_ index: Int) -> UInt64 { index == 0 ? head : tail[index - 1] }

  /// The word that holds hours `64 * number ..< 64 * number + 64`.
  @inline(__always)
  private func word(numbered number: Int) -> UInt64 {
    let index = number - Int(base)
    return index >= 0 && index < wordCount ? word(index) : 0
  }

  /// - Complexity: O(1); O(words) when the hour lies outside of those already spanned.
  public mutating func insert(_ hour: UInt32) {
    let number = hour >> 6
    let bit = UInt64(1) << UInt64(hour & 63)
    if head == 0 {
      base = number
      head = bit
    } else if number == base {
      head |= bit
    } else {
      insertElsewhere(number, bit)
    }
  }

  @inline(never)
  private mutating func insertElsewhere(_ number: UInt32, _ bit: UInt64) {
    if number < base {
      tail.insert(contentsOf: [UInt64](repeating: 0, count: Int(base - number) - 1) + [head], at: 0)
      base = number
      head = bit
      return
    }
    let index = Int(number - base) - 1
    if index >= tail.count {
      tail.append(contentsOf: repeatElement(0, count: index + 1 - tail.count))
    }
    tail[index] |= bit
  }

  public func contains(_ hour: UInt32) -> Bool {
    word(numbered: Int(hour >> 6)) >> UInt64(hour & 63) & 1 == 1
  }

  /// - Complexity: O(words), as everything below.
  public mutating func formUnion(_ other: HourSet) {
    guard other.head != 0 else { return }
    guard head != 0, other.wordCount > 1 || other.base != base else {
      if head == 0 { self = other } else { head |= other.head }
      return
    }
    let first = Swift.min(base, other.base)
    let end = Swift.max(Int(base) + wordCount, Int(other.base) + other.wordCount)
    var words = [UInt64](repeating: 0, count: end - Int(first))
    for i in 0..<wordCount { words[Int(base - first) + i] |= word(i) }
    for i in 0..<other.wordCount { words[Int(other.base - first) + i] |= other.word(i) }
    base = first
    head = words[0]
    tail = Array(words.dropFirst())
  }

  public func union(_ other: HourSet) -> HourSet {
    var sum = self
    sum.formUnion(other)
    return sum
  }

  /// Without the hours outside of `hours`.
  public func clamped(to hours: ClosedRange<UInt32>) -> HourSet {
    HourSet(lazy.filter { hours.contains($0) })
  }

  public var count: Int {
    var sum = head.nonzeroBitCount
    for word in tail { sum += word.nonzeroBitCount }
    return sum
  }

  public var first: UInt32? { head == 0 ? nil : base << 6 | UInt32(head.trailingZeroBitCount) }

  public var last: UInt32? {
    guard head != 0 else { return nil }
    let number = base + UInt32(tail.count)
    return number << 6 | UInt32(63 - (tail.last ?? head).leadingZeroBitCount)
  }

  /// Hours that both sets have.
  public func commonCount(_ other: HourSet) -> Int {
    var sum = 0
    for i in 0..<wordCount { sum += (word(i) & other.word(numbered: Int(base) + i)).nonzeroBitCount }
    return sum
  }

  /// The word with bit `i` set where hour `64 * number + i + lag` is in the set.
  @inline(__always)
  private func shifted(_ number: Int, _ lag: Int) -> UInt64 {
    let whole = number + lag >> 6
    let part = UInt64(lag & 63)
    let low = word(numbered: whole) >> part
    return part == 0 ? low : low | word(numbered: whole + 1) << (64 - part)
  }

  /// Hours h for which h and h + `lag` are both in the set: retention at that lag, before division.
  public func pairs(lag: Int) -> Int {
    guard (0...Int(UInt32.max)).contains(lag) else { return 0 }
    var sum = 0
    for i in 0..<wordCount { sum += (word(i) & shifted(Int(base) + i, lag)).nonzeroBitCount }
    return sum
  }

  /// Hours h for which h, h + `lag` and h + 2 `lag` are all in the set.
  public func triples(lag: Int) -> Int {
    guard (0...Int(UInt32.max >> 1)).contains(lag) else { return 0 }
    var sum = 0
    for i in 0..<wordCount {
      let number = Int(base) + i
      sum += (word(i) & shifted(number, lag) & shifted(number, 2 * lag)).nonzeroBitCount
    }
    return sum
  }

  /// Stretches of consecutive hours.
  public var runs: Int {
    var sum = 0
    var carry: UInt64 = 0
    for i in 0..<wordCount {
      let word = word(i)
      sum += (word & ~(word << 1 | carry)).nonzeroBitCount
      carry = word >> 63
    }
    return sum
  }
}

extension HourSet: Sequence {
  /// The hours, earliest first.
  public struct Iterator: IteratorProtocol {
    fileprivate let set: HourSet
    fileprivate var index = 0
    fileprivate var rest: UInt64

    public mutating func next() -> UInt32? {
      while rest == 0 {
        index += 1
        guard index < set.wordCount else { return nil }
        rest = set.word(index)
      }
      defer { rest &= rest &- 1 }
      return (set.base &+ UInt32(truncatingIfNeeded: index)) << 6 | UInt32(rest.trailingZeroBitCount)
    }
  }

  public func makeIterator() -> Iterator { Iterator(set: self, rest: head) }
}
