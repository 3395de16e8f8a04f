/// One source of one botnet on one UTC day, as its network may be told of it.
///
/// Address, ports and time belong together: they are those of one check-in, without which a carrier cannot find the customer behind
/// its translation (RFC 6302).
public struct Victim: Sendable, Hashable {
  public var botnet: String
  /// UTC days since the epoch.
  public var day: Int
  /// Of the last check-in that was kept whole, else of the last one.
  public var time: Timestamp
  /// An IPv6 source is the first address of its /64 unless a check-in was kept whole.
  public var source: IPAddress
  public var sourcePort: UInt16
  /// `nil` unless a check-in was kept whole.
  public var destination: IPAddress?
  public var destinationPort: UInt16
  public var transport: Transport
  public var first: Timestamp
  public var last: Timestamp
  /// Check-ins of the day, as recorded.
  public var count: UInt64
  public var level: EvidenceLevel
  public var ruleVersion: UInt32
  /// Signature of the check-in that was kept whole.
  public var rule: String?
  public var samplingFactor: UInt32
  public var application: ApplicationShape
  public var network: NetworkRecord?
}

/// Who is to be told.
public struct VictimChoice: Sendable {
  /// A recipient's networks; without any, everybody's.
  public struct Recipient: Sendable, Hashable {
    public var prefixes: [Prefix] = []
    public var systems: Set<UInt32> = []
    public init(prefixes: [Prefix] = [], systems: Set<UInt32> = []) {
      self.prefixes = prefixes
      self.systems = systems
    }
    var isEverybody: Bool { prefixes.isEmpty && systems.isEmpty }

    func covers(_ source: IPAddress, _ network: NetworkRecord?) -> Bool {
      isEverybody || prefixes.contains { $0.contains(source) } || network?.system.map { systems.contains($0) } ?? false
    }
  }

  /// Nothing below is told of; at least `shaped`.
  public var leastLevel: EvidenceLevel
  public var recipient: Recipient

  public init(leastLevel: EvidenceLevel = .recognised, recipient: Recipient = Recipient()) {
    self.leastLevel = leastLevel
    self.recipient = recipient
  }
}

/// Reads spools once more for the victims in them, day by day.
///
/// Segments of all spools are taken in order of time, sightings and samples side by side, and a day is given away when no segment
/// can add to it. Memory is that of two or three days' sources, at most `rowsMost` of them; then the days that are open are given away
/// early, and a source may have two rows of one day.
public struct VictimReader: Sendable {
  /// Sources times botnets times days: about 250 octets each.
  public static let rowsMost = 1 << 21
  /// Rows that are looked up in the directory at once.
  private static let batch = 4096

  /// Sources and days that were left out, and why.
  public struct Counts: Sendable, Equatable {
    public var rows: UInt64 = 0
    /// Labelled as visitors at any time of the day.
    public var visitors: UInt64 = 0
    public var belowLevel: UInt64 = 0
    /// In networks that are not the recipient's.
    public var elsewhere: UInt64 = 0
    /// Rows given away before their day was over, as there was no room.
    public var early: UInt64 = 0
  }

  public let spools: [String]
  let networks: (any NetworkDirectory)?
  private let rowsMost: Int

  public init(spools: [String], networks: (any NetworkDirectory)?, rowsMost: Int = VictimReader.rowsMost) {
    self.spools = spools
    self.networks = networks
    self.rowsMost = rowsMost
  }

  /// - Parameter body: gets the victims of whole days, by day, source and botnet.
  /// - Throws: what `body` throws. What of a spool cannot be read is passed over: who read it before has told of it.
  public func read(_ choice: VictimChoice, _ body: ([Victim]) throws -> Void) throws -> Counts {
    var counts = Counts()
    var drafts = VictimDrafts()
    let segments = spools.flatMap { (try? SpoolReader(path: $0))?.inOrderOfTime() ?? [] }
      .sorted { ($0.start, $0.path) < ($1.start, $1.path) }
    for segment in segments {
      // Rows of an hour are written in the next one, and again some seconds after a crash; a day is more than enough.
      try give(drafts.taken(before: segment.start.day - 1), choice, &counts, body)
      _ = try? SpoolSegment.scan(segment.path) { drafts.add($0) }
      if drafts.count > rowsMost {
        counts.early &+= UInt64(drafts.count)
        try give(drafts.taken(before: .max), choice, &counts, body)
      }
    }
    try give(drafts.taken(before: .max), choice, &counts, body)
    return counts
  }

