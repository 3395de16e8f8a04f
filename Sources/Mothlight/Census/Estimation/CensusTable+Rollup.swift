extension CensusTable {
  /// The view of a rollup over a window: tags and identities of the samples, and cells by network and hour.
  ///
  /// - Parameter window: hours outside are left out; `nil`: from the first hour with cells to the last.
  /// - Returns: `nil` when nothing lies in the window.
  /// - Complexity: O(cells + tags × words).
  public init?(_ rollup: CensusRollup, window: ClosedRange<UInt32>? = nil) {
    let known = rollup.hoursWithCells.filter { window?.contains($0) ?? true }
    guard let first = known.first, let last = known.last else { return nil }
    self.init(hours: window ?? first...last, sensors: rollup.sensors)
    theta = rollup.tags.theta
    identityTheta = rollup.identities.theta
    rows = rollup.rows
    samplingFactor = rollup.samplingFactor
    for (reason, count) in rollup.dropped { dropped[reason.rawValue] = count }
    var places = Places()
    tags = Self.tags(rollup.tags, hours, rollup.sensors.count, &places)
    identities = Self.tags(rollup.identities, hours, rollup.sensors.count, &places)
    addCells(rollup, known, &places)
    networks = places.networks
    let moved = rollup.tags.tags.count(where: \.hasMoved)
    movedShare = rollup.tags.isEmpty ? 0 : Double(moved) / Double(rollup.tags.count)
    addContacts(rollup)
    let whole = rollup.hoursWithCells
    if theta < 1, whole.first == known.first, whole.last == known.last { addressesInWindow = rollup.total.estimate }
  }

  /// Numbers of networks, as they come.
  private struct Places {
    var networks: [Network] = []
    private var numbers: [UInt64: Int] = [:]

    /// A network is a system within a country; of its tags' time zones the first stands.
    mutating func number(_ system: UInt32, _ country: CountryCode, _ timeZone: Int8?) -> Int {
      let key = UInt64(system) << 16 | UInt64(country.raw)
      if let known = numbers[key] { return known }
      networks.append(Network(system: system, country: country, timeZone: timeZone ?? TimeZones.hoursEast(of: country)))
      numbers[key] = networks.count - 1
      return networks.count - 1
    }
  }

  private static func tags(
    _ sketch: TupleSketch, _ window: ClosedRange<UInt32>, _ sensors: Int, _ places: inout Places
  ) -> Tags {
    var out = Tags()
    if sensors > 1 { out.bySensor = [[UInt64]](repeating: [], count: sensors) }
    let shift = window.lowerBound
    let wordsMost = Int(window.upperBound - shift) / 64 + 1
    for tag in sketch.sortedTags {
      let all = tag.allHours.clamped(to: window)
      guard let first = all.first, let last = all.last else { continue }
      let from = Int(first - shift) >> 6
      let count = min(wordsMost, Int(last - shift) >> 6 + 1) - from
      let start = out.words.count
      let place = places.number(tag.place.system, tag.place.country, tag.place.timeZone)
      out.words.append(contentsOf: repeatElement(0, count: count))
      for hour in all {
        let at = Int(hour - shift)
        out.words[start + at >> 6 - from] |= 1 << UInt64(at & 63)
      }
      for sensor in 0..<sensors where sensors > 1 {
        out.bySensor[sensor].append(contentsOf: repeatElement(0, count: count))
        for hour in tag.hours(at: sensor) where window.contains(hour) {
          let at = Int(hour - shift)
          out.bySensor[sensor][start + at >> 6 - from] |= 1 << UInt64(at & 63)
        }
      }
      let seen = tag.companions.sorted { ($0.firstHour, $0.hash) < ($1.firstHour, $1.hash) }
      out.entries.append(
        Tags.Entry(
          unit: tag.unit, fingerprint: tag.fingerprint, network: Int32(place), firstWord: UInt16(clamping: from),
          wordCount: UInt16(clamping: count), start: start, peak: UInt16(clamping: tag.peakContacts),
          identities: tag.hasMoreCompanions ? 255 : UInt8(clamping: seen.count),
          isReplaced: !tag.hasMoreCompanions && seen.count == 2 && seen[0].lastHour < seen[1].firstHour))
    }
    return out
  }

  private mutating func addCells(_ rollup: CensusRollup, _ known: [UInt32], _ places: inout Places) {
    var cells: [(network: Int, hour: Int, addresses: Double, contacts: Double)] = []
    for hour in known {
      for cell in rollup.cells(ofHour: hour) {
        cells.append(
          (
            places.number(cell.system, cell.country, nil), Int(hour - hours.lowerBound), cell.addresses,
            Double(cell.contacts.reduce(0, &+))
          ))
      }
    }
    let width = hourCount
    contacts = [Double](repeating: 0, count: places.networks.count * width)
    if theta < 1 { addresses = contacts }
    for cell in cells {
      contacts[cell.network * width + cell.hour] += cell.contacts
      if theta < 1 { addresses[cell.network * width + cell.hour] += cell.addresses }
    }
  }

  /// One sensor's histogram is the sources'; of several, check-ins of an hour add up for each source, and the
  /// histogram of the fullest is stretched to that.
  private mutating func addContacts(_ rollup: CensusRollup) {
    let filled = rollup.contactCounts.filter { !$0.counts.isEmpty }
    guard let fullest = filled.max(by: { $0.counts.reduce(0, &+) < $1.counts.reduce(0, &+) }) else { return }
    guard filled.count > 1 else {
      contactHistogram = fullest.counts
      return
    }
    var seen = 0
    var seenBySensors = 0
    for tag in tags.entries {
      for i in tag.start..<tag.start + Int(tag.wordCount) {
        seen += tags.words[i].nonzeroBitCount
        for words in tags.bySensor { seenBySensors += words[i].nonzeroBitCount }
      }
    }
    let stretch = seen > 0 ? Double(seenBySensors) / Double(seen) : 1
    for (contacts, count) in fullest.counts.enumerated() where count > 0 {
      contactHistogram[min(ContactCounts.most, Int((Double(contacts) * stretch).rounded()))] &+= count
    }
  }
}
