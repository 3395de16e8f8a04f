/// How a truth row and the report of its input agree.
public enum TruthOutcome: String, Sendable, CaseIterable {
  /// The infected host is called infected; the suspicious one suspicious or worse.
  case found
  /// Infected, but only called suspicious.
  case weaker
  case missed
  /// Found, but with a botnet's name that the truth forbids.
  case misnamed
  /// Clean and called "no sign".
  case clear
  /// Clean, and the answer was "not enough data" or nothing: no false alarm, but no correct answer either.
  case unjudged
  /// Clean and called suspicious.
  case suspiciousClean = "suspicious_clean"
  /// Clean and called infected.
  case falseAlarm = "false"
  /// The input was refused with a message, as it must be.
  case answered
  /// It was not: no message, or a host was scored all the same.
  case unanswered

  public var isMet: Bool { self == .found || self == .clear || self == .unjudged || self == .answered }
}

/// Host-days of one truth row by what was said of them.
public struct HostDayTally: Sendable, Equatable {
  public var infected = 0
  public var suspicious = 0
  public var noSign = 0
  public var notEnoughData = 0
  public init() {}

  /// Host-days that got a verdict: "not enough data" is none.
  public var judged: Int { infected + suspicious + noSign }

  mutating func add(_ verdict: Verdict) {
    switch verdict {
    case .infected: infected += 1
    case .suspicious: suspicious += 1
    case .noSign: noSign += 1
    case .notEnoughData: notEnoughData += 1
    }
  }

  static func + (a: Self, b: Self) -> Self {
    var sum = a
    sum.infected += b.infected
    sum.suspicious += b.suspicious
    sum.noSign += b.noSign
    sum.notEnoughData += b.notEnoughData
    return sum
  }
}

/// One truth row with what was said and, when it was not met, why.
public struct RowEvaluation: Sendable {
  public var row: TruthRow
  public var outcome: TruthOutcome
  /// The strongest verdict on the row's hosts; `nil` when none of them was seen.
  public var said: Verdict?
  /// The host that got it.
  public var saidOf: IPAddress?
  public var botnets: [String] = []
  /// From the input's first record; see `HostDay.sufficientSince`.
  public var secondsToDetection: Double?
  public var hostDays = HostDayTally()
  /// What a refused input said.
  public var message: String?
  /// Lines for a person: reason, strongest findings, what the input shows. Empty when the row is met.
  public var why: [String] = []
}

/// An input with its rows, and the hosts flagged in it of which the truth says nothing.
public struct InputEvaluation: Sendable {
  public var path: String
  public var rows: [RowEvaluation]
  public var firstRecord: Timestamp?
  public var flaggedBesides: [(host: IPAddress, verdict: Verdict)] = []
}

/// Verdicts held against known hosts, input by input.
public struct Evaluation: Sendable {
  public var truthName: String
  public var inputs: [InputEvaluation] = []
  /// Paths of the table at which nothing is; they count nowhere.
  public var missing: [String] = []

  public init(truthName: String) { self.truthName = truthName }

  public var rows: [RowEvaluation] { inputs.flatMap(\.rows) }

  /// Whether a host known to be infected got no alarm, or a clean one was called infected.
  public var hasGrossError: Bool {
    rows.contains { $0.outcome == .falseAlarm || $0.row.truth == .infected && $0.outcome == .missed }
  }

  /// Compares the rows of one input with the report of that input alone.
  public mutating func add(path: String, rows: [TruthRow], report: Report) {
    let named = Set(rows.compactMap(\.host))
    var input = InputEvaluation(path: path, rows: [], firstRecord: report.firstRecord)
    let days = HostDays(report, named: named)
    input.rows = rows.map { Self.compare($0, days.of($0), report) }
    if !rows.contains(where: { $0.host == nil }) { input.flaggedBesides = days.flaggedBesides }
    inputs.append(input)
  }

  static func compare(_ row: TruthRow, _ days: [HostDay], _ report: Report) -> RowEvaluation {
    var result = RowEvaluation(row: row, outcome: .missed)
    for day in days { result.hostDays.add(day.verdict) }
    let strongest = days.max { ($0.verdict, $0.score) < ($1.verdict, $1.score) }
    result.said = strongest?.verdict
    result.saidOf = strongest?.host
    result.botnets = Set(days.filter { $0.verdict >= .suspicious }.flatMap(\.botnets)).sorted()
    if !row.truth.isRefusal { result.secondsToDetection = secondsToDetection(days, strongest?.verdict, report) }
    if row.truth.isRefusal {
      result.message = refusal(report)
      let scored = days.contains { $0.verdict >= (row.truth == .notEnoughData ? .noSign : .suspicious) }
      result.outcome = result.message != nil && !scored ? .answered : .unanswered
    } else {
      result.outcome = outcome(row, strongest?.verdict, result.botnets)
    }
    if !result.outcome.isMet { result.why = Reasons(row: row, report: report).lines(days, strongest, result) }
    return result
  }

  private static func outcome(_ row: TruthRow, _ said: Verdict?, _ botnets: [String]) -> TruthOutcome {
    switch (row.truth, said) {
    case (.infected, .infected): return .found
    case (.infected, .suspicious): return .weaker
    case (.suspicious, .infected), (.suspicious, .suspicious):
      return row.forbidsNaming && !botnets.isEmpty ? .misnamed : .found
    case (.clean, .infected): return .falseAlarm
    case (.clean, .suspicious): return .suspiciousClean
    case (.clean, .noSign): return .clear
    case (.clean, _): return .unjudged
    default: return .missed
    }
  }

  /// Earliest over the days that carry the strongest verdict.
  private static func secondsToDetection(_ days: [HostDay], _ verdict: Verdict?, _ report: Report) -> Double? {
    guard let first = report.firstRecord, let verdict, verdict >= .suspicious else { return nil }
    let times = days.filter { $0.verdict == verdict }.compactMap { $0.sufficientSince(bar: report.bar) }
    return times.min().map { max(0, $0.seconds(since: first)) }
  }

  /// What the reader said about an input that it could not, or not wholly, use.
  private static func refusal(_ report: Report) -> String? {
    if let error = report.inputs.lazy.compactMap(\.error).first { return error.message }
    if let warning = report.inputs.lazy.compactMap(\.warnings.first).first { return warning }
    return report.inputs.lazy.compactMap(\.firstUnparsed).first
  }
}

/// Host-days of one report by the truth rows that speak of them.
private struct HostDays {
  private let all: [HostDay]
  private let named: Set<IPAddress>
  private var byHost: [IPAddress: [HostDay]] = [:]

  init(_ report: Report, named: Set<IPAddress>) {
    all = report.hosts
    self.named = named
    for day in report.hosts where named.contains(day.host) { byHost[day.host, default: []].append(day) }
  }

  func of(_ row: TruthRow) -> [HostDay] {
    if let host = row.host { return byHost[host] ?? [] }
    return all.filter { !named.contains($0.host) }
  }

  var flaggedBesides: [(host: IPAddress, verdict: Verdict)] {
    var worst: [IPAddress: Verdict] = [:]
    for day in all where day.verdict >= .suspicious && !named.contains(day.host) {
      worst[day.host] = max(worst[day.host] ?? .suspicious, day.verdict)
    }
    return worst.map { (host: $0.key, verdict: $0.value) }.sorted { ($1.verdict, $0.host) < ($0.verdict, $1.host) }
  }
}
