extension AddressEstimator {
  /// Mean check-ins of one machine in an hour: of the address-hours around the lowest clear mode (census.md B2).
  static func contactsOfOne(_ table: CensusTable) -> Double {
    let h = table.contactHistogram
    guard h.count > 3, h.dropFirst(2).contains(where: { $0 > 0 }) else { return 0 }
    let all = h.reduce(0, +)
    // Hours at whose edge a machine was switched on or off have fewer; the mode is the full hour.
    func near(_ c: Int) -> UInt64 {
      let width = max(0, c / 8)
      return h[max(1, c - width)...min(h.count - 1, c + width)].reduce(0, +)
    }
    let masses = (0..<h.count).map { $0 == 0 ? 0 : near($0) }
    guard let most = masses.max(), most > 0 else { return 0 }
    guard let mode = masses.firstIndex(of: most) else { return 0 }
    let cap = max(1, mode + (mode + 1) / 2)
    var sum = 0.0
    var count = 0.0
    for c in 1...min(cap, h.count - 1) {
      sum += Double(c) * Double(h[c])
      count += Double(h[c])
    }
    // One machine's hours are alike; where they are spread, nobody can say what one machine does.
    let alike = mode <= 2 ? count > 0.8 * Double(all) : Double(most) > 0.3 * Double(all)
    guard alike, count > 0 else { return 0 }
    return sum / count
  }

  /// Most check-ins in one hour that a single machine shows: the usual peak of addresses seen for a day or more.
  static func peakOfOne(_ tags: CensusTable.Tags) -> Double {
    var peaks: [Double] = []
    for tag in tags.entries where tag.peak > 0 && tag.count(tags.words) >= 24 { peaks.append(Double(tag.peak)) }
    guard peaks.count >= 20 else { return 0 }
    var masses: [Double: Int] = [:]
    for peak in peaks { masses[peak, default: 0] += 1 }
    let near = masses.keys.sorted().map { at in
      (at, masses.reduce(0) { $0 + (abs($1.key - at) <= 0.1 * at ? $1.value : 0) })
    }
    guard let most = near.map(\.1).max() else { return 0 }
    // The lowest clear mode: two machines behind an address show twice as many.
    return near.first { Double($0.1) >= 0.5 * Double(most) }?.0 ?? 0
  }
}
