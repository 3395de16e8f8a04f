/// Adds up the records of spools: one entry per (botnet, source), then counts by network.
///
/// - Complexity: O(1) a record; about 100 octets a source, at most `sourcesMost` of them.
struct SinkholeTally {
  /// 16 M sources: more than Mariposa's 13 M addresses; 1.6 GB.
  static let sourcesMost = 1 << 24
  static let resolversMost = 1 << 20
  static let botnetsMost = 1 << 12
  static let portsShown = 8
  /// Versions of the rules that are told; a spool has a handful.
  static let rulesMost = 64

  private struct Key: Hashable {
    var botnet: UInt16
    var source: IPAddress
  }
  fileprivate struct Source {
    var level: EvidenceLevel
    var visitor: VisitorClass?
    var port: UInt16
    var first: Timestamp
    var last: Timestamp
    var messages: UInt64
    var factor: UInt32
    /// UTC days with a sighting, each by its number modulo 64.
    var days: UInt64
  }
  private struct Place: Hashable {
    var botnet: UInt16
    var prefix: Prefix
  }

  /// Machines told apart over all botnets: 32 octets each.
  static let identitiesMost = 1 << 24

  private struct Machine: Hashable {
    var botnet: UInt16
    var identity: UInt64
  }
  private var machines: Set<Machine> = []
  private var names: [String] = []
  private var numbers: [String: UInt16] = [:]
  private var sources: [Key: Source] = [:]
  private var resolvers: Set<IPAddress> = []
  private(set) var summary = SinkholeSummary()
  var isEmpty: Bool { summary.records == 0 && summary.segments == 0 }

  mutating func add(_ record: SpoolRecord) {
    summary.records &+= 1
    if let time = record.time { summary.asOf = max(summary.asOf ?? time, time) }
    switch record {
    case .sighting(let sighting): add(sighting)
    case .sample: summary.samples &+= 1
    case .dnsCount(let count):
      summary.dnsQueries &+= UInt64(count.count)
      if resolvers.count < Self.resolversMost { resolvers.insert(count.resolver) }
    case .notice(let notice):
      switch notice.event {
      case .kernelDrops(let drops): summary.kernelDrops &+= drops
      case .lost(let loss): summary.recordsLost &+= loss.total
      case .clockStep: summary.clockSteps &+= 1
      case .started, .stopped, .samplingFactor, .recovered, .remark: break
      }
    }
  }

  mutating func add(_ segments: [SpoolReader.SegmentReport]) {
    summary.segments &+= segments.count
    summary.segmentsVerified &+= segments.count { $0.isVerified }
    summary.segmentsOpen &+= segments.count { $0.isOpen }
  }

  private mutating func add(_ s: Sighting) {
    note(rules: s.ruleVersion)
    guard let botnet = number(of: s.botnet) else { return }
    if s.visitor == nil, s.level >= .recognised {
      for item in s.identities { note(Machine(botnet: botnet, identity: item.identity)) }
    }
    let key = Key(botnet: botnet, source: s.source)
    if let place = sources.index(forKey: key) {
      sources.values[place].merge(Source(s))
    } else if sources.count < Self.sourcesMost {
      sources[key] = Source(s)
    } else {
      summary.refused &+= 1
    }
  }

  private mutating func note(_ machine: Machine) {
    guard machines.count < Self.identitiesMost || machines.contains(machine) else {
      summary.refused &+= 1
      return
    }
    machines.insert(machine)
  }

  private mutating func note(rules version: UInt32) {
    guard summary.ruleVersions.count < Self.rulesMost || summary.ruleVersions.contains(version) else {
      summary.hasMoreRules = true
      return
    }
    summary.ruleVersions.insert(version)
  }

  /// One tally of several spools; `nil` for none.
  static func joined(_ tallies: [SinkholeTally]) -> SinkholeTally? {
    guard var sum = tallies.first else { return nil }
    for other in tallies.dropFirst() { sum.add(other) }
    return sum
  }

  private mutating func add(_ other: SinkholeTally) {
    for (key, source) in other.sources {
      guard let botnet = number(of: other.names[Int(key.botnet)]) else { continue }
      let own = Key(botnet: botnet, source: key.source)
      if let place = sources.index(forKey: own) {
        sources.values[place].merge(source)
      } else if sources.count < Self.sourcesMost {
        sources[own] = source
      } else {
        summary.refused &+= 1
      }
    }
    for machine in other.machines {
      guard let botnet = number(of: other.names[Int(machine.botnet)]) else { continue }
      note(Machine(botnet: botnet, identity: machine.identity))
    }
    for version in other.summary.ruleVersions.sorted() { note(rules: version) }
    summary.hasMoreRules = summary.hasMoreRules || other.summary.hasMoreRules
    if let time = other.summary.asOf { summary.asOf = max(summary.asOf ?? time, time) }
    for resolver in other.resolvers where resolvers.count < Self.resolversMost { resolvers.insert(resolver) }
    summary.segments &+= other.summary.segments
    summary.segmentsVerified &+= other.summary.segmentsVerified
    summary.segmentsOpen &+= other.summary.segmentsOpen
    summary.records &+= other.summary.records
    summary.kernelDrops &+= other.summary.kernelDrops
    summary.recordsLost &+= other.summary.recordsLost
    summary.clockSteps &+= other.summary.clockSteps
    summary.samples &+= other.summary.samples
    summary.dnsQueries &+= other.summary.dnsQueries
    summary.refused &+= other.summary.refused
  }

