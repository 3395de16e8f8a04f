import Glibc

/// Addresses for each machine, network by network, on a logarithmic axis: right of one an address count is too high.
struct CensusInflationChart {
  private struct Row {
    var part: CensusPart
    var figure: CensusFigure
    var factor: Double
    /// From the ends of the machines' interval.
    var low: Double
    var high: Double
  }

  private let rows: [Row]
  private let overall: Double?
  let left: Int
  /// Over the window; else within an hour, since no network has a footprint.
  let isFootprint: Bool
  private static let shown = 24

  init(_ digest: CensusDigest) {
    let systems = digest.report.systems
    let isFootprint = systems.contains { CensusDigest.isKnown($0.footprint) }
    self.isFootprint = isFootprint
    let known = systems.compactMap { part -> Row? in
      let figure = isFootprint ? part.footprint : part.live
      guard let factor = figure.inflation, let machines = figure.machines, factor > 0, factor.isFinite else {
        return nil
      }
      return Row(
        part: part, figure: figure, factor: factor, low: figure.addresses / max(machines.high, machines.value),
        high: figure.addresses / max(min(machines.low, machines.value), machines.value * 0.01))
    }
    let largest = known.sorted { ($0.figure.machines?.value ?? 0) > ($1.figure.machines?.value ?? 0) }.prefix(
      Self.shown)
    rows = largest.sorted { $0.factor > $1.factor }
    left = known.count - rows.count
    overall = isFootprint ? digest.report.footprint.inflation : digest.typical?.inflation
  }

  var isEmpty: Bool { rows.isEmpty }

  var words: String {
    guard let most = rows.first, let least = rows.last else { return "" }
    return
      "from \(CensusWords.factor(least.factor)) in \(CensusWords.place(least.part.place)) to \(CensusWords.factor(most.factor)) "
      + "in \(CensusWords.place(most.part.place))"
  }

  func drawing() -> Markup {
    let low = min(0.5, rows.map(\.low).min() ?? 1)
    let high = max(2, rows.map(\.high).max() ?? 1, overall ?? 1)
    return ChartFrame.both(id: "infl-f", title: "Addresses for each machine, by network", words: words + ".") { frame in
      let step = frame.isNarrow ? 19.0 : 17
      let left = frame.isNarrow ? 66.0 : 96
      let right = frame.width - (frame.isNarrow ? 62 : 110)
      let bottom = 24 + Double(rows.count) * step
      let scale = ChartScale(.logarithmic, low * 0.9...high * 1.1, onto: left, right)
      var body = grid(scale, low * 0.9...high * 1.1, bottom, frame)
      for (i, row) in rows.enumerated() {
        body += self.row(row, scale, 24 + (Double(i) + 0.5) * step, left, right, frame)
      }
      return (bottom + 20, body)
    }
  }

  private func grid(_ scale: ChartScale, _ range: ClosedRange<Double>, _ bottom: Double, _ frame: ChartFrame) -> Markup
  {
    var out: Markup = ""
    for mark in [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500] where range.contains(mark) {
      let isOne = mark == 1
      if frame.isNarrow, [0.02, 0.05, 0.5, 20, 50].contains(mark), range.upperBound / range.lowerBound > 40 {
        continue
      }
      out += "<path class=\"\(isOne ? "axis" as Markup : "grid")\" d=\"M\(px: scale(mark)) 18V\(px: bottom)\"/>"
      out +=
        "<text class=\"mid soft\" x=\"\(px: scale(mark))\" y=\"\(px: bottom + 14)\">×\(ReportWords.number(mark))</text>"
    }
    if let overall, range.contains(overall) {
      let x = scale(overall)
      out += "<path class=\"dash\" d=\"M\(px: x) 16V\(px: bottom)\"/>"
      out += "<text class=\"mid strong\" x=\"\(px: x)\" y=\"11\">botnet \(CensusWords.factor(overall))</text>"
    }
    return out
  }

  private func row(
    _ row: Row, _ scale: ChartScale, _ y: Double, _ left: Double, _ right: Double, _ frame: ChartFrame
  ) -> Markup {
    let x = scale(row.factor)
    let mark: Markup =
      row.part.isAnchor
      ? "<rect class=\"p-ma\" x=\"\(px: x - 4)\" y=\"\(px: y - 4)\" width=\"8\" height=\"8\"/>"
      : row.part.isShared
        ? "<circle class=\"o-ad\" cx=\"\(px: x)\" cy=\"\(px: y)\" r=\"4.2\"/>"
        : "<circle class=\"p-so\" cx=\"\(px: x)\" cy=\"\(px: y)\" r=\"4.2\"/>"
    let machines = CensusWords.machines(row.figure.machines?.value ?? .nan)
    return """
      <text class="end" x="\(px: left - 8)" y="\(px: y + 4)">\(CensusWords.place(row.part.place))</text>\
      <path class="w-so" d="M\(px: scale(row.low)) \(px: y)H\(px: scale(row.high))"/>\(mark)\
      <text class="end soft" x="\(px: frame.width - 2)" y="\(px: y + 4)">\(machines)</text>
      """
  }

  static let key: Markup = """
    <p class="key"><span><svg width="10" height="10" aria-hidden="true"><rect class="p-ma" x="1" y="1" width="8" height="8"/></svg> \
    stable addresses</span><span><svg width="12" height="12" aria-hidden="true"><circle class="o-ad" cx="6" cy="6" r="4.2"/></svg> \
    shared by many machines</span><span><svg width="12" height="12" aria-hidden="true"><circle class="p-so" cx="6" cy="6" r="4.2"/></svg> \
    neither</span><span>line: 95 %</span><span>right: machines</span></p>
    """
}

extension CensusHTMLExporter {
  func networks(_ edition: CensusEdition, _ digest: CensusDigest) -> Markup {
    let chart = CensusInflationChart(digest)
    if edition.hidden.networks > 0 {
      return """
        <section aria-labelledby="nets"><h2 id="nets">Addresses for each machine, by network</h2>
        <p class="say">Networks are not shown to everybody: whose country a network is in is known, so its row could give a hidden \
        country away.</p></section>

        """
    }
    guard !chart.isEmpty else { return "" }
    let span = chart.isFootprint ? "Over the window" : "No footprint is stated, so within a mean hour"
    var say: Markup =
      "\(span): \(chart.words). How often a provider changes addresses decides how far an address count is off."
    if chart.left > 0 {
      say += " The \(ReportWords.grouped(chart.left)) networks with fewer machines are in the csv and json outputs."
    }
    return Self.section(
      "nets", "Addresses for each machine, by network", say: say, key: CensusInflationChart.key,
      drawing: chart.drawing(),
      provenance: digest.provenance())
  }
}
