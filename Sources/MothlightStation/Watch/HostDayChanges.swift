import Mothlight

/// Which host-days of a judgement are worth writing: a station judges every half minute, and most of it stays as it was.
struct HostDayChanges {
  private struct Key: Hashable {
    var host: IPAddress
    var day: Int
  }
  private struct Written {
    var print: Int
    var at: Timestamp
  }
  private var written: [Key: Written] = [:]

  /// Seconds after which a host-day whose evidence is the same is written again for its activity: with findings, without.
  private static let (flaggedSeconds, quietSeconds) = (300.0, 900.0)

  /// Host-days whose evidence differs from what was acknowledged last, or whose activity is old.
  func changed(_ days: [HostDay], at time: Timestamp, all: Bool = false) -> [HostDay] {
    days.filter { day in
      guard let last = written[Key(host: day.host, day: day.day)] else { return true }
      if all || last.print != Self.print(of: day) { return true }
      return time.seconds(since: last.at) >= (day.findings.isEmpty ? Self.quietSeconds : Self.flaggedSeconds)
    }
  }

  /// They are on disk.
  mutating func acknowledge(_ days: [HostDay], at time: Timestamp) {
    for day in days {
      written[Key(host: day.host, day: day.day)] = Written(print: Self.print(of: day), at: time)
    }
  }

  /// Days before `day` are over: what still comes of them is written as new.
  mutating func forget(before day: Int) { written = written.filter { $0.key.day >= day } }

  /// Host-days remembered.
  var count: Int { written.count }

  /// Evidence as a number; the same within one process.
  private static func print(of day: HostDay) -> Int {
    var hasher = Hasher()
    hasher.combine(day.verdict)
    hasher.combine(day.botnets)
    hasher.combine(day.caveats)
    for finding in day.findings {
      hasher.combine(finding.detector)
      hasher.combine(finding.subject)
      hasher.combine(finding.botnet)
      hasher.combine(finding.isConclusive)
      // A tenth of a nat more or less is no news.
      hasher.combine(Int(max(-1e6, min(1e6, finding.logOdds * 10))))
      hasher.combine(finding.suppressions.count)
    }
    return hasher.finalize()
  }
}
