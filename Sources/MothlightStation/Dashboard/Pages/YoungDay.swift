import Mothlight

/// A day that has just begun: of most machines too little was seen to judge them, so the day before says more.
struct YoungDay: Sendable, Equatable {
  /// Hours into the day after which it stands for itself, whatever was seen.
  static let hoursMost = 6.0
  /// Share of the machines judged on the day before that suffices.
  static let share = 0.5

  /// UTC days since the epoch.
  let day: Int
  let seconds: Double
  /// Machines judged on that day, and on the day before.
  let judged: Int
  let before: Int

  /// `nil` when the last day of `overview` is not today, is old enough, or has enough.
  init?(_ overview: Overview, at time: Timestamp) {
    guard let last = overview.days.last, last.day == time.day, overview.days.count > 1 else { return nil }
    func judged(_ day: Overview.Day) -> Int { day.hosts.reduce(0) { $0 + ($1.key == .notEnoughData ? 0 : $1.value) } }
    day = last.day
    seconds = time.seconds(since: Timestamp(seconds: Int64(last.day) * 86_400))
    self.judged = judged(last)
    before = judged(overview.days[overview.days.count - 2])
    guard seconds < Self.hoursMost * 3600, before > 0, Double(self.judged) < Double(before) * Self.share else {
      return nil
    }
  }
}
