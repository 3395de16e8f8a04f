/// What a running source has done so far, for the page of sensors and for metrics.
public struct SourceHealth: Sendable, Hashable {
  public enum State: String, Sendable, CaseIterable {
    case starting, running
    /// Failed, and waits until `retryAt` to try again.
    case waiting
    /// Ended by itself or by the operator.
    case stopped
  }
  public var name: String
  /// `interface`, `flows`, `folder`, `captures` or `spool`.
  public var kind: String
  /// What it looks at: an interface, an address and port, a folder.
  public var place: String
  public var state = State.starting
  /// Since when it has been in that state.
  public var since: Timestamp
  public var octets: UInt64 = 0
  /// Packets, rows or flow records, as read.
  public var records: UInt64 = 0
  /// Observations that went on to the pipeline.
  public var used: UInt64 = 0
  /// Left out on purpose, by reason.
  public var skipped: [String: UInt64] = [:]
  public var unparsed: UInt64 = 0
  /// Lost, by reason: `kernel`, `queue`, `table`...
  public var dropped: [String: UInt64] = [:]
  /// Event time of the newest record.
  public var newest: Timestamp?
  public var isSampled = false
  /// How often it was started again.
  public var restarts: UInt64 = 0
  public var retryAt: Timestamp?
  /// The latest error or warning, one line.
  public var trouble: String?
  /// Things of one kind only, e.g. exporters and their templates; name to value, for display.
  public var details: [String: String] = [:]

  public init(name: String, kind: String, place: String, since: Timestamp) {
    self.name = name
    self.kind = kind
    self.place = place
    self.since = since
  }
}

/// What the pipeline of a station is doing.
public struct PipelineHealth: Sendable, Hashable {
  public var started: Timestamp
  public var observations: UInt64 = 0
  public var observationsPerSecond = 0.0
  public var hosts: UInt64 = 0
  public var pairs: UInt64 = 0
  /// Event time of the newest observation.
  public var newest: Timestamp?
  /// When hosts were last judged, and how long that took.
  public var judged: Timestamp?
  public var judgingSeconds = 0.0
  public var home: [Prefix] = []
  public var homeWasGiven = false
  /// Set while the home network is being learned: nothing is judged yet.
  public var isLearning = true
  /// As in a report: refused, evicted, suppressed.
  public var counters: [String: UInt64] = [:]
  public var warnings: [String] = []
  public init(started: Timestamp) { self.started = started }
}

/// Everything that is live about a station.
public struct StationHealth: Sendable, Hashable {
  public var version: String
  public var pipeline: PipelineHealth
  public var sources: [SourceHealth]
  public var store: StoreCondition
  public init(version: String, pipeline: PipelineHealth, sources: [SourceHealth], store: StoreCondition) {
    self.version = version
    self.pipeline = pipeline
    self.sources = sources
    self.store = store
  }
}
