import Mothlight

/// Fabricated reports: hosts with verdicts and findings whose times and weights a test chooses.
enum EvaluationFixture {
  static let start = Timestamp(seconds: 1_000_000_200)  // 2001-09-09T01:50:00Z, whole minutes into its day
  static let bar = 3.4

  static func address(_ text: String) -> IPAddress { IPAddress(text) ?? .unspecified }

  static func finding(
    _ host: String, _ family: EvidenceFamily, _ logOdds: Double, from: Double, to: Double, isConclusive: Bool = false,
    botnet: String? = nil, measures: [Measure] = []
  ) -> Finding {
    let card = DetectorCard(
      name: "made-up", version: 1, title: "made up", family: family, reads: [.flow], knobs: [], references: [],
      knownFalsePositives: [])
    return Finding(
      card: card, host: address(host), subject: "\(family.rawValue) \(from)", summary: "a made-up finding",
      first: start.advanced(bySeconds: from), last: start.advanced(bySeconds: to), logOdds: logOdds, measures: measures,
      evidence: [], refutedBy: "", botnet: botnet, isConclusive: isConclusive)
  }

  static func day(
    _ host: String, _ verdict: Verdict, _ findings: [Finding] = [], botnets: [String] = [], day: Int? = nil,
    reason: String = "because", activity: HostActivity = HostActivity()
  ) -> HostDay {
    HostDay(
      host: address(host), day: day ?? start.day, verdict: verdict, score: findings.reduce(-6.9) { $0 + $1.logOdds },
      families: [], findings: findings, reason: reason, botnets: botnets, activity: activity)
  }

  static func report(_ days: [HostDay], error: SourceError? = nil, warnings: [String] = []) -> Report {
    var report = Report(version: "test")
    var input = InputSummary(path: "made-up.pcap", format: "pcap")
    input.records = 100
    input.used = error == nil ? 100 : 0
    input.error = error
    input.warnings = warnings
    if error == nil { input.first = start }
    report.inputs = [input]
    report.hosts = days
    report.familyBar = bar
    report.home = [Prefix("10.0.0.0/8")].compactMap { $0 }
    return report
  }

  static func row(
    _ host: String?, _ truth: Truth, note: String = "", path: String = "made-up.pcap", format: String = "pcap"
  ) -> TruthRow {
    TruthRow(line: 2, path: path, format: format, host: host.flatMap { IPAddress($0) }, truth: truth, note: note)
  }

  static func evaluated(_ row: TruthRow, _ report: Report) -> RowEvaluation? {
    var evaluation = Evaluation(truthName: "truth.csv")
    evaluation.add(path: row.path, rows: [row], report: report)
    return evaluation.rows.first
  }
}
