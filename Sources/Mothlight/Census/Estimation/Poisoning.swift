import Glibc

/// Networks with stable addresses whose sources are no machines of victims, as far as their lives tell: somebody who
/// keeps coming back to spoil a count, from a network on no list of hosting companies.
///
/// A botnet's machines are infected and cleaned at their own time, are used by different people, in the day and night
/// of their place, and their traits are those of the botnet. A network is set aside when three of five marks stand out
/// from the other stable networks; each mark alone has honest reasons, such as one company's computers.
struct Poisoning: Sendable {
  struct Marks: Sendable {
    /// Sources are all used alike: hours a day vary far less than elsewhere.
    var isUniform = false
    /// They were all there from the beginning to the end.
    var isDeathless = false
    /// Their traits are not those of the others.
    var isForeign = false
    /// Their hours are not those of people there.
    var isOutOfTime = false
    /// Several share each address.
    var isCrowded = false

    var count: Int { [isUniform, isDeathless, isForeign, isOutOfTime, isCrowded].count { $0 } }
  }

  /// By network; without marks where too little is known.
  private(set) var marks: [Marks]

  static let marksLeast = 3
  static let networksLeast = 5
  static let tagsLeast = 20

  private struct Lives {
    var tags = 0.0
    var lasting = 0.0
    var rates: [Double] = []
    var clock = [Double](repeating: 0, count: 24)
    var traits: [UInt64: Double] = [:]

    var hours: Double { clock.reduce(0, +) }

    /// Standard deviation of the hours a day between sources, by their mean.
    var variation: Double? {
      guard rates.count >= Poisoning.tagsLeast else { return nil }
      let mean = rates.reduce(0, +) / Double(rates.count)
      return (rates.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rates.count)).squareRoot() / max(1e-9, mean)
    }
  }

  /// - Parameter stable: networks to be compared with one another.
  init(_ b: AddressEstimator, stable: [Int]) {
    marks = [Marks](repeating: Marks(), count: b.networks.count)
    guard b.table.hourCount >= 10 * 24 else { return }
    var lives = [Lives](repeating: Lives(), count: b.networks.count)
    let members = Set(stable.map(Int32.init))
    for tag in b.table.tags.entries where members.contains(tag.network) { Self.add(tag, b, &lives) }
    let known = stable.filter { lives[$0].tags >= Double(Self.tagsLeast) }
    guard known.count >= Self.networksLeast else { return }
    let usual = Visibility.median(known.compactMap { lives[$0].variation })
    let crowd = Visibility.median(
      known.map { b.measures.networks[$0].tags / max(1, b.measures.networks[$0].addresses) })
    let distances = known.map { n in Self.distance(lives[n], from: known.filter { $0 != n }.map { lives[$0] }) }
    let near = Visibility.median(distances)
    for (i, n) in known.enumerated() {
      let others = known.filter { $0 != n }.map { lives[$0] }
      if let own = lives[n].variation { marks[n].isUniform = own < 0.35 * usual }
      marks[n].isDeathless = Self.isDeathless(lives[n], others)
      marks[n].isForeign = Self.isForeign(lives[n], others)
      marks[n].isOutOfTime = distances[i] > 0.1 && distances[i] > 2.5 * near && lives[n].hours >= 500
      marks[n].isCrowded = b.measures.networks[n].tags / max(1, b.measures.networks[n].addresses) > 2 * crowd
    }
  }

  func isSetAside(_ network: Int) -> Bool { marks[network].count >= Self.marksLeast }

  private static func add(_ tag: CensusTable.Tags.Entry, _ b: AddressEstimator, _ lives: inout [Lives]) {
    let words = b.table.tags.words
    let hours = tag.count(words)
    guard hours >= 6, b.measures.weight(tag, words) == 1 else { return }
    let n = Int(tag.network)
    let first = tag.firstHour(words)
    let last = tag.lastHour(words)
    let edge = min(96, b.table.hourCount / 6)
    lives[n].tags += 1
    if first < edge, last >= b.table.hourCount - edge { lives[n].lasting += 1 }
    if last - first >= 168 { lives[n].rates.append(Double(hours) / Double(last - first)) }
    if tag.fingerprint != 0 { lives[n].traits[tag.fingerprint, default: 0] += 1 }
    let phase = ((Int(b.table.hours.lowerBound) + Int(b.table.networks[n].timeZone)) % 24 + 24) % 24
    tag.forEachHour(words) { lives[n].clock[($0 + phase) % 24] += 1 }
  }

  /// Far more sources last from end to end than elsewhere, and nearly all do.
  private static func isDeathless(_ own: Lives, _ others: [Lives]) -> Bool {
    let all = others.reduce(0) { $0 + $1.tags }
    guard own.tags > 0, all > 0 else { return false }
    let usual = others.reduce(0) { $0 + $1.lasting } / all
    let share = own.lasting / own.tags
    let error = (max(0.01, usual * (1 - usual)) / own.tags).squareRoot()
    return share > 0.85 && share > usual + 0.25 && share - usual > 5 * error
  }

  /// Half of what separates two profiles by hour of day, 0...1.
  private static func distance(_ own: Lives, from others: [Lives]) -> Double {
    let all = others.reduce(0) { $0 + $1.hours }
    guard own.hours > 0, all > 0 else { return 0 }
    return (0..<24).reduce(0.0) { sum, hour in
      sum + abs(own.clock[hour] / own.hours - others.reduce(0) { $0 + $1.clock[hour] } / all)
    } / 2
  }

  /// Chi-squared of its traits against the others', with rare ones put together, eight standard deviations off.
  private static func isForeign(_ own: Lives, _ others: [Lives]) -> Bool {
    var traits: [UInt64: Double] = [:]
    for other in others { traits.merge(other.traits, uniquingKeysWith: +) }
    let all = traits.values.reduce(0, +)
    let mine = own.traits.values.reduce(0, +)
    guard mine >= Double(tagsLeast), all >= 10 * Double(tagsLeast), traits.count >= 5 else { return false }
    var sum = 0.0
    var kinds = 0.0
    var rest = (seen: mine, expected: mine)
    // Sorted: sums of floating-point numbers depend on their order.
    for (trait, count) in traits.sorted(by: { $0.key < $1.key }) where count / all * mine >= 2 {
      let expected = count / all * mine
      let seen = own.traits[trait] ?? 0
      sum += (seen - expected) * (seen - expected) / expected
      kinds += 1
      rest = (rest.seen - seen, rest.expected - expected)
    }
    if rest.expected >= 2 {
      sum += (rest.seen - rest.expected) * (rest.seen - rest.expected) / rest.expected
      kinds += 1
    }
    guard kinds >= 3 else { return false }
    return sum - (kinds - 1) > 8 * (2 * (kinds - 1)).squareRoot()
  }
}
