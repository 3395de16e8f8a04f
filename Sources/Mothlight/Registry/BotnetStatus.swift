/// What one source's claims of one kind add up to.
public struct BotnetEvidence: Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// A command server was seen.
    case server = "c2"
    /// Certificate or JA3 of its software.
    case print
    /// Malware, by hash or by the place where it is fetched.
    case payload
    /// Infected machines were counted.
    case machines
    /// Somebody described it and can be read.
    case publication
  }
  public var kind: Kind
  public var source: String
  public var first: Timestamp?
  public var last: Timestamp?
  /// The last command server that answered, or the last hour with live machines; other kinds prove no life.
  public var life: Timestamp?
  public var items: Int

  public init(
    kind: Kind, source: String, first: Timestamp? = nil, last: Timestamp? = nil, life: Timestamp? = nil, items: Int = 1
  ) {
    self.kind = kind
    self.source = source
    self.first = first
    self.last = last
    self.life = life
    self.items = items
  }
}

/// Where a botnet stands at a moment, for an expiry in days (census.md section 7: candidate, confirmed, dormant, dead or
/// sinkholed; the expiry is always named, because it decides).
public enum BotnetStatus: String, Sendable, Hashable, CaseIterable {
  case candidate, confirmed, dormant, dead, sinkholed

  /// The expiries of the Shadowserver series of 2007–2010.
  public static let expiries = [5, 10, 30]
  /// Days without a sign of life after which a botnet counts as dead; a judgement: longer than any pause we know of.
  public static let deadAfterDays = 365

  public init(evidence: [BotnetEvidence], takedowns: [TakedownRecord], at time: Timestamp, expiryDays: Int) {
    let life = Self.lastLife(evidence, at: time)
    if let ended = Self.ended(evidence, takedowns, at: time) {
      self = ended
    } else if !Self.isConfirmed(evidence) {
      self = .candidate
    } else if let life {
      let days = time.seconds(since: life) / 86_400
      self = days <= Double(expiryDays) ? .confirmed : days <= Double(Self.deadAfterDays) ? .dormant : .dead
    } else {
      self = .dormant
    }
  }

  /// The last sign of life up to `time`; a sign after it is cut to it, since what is known is a span.
  public static func lastLife(_ evidence: [BotnetEvidence], at time: Timestamp) -> Timestamp? {
    evidence.compactMap { item in
      guard let life = item.life, (item.first ?? life) <= time else { return nil }
      return min(life, time)
    }.max()
  }

  /// Two kinds of evidence from two publishers: two lists of one house are one word.
  public static func isConfirmed(_ evidence: [BotnetEvidence]) -> Bool {
    for (i, a) in evidence.enumerated() {
      for b in evidence[..<i] where a.kind != b.kind && Origin.publisher(of: a.source) != Origin.publisher(of: b.source)
      {
        return true
      }
    }
    return false
  }

  /// A takedown ends it until something lives after that day. Machines that call a sinkhole are no life.
  private static func ended(_ evidence: [BotnetEvidence], _ takedowns: [TakedownRecord], at time: Timestamp)
    -> BotnetStatus?
  {
    let past = takedowns.filter { $0.outcome != .disrupted && $0.day <= time.day }
    guard let last = past.max(by: { ($0.day, $0.outcome.rawValue) < ($1.day, $1.outcome.rawValue) }) else { return nil }
    let proving = evidence.filter { $0.kind == .server || last.outcome == .dead }
    if let life = lastLife(proving, at: time), life.day > last.day { return nil }
    return last.outcome == .dead ? .dead : .sinkholed
  }
}