  private func give(
    _ drafts: [VictimDrafts.Draft], _ choice: VictimChoice, _ counts: inout Counts, _ body: ([Victim]) throws -> Void
  ) throws {
    var victims: [Victim] = []
    for draft in drafts {
      if draft.isVisitor {
        counts.visitors &+= 1
      } else if draft.victim.level < max(.shaped, choice.leastLevel) {
        counts.belowLevel &+= 1
      } else {
        victims.append(draft.victim)
      }
    }
    victims.sort { ($0.day, $0.source, $0.botnet) < ($1.day, $1.source, $1.botnet) }
    for start in stride(from: 0, to: victims.count, by: Self.batch) {
      var part = Array(victims[start..<min(victims.count, start + Self.batch)])
      if let records = networks?.records(of: part.map(\.source)) {
        for i in part.indices where i < records.count { part[i].network = records[i] }
      }
      let chosen = part.filter { choice.recipient.covers($0.source, $0.network) }
      counts.elsewhere &+= UInt64(part.count - chosen.count)
      counts.rows &+= UInt64(chosen.count)
      if !chosen.isEmpty { try body(chosen) }
    }
  }
}

/// What is known so far of sources on days that are not over.
struct VictimDrafts {
  struct Draft {
    var victim: Victim
    var isVisitor: Bool
    /// From a check-in that was kept whole.
    var isWhole: Bool
    /// An hour's row was there; without one, samples are all that is known.
    var hasRow: Bool
  }
  private struct Key: Hashable {
    var botnet: String
    var source: IPAddress
    var day: Int
  }
  private var drafts: [Key: Draft] = [:]
  var count: Int { drafts.count }

  mutating func add(_ record: SpoolRecord) {
    switch record {
    case .sighting(let sighting): add(sighting)
    case .sample(let sample, _): add(sample)
    case .dnsCount, .notice: break
    }
  }

  private mutating func add(_ s: Sighting) {
    let key = Key(botnet: s.botnet, source: s.source, day: s.last.day)
    let new = Draft(
      victim: Victim(
        botnet: s.botnet, day: key.day, time: s.last, source: s.source, sourcePort: s.sourcePort,
        destinationPort: s.ports.first ?? 0, transport: s.transport, first: s.first, last: s.last,
        count: UInt64(s.count), level: s.level, ruleVersion: s.ruleVersion, samplingFactor: max(1, s.samplingFactor),
        application: s.transport == .udp ? .udp : .raw), isVisitor: s.visitor != nil, isWhole: false, hasRow: true)
    guard var old = drafts[key] else {
      drafts[key] = new
      return
    }
    old.isVisitor = old.isVisitor || new.isVisitor
    if !old.hasRow { old.victim.count = 0 }
    old.hasRow = true
    old.victim.count &+= new.victim.count
    old.victim.first = min(old.victim.first, s.first)
    old.victim.last = max(old.victim.last, s.last)
    old.victim.level = max(old.victim.level, s.level)
    old.victim.samplingFactor = max(old.victim.samplingFactor, new.victim.samplingFactor)
    if !old.isWhole, s.last >= old.victim.time {
      old.victim.time = s.last
      old.victim.sourcePort = s.sourcePort
      old.victim.destinationPort = new.victim.destinationPort
      old.victim.transport = s.transport
      old.victim.application = new.victim.application
      old.victim.ruleVersion = s.ruleVersion
    }
    drafts[key] = old
  }

  private mutating func add(_ c: CheckIn) {
    let source = c.source.isV4 ? c.source : IPAddress(high: c.source.high, low: 0)
    let key = Key(botnet: c.family, source: source, day: c.time.day)
    var draft =
      drafts[key]
      ?? Draft(
        victim: Victim(
          botnet: c.family, day: key.day, time: c.time, source: source, sourcePort: c.sourcePort,
          destinationPort: c.destinationPort, transport: c.transport, first: c.time, last: c.time, count: 0,
          level: .connected, ruleVersion: 0, samplingFactor: max(1, c.samplingFactor), application: .raw),
        isVisitor: false, isWhole: false, hasRow: false)
    draft.isVisitor = draft.isVisitor || c.visitor != nil
    draft.victim.level = max(draft.victim.level, c.level)
    draft.victim.first = min(draft.victim.first, c.time)
    draft.victim.last = max(draft.victim.last, c.time)
    if !draft.hasRow { draft.victim.count &+= 1 }
    // One that no rule knew says nothing about the victim: somebody else behind the address, maybe.
    if c.level >= .recognised, !draft.isWhole || c.time >= draft.victim.time {
      draft.isWhole = true
      draft.victim.time = c.time
      draft.victim.source = c.source
      draft.victim.sourcePort = c.sourcePort
      draft.victim.destination = c.destination
      draft.victim.destinationPort = c.destinationPort
      draft.victim.transport = c.transport
      draft.victim.application = c.application
      draft.victim.rule = c.rule
    }
    drafts[key] = draft
  }

  /// Takes out what is of days before `day`.
  mutating func taken(before day: Int) -> [Draft] {
    let keys = drafts.keys.filter { $0.day < day }
    guard !keys.isEmpty else { return [] }
    if keys.count == drafts.count {
      let all = Array(drafts.values)
      drafts.removeAll(keepingCapacity: true)
      return all
    }
    return keys.compactMap { drafts.removeValue(forKey: $0) }
  }
}
