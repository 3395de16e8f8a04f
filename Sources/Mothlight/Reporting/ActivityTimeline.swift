/// A host's day as a picture: flows per quarter hour, and below it one lane per family with the spans of its findings.
package struct ActivityTimeline {
  private let day: Int
  private let bins: [UInt32]
  private let findings: [Finding]
  private let families: [EvidenceFamily]
  private let host: IPAddress
  private static let left = 62.0
  private static let binWidth = 6.8
  private static let barHeight = 62.0
  private static let laneHeight = 15.0
  private static var right: Double { left + binWidth * Double(HostActivity.binCount) }

  package init(_ entry: HostDay) {
    day = entry.day
    bins = Array(entry.activity.bins.prefix(HostActivity.binCount))
    findings = entry.findings
    families = Set(entry.findings.map(\.family)).sorted()
    host = entry.host
  }

  /// The picture with its words for readers who cannot see it.
  package func figure(id: String) -> Markup {
    let lanesTop = Self.barHeight + 24
    let height = lanesTop + Self.laneHeight * Double(families.count) + 4
    let most = bins.max() ?? 0
    let hours = Set(bins.indices.filter { bins[$0] > 0 }.map { $0 / 4 }).count
    let spans = findings.map {
      "\(ReportWords.label($0.family)) \(ReportWords.span($0.first, $0.last, day: day))"
    }
    return """
      <figure class="scroll" role="group" aria-label="Activity over the day" tabindex="0">\
      <svg class="timeline" viewBox="0 0 720 \(px: height)" role="img" aria-labelledby="\(id)-t \(id)-d">\
      <title id="\(id)-t">Activity of \(host) on \(Timestamp.describe(day: day))</title>\
      <desc id="\(id)-d">Flows begun per 15 minutes, at most \(ReportWords.grouped(most)); active in \(hours) of 24 hours. \
      Evidence: \(spans.isEmpty ? "none" : spans.joined(separator: "; ")).</desc>\
      \(grid(height))\(bars(most))\(lanes(top: lanesTop))</svg></figure>

      """
  }

  private func grid(_ height: Double) -> Markup {
    var out: Markup = ""
    for hour in stride(from: 0, through: 24, by: 3) {
      let x = Self.left + Double(hour * 4) * Self.binWidth
      let anchor: Markup = hour == 24 ? "end" : hour == 0 ? "start" : "middle"
      out += "<path class=\"grid\" d=\"M\(px: x) 4V\(px: height - 4)\"/>"
      out += "<text x=\"\(px: x)\" y=\"\(px: Self.barHeight + 16)\" text-anchor=\"\(anchor)\">\(pad(hour, 2)):00</text>"
    }
    return out
  }

  /// All bars in one path: 96 rectangles as elements would be most of the page.
  private func bars(_ most: UInt32) -> Markup {
    let base = Self.barHeight + 2
    var out: Markup = "<path class=\"axis\" d=\"M\(px: Self.left) \(px: base)H\(px: Self.right)\"/>"
    guard most > 0 else { return out }
    var path: Markup = ""
    for (i, n) in bins.enumerated() where n > 0 {
      let h = max(1, Double(n) / Double(most) * (Self.barHeight - 6))
      path +=
        "M\(px: Self.left + Double(i) * Self.binWidth + 0.5) \(px: base)v-\(px: h)h\(px: Self.binWidth - 1)v\(px: h)z"
    }
    out += "<path class=\"bars\" d=\"\(path)\"/>"
    out += "<text x=\"\(px: Self.left - 6)\" y=\"15\" text-anchor=\"end\">\(ReportWords.grouped(most))</text>"
    out += "<text x=\"\(px: Self.left - 6)\" y=\"27\" text-anchor=\"end\" class=\"faint\">flows /</text>"
    out += "<text x=\"\(px: Self.left - 6)\" y=\"38\" text-anchor=\"end\" class=\"faint\">15 min</text>"
    return out
  }

  private func lanes(top: Double) -> Markup {
    var out: Markup = ""
    for (lane, family) in families.enumerated() {
      let y = top + Double(lane) * Self.laneHeight
      out +=
        "<text x=\"\(px: Self.left - 6)\" y=\"\(px: y + 10)\" text-anchor=\"end\">\(ReportWords.label(family))</text>"
      out += "<path class=\"grid\" d=\"M\(px: Self.left) \(px: y + 6.5)H\(px: Self.right)\"/>"
      for finding in findings where finding.family == family {
        let from = position(finding.first)
        let to = max(from + 3, position(finding.last))
        out += """
          <rect class="f-\(family.rawValue)" x="\(px: min(from, Self.right - 3))" y="\(px: y + 2)" \
          width="\(px: min(to, Self.right) - min(from, Self.right - 3))" height="9" rx="1.5">\
          <title>\(finding.detector): \(ReportWords.span(finding.first, finding.last, day: day))</title></rect>
          """
      }
    }
    return out
  }

  /// Where a moment stands on the day's axis; moments of other days stand at its ends.
  private func position(_ time: Timestamp) -> Double {
    let midnight = Timestamp(seconds: Int64(clamping: day).multipliedReportingOverflow(by: 86_400).partialValue)
    let share = time.seconds(since: midnight) / 86_400
    return Self.left + max(0, min(1, share)) * (Self.right - Self.left)
  }
}
