/// A pure fold from observations to findings. It reads no clock, no random source and no network.
public protocol Detector: Sendable {
  static var card: DetectorCard { get }
  init(_ settings: DetectorSettings) throws(ConfigurationError)
  /// Takes a batch of observations of hosts of one shard; `context` names hosts and peers.
  mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding])
  /// Event time has reached `time`; called once more with `.distantFuture` at the end of input.
  mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding])
  /// What found no room in the detector's own tables; its findings may lack it.
  var refused: UInt64 { get }
}

extension Detector {
  /// A detector without tables of its own refuses nothing.
  public var refused: UInt64 { 0 }
}

/// Explains a detector to people and to `mothlight detectors`.
public struct DetectorCard: Sendable {
  /// Which hosts' observations one instance must see together.
  public enum Scope: String, Sendable {
    case perHost = "per_host"
    case whole
  }
  /// What kind of observation it needs to say anything.
  public enum Input: String, Sendable { case flow, dns, tls, http, ssh, payload, irc }
  /// Which part of an infection's story its findings tell (Gu et al., BotHunter, USENIX Security 2007).
  public enum Stage: String, Sendable, CaseIterable, Comparable {
    /// Others reached in: scanned it, tried its passwords.
    case touched
    /// It fetched a program.
    case fetched
    /// It called its operator.
    case calledHome = "called_home"
    /// It turned on others.
    case attackedOut = "attacked_out"

    public static func < (a: Stage, b: Stage) -> Bool {
      (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
    }
  }
  /// A number that an operator may turn.
  public struct Knob: Sendable {
    public var name: String
    public var value: Double
    public var unit: String
    public var meaning: String
    public init(_ name: String, _ value: Double, unit: String, _ meaning: String) {
      self.name = name
      self.value = value
      self.unit = unit
      self.meaning = meaning
    }
  }
  public var name: String
  public var version: Int
  public var title: String
  public var family: EvidenceFamily
  public var stage: Stage
  public var reads: [Input]
  public var scope: Scope
  public var knobs: [Knob]
  public var references: [String]
  public var knownFalsePositives: [String]
  public init(
    name: String, version: Int = 1, title: String, family: EvidenceFamily, stage: Stage = .calledHome,
    reads: [Input], scope: Scope = .perHost, knobs: [Knob], references: [String], knownFalsePositives: [String]
  ) {
    self.name = name
    self.version = version
    self.title = title
    self.family = family
    self.stage = stage
    self.reads = reads
    self.scope = scope
    self.knobs = knobs
    self.references = references
    self.knownFalsePositives = knownFalsePositives
  }
}

/// Values for a detector's knobs; unknown names are refused so that a typing error is not silently a default.
public struct DetectorSettings: Sendable {
  public var values: [String: Double]
  /// Indicator lists, shared by every shard.
  public var registry: Registry
  /// Who announces an address, where the operator gave a file that tells.
  public var networks: (any NetworkDirectory)?
  public init(
    _ values: [String: Double] = [:], registry: Registry = Registry(), networks: (any NetworkDirectory)? = nil
  ) {
    self.values = values
    self.registry = registry
    self.networks = networks
  }

  /// The knobs of `card` with overrides applied.
  public func resolve(_ card: DetectorCard) throws(ConfigurationError) -> [String: Double] {
    var result = [String: Double]()
    for knob in card.knobs { result[knob.name] = knob.value }
    for (name, value) in values {
      guard result[name] != nil else {
        throw ConfigurationError(
          "detector \(card.name) has no knob '\(name)'; it has: \(card.knobs.map(\.name).joined(separator: ", "))")
      }
      guard value.isFinite else {
        throw ConfigurationError("detector \(card.name): knob '\(name)' must be a finite number")
      }
      // Weights are logarithms and may be below zero; counts, times and shares may not.
      guard value >= 0 || card.knobs.contains(where: { $0.name == name && $0.unit == "nat" }) else {
        throw ConfigurationError("detector \(card.name): knob '\(name)' must not be negative, as \(value) is")
      }
      result[name] = value
    }
    return result
  }
}

/// A setting that cannot be used.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
  public var message: String
  public init(_ message: String) { self.message = message }
  public var description: String { message }
}

extension Observation.Event {
  /// The kind that a card names it by; `nil` for a flow.
  @inline(__always)
  var input: DetectorCard.Input? {
    switch self {
    case .flow: nil
    case .dns: .dns
    case .tls: .tls
    case .http: .http
    case .ssh: .ssh
    case .irc: .irc
    case .payload: .payload
    }
  }
}
