import Glibc

/// Machines that move between networks: from addresses alone each is counted once in each.
///
/// Such a machine is one fingerprint at two addresses in different networks of a country, on the same days and never
/// in the same hour. Tags pair like that by chance, too. How often two tags have one fingerprint by chance is told by
/// pairs that do share an hour, which cannot be one machine; what those that never do have beyond it are machines that
/// moved. No machine is told from another, only how many there are.
///
/// - Complexity: O(tags × tags of one country and fingerprint), both bounded.
struct Roaming: Sendable {
  /// Networks in which a machine is counted, mean; 1 where nothing shows.
  private(set) var networksPerMachine = 1.0
  /// Machine-days by network for each day on which a machine was on anywhere.
  private(set) var daysPerDay = 1.0
  /// One standard error of the share of machine-days that are counted twice; `nil`: it cannot be told.
  private(set) var error: Double?

  /// Standard errors by which pairs must exceed chance. Pairs share tags, so they vary more than independent ones.
  static let clear = 8.0
  /// A larger error means that nothing can be told.
  static let errorMost = 0.05
  private static let shareLeast = 0.045
  /// Tags with one fingerprint in one country that are paired with one another, at most.
  private static let alikeMost = 2000
  /// Pairs of any fingerprints in one country that are looked at, at most.
  private static let anyMost = 100_000

  private struct Tag {
    var entry: CensusTable.Tags.Entry
    var days: UInt64
    var country: CountryCode
  }

  /// Pairs of tags in different networks that share days.
  private struct Pairs {
    /// Seen in one hour at least once.
    var together = 0.0
    /// Days that those which never were share.
    var apartDays = 0.0
    var squaredDays = 0.0
    /// Of those among them that both were there for long: days shared, and days of the one that was there less.
    var common = 0.0
    var fewer = 0.0
  }

  private struct Excess {
    var days = 0.0
    var variance = 0.0
    var common = 0.0
    var fewer = 0.0
    var tagDays = 0.0
  }

  static let none = Roaming()

  private init() {}

  init(_ b: AddressEstimator) {
    guard b.sharing == .fingerprints, b.table.hourCount >= b.rules.windowForDays else { return }
    let tags = Self.tags(b)
    var random = RandomSource(seed: 0x726f_616d, stream: UInt64(tags.count))
    var excess = Excess()
    var from = 0
    while from < tags.count {
      var to = from + 1
      while to < tags.count, tags[to].country == tags[from].country { to += 1 }
      if to - from >= 10 { Self.compare(tags[from..<to], b.table.tags.words, &random, &excess) }
      from = to
    }
    settle(excess, b.table.theta)
  }

  /// Tags of networks in which a tag is one machine, by country and fingerprint.
  private static func tags(_ b: AddressEstimator) -> [Tag] {
    let words = b.table.tags.words
    var out: [Tag] = []
    for entry in b.table.tags.entries where entry.fingerprint != 0 {
      let n = Int(entry.network)
      guard !b.networks[n].isDropped, !b.networks[n].isShared, b.measures.weight(entry, words) == 1 else { continue }
      let phase = Int(b.table.hours.lowerBound) + Int(b.table.networks[n].timeZone) - b.quietMiddle
      var days: UInt64 = 0
      entry.forEachHour(words) { hour in
        let day = (hour + phase) / 24 - phase / 24
        if day < 64 { days |= 1 << UInt64(day) }
      }
      if days != 0 { out.append(Tag(entry: entry, days: days, country: b.table.networks[n].country)) }
    }
    return out.sorted {
      ($0.country.raw, $0.entry.fingerprint, $0.entry.unit) < ($1.country.raw, $1.entry.fingerprint, $1.entry.unit)
    }
  }

  /// Adds what the tags of one country have beyond chance.
  private static func compare(
    _ tags: ArraySlice<Tag>, _ words: [UInt64], _ random: inout RandomSource, _ excess: inout Excess
  ) {
    var alike = Pairs()
    var from = tags.startIndex
    while from < tags.endIndex {
      var to = from + 1
      while to < tags.endIndex, tags[to].entry.fingerprint == tags[from].entry.fingerprint { to += 1 }
      // Units are hashes, so the first ones are a sample.
      let end = min(to, from + alikeMost)
      let scale = pow(Double(to - from) / Double(end - from), 2)
      for i in from..<end { for j in i + 1..<max(i + 1, end) { look(tags[i], tags[j], words, scale, &alike) } }
      from = to
    }
    var any = Pairs()
    if tags.count * (tags.count - 1) / 2 <= anyMost {
      for i in tags.indices { for j in i + 1..<max(i + 1, tags.endIndex) { look(tags[i], tags[j], words, 1, &any) } }
    } else {
      for _ in 0..<anyMost {
        let i = tags.startIndex + random.int(below: tags.count)
        let j = tags.startIndex + random.int(below: tags.count)
        if i != j { look(tags[i], tags[j], words, 1, &any) }
      }
    }
    guard any.together >= 100, alike.together >= 5 else { return }
    let chance = alike.together / any.together
    let ratio = any.apartDays / any.together
    excess.days += alike.apartDays - chance * any.apartDays
    excess.variance += alike.squaredDays + ratio * ratio * alike.together
    excess.common += alike.common - chance * any.common
    excess.fewer += alike.fewer - chance * any.fewer
    excess.tagDays += tags.reduce(0.0) { $0 + Double($1.days.nonzeroBitCount) }
  }

  private static func look(_ a: Tag, _ b: Tag, _ words: [UInt64], _ scale: Double, _ pairs: inout Pairs) {
    guard a.entry.network != b.entry.network else { return }
    let common = (a.days & b.days).nonzeroBitCount
    let fewer = min(a.days.nonzeroBitCount, b.days.nonzeroBitCount)
    guard common >= 1, common * 10 >= 3 * fewer else { return }
    let from = max(a.entry.firstWord, b.entry.firstWord)
    let to = min(a.entry.firstWord + a.entry.wordCount, b.entry.firstWord + b.entry.wordCount)
    if from < to {
      for word in from..<to
      where words[a.entry.start + Int(word - a.entry.firstWord)] & words[b.entry.start + Int(word - b.entry.firstWord)]
        != 0
      {
        pairs.together += scale
        return
      }
    }
    let days = Double(common)
    pairs.apartDays += scale * days
    pairs.squaredDays += scale * days * days
    guard fewer >= 5, common >= 3 else { return }
    pairs.common += scale * days
    pairs.fewer += scale * Double(fewer)
  }

  private mutating func settle(_ excess: Excess, _ theta: Double) {
    guard excess.tagDays >= 1000, excess.variance > 0 else { return }
    // A pair is in the sample when both of its addresses are.
    let days = excess.tagDays * theta
    let share = excess.days / days
    error = excess.variance.squareRoot() / days
    guard excess.days > Self.clear * excess.variance.squareRoot(), share > Self.shareLeast else { return }
    daysPerDay = 1 / (1 - min(0.5, share))
    // Of the days in a network, machines that move are in another one, too, on this share.
    let overlap = excess.fewer > 0 ? max(0.3, min(1, excess.common / excess.fewer)) : 1
    networksPerMachine = 1 / (1 - min(0.6, share / overlap))
  }
}
