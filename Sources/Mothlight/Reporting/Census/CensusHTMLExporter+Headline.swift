/// The answer: one sentence, four numbers, addresses beside them, and what must be known before quoting.
extension CensusHTMLExporter {
  func headline(_ edition: CensusEdition, _ digest: CensusDigest) -> Markup {
    let report = edition.report
    var out: Markup = """
      <section aria-labelledby="answer"><h1 class="census" id="answer">\(Self.answer(digest))</h1>
      <p class="lead">\(Self.lead(digest))</p>
      \(comparisonBars(digest))
      <ul class="cards">
      """
    out += card("Live, typical hour", digest.typical ?? report.live.first, digest, more: Self.otherHours(digest))
    if let active = digest.active { out += card("Active, typical day", active, digest) }
    out += card("Footprint, \(CensusWords.length(Self.hours(report)))", report.footprint, digest)
    if let stock = digest.stock {
      let day = CensusWords.shortDay(Int(stock.hours.lowerBound / 24))
      out += card("Infected, on or off, \(day)", stock, digest)
    }
    out += "</ul><p class=\"prov bare\">\(digest.provenance())</p>\n"
    out += before(edition)
    out += "</section>\n"
    return out
  }

  static func hours(_ report: CensusReport) -> Int { Int(report.hours.upperBound - report.hours.lowerBound) + 1 }

  static func answer(_ digest: CensusDigest) -> String {
    guard let live = digest.typical?.machines else { return "How many machines are live cannot be told" }
    return "About \(CensusWords.machines(live.value)) machines are live in a typical hour"
  }

  static func lead(_ digest: CensusDigest) -> String {
    let footprint = digest.report.footprint
    let window = CensusWords.length(hours(digest.report))
    let addresses = CensusWords.machines(footprint.addresses)
    guard let machines = footprint.machines else {
      let most = footprint.atMost.map { " At most there were \(CensusWords.machines($0))." } ?? ""
      return "In \(window) they used \(addresses) addresses. How many different machines that were is not stated: "
        + (digest.refusal(.footprint) ?? "the evidence does not carry it.") + most
    }
    let text =
      "In \(window) about \(CensusWords.machines(machines.value)) different machines (95 %: \(CensusWords.interval(machines))) used "
      + "\(addresses) addresses, \(CensusWords.times(footprint.inflation)) as many. "
    guard let inflation = footprint.inflation else { return text }
    if inflation >= 1.2 { return text + "Taking addresses for machines would overstate this botnet." }
    if inflation <= 0.8 { return text + "Taking addresses for machines would understate this botnet." }
    return text + "Here the two counts are close; over another window they would not be."
  }

  private static func otherHours(_ digest: CensusDigest) -> String {
    var parts: [String] = []
    if let peak = digest.peak?.machines { parts.append("peak \(CensusWords.machines(peak.value))") }
    if let last = digest.last, let machines = last.machines {
      parts.append("last hour (\(CensusWords.hour(last.hours.lowerBound))) \(CensusWords.machines(machines.value))")
    }
    return parts.joined(separator: ", ")
  }

  private func card(_ title: String, _ figure: CensusFigure?, _ digest: CensusDigest, more: String = "") -> Markup {
    guard let figure else { return "" }
    var out: Markup = "<li><h2>\(title)</h2>"
    if let machines = figure.machines {
      out += "<b>\(CensusWords.machines(machines.value))</b><p>95 %: \(CensusWords.interval(machines))</p>"
    } else {
      out += "<b class=\"none\">not stated</b>"
      if let most = figure.atMost { out += "<p>at most \(CensusWords.machines(most))</p>" }
    }
    let factor = figure.inflation.map { ", \(CensusWords.factor($0))" } ?? ""
    out += "<p class=\"ad\">\(CensusWords.machines(figure.addresses)) addresses\(factor)</p>"
    out += "<p>\(CensusWords.grade(figure.grade))</p>"
    if !more.isEmpty { out += "<p>\(more)</p>" }
    out += "</li>"
    return out
  }

  private func before(_ edition: CensusEdition) -> Markup {
    var items: Markup = ""
    for caveat in edition.report.caveats {
      let refused: Markup = caveat.refuses.map { " <small>(no \($0.rawValue) is stated)</small>" } ?? ""
      items += "<li><bdi>\(caveat.text)</bdi>\(refused)</li>"
    }
    for flag in edition.firepower?.flags ?? [] where flag.subject == .peak { items += "<li>\(flag.text)</li>" }
    let hidden = edition.hidden
    if edition.audience == .everybody {
      items += """
        <li>For everybody to read: cells of fewer than ten machines or addresses are hidden, and others with them so that no total \
        gives them away. Hidden: \(hidden.words).</li>
        """
    }
    guard !items.text.isEmpty else { return "" }
    return "<aside class=\"before\"><h2>Before you quote it</h2><ul>\(items)</ul></aside>"
  }

  /// Addresses, different machines, and live machines as bars from one zero.
  private func comparisonBars(_ digest: CensusDigest) -> Markup {
    let footprint = digest.report.footprint
    let rows: [(label: String, range: CensusRange?, value: Double, isMachines: Bool)] = [
      ("addresses in the window", nil, footprint.addresses, false),
      ("different machines", footprint.machines, footprint.machines?.value ?? 0, true),
      ("live, typical hour", digest.typical?.machines, digest.typical?.machines?.value ?? 0, true),
    ].filter { $0.value.isFinite && ($0.value > 0 || $0.label == "different machines") }
    let most = rows.map { max($0.value, $0.range?.high ?? 0) }.max() ?? 1
    let words = rows.map { "\($0.label): \($0.value > 0 ? CensusWords.machines($0.value) : "not stated")" }
    return ChartFrame.both(
      id: "bars", title: "Addresses and machines compared", words: words.joined(separator: "; ")
    ) { frame in
      let left = frame.isNarrow ? 0.0 : 178
      let step = frame.isNarrow ? 39.0 : 27
      let scale = ChartScale(.linear, 0...most, onto: left, frame.width - 96)
      var body: Markup = ""
      for (i, row) in rows.enumerated() {
        let y = Double(i) * step + (frame.isNarrow ? 17 : 3)
        let place: Markup =
          frame.isNarrow ? "x=\"0\" y=\"\(px: y - 5)\"" : "x=\"\(px: left - 10)\" y=\"\(px: y + 14)\" class=\"end\""
        body += "<text \(place)>\(row.label)</text>"
        let end = scale(row.value)
        if row.value > 0 {
          body +=
            "<rect class=\"\(row.isMachines ? "p-ma" : "p-ad")\" x=\"\(px: left)\" y=\"\(px: y)\" width=\"\(px: max(1.5, end - left))\" height=\"19\"/>"
        }
        var edge = end
        if let range = row.range {
          edge = max(end, scale(range.high))
          body += "<path class=\"tick\" d=\"M\(px: scale(range.low)) \(px: y + 9.5)H\(px: scale(range.high))\"/>"
        }
        let text = row.value > 0 ? CensusWords.machines(row.value) : "not stated"
        body +=
          "<text class=\"strong \(row.isMachines ? "ma" : "ad")\" x=\"\(px: (row.value > 0 ? edge : left) + 7)\" y=\"\(px: y + 14)\">\(text)</text>"
      }
      return (Double(rows.count) * step + 4, body)
    }
  }
}
