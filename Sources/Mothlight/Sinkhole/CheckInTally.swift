import Glibc

/// Counts check-ins by source, botnet and hour, and writes what the spool keeps of them. One thread only.
///
/// Each check-in costs one look-up. Sightings leave once an hour: when a source is met again in a later hour, or when the
/// sweep comes past it. With `Settings.path` the counts of the hour under way survive the process.
public final class CheckInTally {
  public struct Settings: Sendable {
    /// IPv4 sources times botnets: 32 octets each, rounded up to a power of two; seven eighths can be in use.
    public var sourcesV4 = 1 << 24
    /// The same for /64 networks of IPv6: 40 octets each.
    public var sourcesV6 = 1 << 20
    /// File that holds the tables, best on a memory file system; `nil` for memory that ends with the process.
    public var path: String?
    /// Without room for the file it goes on in memory, and `CheckInTally.unkept` tells why.
    public var isPathOptional = false
    /// Check-ins kept of one source, botnet and day; at most 3.
    public var samplesPerDay: UInt16 = 3
    /// One check-in of this many is kept whoever sent it.
    public var uniformOneIn: UInt64 = 1000
    /// Samples written in a second: a flood of new sources must not become a flood on the disk. Who finds none left gets
    /// its sample at a later check-in.
    public var samplesPerSecond: UInt32 = 10_000
    /// Key of identities, where messages carry some; `nil`: none are taken.
    public var identityKey: IdentityKey?
    /// Machines told apart within an hour: 24 octets each.
    public var identitiesMost = IdentityTable.slotsDefault
    /// Hours without a check-in after which a source is forgotten.
    public var idleHours: UInt16 = 26

    public init() {}
  }

  public struct Counters: Sendable, Equatable {
    /// Everything that arrived, sampled out or not.
    public var checkIns: UInt64 = 0
    public var sampledOut: UInt64 = 0
    /// By level, from `connected` up.
    public var levels: [UInt64] = [0, 0, 0, 0]
    public var labelled: UInt64 = 0
    public var sightings: UInt64 = 0
    public var samples: UInt64 = 0
    public var samplesDeferred: UInt64 = 0
    /// Without a place in the table: the table was full, or one source had too many botnets.
    public var refused: UInt64 = 0
    public var forgotten: UInt64 = 0
    /// Check-ins whose identity was taken.
    public var identified: UInt64 = 0
    /// Identities without a place: the table was full, or one source had too many.
    public var identitiesRefused: UInt64 = 0
    public var clockStepsBack: UInt64 = 0
    /// How far the last of them went.
    public var clockBackNanoseconds: UInt64 = 0

    public init() {}
  }

  let settings: Settings
  let recogniser: Recogniser
  let networks: VisitorNetworks
  let sink: any SpoolSink
  var words: WordTable
  private let table: RecognitionTable
  private let personal: [Bool]
  /// By number of the signature; `isIdentified` is empty when no identities are taken.
  private let identityFields: [SignatureIdentity?]
  private let isIdentified: [Bool]
  let identities: IdentityTable?
  private var published: [UInt16: Double] = [:]
  let v4: SourceTable<UInt32>
  let v6: SourceTable<UInt64>
  private let familyOfHost: (String) -> String?
  /// Seconds since the epoch at hour 0 of the records.
  let baseHour: Int64
  private(set) var second: Int64
  var hour: UInt16
  var secondOfHour: UInt16
  var sampling: SamplingFactor
  private var isBehind = false
  private var random: UInt64
  private var samplesLeft: UInt32 = 0
  public var counters = Counters()
  /// Where the sweep stands in each table.
  var cursorV4 = 0
  var cursorV6 = 0
  /// A table that could not be read was put aside; where.
  public let quarantined: String?
  /// Why there is no file; `nil` when there is one or none was wanted.
  public let unkept: String?
  let inFlight: RowsInFlight?
  /// Sources that an earlier run has left.
  public let inherited: Int

