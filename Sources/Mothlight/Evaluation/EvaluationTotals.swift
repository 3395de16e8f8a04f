/// Counts over all rows of an evaluation, kept apart by what was known: a row is a host (or a whole input), never a flow.
public struct EvaluationTotals: Sendable {
  /// One line of the totals: how many rows of one kind had one outcome.
  public struct Line: Sendable {
    public var truth: Truth
    public var outcomes: [TruthOutcome]
    public var words: String
    public var rows: BinomialShare
  }

  /// Host-days of clean rows, by the format that the truth table gives.
  public struct CleanDays: Sendable {
    public var format: String
    public var tally: HostDayTally
    public var infected: BinomialShare { BinomialShare(tally.infected, of: tally.judged) }
    public var suspicious: BinomialShare { BinomialShare(tally.suspicious, of: tally.judged) }
  }

  public private(set) var lines: [Line] = []
  public private(set) var cleanDays = CleanDays(format: "all", tally: HostDayTally())
  /// By name of the format; more than one only.
  public private(set) var cleanDaysByFormat: [CleanDays] = []
  /// Seconds to the first detection of infected rows, sorted.
  public private(set) var secondsToDetection: [Double] = []
  public private(set) var rowsMet = 0
  public private(set) var rows = 0

  private static let kinds: [(truth: Truth, outcomes: [TruthOutcome], words: String)] = [
    (.infected, [.found], "infected, called infected"),
    (.infected, [.weaker], "infected, only called suspicious"),
    (.infected, [.missed], "infected, missed"),
    (.suspicious, [.found], "suspicious, found"),
    (.suspicious, [.missed, .misnamed], "suspicious, missed or misnamed"),
    (.clean, [.falseAlarm], "clean, called infected"),
    (.clean, [.suspiciousClean], "clean, called suspicious"),
    (.clean, [.unjudged], "clean, not enough data"),
    (.notEnoughData, [.answered], "not enough data, answered so"),
    (.error, [.answered], "error, answered so"),
  ]

  public init(_ evaluation: Evaluation) {
    let all = evaluation.rows
    rows = all.count
    rowsMet = all.count { $0.outcome.isMet }
    for kind in Self.kinds {
      let known = all.filter { $0.row.truth == kind.truth }
      guard !known.isEmpty else { continue }
      let count = known.count { kind.outcomes.contains($0.outcome) }
      lines.append(
        Line(
          truth: kind.truth, outcomes: kind.outcomes, words: kind.words, rows: BinomialShare(count, of: known.count)))
    }
    var byFormat: [String: HostDayTally] = [:]
    for row in all where row.row.truth == .clean {
      byFormat[row.row.format, default: HostDayTally()] =
        byFormat[row.row.format, default: HostDayTally()] + row.hostDays
      cleanDays.tally = cleanDays.tally + row.hostDays
    }
    if byFormat.count > 1 {
      cleanDaysByFormat = byFormat.sorted { $0.key < $1.key }.map { CleanDays(format: $0.key, tally: $0.value) }
    }
    secondsToDetection = all.filter { $0.row.truth == .infected }.compactMap(\.secondsToDetection).sorted()
  }

  /// The middle value; the lower of two.
  public var medianSecondsToDetection: Double? {
    secondsToDetection.isEmpty ? nil : secondsToDetection[(secondsToDetection.count - 1) / 2]
  }
}

/// What the numbers of an evaluation mean, in the words that every output prints.
enum EvaluationWords {
  static let timeToDetection =
    "Time to first detection: from the input's first record to the earliest moment by which evidence enough for the verdict "
    + "was complete (an exact match, the first family over the bar for suspicious, the second for infected; a finding "
    + "counts from its last record). An upper bound: a finding that goes on moves its last record forward."
  static let intervals =
    "Intervals are exact 95 % ones (Clopper and Pearson 1934). They take rows as independent draws, which rows of one "
    + "input, malware family or network are not: read them as the least doubt, not the whole."
  static let hostDays =
    "A host-day is one host on one UTC day with a verdict; \"not enough data\" is none. Without a false alarm in N "
    + "host-days the true rate may still be about 3/N."

  static func label(_ outcome: TruthOutcome) -> String {
    switch outcome {
    case .found: "found"
    case .weaker: "weaker"
    case .missed: "MISSED"
    case .misnamed: "MISNAMED"
    case .clear: "clear"
    case .unjudged: "unjudged"
    case .suspiciousClean: "suspicious (clean)"
    case .falseAlarm: "FALSE"
    case .answered: "answered"
    case .unanswered: "UNANSWERED"
    }
  }

  /// `9 of 10, 90 % (55.5 to 99.7 %)`.
  static func share(_ share: BinomialShare) -> String {
    let (low, high) = share.interval()
    guard let value = share.share else { return "0 of 0" }
    return "\(ReportWords.grouped(share.count)) of \(ReportWords.grouped(share.of)), \(percent(value)) % "
      + "(\(percent(low)) to \(percent(high)) %)"
  }

  /// `2 in 431 host-days: 4.64 per 1,000 (0.56 to 16.7)`.
  static func perThousand(_ share: BinomialShare) -> String {
    let (low, high) = share.interval()
    guard let value = share.share else { return "no host-day was judged" }
    return "\(ReportWords.grouped(share.count)) in \(ReportWords.grouped(share.of)) host-days: "
      + "\(thousandth(value)) per 1,000 (\(thousandth(low)) to \(thousandth(high)))"
  }

  private static func percent(_ share: Double) -> String { ReportWords.number((share * 1000).rounded() / 10) }
  private static func thousandth(_ share: Double) -> String { ReportWords.number((share * 100_000).rounded() / 100) }
}
