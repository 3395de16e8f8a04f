/// One line of a list of botnets.
public struct BotnetSummary: Sendable, Hashable {
  public var id: String
  public var name: String
  public var kind: Botnet.Kind
  public var evidence: [BotnetEvidence]
  public var takedowns: [TakedownRecord]
  /// The newest live figure, or else the newest footprint.
  public var size: SizeObservation?

  public init(
    id: String, name: String, kind: Botnet.Kind, evidence: [BotnetEvidence] = [], takedowns: [TakedownRecord] = [],
    size: SizeObservation? = nil
  ) {
    self.id = id
    self.name = name
    self.kind = kind
    self.evidence = evidence
    self.takedowns = takedowns
    self.size = size
  }

  /// Claims of command servers; two sources that list one server make two.
  public var serverClaims: Int { evidence.reduce(0) { $0 + ($1.kind == .server ? $1.items : 0) } }
  public var sources: Int { Set(evidence.map(\.source)).count }

  public func standing(at time: Timestamp, expiryDays: Int) -> BotnetStatus {
    BotnetStatus(evidence: evidence, takedowns: takedowns, at: time, expiryDays: expiryDays)
  }
}

/// A row that a search found, and by what.
public struct BotnetHit: Sendable, Hashable {
  public enum How: Int, Sendable, Hashable, Comparable, CaseIterable {
    case exact, beginning, part, typing, text

    /// Word for output.
    public var word: String {
      switch self {
      case .exact: "name"
      case .beginning: "beginning"
      case .part: "part"
      case .typing: "typing_error"
      case .text: "text"
      }
    }

    public static func < (a: How, b: How) -> Bool { a.rawValue < b.rawValue }
  }
  public var id: String
  public var name: String
  public var kind: Botnet.Kind
  public var how: How
  /// The name that matched; for `text` the botnet's own.
  public var matched: String
  /// Typing errors between what was asked and the beginning of `matched`.
  public var errors: Int

  public init(id: String, name: String, kind: Botnet.Kind, how: How, matched: String, errors: Int = 0) {
    self.id = id
    self.name = name
    self.kind = kind
    self.how = how
    self.matched = matched
    self.errors = errors
  }
}

/// An indicator that answers what was asked.
public struct IndicatorHit: Sendable, Hashable {
  public enum How: String, Sendable, Hashable, CaseIterable {
    case exact
    /// A listed name above the one asked for.
    case parentDomain = "parent_domain"
    /// The address asked for, as a whole.
    case address
    /// A listed prefix that holds it.
    case prefix
    /// The same host in a listed endpoint or URL: another port or another path.
    case sameHost = "same_host"
  }
  public var how: How
  public var claim: IndicatorClaim
  /// `nil`: the source names no botnet that is known.
  public var botnet: String?
  public var botnetID: String?

  public init(how: How, claim: IndicatorClaim, botnet: String?, botnetID: String?) {
    self.how = how
    self.claim = claim
    self.botnet = botnet
    self.botnetID = botnetID
  }
}

/// What an import or an edit changed.
public struct RegistryChanges: Sendable, Hashable {
  private enum Bound {
    /// Changes told one by one; the counts are whole.
    static let linesKept = 10_000
  }

  public enum Subject: String, Sendable, Hashable, CaseIterable {
    case botnets, names, kinds, identifiers, relations, facts, indicators, claims, sizes, takedowns
  }

  public private(set) var added: [Subject: Int] = [:]
  public private(set) var changed: [Subject: Int] = [:]
  public private(set) var lines: [String] = []
  public private(set) var linesRefused = 0

  public init() {}

  public var isEmpty: Bool { added.isEmpty && changed.isEmpty }

  public mutating func add(_ subject: Subject, _ line: String?) {
    added[subject, default: 0] += 1
    tell("+ ", line)
  }

  public mutating func change(_ subject: Subject, _ line: String?) {
    changed[subject, default: 0] += 1
    tell("~ ", line)
  }

  private mutating func tell(_ mark: String, _ line: String?) {
    guard lines.count < Bound.linesKept else {
      linesRefused += 1
      return
    }
    if let line { lines.append(mark + line) }
  }
}