  public init(
    _ settings: Settings, _ recogniser: Recogniser, networks: VisitorNetworks = VisitorNetworks(),
    familyOfHost: @escaping (String) -> String? = { _ in nil }, sink: any SpoolSink, now: Timestamp
  ) throws(ConfigurationError) {
    let (layout, opened) = try TallyLayout.open(settings, hour: Int64(now.hour))
    unkept = opened.unkept
    inFlight = layout.inFlightOffset.map { RowsInFlight(opened.memory.base + $0) }
    self.settings = settings
    self.recogniser = recogniser
    self.networks = networks
    self.sink = sink
    quarantined = opened.quarantined
    baseHour = opened.baseHour
    var words = WordTable(opened.memory.base + TallyLayout.wordsOffset)
    table = RecognitionTable(recogniser, &words)
    personal = recogniser.set.signatures.map { !$0.personalData.isEmpty }
    let fields = recogniser.set.signatures.map(\.identity)
    let takesIdentities = settings.identityKey != nil && fields.contains { $0 != nil }
    identityFields = fields
    isIdentified = takesIdentities ? fields.map { $0 != nil } : []
    identities =
      takesIdentities
      ? try IdentityTable(
        slots: settings.identitiesMost, path: opened.unkept == nil ? settings.path.map { "\($0).identities" } : nil,
        seed: opened.seed, baseHour: opened.baseHour) : nil
    for (family, seconds) in BotTiming.published { published[words.number(family)] = seconds }
    self.familyOfHost = familyOfHost
    self.words = words
    v4 = SourceTable(
      sources: settings.sourcesV4, memory: opened.memory, offset: TallyLayout.entriesOffset, seed: opened.seed)
    v6 = SourceTable(
      sources: settings.sourcesV6, memory: opened.memory, offset: layout.v6Offset, seed: mix64(opened.seed))
    inherited = v4.count + v6.count
    sampling = SamplingFactor(seed: mix64(opened.seed &+ 1))
    random = UInt64.random(in: .min ... .max)
    second = 0
    hour = 0
    secondOfHour = 0
    advance(to: now)
  }

  // MARK: Time

  /// Sets the clock for what follows. It never goes back here: a step back is counted and waited out.
  public func advance(to now: Timestamp) {
    let new = now.nanoseconds / 1_000_000_000
    if new < second {
      // Once for each step, not for each turn until the time is reached again.
      if second - new > 1, !isBehind {
        isBehind = true
        counters.clockStepsBack &+= 1
        counters.clockBackNanoseconds = UInt64(clamping: second - new) &* 1_000_000_000
      }
      return
    }
    isBehind = false
    guard new != second else { return }
    second = new
    inFlight?.isAlive(second: new)
    samplesLeft = settings.samplesPerSecond
    let hours = max(0, new / 3600 - baseHour)
    hour = UInt16(clamping: hours)
    secondOfHour = UInt16(clamping: new % 3600)
    sampling.begin(day: now.day)
  }

  /// UTC day of an hour of the records.
  func day(ofHour hour: UInt16) -> Int64 { (baseHour &+ Int64(hour)) / 24 }

  // MARK: Words

  /// Number of a family that a listener or zone declares.
  public func declare(_ family: String) -> UInt16 {
    family.isEmpty ? 0 : words.number(recogniser.canonical(family))
  }

  // MARK: Sampling

  public var samplingFactor: UInt32 { sampling.factor }

  /// Whether this source is among those looked at; counts it when it is not.
  @inline(__always)
  public func selects(_ source: IPAddress) -> Bool {
    if sampling.selects(source) { return true }
    counters.checkIns &+= 1
    counters.sampledOut &+= 1
    return false
  }

  /// Call about once a second with whether check-ins were lost since.
  /// - Returns: the new factor when it has changed.
  public func judgeLoad(isOverloaded: Bool) -> UInt32? {
    sampling.judge(isOverloaded: isOverloaded, second: second) ? sampling.factor : nil
  }

  // MARK: Check-ins

  /// Brings the source's place into the cache; call for a whole batch before its datagrams.
  @inline(__always)
  public func prepare(_ source: IPAddress) {
    if source.isV4 { v4.prefetch(source.v4) } else { v6.prefetch(source.high) }
  }

  public func datagram(_ ends: Endpoints, _ bytes: UnsafeRawBufferPointer, declared: UInt16) {
    guard selects(ends.client) else { return }
    let shape = recogniser.shape(ofDatagram: bytes.bytes, port: ends.serverPort)
    record(
      CheckInFacts(
        ends: ends, declared: declared, shape: shape, signs: [], octets: bytes.count, content: .datagram(bytes)))
  }

