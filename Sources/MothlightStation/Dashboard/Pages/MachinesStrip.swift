import Mothlight

/// One number a day as plain columns.
struct MachinesStrip {
  let days: [Overview.Day]

  private func count(_ day: Overview.Day) -> Int { day.hosts.values.reduce(0, +) }

  func figure() -> Markup {
    let most = Double(max(1, days.map(count).max() ?? 1))
    let words = "At most \(ReportWords.count(Int(most), "machine", "machines")) on one day."
    let drawing = ChartFrame.both(
      id: "machines", title: "Machines by day", words: words, wide: ChartFrame(width: 760, isNarrow: false)
    ) { frame in
      let (left, top, bottom) = (34.0, 8.0, 78.0)
      let step = (frame.width - left - 2) / Double(max(1, days.count))
      let scale = ChartScale(.linear, 0...most, onto: bottom, top)
      var body: Markup =
        "<text class=\"end soft\" x=\"\(px: left - 6)\" y=\"\(px: top + 6)\">\(CensusWords.short(most))</text>"
      for (i, day) in days.enumerated() {
        let x = left + Double(i) * step
        if count(day) > 0 {
          let y = scale(Double(count(day)))
          body += """
            <rect class="p-ma" x="\(px: x + 1.5)" y="\(px: y)" width="\(px: max(2, step - 3))" height="\(px: max(1, bottom - y))">\
            <title>\(Timestamp.describe(day: day.day)): \(count(day))</title></rect>
            """
        }
        if (days.count - 1 - i) % (frame.isNarrow ? 10 : 5) == 0 {
          let last = i == days.count - 1
          body += """
            <text class="\(last ? "end strong" : "mid soft")" x="\(px: last ? frame.width : x + step / 2)" y="\(px: bottom + 17)">\(CensusWords.shortDay(day.day))</text>
            """
        }
      }
      body += "<path class=\"axis\" d=\"M\(px: left) \(px: bottom)H\(px: frame.width)\"/>"
      return (bottom + 22, body)
    }
    return "<figure class=\"days\">\(drawing)</figure>\n"
  }
}
