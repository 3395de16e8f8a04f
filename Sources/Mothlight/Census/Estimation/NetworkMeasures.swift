/// What the tags of one network add up to.
struct NetworkMeasures: Sendable {
  /// Distinct addresses and tags; one-hour tags count by their weight.
  var addresses = 0.0
  var tags = 0.0
  var addressHours = 0.0
  var tagHours = 0.0
  /// Tag-hours with machines behind one tag told apart.
  var machineHours = 0.0
  /// Tag-days when the day begins at the given local hour.
  var tagDays = [Double](repeating: 0, count: 24)
  /// Uninterrupted stretches of hours.
  var runs = 0.0
  /// Tags first seen, stretches begun, and tag-hours, by local hour of day, without the window's beginning.
  var starts = [Double](repeating: 0, count: 24)
  var returns = [Double](repeating: 0, count: 24)
  var hoursOfDay = [Double](repeating: 0, count: 24)
  /// Tag-hours seen again after the shorter and the longer lag, and those that could have been.
  var kept = (short: 0.0, long: 0.0)
  var base = (short: 0.0, long: 0.0)
  /// Hours between first and last sight, summed over tags.
  var span = 0.0
  /// Tags by number of distinct hours, and those seen in one stretch by its length.
  var byHours = FewHours()
  var byStretch = FewHours()
  /// Tags left out because they called far more seldom than a machine does.
  var brief = 0.0
  /// Hours around which a tag was seen, and those of them in which it was seen itself.
  var around = 0.0
  var between = 0.0
  /// Machines in the whole window: fingerprints of an address told apart, or check-ins at their busiest hour.
  var machinesInWindow = 0.0
  /// Days and hours of life of addresses that never showed more than one machine, and machine-lives of all, where check-in
  /// rates tell machines apart.
  var single = (days: 0.0, life: 0.0)
  var lives = 0.0
  /// Fingerprints by address and day, and the machines that they stand for.
  var shownInDay = 0.0
  var machinesInDay = 0.0

  var retention: (short: Double, long: Double) {
    (base.short > 0 ? kept.short / base.short : 0, base.long > 0 ? kept.long / base.long : 0)
  }
  /// Machines for each tag-hour, 1 where each tag is one machine.
  var occupancy: Double { tagHours > 0 ? max(1, machineHours / tagHours) : 1 }
  /// Machines for each tag-day.
  var occupancyOfDay: Double { shownInDay > 0 ? max(1, machinesInDay / shownInDay) : 1 }
  /// Share of the hours between two sights in which it was seen as well.
  var sandwich: Double { around > 0 ? between / around : 0 }
}

/// Lags at which retention is read, in hours (census.md B4): whole weeks, or days in a window below four weeks.
struct RetentionLags: Sendable {
  let short: Int
  let long: Int

  init(hourCount: Int) {
    if hourCount >= 28 * 24 {
      short = 168
      long = max(336, Int(0.7 * Double(hourCount)) / 168 * 168)
    } else if hourCount >= 15 * 24 {
      short = 168
      long = 336
    } else if hourCount >= 5 * 24 {
      short = 24
      long = 72
    } else {
      short = 24
      long = 0
    }
  }
}

/// One pass over the tags of a table: measures by network, and machines by network and hour.
///
/// - Complexity: O(tag-hours + tags × words), and O(networks × hours) memory.
struct CensusMeasures: Sendable {
  private(set) var networks: [NetworkMeasures]
  /// Machines seen: `machines[network * hourCount + hour]`, of the sampled tags.
  private(set) var machines: [Double]
  private(set) var addressHours: [Double]
  let lags: RetentionLags
  let hourCount: Int
  private let firstHour: Int

  private let choices: Choices
  private let zones: [Int]

