/// One source in `factor` is looked at when there are too many: always the same ones on one day, so that their counts stay
/// whole and everything can be scaled up (sinkhole.md R25).
///
/// Factors are powers of two, and who is chosen at one factor is chosen at every smaller one.
struct SamplingFactor {
  /// 2^12 = 4096: beyond it too few sources are left to count.
  static let logMost: UInt16 = 12
  /// Seconds without loss after which the factor is halved.
  static let calmSeconds: Int64 = 60
  /// Seconds between two steps up: what one step brings must be seen first.
  private static let stepSeconds: Int64 = 2

  private(set) var log: UInt16 = 0
  private(set) var salt: UInt64
  private var day = Int.min
  private let seed: UInt64
  private var lastLoss: Int64 = .min / 2
  private var lastStep: Int64 = .min / 2

  var factor: UInt32 { 1 << UInt32(log) }

  init(seed: UInt64) {
    self.seed = seed
    salt = seed
  }

  /// The daily salt: nobody is watched or missed for ever.
  mutating func begin(day: Int) {
    guard day != self.day else { return }
    self.day = day
    salt = mix64(seed ^ mix64(UInt64(truncatingIfNeeded: day)))
  }

  @inline(__always)
  func selects(_ source: IPAddress) -> Bool {
    if log == 0 { return true }
    // IPv6 is one source by /64, as in the tally.
    let key = source.isV4 ? source : IPAddress(high: source.high, low: 0)
    return mix64(key.mixed ^ salt) & (UInt64(factor) &- 1) == 0
  }

  /// - Parameter isOverloaded: check-ins were lost since the last call.
  /// - Returns: whether the factor has changed.
  mutating func judge(isOverloaded: Bool, second: Int64) -> Bool {
    if isOverloaded {
      lastLoss = second
      guard log < Self.logMost, second &- lastStep >= Self.stepSeconds else { return false }
      log += 1
      lastStep = second
      return true
    }
    guard log > 0, second &- lastLoss >= Self.calmSeconds, second &- lastStep >= Self.calmSeconds else { return false }
    log -= 1
    lastStep = second
    return true
  }
}
