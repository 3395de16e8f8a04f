/// When a machine is switched on, as intervals in seconds from the start of the scenario.
struct OnlineHours: Sendable {
  private(set) var intervals: [ClosedRange<Double>] = []

  /// - Parameters:
  ///   - hoursPerDay: 24 is always; less is one stretch a day that begins around 08:30, a little different each day.
  ///   - startOfDay: seconds of the UTC day at which the scenario begins.
  init(hoursPerDay: Double, length: Double, startOfDay: Double, random: inout RandomSource) {
    guard hoursPerDay < 24 else {
      intervals = [0...length]
      return
    }
    let habit = random.uniform(-0.6, 0.6) * 3600
    // Stretches longer than 15.5 h would pass midnight; they begin earlier instead.
    let usual = min(8.5, max(0, 23.5 - hoursPerDay)) * 3600
    var day = -startOfDay
    while day < length {
      let opening = max(day, day + usual + habit + random.normal(deviation: 600))
      let closing = min(opening + hoursPerDay * 3600, day + 86_399)
      if closing > 0, opening < length, closing > opening {
        intervals.append(max(0, opening)...min(closing, length))
      }
      day += 86_400
    }
  }

  init(intervals: [ClosedRange<Double>]) { self.intervals = intervals }

  func isOn(_ time: Double) -> Bool { intervals.contains { $0.contains(time) } }

  /// `time` itself when the machine is on, else when it is next switched on; `nil` when never again.
  func next(_ time: Double) -> Double? {
    for interval in intervals where time < interval.upperBound { return max(time, interval.lowerBound) }
    return nil
  }

  /// Seconds until the machine is switched off; 0 when it is off.
  func remaining(_ time: Double) -> Double {
    for interval in intervals where interval.contains(time) { return interval.upperBound - time }
    return 0
  }

  /// Only the first `hours` of each stretch.
  func limited(toHours hours: Double?) -> OnlineHours {
    guard let hours, hours < 24 else { return self }
    var out: [ClosedRange<Double>] = []
    for interval in intervals {
      // An always-on machine has one long stretch: cut it by days.
      var opening = interval.lowerBound
      while opening < interval.upperBound {
        out.append(opening...min(opening + hours * 3600, interval.upperBound))
        opening += 86_400
      }
    }
    return OnlineHours(intervals: out)
  }

  /// Without the stretches in which the power is off.
  func without(_ cuts: [ClosedRange<Double>]) -> OnlineHours {
    var out = intervals
    for cut in cuts {
      out = out.flatMap { interval -> [ClosedRange<Double>] in
        guard interval.overlaps(cut) else { return [interval] }
        var parts: [ClosedRange<Double>] = []
        if interval.lowerBound < cut.lowerBound { parts.append(interval.lowerBound...cut.lowerBound) }
        if interval.upperBound > cut.upperBound { parts.append(cut.upperBound...interval.upperBound) }
        return parts
      }
    }
    return OnlineHours(intervals: out)
  }
}
