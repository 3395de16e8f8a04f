/// Whether a source comes back as a program with a timer does.
enum BotTiming {
  /// Published intervals, seconds, with the place where they stand (sinkhole.md 3.1: one source).
  static let published: [String: Double] = ["Mariposa": 240]
  /// Share by which two gaps may differ: keep-alives slip by a retry or a sleeping laptop, not by more.
  static let tolerance = 0.2
  /// Shorter gaps are retries and bursts of one visit.
  static let secondsLeast: UInt16 = 15
  /// Hours with recognised check-ins after which no timer need be shown: visitors do not stay that long.
  static let hoursLeast = 3
  /// Check-ins lost on the way that a gap may hide.
  private static let missedMost = 3.0

  /// Two gaps of one timer, or one gap of the published one; up to `missedMost` lost check-ins may lie within.
  static func isAlike(_ gap: UInt16, previous: UInt16, published: Double?) -> Bool {
    guard gap >= secondsLeast else { return false }
    if let published, isMultiple(Double(gap), of: published) { return true }
    guard previous >= secondsLeast else { return false }
    let (short, long) = (Double(min(gap, previous)), Double(max(gap, previous)))
    return isMultiple(long, of: short)
  }

  private static func isMultiple(_ gap: Double, of period: Double) -> Bool {
    let times = (gap / period).rounded()
    guard times >= 1, times <= 1 + missedMost else { return false }
    // The tolerance is that of one period: a long gap must not fit everything.
    return abs(gap - times * period) <= period * tolerance / max(1, times / 2)
  }
}
