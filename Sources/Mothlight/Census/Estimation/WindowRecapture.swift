/// Two sensors that never saw the same hour, matched over their whole windows: what is left when nothing better is
/// there.
struct WindowRecapture: Sendable {
  /// Chapman's estimate and its variance (Chapman 1951; Seber 1982), addresses seen by each and by both.
  private(set) var estimate: Double
  private(set) var variance: Double
  private(set) var seen: (first: Double, second: Double, both: Double)
  /// Hours from the first sight at either to the last.
  private(set) var span: Int

  /// `nil` unless there are two sensors with sights and no common hour.
  init?(_ tags: CensusTable.Tags, hourCount: Int) {
    guard tags.bySensor.count == 2 else { return nil }
    var hours = (first: Set<Int>(), second: Set<Int>())
    seen = (0, 0, 0)
    var ends = (Int.max, 0)
    for tag in tags.entries {
      var has = (false, false)
      tag.forEachHour(tags.bySensor[0]) {
        hours.first.insert($0)
        has.0 = true
      }
      tag.forEachHour(tags.bySensor[1]) {
        hours.second.insert($0)
        has.1 = true
      }
      seen.first += has.0 ? 1 : 0
      seen.second += has.1 ? 1 : 0
      seen.both += has.0 && has.1 ? 1 : 0
      ends = (min(ends.0, tag.firstHour(tags.words)), max(ends.1, tag.lastHour(tags.words)))
    }
    guard !hours.first.isEmpty, !hours.second.isEmpty, hours.first.isDisjoint(with: hours.second), seen.both >= 5 else {
      return nil
    }
    let (a, b, m) = (seen.first, seen.second, seen.both)
    estimate = (a + 1) * (b + 1) / (m + 1) - 1
    variance = (a + 1) * (b + 1) * (a - m) * (b - m) / ((m + 1) * (m + 1) * (m + 2))
    span = ends.1 - ends.0 + 1
  }

  /// One standard deviation of the logarithm.
  var deviation: Double { variance.squareRoot() / max(1, estimate) }
}