  /// What an earlier pass found.
  struct Choices: Sendable {
    /// Weight of a tag that was hardly seen, by network; empty: 1.
    var oneShotWeights: [Double] = []
    var visit = VisitRule()
    /// Networks that are left out.
    var dropped: [Bool] = []
    /// Local hour at which a day begins.
    var cut = 5
    /// Hours between check-ins.
    var lag = 1
    /// Most check-ins that one machine shows in an hour; 0: not known.
    var peakOfOne = 0.0
  }

  init(_ table: CensusTable, occupancy: Occupancy, choices: Choices) {
    hourCount = table.hourCount
    firstHour = Int(table.hours.lowerBound)
    lags = RetentionLags(hourCount: hourCount)
    self.choices = choices
    networks = [NetworkMeasures](repeating: NetworkMeasures(), count: table.networks.count)
    machines = [Double](repeating: 0, count: table.networks.count * hourCount)
    addressHours = machines
    zones = table.networks.map { Int($0.timeZone) }
    let tags = table.tags
    var i = 0
    while i < tags.entries.count {
      var j = i + 1
      while j < tags.entries.count, tags.entries[j].unit == tags.entries[i].unit { j += 1 }
      let n = Int(tags.entries[i].network)
      if choices.dropped.isEmpty || !choices.dropped[n] {
        for k in i..<j { add(tags.entries[k], tags.words, zones) }
        if j - i == 1 { addSingle(tags.entries[i], tags.words) } else { addGroup(tags, i..<j, occupancy, zones[n]) }
      }
      i = j
    }
  }

  /// Hours at the window's beginning in which everything is new.
  var warmUp: Int { hourCount >= 15 * 24 ? 168 : min(24, hourCount / 2) }

  /// 1 for a machine; less for what was hardly seen.
  func weight(_ tag: CensusTable.Tags.Entry, _ words: [UInt64]) -> Double {
    if choices.visit.isBrief(tag, words) { return 0 }
    guard !choices.oneShotWeights.isEmpty, choices.visit.isIsolated(tag, words) else { return 1 }
    return choices.oneShotWeights[Int(tag.network)]
  }

  private mutating func add(_ tag: CensusTable.Tags.Entry, _ words: [UInt64], _ zones: [Int]) {
    let n = Int(tag.network)
    let hours = tag.count(words)
    let weight = weight(tag, words)
    let stretches = tag.stretches(words)
    if weight > 0 {
      networks[n].byHours.count(hours)
      if stretches == 1 { networks[n].byStretch.count(hours) }
    } else {
      networks[n].brief += 1
    }
    networks[n].tags += weight
    networks[n].tagHours += weight * Double(hours)
    let phase = ((firstHour + zones[n]) % 24 + 24) % 24
    let skip = warmUp
    var last = -1000
    var first = -1
    tag.forEachHour(words) { hour in
      let clock = (hour + phase) % 24
      if first < 0 {
        first = hour
        if hour >= skip { networks[n].starts[clock] += weight }
      }
      if hour >= skip { networks[n].hoursOfDay[clock] += weight }
      let gap = hour - last
      if gap > 1 {
        networks[n].runs += weight
        if hour >= skip { networks[n].returns[clock] += weight }
      }
      if gap >= 24 {
        for c in 0..<24 { networks[n].tagDays[c] += weight }
      } else {
        for step in 0..<gap { networks[n].tagDays[(clock - step + 24) % 24] += weight }
      }
      last = hour
    }
    networks[n].span += weight * Double(last - first)
    addRetention(tag, words, n)
    let lag = choices.lag
    tag.forEachWord(words) { index, bits in
      guard bits != 0 else { return }
      let around = bits & tag.word(words, index, after: 2 * lag)
      networks[n].around += Double(around.nonzeroBitCount)
      networks[n].between += Double((around & tag.word(words, index, after: lag)).nonzeroBitCount)
    }
  }