  private mutating func number(of botnet: String) -> UInt16? {
    if let known = numbers[botnet] { return known }
    guard names.count < Self.botnetsMost else {
      summary.refused &+= 1
      return nil
    }
    let number = UInt16(names.count)
    names.append(botnet)
    numbers[botnet] = number
    return number
  }

  /// Counts by botnet and network; asks `networks` in batches.
  func summed(networks: (any NetworkDirectory)?) -> SinkholeSummary {
    var out = summary
    out.resolvers = resolvers.count
    out.networksOrigin = networks?.origin
    var rows: [Place: (counts: Counts, record: NetworkRecord?)] = [:]
    var totals = [Counts](repeating: Counts(), count: names.count)
    var batch: [(key: Key, source: Source)] = []
    let asOf = summary.asOf ?? .distantPast
    func take() {
      let known = networks?.records(of: batch.map(\.key.source)) ?? []
      for (i, item) in batch.enumerated() {
        let record = i < known.count ? known[i] : nil
        let prefix = record?.prefix ?? Prefix(item.key.source, length: item.key.source.isV4 ? 24 : 48)
        rows[Place(botnet: item.key.botnet, prefix: prefix), default: (Counts(), record)].counts.add(
          item.source, asOf: asOf)
        totals[Int(item.key.botnet)].add(item.source, asOf: asOf)
      }
      batch.removeAll(keepingCapacity: true)
    }
    for (key, source) in sources {
      batch.append((key, source))
      if batch.count == 4096 { take() }
    }
    take()
    out.rows = rows.map { place, value in
      SinkholeSummary.Row(
        botnet: names[Int(place.botnet)], prefix: place.prefix, system: value.record?.system,
        systemName: value.record?.systemName, country: value.record?.country, sources: value.counts.finished)
    }.sorted {
      ($1.sources.infected, $1.sources.visiting, $0.botnet, $0.prefix.address, $0.prefix.bits)
        < ($0.sources.infected, $0.sources.visiting, $1.botnet, $1.prefix.address, $1.prefix.bits)
    }
    var networksOf: [String: Int] = [:]
    for row in out.rows where row.sources.infected > 0 { networksOf[row.botnet, default: 0] += 1 }
    var identities = [UInt64](repeating: 0, count: names.count)
    for machine in machines { identities[Int(machine.botnet)] += 1 }
    out.botnets = names.indices.map {
      SinkholeSummary.Botnet(
        name: names[$0], sources: totals[$0].finished, networks: networksOf[names[$0]] ?? 0, identities: identities[$0])
    }.sorted { ($1.sources.infected, $0.name) < ($0.sources.infected, $1.name) }
    return out
  }

  private struct Counts {
    var sources = SinkholeSummary.SourceCounts()
    var ports: [UInt16: UInt64] = [:]
    /// A whole number, so that the sum does not depend on the order of a dictionary.
    private var weightInMillionths: UInt64 = 0
    static let portsMost = 1024

    mutating func add(_ s: Source, asOf: Timestamp) {
      if let visitor = s.visitor {
        sources.visitors[visitor, default: 0] += 1
      } else {
        sources.byLevel[Int(s.level.rawValue)] += 1
        if s.level >= .recognised {
          age(s, asOf)
          sources.addressDays &+= UInt64(s.days.nonzeroBitCount)
        }
      }
      sources.messages &+= s.messages
      sources.first = min(sources.first, s.first)
      sources.last = max(sources.last, s.last)
      sources.factor = max(sources.factor, s.factor)
      if ports[s.port] != nil || ports.count < Self.portsMost { ports[s.port, default: 0] += 1 }
    }

    private mutating func age(_ s: Source, _ asOf: Timestamp) {
      let weight = Decay.weightInMillionths(of: s.level, last: s.last, asOf: asOf)
      if weight == 0 { sources.expired += 1 }
      weightInMillionths &+= weight
      let expiry = Decay.expiry(of: s.level, last: s.last)
      sources.expires = max(sources.expires ?? expiry, expiry)
    }

    var finished: SinkholeSummary.SourceCounts {
      var out = sources
      out.weight = Double(weightInMillionths) / 1e6
      out.ports = ports.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(SinkholeTally.portsShown).map(\.key)
      return out
    }
  }
}

extension SinkholeTally.Source {
  fileprivate init(_ s: Sighting) {
    self.init(
      level: s.level, visitor: s.visitor, port: s.ports.first ?? 0, first: s.first, last: s.last,
      messages: UInt64(s.count), factor: max(1, s.samplingFactor), days: 1 << UInt64(s.hour / 24 % 64))
  }

  /// A machine behind the address of a visitor makes it a victim's, never the other way round.
  fileprivate mutating func merge(_ s: SinkholeTally.Source) {
    if s.visitor == nil { visitor = nil }
    level = max(level, s.level)
    first = min(first, s.first)
    if s.last >= last {
      last = s.last
      port = s.port
    }
    messages &+= s.messages
    factor = max(factor, s.factor)
    days |= s.days
  }
}
