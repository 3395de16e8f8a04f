/// Whether the sensors' clocks and hours fit together.
struct SensorClocks: Sendable {
  /// Hours by which each sensor is ahead of the first one; 0 where nothing shows.
  private(set) var ahead: [Int]
  /// Hours in which a sensor said nothing although it spoke before and after, by sensor.
  private(set) var silent: [[Int]]

  init(_ table: CensusTable) {
    let sensors = max(1, table.sensors.count)
    ahead = [Int](repeating: 0, count: sensors)
    silent = Self.silent(table, sensors)
    let tags = table.tags
    guard tags.bySensor.count == sensors, sensors > 1 else { return }
    for s in 1..<sensors {
      var overlap = [Double](repeating: 0, count: 5)
      for tag in tags.entries.prefix(100_000) {
        for i in 0..<Int(tag.wordCount) {
          let bits = tags.bySensor[0][tag.start + i]
          guard bits != 0 else { continue }
          for lag in -2...2 {
            overlap[lag + 2] += Double((bits & Self.shifted(tag, tags.bySensor[s], i, lag)).nonzeroBitCount)
          }
        }
      }
      let best = overlap.indices.max { overlap[$0] < overlap[$1] } ?? 2
      // A machine is switched on and off in the same hour for every sensor: the true lag stands out clearly, and by
      // more than chance where sights are rare.
      let gap = overlap[best] - overlap[2]
      if gap > 0.03 * overlap[2], gap > 6 * (overlap[best] + overlap[2]).squareRoot() { ahead[s] = best - 2 }
    }
  }

  /// Word `index` of a sensor's bits as it would be if its clock were `lag` hours less ahead.
  static func shifted(_ tag: CensusTable.Tags.Entry, _ words: [UInt64], _ index: Int, _ lag: Int) -> UInt64 {
    let here = words[tag.start + index]
    if lag == 0 { return here }
    if lag > 0 {
      let next = index + 1 < Int(tag.wordCount) ? words[tag.start + index + 1] : 0
      return here >> UInt64(lag) | next << UInt64(64 - lag)
    }
    let before = index > 0 ? words[tag.start + index - 1] : 0
    return here << UInt64(-lag) | before >> UInt64(64 + lag)
  }

  private static func silent(_ table: CensusTable, _ sensors: Int) -> [[Int]] {
    var counts = [[Double]](repeating: [Double](repeating: 0, count: table.hourCount), count: sensors)
    for tag in table.tags.entries {
      for s in 0..<sensors {
        let words = sensors > 1 ? table.tags.bySensor[s] : table.tags.words
        tag.forEachHour(words) { if $0 < table.hourCount { counts[s][$0] += 1 } }
      }
    }
    return counts.map { hours in
      guard let first = hours.firstIndex(where: { $0 > 0 }), let last = hours.lastIndex(where: { $0 > 0 }) else {
        return []
      }
      return (first...last).filter { hour in
        let near = Array(hours[max(0, hour - 12)...min(hours.count - 1, hour + 12)])
        let usual = max(Visibility.median(near), Self.usual(hours, first...last, at: hour))
        return usual >= 10 && hours[hour] < 0.05 * usual
      }
    }
  }

  /// The same time of day on the five days before and after, an hour to either side: an outage of a day does not hide
  /// itself. 0 where fewer than three days are known.
  private static func usual(_ counts: [Double], _ spoken: ClosedRange<Int>, at hour: Int) -> Double {
    var same: [Double] = []
    for day in -5...5 where day != 0 {
      for near in -1...1 where spoken.contains(hour + 24 * day + near) { same.append(counts[hour + 24 * day + near]) }
    }
    return same.count >= 9 ? Visibility.median(same) : 0
  }

  /// Hours in which every sensor was silent.
  var blind: Set<Int> {
    silent.dropFirst().reduce(Set(silent.first ?? [])) { $0.intersection($1) }
  }
}

extension CensusTable {
  /// The table with sensors' clocks set right.
  func aligned(_ clocks: SensorClocks) -> CensusTable {
    guard clocks.ahead.contains(where: { $0 != 0 }), tags.bySensor.count == clocks.ahead.count else { return self }
    var out = self
    out.tags = aligned(tags, clocks)
    if identities.bySensor.count == clocks.ahead.count { out.identities = aligned(identities, clocks) }
    return out
  }

  private func aligned(_ tags: Tags, _ clocks: SensorClocks) -> Tags {
    var out = tags
    for tag in tags.entries {
      for i in 0..<Int(tag.wordCount) {
        var union: UInt64 = 0
        // Hours that move past the end of the window leave it.
        let rest = hourCount - (Int(tag.firstWord) + i) * 64
        let within: UInt64 = rest >= 64 ? ~0 : rest > 0 ? (1 << UInt64(rest)) - 1 : 0
        for (s, lag) in clocks.ahead.enumerated() {
          let bits = SensorClocks.shifted(tag, tags.bySensor[s], i, lag) & within
          out.bySensor[s][tag.start + i] = bits
          union |= bits
        }
        out.words[tag.start + i] = union
      }
    }
    return out
  }
}
