/// Mean live machines by hour of the week, as a map of 7 × 24.
struct CensusWeekMap {
  private let cells: [(mean: Double, hours: Int)]
  private let low: Double
  private let high: Double
  /// Slots of the week with fewest and most machines.
  let quietest: Int
  let fullest: Int

  /// `nil` when no hour has an estimate.
  init?(_ digest: CensusDigest) {
    let week = digest.week
    let known = week.indices.filter { week[$0].hours > 0 }
    guard let quietest = known.min(by: { week[$0].mean < week[$1].mean }),
      let fullest = known.max(by: { week[$0].mean < week[$1].mean })
    else { return nil }
    cells = week
    self.quietest = quietest
    self.fullest = fullest
    low = week[quietest].mean
    high = week[fullest].mean
  }

  static func slot(_ slot: Int) -> String { "\(CensusWords.weekdays[slot / 24 % 7]) \(pad(slot % 24, 2)):00" }

  var say: String {
    let span = high > 0 ? "; the emptiest, \(Self.slot(quietest)), shows \(CensusWords.machines(low))" : ""
    return
      "The fullest hour of the week is \(Self.slot(fullest)) UTC with \(CensusWords.machines(high)) live machines\(span)."
  }

  private func step(_ mean: Double) -> Int { high > low ? min(6, Int((mean - low) / (high - low) * 7)) : 3 }

  func drawing() -> Markup {
    ChartFrame.both(id: "week-f", title: "Live machines by hour of the week", words: say) { frame in
      let left = frame.isNarrow ? 30.0 : 42
      let w = (frame.width - left) / 24
      let h = frame.isNarrow ? 19.0 : 23
      var body: Markup = ""
      for hour in stride(from: 0, to: 24, by: frame.isNarrow ? 6 : 3) {
        body += "<text class=\"soft\" x=\"\(px: left + Double(hour) * w)\" y=\"11\">\(pad(hour, 2)):00</text>"
      }
      for day in 0..<7 {
        let y = 17 + Double(day) * h
        body +=
          "<text class=\"end soft\" x=\"\(px: left - 6)\" y=\"\(px: y + h / 2 + 4)\">\(CensusWords.weekdays[day])</text>"
        for hour in 0..<24 { body += cell(day * 24 + hour, left + Double(hour) * w, y, w - 1, h - 1, frame) }
      }
      let ring = (x: left + Double(fullest % 24) * w, y: 17 + Double(fullest / 24) * h)
      body +=
        "<rect class=\"ring\" x=\"\(px: ring.x)\" y=\"\(px: ring.y)\" width=\"\(px: w - 1)\" height=\"\(px: h - 1)\"/>"
      return (17 + 7 * h + 2, body)
    }
  }

  private func cell(_ slot: Int, _ x: Double, _ y: Double, _ w: Double, _ h: Double, _ frame: ChartFrame) -> Markup {
    let cell = cells[slot]
    let style: Markup = cell.hours == 0 ? "qn" : "q\(step(cell.mean))"
    let place: Markup = "class=\"\(style)\" x=\"\(px: x)\" y=\"\(px: y)\" width=\"\(px: w)\" height=\"\(px: h)\""
    if frame.isNarrow { return "<rect \(place)/>" }
    let text =
      cell.hours == 0
      ? "\(Self.slot(slot)): not stated"
      : "\(Self.slot(slot)): \(CensusWords.machines(cell.mean)) live, mean of \(ReportWords.count(cell.hours, "hour", "hours"))"
    return "<rect \(place)><title>\(text)</title></rect>"
  }

  var key: Markup {
    "<p class=\"key\"><span>\(CensusWords.machines(low))\(Self.ramp(0...6))\(CensusWords.machines(high)) live machines</span>"
      + "<span>outlined: the fullest hour</span></p>"
  }

  static func ramp(_ steps: ClosedRange<Int>) -> Markup {
    var out: Markup = ""
    for (i, step) in steps.enumerated() {
      out += "<rect class=\"q\(step)\" x=\"\(i * 18)\" width=\"17\" height=\"11\"/>"
    }
    return
      "<span class=\"ramp\"><svg viewBox=\"0 0 \(steps.count * 18) 11\" width=\"\(steps.count * 18)\" height=\"11\" aria-hidden=\"true\">\(out)</svg></span>"
  }
}

extension CensusHTMLExporter {
  func week(_ digest: CensusDigest) -> Markup {
    guard let map = CensusWeekMap(digest) else { return "" }
    return Self.section(
      "week", "When they are on", say: "\(map.say) Office machines leave with the office; always-on ones do not.",
      key: map.key,
      drawing: map.drawing(), provenance: digest.provenance(digest.liveGrade))
  }
}
