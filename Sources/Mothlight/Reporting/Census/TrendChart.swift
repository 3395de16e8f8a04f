/// Daily levels without their season, the fitted curve with its band, the takeover, and a look ahead where there is one.
struct TrendChart {
  private let trend: Trend
  private let first: Int
  private let last: Int

  /// `nil` without a fit.
  init?(_ trend: Trend) {
    guard trend.fit != nil, let first = trend.days.first?.day, let end = trend.days.last?.day else { return nil }
    self.trend = trend
    self.first = first
    let ahead = trend.forecasts.filter { $0.machines != nil }.map(\.horizonDays).max() ?? 0
    last = end + (ahead > 0 ? ahead + 2 : 1)
  }

  private var end: Int { trend.days.last?.day ?? last }

  func drawing() -> Markup {
    let most = trend.days.reduce(0.0) { max($0, $1.level ?? 0, $1.fitted?.high ?? 0) }
    let highest = trend.forecasts.reduce(most) { max($0, $1.machines?.high ?? 0) }
    return ChartFrame.both(id: "trend-f", title: "Live machines without their weekly season", words: trend.headline) {
      frame in
      let left = frame.isNarrow ? 40.0 : 52
      let (top, bottom, right) = (20.0, frame.isNarrow ? 176.0 : 226, frame.width - 8)
      let hours = UInt32(clamping: first * 24)...UInt32(clamping: max(first * 24 + 23, last * 24 + 23))
      let time = TimeScale(hours, onto: left, right)
      let ticks = ChartScale.ticks(to: highest, about: 4)
      let scale = ChartScale(.linear, 0...max(ticks.last ?? 1, 1e-9), onto: bottom, top)
      var body: Markup = ""
      for tick in ticks {
        body += "<path class=\"grid\" d=\"M\(px: left) \(px: scale(tick))H\(px: right)\"/>"
        body +=
          "<text class=\"end soft\" x=\"\(px: left - 6)\" y=\"\(px: scale(tick) + 4)\">\(CensusWords.short(tick))</text>"
      }
      for tick in time.ticks {
        let x = time(Double(tick.hour))
        body += "<path class=\"axis\" d=\"M\(px: x) \(px: bottom)v4\"/>"
        body += "<text class=\"mid soft\" x=\"\(px: x)\" y=\"\(px: bottom + 17)\">\(tick.label)</text>"
      }
      body += masks(time, top, bottom) + curve(time, scale) + marks(time, scale, top, bottom, left, right, frame)
      return (bottom + 24, body)
    }
  }

  private static func noon(_ day: Int) -> Double { Double(day) * 24 + 12 }

  private func masks(_ time: TimeScale, _ top: Double, _ bottom: Double) -> Markup {
    var out: Markup = ""
    for day in trend.days where day.level == nil {
      let from = time(Double(day.day) * 24)
      let to = time(Double(day.day + 1) * 24)
      out +=
        "<rect class=\"mask\" x=\"\(px: from)\" y=\"\(px: top)\" width=\"\(px: max(1, to - from))\" height=\"\(px: bottom - top)\"/>"
    }
    return out
  }

  private func curve(_ time: TimeScale, _ scale: ChartScale) -> Markup {
    let band = Markup.area(
      trend.days.map { day in day.fitted.map { (time(Self.noon(day.day)), scale($0.low), scale($0.high)) } })
    let line = Markup.line(trend.days.map { day in day.fitted.map { (time(Self.noon(day.day)), scale($0.value)) } })
    var out: Markup = "<path class=\"b-ma\" d=\"\(band)\"/><path class=\"l-ma\" d=\"\(line)\"/>"
    for day in trend.days {
      guard let level = day.level else { continue }
      out += "<circle class=\"p-so\" cx=\"\(px: time(Self.noon(day.day)))\" cy=\"\(px: scale(level))\" r=\"2\"/>"
    }
    return out
  }

  private func marks(
    _ time: TimeScale, _ scale: ChartScale, _ top: Double, _ bottom: Double, _ left: Double, _ right: Double,
    _ frame: ChartFrame
  ) -> Markup {
    var out: Markup = ""
    if let takeover = trend.takeover {
      let x = time(Double(takeover))
      out += "<path class=\"since\" d=\"M\(px: x) \(px: top - 6)V\(px: bottom)\"/>"
      out += "<text class=\"strong\" x=\"\(px: x + 5)\" y=\"\(px: top - 8)\">takeover</text>"
    }
    if let fit = trend.fit, fit.model == .exponentialDecay {
      let y = scale(fit.start.value / 2)
      out += "<path class=\"dash\" d=\"M\(px: left) \(px: y)H\(px: right)\"/>"
      out += "<text class=\"soft\" x=\"\(px: left + 8)\" y=\"\(px: y + 13)\">half of the start</text>"
    }
    for forecast in trend.forecasts {
      guard let machines = forecast.machines else { continue }
      let x = time(Self.noon(end + forecast.horizonDays))
      out += """
        <path class="w-ma" d="M\(px: x) \(px: scale(machines.low))V\(px: scale(machines.high))"/>\
        <circle class="o-ma" cx="\(px: x)" cy="\(px: scale(machines.value))" r="4"/>\
        <text class="mid strong" x="\(px: x)" y="\(px: scale(machines.high) - 7)">+\(forecast.horizonDays) d</text>
        """
    }
    return out
  }
}

extension CensusHTMLExporter {
  func trend(_ trend: Trend, _ digest: CensusDigest) -> Markup {
    let title = trend.fit?.model == .exponentialDecay ? "Clean-up" : "Trend"
    var after: Markup = ""
    for text in trend.outlook { after += "<p class=\"note\">\(text)</p>" }
    if !trend.countries.isEmpty { after += rates(trend) }
    guard let chart = TrendChart(trend) else {
      return """
        <section aria-labelledby="trend"><h2 id="trend">\(title)</h2><p class="say">\(trend.headline)</p>\
        <p class="prov">\(digest.provenance(digest.liveGrade)) · \(trend.maskWords)</p></section>

        """
    }
    return Self.section(
      "trend", title, say: "\(trend.headline) Fitted on live machines, never on addresses.",
      key: """
        <p class="key"><span>dots: a day, season taken out</span><span><i class="k-ma"></i>fit</span><span><i class="k-b"></i>95 % band</span>\
        <span><i class="k-x"></i>masked</span><span>rings: forecast</span></p>
        """,
      drawing: chart.drawing(), provenance: "\(digest.provenance(digest.liveGrade)) · \(trend.maskWords)", after: after)
  }

  private func rates(_ trend: Trend) -> Markup {
    var out: Markup = """
      <details><summary>Clean-up by country</summary><table class="cc"><thead><tr><th scope="col">Country</th>\
      <th scope="col">% a week</th><th scope="col">95 %</th><th scope="col">alone</th></tr></thead><tbody>

      """
    func percent(_ value: Double) -> String { ReportWords.decimals(value * 100, 1) }
    for item in trend.countries.prefix(Self.rowsShown) {
      out += """
        <tr><th scope="row">\(CountryNames.name(item.country))</th><td>\(percent(item.pooled.value))</td>\
        <td>\(percent(item.pooled.low)) to \(percent(item.pooled.high))</td><td>\(percent(item.own.value))</td></tr>

        """
    }
    out +=
      "</tbody></table><p class=\"note\">Drawn toward each other: a country with few machines says little alone.</p></details>"
    return out
  }
}