  private mutating func addRetention(_ tag: CensusTable.Tags.Entry, _ words: [UInt64], _ n: Int) {
    for (lag, isShort) in [(lags.short, true), (lags.long, false)] where lag > 0 && lag < hourCount {
      var kept = 0
      var base = 0
      tag.forEachWord(words) { index, bits in
        let within = hourCount - lag - index * 64
        guard within > 0 else { return }
        let allowed = within >= 64 ? bits : bits & ((1 << UInt64(within)) - 1)
        base += allowed.nonzeroBitCount
        if allowed != 0 { kept += (allowed & tag.word(words, index, after: lag)).nonzeroBitCount }
      }
      if isShort {
        networks[n].kept.short += Double(kept)
        networks[n].base.short += Double(base)
      } else {
        networks[n].kept.long += Double(kept)
        networks[n].base.long += Double(base)
      }
    }
  }

  private mutating func addSingle(_ tag: CensusTable.Tags.Entry, _ words: [UInt64]) {
    let n = Int(tag.network)
    let hours = tag.count(words)
    let weight = weight(tag, words)
    let most = choices.peakOfOne > 0 ? max(1, (Double(tag.peak) / choices.peakOfOne).rounded()) : 1
    networks[n].machinesInWindow += weight * most
    let days = weight * Double(days(of: tag, words, n))
    networks[n].shownInDay += days
    networks[n].machinesInDay += days
    let life = Double(tag.lastHour(words) - tag.firstHour(words)) / 24 + 1
    networks[n].lives += most * life
    if most == 1, days >= 3 {
      networks[n].single.days += days
      networks[n].single.life += life
    }
    networks[n].addresses += weight
    networks[n].addressHours += weight * Double(hours)
    networks[n].machineHours += weight * Double(hours)
    let row = n * hourCount
    tag.forEachHour(words) { hour in
      machines[row + hour] += weight
      addressHours[row + hour] += weight
    }
  }

  private func days(of tag: CensusTable.Tags.Entry, _ words: [UInt64], _ n: Int) -> Int {
    let phase = firstHour + zones[n] - choices.cut
    var count = 0
    var day = -1
    tag.forEachHour(words) { hour in
      let today = (hour + phase) / 24
      if today != day { count += 1 }
      day = today
    }
    return count
  }

  /// Several fingerprints behind one address.
  private mutating func addGroup(
    _ tags: CensusTable.Tags, _ range: Range<Int>, _ occupancy: Occupancy, _ zone: Int
  ) {
    let n = Int(tags.entries[range.lowerBound].network)
    let from = range.reduce(Int.max) { min($0, Int(tags.entries[$1].firstWord)) } * 64
    let to = range.reduce(0) { max($0, (Int(tags.entries[$1].firstWord) + Int(tags.entries[$1].wordCount)) * 64) }
    let phase = firstHour + zone - choices.cut
    let firstDay = (from + phase) / 24
    var byHour = [Double](repeating: 0, count: to - from)
    var byDay = [Double](repeating: 0, count: (to + phase) / 24 - firstDay + 1)
    var whole = 0.0
    for k in range {
      let tag = tags.entries[k]
      let weight = weight(tag, tags.words)
      whole += weight
      var day = -1
      tag.forEachHour(tags.words) { hour in
        byHour[hour - from] += weight
        let today = (hour + phase) / 24 - firstDay
        if today != day { byDay[today] += weight }
        day = today
      }
    }
    networks[n].addresses += min(1, whole)
    networks[n].machinesInWindow += occupancy.machines(whole)
    for shown in byDay where shown > 0 {
      networks[n].shownInDay += shown
      networks[n].machinesInDay += occupancy.machines(shown)
    }
    for (i, seen) in byHour.enumerated() where seen > 0 && from + i < hourCount {
      let machines = occupancy.machines(seen)
      networks[n].addressHours += min(1, seen)
      networks[n].machineHours += machines
      self.machines[n * hourCount + from + i] += machines
      addressHours[n * hourCount + from + i] += min(1, seen)
    }
  }
}
