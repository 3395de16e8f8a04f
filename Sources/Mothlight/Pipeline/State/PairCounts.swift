/// Counters of a pair that can be added up over runs and scaled down to fewer starts.
struct PairCounts: Sendable, Equatable {
  var starts: UInt32 = 0
  var failed: UInt32 = 0
  var answered: UInt32 = 0
  var guessed: UInt32 = 0
  var octetsOut: UInt64 = 0
  var octetsIn: UInt64 = 0
  var packetsOut: UInt32 = 0
  var packetsIn: UInt32 = 0
  var sizesOut = Pair.Moments()
  var sizesIn = Pair.Moments()

  init() {}

  init(_ pair: Pair) {
    starts = pair.starts
    failed = pair.failed
    answered = pair.answered
    guessed = pair.guessed
    octetsOut = pair.octetsOut
    octetsIn = pair.octetsIn
    packetsOut = UInt32(clamping: pair.packetsOut)
    packetsIn = UInt32(clamping: pair.packetsIn)
    sizesOut = pair.sizesOut
    sizesIn = pair.sizesIn
  }

  var isNothing: Bool { starts == 0 && octetsOut == 0 && octetsIn == 0 && packetsOut == 0 && packetsIn == 0 }

  mutating func add(_ other: PairCounts) {
    starts = starts.saturatingAdd(other.starts)
    failed = failed.saturatingAdd(other.failed)
    answered = answered.saturatingAdd(other.answered)
    guessed = guessed.saturatingAdd(other.guessed)
    octetsOut = octetsOut.saturatingAdd(other.octetsOut)
    octetsIn = octetsIn.saturatingAdd(other.octetsIn)
    packetsOut = packetsOut.saturatingAdd(other.packetsOut)
    packetsIn = packetsIn.saturatingAdd(other.packetsIn)
    sizesOut.add(other.sizesOut)
    sizesIn.add(other.sizesIn)
  }

  /// Takes away what was counted before; never below zero.
  mutating func subtract(_ other: PairCounts) {
    starts = starts.saturatingSubtract(other.starts)
    failed = failed.saturatingSubtract(other.failed)
    answered = answered.saturatingSubtract(other.answered)
    guessed = guessed.saturatingSubtract(other.guessed)
    octetsOut = octetsOut.saturatingSubtract(other.octetsOut)
    octetsIn = octetsIn.saturatingSubtract(other.octetsIn)
    packetsOut = packetsOut.saturatingSubtract(other.packetsOut)
    packetsIn = packetsIn.saturatingSubtract(other.packetsIn)
    sizesOut.subtract(other.sizesOut)
    sizesIn.subtract(other.sizesIn)
  }

  /// The same behaviour over at most `limit` starts, so that a long past does not outweigh the present.
  func scaled(toStarts limit: Int) -> PairCounts {
    let limit = UInt32(clamping: limit)
    guard starts > limit else { return self }
    var scaled = self
    func share(_ value: UInt64) -> UInt64 {
      let (high, low) = value.multipliedFullWidth(by: UInt64(limit))
      // starts > limit, so the quotient is below `value` and the division cannot overflow.
      return UInt64(starts).dividingFullWidth((high, low)).quotient
    }
    scaled.starts = limit
    scaled.failed = UInt32(clamping: share(UInt64(failed)))
    scaled.answered = UInt32(clamping: share(UInt64(answered)))
    scaled.guessed = UInt32(clamping: share(UInt64(guessed)))
    scaled.octetsOut = share(octetsOut)
    scaled.octetsIn = share(octetsIn)
    scaled.packetsOut = UInt32(clamping: share(UInt64(packetsOut)))
    scaled.packetsIn = UInt32(clamping: share(UInt64(packetsIn)))
    let factor = Float(limit) / Float(starts)
    scaled.sizesOut.scale(by: factor)
    scaled.sizesIn.scale(by: factor)
    return scaled
  }
}

extension FixedWidthInteger {
  func saturatingAdd(_ other: Self) -> Self {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
  func saturatingSubtract(_ other: Self) -> Self { other >= self ? 0 : self &- other }
}

extension Pair.Moments: Equatable {
  public static func == (a: Self, b: Self) -> Bool { a.count == b.count && a.mean == b.mean && a.m2 == b.m2 }

  /// Adds values that were summed up elsewhere (Chan, Golub, LeVeque 1983).
  mutating func add(_ other: Self) {
    let total = count + other.count
    guard other.count > 0, total.isFinite else { return }
    let delta = other.mean - mean
    m2 += other.m2 + delta * delta * count * other.count / total
    mean += delta * other.count / total
    count = total
  }

  mutating func subtract(_ other: Self) {
    guard other.count > 0 else { return }
    let left = count - other.count
    guard left >= 1 else {
      self = Self()
      return
    }
    let rest = (count * mean - other.count * other.mean) / left
    let delta = other.mean - rest
    m2 = max(0, m2 - other.m2 - delta * delta * left * other.count / count)
    mean = max(0, rest)
    count = left
  }

  mutating func scale(by factor: Float) {
    count *= factor
    m2 *= factor
  }

  /// From outside: numbers that no traffic gives count as none.
  init(kept count: Float, _ mean: Float, _ m2: Float) {
    self.init()
    guard count.isFinite, mean.isFinite, m2.isFinite, count >= 0, mean >= 0, m2 >= 0 else { return }
    self.count = count
    self.mean = mean
    self.m2 = m2
  }
  var squares: Float { m2 }
}
