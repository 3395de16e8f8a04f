import Mothlight

/// Days as columns: infected below, suspicious above, a dot where machines were new; a dash where nothing was seen at all.
struct DayStrip {
  let days: [Overview.Day]
  /// The day that the page is about.
  let current: Int

  private func flagged(_ day: Overview.Day) -> Int { count(day, .infected) + count(day, .suspicious) }
  private func count(_ day: Overview.Day, _ verdict: Verdict) -> Int { day.hosts[verdict] ?? 0 }
  private func isEmpty(_ day: Overview.Day) -> Bool { day.hosts.values.allSatisfy { $0 == 0 } }

  var words: String {
    let seen = days.filter { !isEmpty($0) }
    let most = seen.map(flagged).max() ?? 0
    return "\(ReportWords.count(seen.count, "day", "days")) of \(days.count) with records; at most "
      + "\(ReportWords.count(most, "machine", "machines")) infected or suspicious on one day."
  }

  func figure() -> Markup {
    let drawing = ChartFrame.both(
      id: "strip", title: "Infected and suspicious machines by day", words: words,
      wide: ChartFrame(width: 760, isNarrow: false), narrow: ChartFrame(width: 352, isNarrow: true)
    ) { frame in
      let (left, top, bottom) = (34.0, 20.0, 118.0)
      let step = (frame.width - left - 2) / Double(max(1, days.count))
      let most = Double(max(1, days.map(flagged).max() ?? 1))
      let ticks = ChartScale.ticks(to: most, about: 3).filter { $0 == $0.rounded() }
      let scale = ChartScale(.linear, 0...max(most, ticks.last ?? most), onto: bottom, top)
      var body: Markup = ""
      for tick in ticks where tick > 0 {
        body += "<path class=\"grid\" d=\"M\(px: left) \(px: scale(tick))H\(px: frame.width)\"/>"
        body +=
          "<text class=\"end soft\" x=\"\(px: left - 6)\" y=\"\(px: scale(tick) + 4)\">\(CensusWords.short(tick))</text>"
      }
      for (i, day) in days.enumerated() {
        body += column(day, x: left + Double(i) * step, width: step, scale: scale, bottom: bottom)
        if (days.count - 1 - i) % (frame.isNarrow ? 10 : 5) == 0 {
          let last = i == days.count - 1
          let x = left + (Double(i) + 0.5) * step
          let words = last && !frame.isNarrow ? Parts.shortDay(day.day) : CensusWords.shortDay(day.day)
          body += """
            <text class="\(last ? "end strong" : "mid soft")" x="\(px: last ? frame.width : x)" y="\(px: bottom + 18)">\(words)</text>
            """
        }
      }
      body += "<path class=\"axis\" d=\"M\(px: left) \(px: bottom)H\(px: frame.width)\"/>"
      return (bottom + 24, body)
    }
    return """
      <figure class="days">\(drawing)<figcaption><span class="k"><i class="s-infected"></i>infected</span>\
      <span class="k"><i class="s-suspicious"></i>suspicious</span><span class="k"><i class="dot"></i>with new machines</span>\
      <span class="k"><i class="gap"></i>nothing was seen</span></figcaption></figure>

      """
  }

  private func column(_ day: Overview.Day, x: Double, width: Double, scale: ChartScale, bottom: Double) -> Markup {
    let (infected, all) = (Double(count(day, .infected)), Double(flagged(day)))
    let (from, wide) = (x + 1.5, max(2, width - 3))
    var drawing: Markup = ""
    if isEmpty(day) {
      drawing += "<path class=\"gap\" d=\"M\(px: from) \(px: bottom - 3)h\(px: wide)\"/>"
    } else {
      if all > infected {
        drawing += bar("s-suspicious", from, scale(all), wide, scale(infected) - scale(all))
      }
      if infected > 0 { drawing += bar("s-infected", from, scale(infected), wide, bottom - scale(infected)) }
    }
    if day.new > 0 {
      drawing += "<circle class=\"dot\" cx=\"\(px: from + wide / 2)\" cy=\"\(px: scale(all) - 6)\" r=\"2.6\"/>"
    }
    let name = Timestamp.describe(day: day.day)
    let words =
      isEmpty(day)
      ? "nothing was seen"
      : "\(count(day, .infected)) infected, \(count(day, .suspicious)) suspicious, \(day.new) new, of \(day.hosts.values.reduce(0, +))"
    return """
      <a href="/?day=\(name)"\(day.day == current ? " class=\"now\"" : "" as Markup)><title>\(name): \(words)</title>\
      <rect class="hit" x="\(px: x)" y="0" width="\(px: width)" height="\(px: bottom)"/>\(drawing)</a>
      """
  }

  private func bar(_ style: Markup, _ x: Double, _ y: Double, _ width: Double, _ height: Double) -> Markup {
    "<rect class=\"\(style)\" x=\"\(px: x)\" y=\"\(px: y)\" width=\"\(px: width)\" height=\"\(px: max(1, height))\"/>"
  }
}

/// Machines by day as a line of small bars, beside a name.
struct Spark {
  let byDay: [Int: Int]
  let days: ClosedRange<Int>

  func drawing(_ title: String) -> Markup {
    let most = Double(max(1, byDay.values.max() ?? 1))
    var path: Markup = ""
    for (i, day) in days.enumerated() {
      guard let count = byDay[day], count > 0 else { continue }
      let h = max(2, Double(count) / most * 20)
      path += "M\(px: Double(i) * 4) 22v-\(px: h)h3v\(px: h)z"
    }
    let width = Double(days.count) * 4
    return """
      <svg class="spark" viewBox="0 0 \(px: width) 23" width="\(px: width)" height="23" role="img"><title>\(title): \(words)</title>\
      <path class="axis" d="M0 22.5H\(px: width)"/><path class="bars" d="\(path)"/></svg>
      """
  }

  private func mean(_ range: ClosedRange<Int>) -> Double {
    range.reduce(0.0) { $0 + Double(byDay[$1] ?? 0) } / Double(range.count)
  }

  /// The last seven days beside the seven before them.
  var words: String {
    let last = mean(days.upperBound - 6...days.upperBound)
    let before = mean(days.upperBound - 13...days.upperBound - 7)
    let numbers =
      "\(ReportWords.number((last * 10).rounded() / 10)) a day this week, \(ReportWords.number((before * 10).rounded() / 10)) the week before"
    if before == 0, last > 0 { return "new this week: \(numbers)" }
    if last > before * 1.25 { return "rising: \(numbers)" }
    if last < before * 0.8 { return "falling: \(numbers)" }
    return "steady: \(numbers)"
  }

  /// One word for a table.
  var trend: String { String(words.prefix { $0 != ":" }) }
}
