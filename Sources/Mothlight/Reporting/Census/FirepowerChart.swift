import Glibc

/// What live machines could send, beside published attacks, on a logarithmic axis of bits a second.
struct FirepowerChart {
  private struct Row {
    var label: String
    var note: String
    var rate: Firepower.Rate?
    var attack: PublishedAttack?
    var isDoubtful = false
  }

  private let rows: [Row]
  private let range: ClosedRange<Double>

  init(_ f: Firepower) {
    var rows = [
      Row(label: "this botnet, peak hour", note: "\(CensusWords.machines(f.peak.live.value)) live", rate: f.peak.rate),
      Row(
        label: "this botnet, typical hour", note: "\(CensusWords.machines(f.typical.live.value)) live",
        rate: f.typical.rate),
    ]
    if let flag = f.flags.first(where: { $0.subject == .addresses }) {
      rows.append(
        Row(
          label: "addresses taken for machines", note: "\(CensusWords.machines(flag.count)) addresses", rate: flag.rate,
          isDoubtful: true))
    }
    let attacks = f.context.sorted { ($0.gigabitsPerSecond, $0.year) < ($1.gigabitsPerSecond, $1.year) }
    rows += attacks.map { Row(label: $0.title, note: "", attack: $0) }
    self.rows = rows
    let values = rows.flatMap { [$0.rate?.low, $0.rate?.high, $0.attack?.gigabitsPerSecond].compactMap { $0 } }
      .filter { $0 > 0 && $0.isFinite }
    range = max(1e-9, (values.min() ?? 1) * 0.5)...max(1e-6, (values.max() ?? 1) * 2)
  }

  func drawing(words: String) -> Markup {
    ChartFrame.both(id: "fire-f", title: "Firepower and published attacks", words: words) { frame in
      let left = frame.isNarrow ? 4.0 : 186
      let step = frame.isNarrow ? 36.0 : 25
      let right = frame.width - (frame.isNarrow ? 6 : 96)
      let scale = ChartScale(.logarithmic, range, onto: left, right)
      let bottom = 6 + Double(rows.count) * step + 8
      var body: Markup = ""
      for mark in ChartScale.decades(range) {
        body += "<path class=\"grid\" d=\"M\(px: scale(mark)) 2V\(px: bottom)\"/>"
        if frame.isNarrow, Int(log10(mark).rounded()) % 2 != 0 { continue }
        body +=
          "<text class=\"mid soft\" x=\"\(px: scale(mark))\" y=\"\(px: bottom + 13)\">\(ReportWords.rate(mark).replacing(".0", with: ""))</text>"
      }
      var y = 6.0
      for (i, row) in rows.enumerated() {
        if row.attack != nil, i > 0, rows[i - 1].attack == nil {
          body += "<path class=\"axis\" d=\"M0 \(px: y + 3)H\(px: frame.width)\"/>"
          y += 6
        }
        let middle = y + (frame.isNarrow ? 25 : step / 2)
        body +=
          frame.isNarrow
          ? "<text x=\"0\" y=\"\(px: y + 13)\">\(row.label)</text>"
          : "<text class=\"end\" x=\"\(px: left - 10)\" y=\"\(px: middle + 4)\">\(row.label)</text>"
        body += bar(row, scale, middle, frame)
        y += step
      }
      return (bottom + 20, body)
    }
  }