  /// A connection that said nothing, or that was refused.
  public func silence(_ ends: Endpoints, declared: UInt16) {
    record(CheckInFacts(ends: ends, declared: declared, shape: .unknown, signs: [], octets: 0, content: .silence))
  }

  public func conversation(
    _ verdict: DialogueReader.Verdict, _ ends: Endpoints, _ bytes: UnsafeRawBufferPointer, declared: UInt16
  ) {
    let dialogue = verdict.dialogue
    var family = declared
    if let host = dialogue.host, let named = familyOfHost(host) { family = declare(named) }
    var signs = VisitorSigns()
    if case .http(let view) = dialogue.content { signs = VisitorWords.signs(view.exchange) }
    if let host = dialogue.host, networks.isUnannounced(host) { signs.insert(.unannouncedName) }
    record(
      CheckInFacts(
        ends: ends, declared: family, shape: dialogue.shape, signs: signs, octets: bytes.count,
        content: .stream(dialogue.content, bytes)))
  }

  private func record(_ facts: CheckInFacts) {
    counters.checkIns &+= 1
    let recognition = table.recognition(facts.shape, declared: facts.declared)
    counters.levels[Int(recognition.level.number)] &+= 1
    if facts.ends.client.isV4 {
      update(v4, facts.ends.client.v4, facts, recognition)
    } else {
      update(v6, facts.ends.client.high, facts, recognition)
    }
  }

  private func update<Key: SourceKey>(
    _ table: SourceTable<Key>, _ key: Key, _ facts: CheckInFacts, _ recognition: Recognition
  ) {
    guard let (index, isNew) = table.findOrInsert(key, recognition.botnet) else {
      counters.refused &+= 1
      return
    }
    let record = table.record(index)
    var signs = facts.signs
    if isNew {
      record.pointee.hour = hour
      if !networks.isEmpty { signs.formUnion(networks.signs(of: facts.ends.client)) }
      if recognition.botnet != 0, isSandbox(table, key) { signs.insert(.manyBotnets) }
    }
    let previous = isNew ? nil : Int64(record.pointee.hour) &* 3600 &+ Int64(record.pointee.last)
    if record.pointee.hour != hour { turn(record, key) }
    record.pointee.count(facts.ends, secondOfHour, sampling.log)
    if !isIdentified.isEmpty { identify(UInt64(key), isV4: Key.bitWidth == 32, facts, recognition) }
    weigh(record, recognition, gap: previous.map { Int64(hour) &* 3600 &+ Int64(secondOfHour) &- $0 })
    if record.pointee.ports.nonzeroBitCount > VisitorJudgement.portGroupsMost { signs.insert(.manyPorts) }
    if !signs.isEmpty { mark(table, key, record, signs) }
    if record.pointee.visitor != 0 { counters.labelled &+= 1 }
    keep(record, facts, recognition)
  }

  /// Takes the hash of what tells the machine from others, where the message is one that carries it.
  private func identify(_ key: UInt64, isV4: Bool, _ facts: CheckInFacts, _ recognition: Recognition) {
    guard case .matched(let number) = facts.shape, isIdentified[number], recognition.level >= .recognised,
      let field = identityFields[number], let hasher = settings.identityKey
    else { return }
    let value: [UInt8]? =
      switch facts.content {
      case .datagram(let bytes): field.value(in: bytes.bytes, isStream: false)
      case .stream(.raw, let bytes): field.value(in: bytes.bytes, isStream: true)
      case .stream(.http(let view), _): field.value(in: view.exchange)
      case .silence, .stream: nil
      }
    guard let value else { return }
    let identity = hasher.hash(value, family: words[recognition.botnet])
    counters.identified &+= 1
    guard let identities else { return }
    identities.note(identity, of: key, isV4: isV4, botnet: recognition.botnet, hour: hour)
    counters.identitiesRefused = identities.refused
  }

