/// A finding's series as bars: gaps on a logarithmic time axis when they are gap counts, plain numbers else.
///
/// `gap_histogram_quarter_octave` has four bins an octave from 1 s up; with `_from_2eN_s` behind it, from 2 to the N-th s up.
package struct Histogram {
  private let values: [Double]
  private let isGaps: Bool
  /// Octaves from 1 s to the lower edge of bin 0.
  private let octave: Int
  private let name: String
  /// First bin drawn; empty ones before and after the data are left out.
  private let start: Int
  private static let width = 340.0
  private static let height = 112.0
  private static let left = 34.0
  private static let top = 10.0
  private static let base = 88.0
  /// Bins of a series beyond this are not drawn; quarter octaves of a week are 78.
  private static let mostBins = 512

  /// `nil` when the finding has nothing to draw.
  package init?(_ finding: Finding) {
    guard !finding.seriesName.isEmpty else { return nil }
    let all = finding.series.prefix(Self.mostBins).map { $0.isFinite ? max(0, $0) : 0 }
    guard let first = all.firstIndex(where: { $0 > 0 }), let last = all.lastIndex(where: { $0 > 0 }) else { return nil }
    let octave = Self.firstOctave(finding.seriesName)
    isGaps = octave != nil
    self.octave = octave ?? 0
    let margin = isGaps ? 4 : 0
    let from = max(0, first - margin)
    var to = min(isGaps ? Self.mostBins : all.count, last + margin + 1)
    // Two octaves at least, so that one bin is a peak and not a wall.
    if isGaps, to - from < 16 {
      to = from + 16
    }
    start = isGaps ? from : 0
    values = (start..<(isGaps ? to : all.count)).map { $0 < all.count ? all[$0] : 0 }
    name = finding.seriesName
  }

  private var step: Double { (Self.width - Self.left - 6) / Double(max(1, values.count)) }

  package func figure(id: String) -> Markup {
    let most = values.max() ?? 0
    let peak = values.firstIndex(of: most) ?? 0
    let caption: String =
      isGaps ? "Gaps between contacts, by length" : ReportWords.spaced(name)
    return """
      <figure class="histogram"><svg viewBox="0 0 \(px: Self.width) \(px: Self.height)" role="img" \
      aria-labelledby="\(id)-ht \(id)-hd"><title id="\(id)-ht">\(caption)</title>\
      <desc id="\(id)-hd">\(description(peak, most))</desc>\(bars(most))\(axis(most))</svg>\
      <figcaption>\(caption). \(description(peak, most))</figcaption></figure>
      """
  }

  private func description(_ peak: Int, _ most: Double) -> String {
    let total = values.reduce(0, +)
    guard isGaps else { return "At most \(ReportWords.number(most))." }
    let from = ReportWords.duration(Self.seconds(start + peak, octave))
    let to = ReportWords.duration(Self.seconds(start + peak + 1, octave))
    return "Fullest bin \(from) to \(to): \(ReportWords.number(most)) of \(ReportWords.number(total))."
  }

  private func bars(_ most: Double) -> Markup {
    var path: Markup = ""
    for (i, value) in values.enumerated() where value > 0 {
      let h = max(1, value / most * (Self.base - Self.top))
      path += "M\(px: Self.left + Double(i) * step + 0.5) \(px: Self.base)v-\(px: h)h\(px: max(1, step - 1))v\(px: h)z"
    }
    return "<path class=\"bars\" d=\"\(path)\"/>"
  }

  private func axis(_ most: Double) -> Markup {
    var out: Markup = """
      <path class="axis" d="M\(px: Self.left) \(px: Self.base)H\(px: Self.width)"/>\
      <text x="\(px: Self.left - 5)" y="\(px: Self.top + 4)" text-anchor="end">\(ReportWords.number(most))</text>\
      <text x="\(px: Self.left - 5)" y="\(px: Self.base)" text-anchor="end">0</text>
      """
    var free = Self.left - 20
    for tick in ticks {
      let x = Self.left + tick.bin * step
      guard x >= free, x <= Self.width - 8 else { continue }
      free = x + 44
      out += "<path class=\"axis\" d=\"M\(px: x) \(px: Self.base)v4\"/>"
      out += "<text x=\"\(px: x)\" y=\"\(px: Self.base + 16)\" text-anchor=\"middle\">\(tick.label)</text>"
    }
    return out
  }

  /// Round times for gaps, every few bins else; positions are in bins from the left end.
  private var ticks: [(bin: Double, label: String)] {
    guard isGaps else {
      let every = max(1, values.count / 6)
      return stride(from: 0, to: values.count, by: every).map { (Double($0) + 0.5, String($0)) }
    }
    // log2 of the round times, times four bins an octave.
    let round: [(Double, String)] = [
      (-3.3219, "0.1 s"), (0, "1 s"), (2.3219, "5 s"), (3.3219, "10 s"), (4.9069, "30 s"), (5.9069, "1 min"),
      (6.9069, "2 min"),
      (8.2288, "5 min"), (9.2288, "10 min"), (10.8138, "30 min"), (11.8138, "1 h"), (13.3987, "3 h"), (14.3987, "6 h"),
      (15.3987, "12 h"), (16.3987, "1 d"), (19.206, "1 wk"),
    ]
    return round.map { (($0.0 - Double(octave)) * 4 - Double(start), $0.1) }.filter {
      $0.0 >= 0 && $0.0 <= Double(values.count)
    }
  }

  /// Lower edge of bin `i`: `2^(i/4 + octave)` seconds, by repeated multiplication so that no maths library is needed.
  static func seconds(_ i: Int, _ octave: Int) -> Double {
    let quarter = [1.0, 1.189_207_115_002_721, 1.414_213_562_373_095, 1.681_792_830_507_429]
    var value = quarter[max(0, i) % 4]
    let exponent = max(-64, min(64, max(0, i) / 4 + octave))
    for _ in 0..<abs(exponent) { value *= exponent < 0 ? 0.5 : 2 }
    return value
  }

  /// The octave that a series' name tells; `nil` when it is no gap histogram.
  static func firstOctave(_ name: String) -> Int? {
    let prefix = "gap_histogram_quarter_octave"
    guard name.hasPrefix(prefix) else { return nil }
    let rest = name.dropFirst(prefix.count)
    if rest.isEmpty { return 0 }
    guard rest.hasPrefix("_from_2e"), rest.hasSuffix("_s") else { return nil }
    return Int(rest.dropFirst(8).dropLast(2)).flatMap { (-32...32).contains($0) ? $0 : nil }
  }
}
