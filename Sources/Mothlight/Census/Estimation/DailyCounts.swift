import Glibc

/// Machines by UTC day: those active, and those infected, on or off.
struct DailyCounts: Sendable {
  /// Distinct machines by UTC day of the window; `nil` where the window holds only a part of the day.
  private(set) var active: [Double?]
  private(set) var stock: [Double?]
  /// Addresses by day.
  private(set) var addresses: [Double]
  /// Share of its days on which a machine that was on was also seen: by Chao's count of unseen tag-days, where many
  /// hours are missed; a lower bound of what is missing.
  private(set) var shareSeen = 1.0
  /// First UTC day of the window, days since 1970.
  let firstDay: Int

  init(_ b: AddressEstimator) {
    let table = b.table
    let first = Int(table.hours.lowerBound)
    firstDay = first / 24
    let days = (first + table.hourCount - 1) / 24 - firstDay + 1
    var tagDays = [[Double]](repeating: [Double](repeating: 0, count: days), count: table.networks.count)
    var addresses = [Double](repeating: 0, count: days)
    var few = FewHours()
    var unit: UInt64?
    var seen = Set<Int>()
    for tag in table.tags.entries where !b.networks[Int(tag.network)].isDropped {
      if tag.unit != unit { seen.removeAll(keepingCapacity: true) }
      unit = tag.unit
      let n = Int(tag.network)
      let weight = b.measures.weight(tag, table.tags.words)
      var last = -1
      var hours = 0
      tag.forEachHour(table.tags.words) { hour in
        let day = (first + hour) / 24 - first / 24
        hours += 1
        guard day != last else { return }
        if last >= 0 { few.count(hours - 1) }
        hours = 1
        last = day
        tagDays[n][day] += weight
        if seen.insert(day).inserted { addresses[day] += 1 / table.theta }
      }
      if last >= 0 { few.count(hours) }
    }
    let zero = firstDay
    let whole = (0..<days).map { day in
      (zero + day) * 24 >= first && (zero + day + 1) * 24 <= first + table.hourCount
    }
    self.addresses = addresses
    var shown = 1.0
    if b.visibility.share < b.rules.visibilityPlain, few.all > 0 {
      shown = max(0.2, few.all / (few.all + few.unseen(few.one)))
    }
    shareSeen = shown
    active = Self.active(b, tagDays, whole, shown)
    stock = Self.stock(b, whole, firstDay)
  }

  /// Machine-days were counted with the day cut where a network renumbers; here they are shared out over UTC days.
  private static func active(_ b: AddressEstimator, _ tagDays: [[Double]], _ whole: [Bool], _ shareSeen: Double)
    -> [Double?]
  {
    let anchors = b.networks.indices.filter { b.networks[$0].isAnchor }
    let ofAnchors = anchors.reduce((utc: 0.0, local: 0.0)) {
      (
        $0.utc + tagDays[$1].reduce(0, +) * b.measures.networks[$1].occupancyOfDay,
        $0.local + b.networks[$1].machineDays
      )
    }
    let stretch = ofAnchors.local > 0 ? ofAnchors.utc / ofAnchors.local : 1
    let factors = b.networks.indices.map { n -> Double in
      let utc = tagDays[n].reduce(0, +)
      guard utc > 0 else { return 0 }
      let occupancy = b.sharing == .contactRate ? b.networks[n].occupancy : b.measures.networks[n].occupancyOfDay
      return b.networks[n].isAnchor ? occupancy : b.networks[n].machineDays * stretch / utc
    }
    let shown = shareSeen / b.machinesADay * b.roaming.daysPerDay
    return whole.indices.map { day in
      guard whole[day] else { return nil }
      return b.networks.indices.reduce(0) { $0 + tagDays[$1][day] * factors[$1] } / b.table.theta / shown
    }
  }

  /// Live divided by the share of the infected machines that are on at that local hour, as anchors show it.
  private static func stock(_ b: AddressEstimator, _ whole: [Bool], _ firstDay: Int) -> [Double?] {
    guard let on = OnlineProfile(b) else { return whole.map { _ in nil } }
    let table = b.table
    let first = Int(table.hours.lowerBound)
    return whole.indices.map { day in
      guard whole[day] else { return nil }
      var sum = 0.0
      var hours = 0.0
      for hour in (firstDay + day) * 24..<(firstDay + day + 1) * 24 {
        var machines = 0.0
        var isKnown = true
        for n in b.networks.indices {
          guard let live = b.live(hour - first, network: n) else {
            isKnown = false
            break
          }
          machines += live / on.share(hour, zone: Int(table.networks[n].timeZone))
        }
        guard isKnown else { continue }
        sum += machines
        hours += 1
      }
      return hours >= 12 ? sum / hours / b.roaming.networksPerMachine : nil
    }
  }
}

/// Share of the infected machines that are on, by local hour of the week (of the day in windows below two weeks).
struct OnlineProfile: Sendable {
  private var shares: [Double]

  /// `nil` where there are no anchors, or too few sights.
  init?(_ b: AddressEstimator) {
    let table = b.table
    let period = table.hourCount >= 14 * 24 ? 168 : 24
    guard table.hourCount >= 96 else { return nil }
    var on = [Double](repeating: 0, count: period)
    var alive = on
    let first = Int(table.hours.lowerBound)
    for tag in table.tags.entries where b.networks[Int(tag.network)].isAnchor {
      let from = tag.firstHour(table.tags.words)
      let to = tag.lastHour(table.tags.words)
      guard to - from >= 24 else { continue }
      let phase = first + Int(table.networks[Int(tag.network)].timeZone)
      var seen = 0
      tag.forEachHour(table.tags.words) { hour in
        on[(hour + phase) % period] += 1
        seen += 1
      }
      // A machine is infected for longer than it is seen: what begins or ends while it is off shows at its next
      // sight.
      let off = Double(to - from + 1 - seen)
      let more = Int(off / Double(max(1, tag.stretches(table.tags.words) - 1)) * off / Double(to - from + 1))
      for hour in max(0, from - more)...min(table.hourCount - 1, to + more) { alive[(hour + phase) % period] += 1 }
    }
    guard alive.reduce(0, +) > 1000 else { return nil }
    // The same share was seen of all.
    let seen = b.visibility.share
    shares = zip(on, alive).map { $1 > 0 ? min(1, max(0.01, $0 / $1 / seen)) : 1 }
  }

  /// - Parameters:
  ///   - hour: UTC hours since 1970.
  ///   - zone: hours east of UTC.
  func share(_ hour: Int, zone: Int) -> Double { shares[(hour + zone) % shares.count] }
}

extension CensusEstimator {
  /// Live machines by hour of each country with a known code, for rates of clean-up by country.
  public func countrySeries() -> [TrendSeries] {
    guard !refuses(.live) else { return [] }
    let blind = clocks.blind
    var members: [CountryCode: [Int]] = [:]
    for n in table.networks.indices where !b.networks[n].isDropped && table.networks[n].country != .unknown {
      members[table.networks[n].country, default: []].append(n)
    }
    return members.sorted { $0.key < $1.key }.map { country, own in
      TrendSeries(
        country: country, firstHour: table.hours.lowerBound,
        live: (0..<table.hourCount).map { hour in
          guard !blind.contains(hour) else { return nil }
          var sum = 0.0
          for n in own {
            guard let live = usesIdentities ? a?.live(hour, network: n) : b.live(hour, network: n) else { return nil }
            sum += live
          }
          return sum
        })
    }
  }
}