  private func bar(_ row: Row, _ scale: ChartScale, _ y: Double, _ frame: ChartFrame) -> Markup {
    if let rate = row.rate {
      let (from, to) = (scale(rate.low), scale(rate.high))
      let style: Markup = row.isDoubtful ? "b-ad" : "p-ma"
      let fill: Markup = row.isDoubtful ? "" : " fill-opacity=\".45\""
      let text = ReportWords.rate(rate.middle) + (frame.isNarrow ? "" : " · \(row.note)")
      let place: Markup =
        frame.isNarrow
        ? "class=\"strong end\" x=\"\(px: frame.width - 2)\" y=\"\(px: y - 12)\""
        : "class=\"strong\" x=\"\(px: to + 8)\" y=\"\(px: y + 4)\""
      return """
        <rect class="\(style)"\(fill) x="\(px: from)" y="\(px: y - 7)" width="\(px: max(2, to - from))" height="14"/>\
        <path class="tick" d="M\(px: scale(rate.middle)) \(px: y - 9)v18"/><text \(place)>\(text)</text>
        """
    }
    guard let attack = row.attack else { return "" }
    let x = scale(attack.gigabitsPerSecond)
    let mark: Markup = attack.standing == .reported ? "o-so" : "p-so"
    let arrow: Markup =
      attack.standing == .floor ? "<path class=\"w-so\" d=\"M\(px: x) \(px: y)h18m-5 -4l5 4l-5 4\"/>" : ""
    let standing: String =
      switch attack.standing {
      case .measured: ""
      case .floor: ", at least"
      case .reported: ", reported only"
      }
    let text = "\(attack.rateWords)\(standing)"
    let isRight = x > frame.width * 0.72
    let place: Markup =
      frame.isNarrow
      ? "class=\"soft end\" x=\"\(px: frame.width - 2)\" y=\"\(px: y - 12)\""
      : isRight
        ? "class=\"soft end\" x=\"\(px: x - 10)\" y=\"\(px: y + 4)\""
        : "class=\"soft\" x=\"\(px: x + (attack.standing == .floor ? 24 : 10))\" y=\"\(px: y + 4)\""
    return "\(arrow)<circle class=\"\(mark)\" cx=\"\(px: x)\" cy=\"\(px: y)\" r=\"4.5\"/><text \(place)>\(text)</text>"
  }
}

extension CensusHTMLExporter {
  func firepower(_ f: Firepower, _ digest: CensusDigest) -> Markup {
    let chart = FirepowerChart(f)
    var say: Markup = "In its fullest hour it could send \(f.peak.rate.words). \(Firepower.limits)"
    if let first = f.parts.first, let country = first.country, first.uplinkShare > 1.5 * first.liveShare,
      first.uplinkShare > 0.2
    {
      say += """
         \(CountryNames.name(country)) has \(Self.percent(first.liveShare)) of the live machines and \
        \(Self.percent(first.uplinkShare)) of their uplink: the mix of countries matters more than the head count.
        """
    }
    var after: Markup = ""
    for flag in f.flags { after += "<p class=\"warn\">\(flag.text)</p>" }
    after += "<details><summary>Assumptions, uplinks and sources</summary><ul class=\"caveats\">"
    for text in f.assumptionTexts { after += "<li>\(text)</li>" }
    after += "</ul>\(uplinks(f))<ul class=\"caveats\">"
    for attack in f.context { after += "<li>\(attack.title): \(attack.source).</li>" }
    after += "</ul></details>"
    return Self.section(
      "fire", "What they could send", say: say,
      key:
        "<p class=\"key\"><span><i class=\"k-b\"></i>5 to 95 %, with the median</span><span>dots: published attacks</span></p>",
      drawing: chart.drawing(words: "\(f.peak.rate.words) in the peak hour, \(f.typical.rate.words) in a typical one."),
      provenance: "live machines only, uplinks of \(f.year) · \(digest.provenance(digest.liveGrade))", after: after)
  }

  private static func percent(_ share: Double) -> String {
    ReportWords.decimals(share * 100, share < 0.095 ? 1 : 0) + " %"
  }

  private func uplinks(_ f: Firepower) -> Markup {
    var out: Markup = """
      <div class="scroll" role="region" aria-label="Uplinks" tabindex="0"><table class="stack"><thead><tr><th scope="col">Country</th>\
      <th scope="col" class="n">Live</th><th scope="col" class="n">of the live</th><th scope="col" class="n">of the uplink</th>\
      <th scope="col" class="n">Mbit/s</th><th scope="col">Source</th></tr></thead><tbody>

      """
    for part in f.parts.prefix(25) {
      let source = part.isWorldRow ? "world row: \(part.uplink.source)" : part.uplink.source
      out += """
        <tr><th scope="row">\(part.country.map { CountryNames.name($0) } ?? "not known")</th>\
        <td class="n">\(CensusWords.machines(part.live))</td><td class="n">\(Self.percent(part.liveShare))</td>\
        <td class="n">\(Self.percent(part.uplinkShare))</td><td class="n">\(ReportWords.number(part.uplink.megabitsPerSecond))</td>\
        <td><bdi>\(source)</bdi>, \(part.uplink.year)\(part.uplink.isAssumption ? " (assumption)" : "")</td></tr>

        """
    }
    out += "</tbody></table></div>"
    if f.parts.count > 25 { out += "<p class=\"note\">\(f.parts.count - 25) more are in the csv and json outputs.</p>" }
    return out
  }
}
