/// One tracked thing with all that is claimed of it. Not a family, and not a command server: it has those.
public struct Botnet: Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// Machines under one command.
    case botnet
    /// A branch of another, told apart by code or by who runs it.
    case variant
    /// A kind of malware; many botnets may run it.
    case family
    /// Software that lawful people use too.
    case tool
  }

  /// A name, and whose it is when two rows claim it.
  public struct Name: Sendable, Hashable {
    public var text: String
    public var origin: Origin
    /// Name of the row that look-ups lead to instead; `nil`: they lead here.
    public var ownedBy: String?

    public init(text: String, origin: Origin, ownedBy: String? = nil) {
      self.text = text
      self.origin = origin
      self.ownedBy = ownedBy
    }
  }

  /// Number or name of the same thing in somebody else's catalogue.
  public struct Identifier: Sendable, Hashable {
    /// `misp-galaxy` (UUID) or `malpedia` (such as `elf.mirai`).
    public var scheme: String
    public var value: String

    public init(scheme: String, value: String) {
      self.scheme = scheme
      self.value = value
    }
  }

  public struct Relation: Sendable, Hashable {
    /// `variant-of`, `similar`, `dropped`, `used-by`.
    public var kind: String
    /// UUID of the other; it need not be in this registry.
    public var target: String
    /// `nil`: not in this registry.
    public var targetName: String?

    public init(kind: String, target: String, targetName: String? = nil) {
      self.kind = kind
      self.target = target
      self.targetName = targetName
    }
  }

  /// UUID that stays: the first one that a source gave, or RFC 9562 version 5 over the folded name.
  public var id: String
  public var name: String
  public var kind: Sourced<Kind>
  public var names: [Name] = []
  public var identifiers: [Sourced<Identifier>] = []
  public var relations: [Sourced<Relation>] = []
  public var protocols: [Sourced<String>] = []
  /// When it was first described, as the source words it.
  public var dated: [Sourced<String>] = []
  public var references: [Sourced<String>] = []
  public var notes: [Sourced<String>] = []
  public var indicators: [IndicatorClaim] = []
  /// Claims beyond those in `indicators`, which is bounded for a page.
  public var indicatorsLeftOut = 0
  public var sizes: [SizeObservation] = []
  public var takedowns: [TakedownRecord] = []
  public var evidence: [BotnetEvidence] = []

  public init(id: String, name: String, kind: Sourced<Kind>) {
    self.id = id
    self.name = name
    self.kind = kind
  }

  /// Command servers, the last seen first.
  public var servers: [IndicatorClaim] { indicators.filter { $0.role == .server } }

  public func standing(at time: Timestamp, expiryDays: Int) -> BotnetStatus {
    BotnetStatus(evidence: evidence, takedowns: takedowns, at: time, expiryDays: expiryDays)
  }
}

/// What was done against a botnet.
public struct TakedownRecord: Sendable, Hashable {
  public enum Outcome: String, Sendable, Hashable, CaseIterable {
    /// Machines call a defender now.
    case sinkholed
    /// Nothing is left that could command.
    case dead
    /// Hit, but not ended: changes no status.
    case disrupted
  }
  /// UTC day, days since the epoch.
  public var day: Int
  public var by: String
  public var outcome: Outcome
  /// What was done, and by which law.
  public var method: String
  public var origin: Origin

  public init(day: Int, by: String, outcome: Outcome, method: String = "", origin: Origin) {
    self.day = day
    self.by = by
    self.outcome = outcome
    self.method = method
    self.origin = origin
  }
}

/// One source's word about one indicator of a botnet.
public struct IndicatorClaim: Sendable, Hashable {
  public enum Role: String, Sendable, Hashable, CaseIterable {
    /// A command server.
    case server = "c2"
    /// How software looks on the wire: certificate, JA3.
    case print
    /// Where the malware is fetched from.
    case delivery
    /// The malware itself, by hash.
    case sample
    case other
  }
  public var indicator: Indicator
  public var role: Role
  /// What the source calls the malware; empty when it does not say.
  public var malware: String
  public var firstSeen: Timestamp?
  public var lastSeen: Timestamp?
  /// As the source said last; `nil`: it does not say.
  public var isOnline: Bool?
  /// 0…100 as the source gives it.
  public var confidence: Int?
  public var reference: String?
  /// Columns that have no place here, by name.
  public var extra: [String: String]
  public var origin: Origin

  public init(
    _ indicator: Indicator, role: Role, malware: String = "", firstSeen: Timestamp? = nil, lastSeen: Timestamp? = nil,
    isOnline: Bool? = nil, confidence: Int? = nil, reference: String? = nil, extra: [String: String] = [:],
    origin: Origin
  ) {
    self.indicator = indicator
    self.role = role
    self.malware = malware
    self.firstSeen = firstSeen
    self.lastSeen = lastSeen
    self.isOnline = isOnline
    self.confidence = confidence
    self.reference = reference
    self.extra = extra
    self.origin = origin
  }
}