  /// The level that the source has now, and when it last had it.
  private func weigh(_ record: UnsafeMutablePointer<SourceRecord>, _ recognition: Recognition, gap: Int64?) {
    let level = recognition.level.number
    if level > record.pointee.level {
      record.pointee.level = level
      record.pointee.rule = recognition.rule
      record.pointee.hours = 1
      record.pointee.gap = 0
      return
    }
    guard recognition.level >= .recognised else {
      if record.pointee.level < EvidenceLevel.recognised.number { record.pointee.hours |= 1 }
      return
    }
    record.pointee.hours |= 1
    guard record.pointee.level == EvidenceLevel.recognised.number, let gap else { return }
    let seconds = UInt16(clamping: gap)
    let isAlike = BotTiming.isAlike(
      seconds, previous: record.pointee.gap, published: published[recognition.botnet])
    if seconds >= BotTiming.secondsLeast { record.pointee.gap = seconds }
    if isAlike || record.pointee.hours.nonzeroBitCount >= BotTiming.hoursLeast {
      record.pointee.level = EvidenceLevel.repeated.number
    }
  }

  /// Botnets of one source within the window, the new one included.
  private func isSandbox<Key: SourceKey>(_ table: SourceTable<Key>, _ key: Key) -> Bool {
    let now = Int64(hour) &* 3600 &+ Int64(secondOfHour)
    var botnets = 0
    table.forEach(of: key) { record in
      let last = Int64(record.pointee.hour) &* 3600 &+ Int64(record.pointee.last)
      let isRecent =
        record.pointee.hour == hour && record.pointee.count == 0
        || now &- last <= Int64(VisitorJudgement.botnetWindowSeconds)
      if record.pointee.botnet != 0, isRecent { botnets += 1 }
    }
    return botnets > VisitorJudgement.botnetsMost
  }

  /// Labels the source; what concerns the machine and not one visit goes to all its botnets.
  private func mark<Key: SourceKey>(
    _ table: SourceTable<Key>, _ key: Key, _ record: UnsafeMutablePointer<SourceRecord>, _ signs: VisitorSigns
  ) {
    let label = VisitorJudgement.label(for: signs)
    func merge(_ record: UnsafeMutablePointer<SourceRecord>) {
      let old = VisitorJudgement.Label(rawValue: record.pointee.visitor) ?? .none
      record.pointee.visitor = VisitorJudgement.merged(old, label).rawValue
    }
    if label.isFirm { table.forEach(of: key, merge) } else { merge(record) }
  }

  private func keep(
    _ record: UnsafeMutablePointer<SourceRecord>, _ facts: CheckInFacts, _ recognition: Recognition
  ) {
    let isFirst = record.pointee.samples < min(3, settings.samplesPerDay)
    random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let isUniform =
      settings.uniformOneIn > 0
      && mix64(random).multipliedFullWidth(by: settings.uniformOneIn).high == 0
    guard isFirst || isUniform else { return }
    guard samplesLeft > 0 else {
      counters.samplesDeferred &+= 1
      return
    }
    samplesLeft -= 1
    if isFirst { record.pointee.samples &+= 1 }
    counters.samples &+= 1
    let declaresPersonal = if case .matched(let number) = facts.shape { personal[number] } else { false }
    sink.append(sample(record.pointee, facts, recognition, isUniform: isUniform, personal: declaresPersonal))
  }
}

/// One check-in on its way through the tally; its octets are borrowed from the receive buffer.
struct CheckInFacts {
  enum Content {
    case silence
    case datagram(UnsafeRawBufferPointer)
    case stream(Dialogue.Content, UnsafeRawBufferPointer)
  }
  var ends: Endpoints
  var declared: UInt16
  var shape: Recogniser.Shape
  var signs: VisitorSigns
  var octets: Int
  var content: Content
}

extension SourceRecord {
  /// One more check-in in the current hour.
  @inline(__always)
  mutating func count(_ ends: Endpoints, _ secondOfHour: UInt16, _ factorLog: UInt16) {
    if count == 0 { first = secondOfHour }
    last = secondOfHour
    if count < .max { count &+= 1 }
    sourcePort = ends.clientPort
    destinationPort = ends.serverPort
    ports |= Self.portBit(ends.serverPort)
    isStream = ends.transport == .tcp
    if factorLog > factor { factor = factorLog }
  }
}

extension CheckInTally {
  /// Hour of what is counted now, relative to the table's first one: changes once an hour.
  public var currentHour: UInt16 { hour }
}
