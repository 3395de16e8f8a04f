import Mothlight

/// Host-days as rows of tables.
enum HostRows {
  /// For the first page: four columns.
  static func short(_ row: HostDayRow) -> Markup {
    """
    <tr><td>\(HTMLExporter.badge(row.verdict))</td><th scope="row">\(Parts.host(row.host, day: row.day))</th>\
    <td class="when">\(Parts.since(row))</td><td class="why">\(Parts.botnets(row.botnets))\(Parts.text(row.reason, columns: 260))</td></tr>

    """
  }

  static func table(_ rows: [HostDayRow], caption: Markup) -> Markup {
    var out: Markup = """
      <div class="scroll" role="region" aria-label="Hosts" tabindex="0"><table class="stack verdicts"><caption>\(caption)</caption>\
      <thead><tr><th scope="col">Verdict</th><th scope="col">Machine</th><th scope="col">Day</th><th scope="col">Flagged for</th>\
      <th scope="col" class="n">Score</th><th scope="col" class="n">Findings</th><th scope="col" class="n">Flows</th>\
      <th scope="col">Strongest reason</th></tr></thead><tbody>

      """
    for row in rows {
      out += """
        <tr><td>\(HTMLExporter.badge(row.verdict))</td><th scope="row">\(Parts.host(row.host, day: row.day))</th>\
        <td class="m">\(Timestamp.describe(day: row.day))</td><td class="when">\(Parts.since(row))</td>\
        <td class="n" data-label="score">\(ReportWords.decimals(row.score, 1))</td>\
        <td class="n" data-label="findings">\(ReportWords.grouped(row.findings))</td>\
        <td class="n" data-label="flows">\(ReportWords.grouped(row.flows))</td>\
        <td class="why">\(Parts.botnets(row.botnets))\(Parts.text(row.reason, columns: 260))\(roles(row.roles))</td></tr>

        """
    }
    out += "</tbody></table></div>\n"
    return out
  }

  static func roles(_ roles: [HostRole]) -> Markup {
    roles.isEmpty ? "" : "<div class=\"sub\">Role: \(roles.map(\.words).joined(separator: ", "))</div>"
  }
}

/// A source's state for people.
struct SourceState {
  let source: SourceHealth
  let now: Timestamp
  /// Seconds without a record before a running source is called quiet.
  static let quietSeconds = 300.0

  init(_ source: SourceHealth, now: Timestamp) {
    self.source = source
    self.now = now
  }

  var dropped: UInt64 { source.dropped.values.reduce(0) { $0 &+ $1 } }
  var skipped: UInt64 { source.skipped.values.reduce(0) { $0 &+ $1 } }

  /// More than one in a thousand lost is worth a colour.
  private var losesMuch: Bool { Double(dropped) > Double(source.records) / 1000 }

  var style: Markup {
    switch source.state {
    case .running: losesMuch ? "lossy" : "good"
    case .starting: "idle"
    case .waiting: "bad"
    case .stopped: "idle"
    }
  }

  var words: String {
    switch source.state {
    case .starting: "starting"
    case .running: "running"
    case .waiting: source.retryAt.map { "failed, tries again \(Parts.ago($0, now))" } ?? "failed, will try again"
    case .stopped: "stopped"
    }
  }

  var losses: Markup {
    dropped == 0 ? ", none lost" : ", <b class=\"lost\">\(CensusWords.short(Double(dropped))) lost</b>"
  }
}

/// A census in a sentence.
struct CensusBrief {
  let line: Markup

  /// `nil` when the census states no live number.
  init?(_ edition: CensusEdition) {
    let report = edition.report
    let known = report.live.compactMap(\.machines).filter { $0.value.isFinite }.sorted { $0.value < $1.value }
    guard !known.isEmpty, !edition.hidden.isAll else { return nil }
    let typical = known[(known.count - 1) / 2]
    line = """
      <p class="sub"><a href="/census">At the sinkhole</a>, <bdi>\(VisibleText.clipped(report.botnet, to: 60))</bdi>: about \
      <b>\(CensusWords.machines(typical.value))</b> machines live in a typical hour (95 %: \(CensusWords.interval(typical))), seen from \
      \(CensusWords.machines(report.footprint.addresses)) addresses.</p>

      """
  }
}
