/// Small drawings made on the spot; colours come from the page's style sheet so that they follow light, dark and paper.
package enum SVG {
  /// The mark: a moth with open wings, one side drawn twice.
  package static let moth: Markup = """
    <svg class="moth" viewBox="0 0 48 40" width="44" height="37" aria-hidden="true">\(side)\
    <g transform="matrix(-1 0 0 1 48 0)">\(side)</g><ellipse class="body" cx="24" cy="22" rx="1.9" ry="9"/></svg>
    """

  private static let side: Markup = """
    <path class="w1" d="M23 17C18 7 9 2 2 5c-1 8 5 16 20 17z"/><path class="w2" d="M22.5 21C14 21 8 26 9 34c7 2 13-3 14.5-10z"/>\
    <circle class="eye" cx="11" cy="11.5" r="2.4"/><path class="ant" d="M23.3 14C22 9 19 6 15.5 4.5"/>
    """

  /// A strip divided in proportion; a part that exists never vanishes.
  package static func shares(_ parts: [(count: Int, style: String)], title: Markup, width: Double = 720) -> Markup {
    let total = parts.reduce(0.0) { $0 + Double($1.count) }
    guard total > 0 else { return "" }
    let present = parts.filter { $0.count > 0 }
    let least = 3.0
    let free = max(0, width - least * Double(present.count))
    var words: [String] = []
    var drawing: Markup = ""
    var x = 0.0
    for part in present {
      let w = least + free * Double(part.count) / total
      drawing += "<rect class=\"s-\(part.style)\" x=\"\(px: x)\" y=\"0\" width=\"\(px: max(1, w - 1))\" height=\"8\"/>"
      x += w
      words.append("\(ReportWords.grouped(part.count)) \(ReportWords.spaced(part.style))")
    }
    return """
      <svg class="shares" viewBox="0 0 \(px: width) 8" preserveAspectRatio="none" role="img"><title>\(title)</title>\
      <desc>\(words.joined(separator: ", "))</desc>\(drawing)</svg>
      """
  }

  /// A bar of 0…1 of its cell, with a tick where a threshold stands.
  package static func bar(_ share: Double, style: Markup, tick: Double? = nil) -> Markup {
    let w = share.isFinite ? max(0, min(1, share)) * 200 : 0
    let mark: Markup = tick.map { "<path class=\"tick\" d=\"M\(px: max(0, min(1, $0)) * 198 + 1) 0v10\"/>" } ?? ""
    return """
      <svg class="bar" viewBox="0 0 200 10" preserveAspectRatio="none" aria-hidden="true">\
      <rect class="\(style)" width="\(px: w)" height="10"/>\(mark)</svg>
      """
  }

  /// A measured value as a bar with a tick where the threshold stands; nothing for context numbers.
  package static func gauge(_ measure: Measure) -> Markup {
    guard let threshold = measure.threshold, threshold.isFinite, measure.value.isFinite else { return "" }
    let top = max(measure.value, threshold, 0) * 1.15
    guard top > 0 else { return "" }
    let value = max(0, measure.value) / top * 120
    let tick = max(0, threshold) / top * 120
    return """
      <svg class="gauge" viewBox="0 0 120 14" width="120" height="14" aria-hidden="true">\
      <rect class="rail" y="4" width="120" height="6"/>\
      <rect class="\(measure.isMet == true ? "met" : "unmet")" y="4" width="\(px: max(1, value))" height="6"/>\
      <path class="tick" d="M\(px: tick) 0v14"/></svg>
      """
  }
}
