/// The grid as a picture: a panel per method, a square per cell, darker where more bots were found.
enum Plot {
  private static let side = 9
  private static let shades = [
    "#f4f1ea", "#e3e0d3", "#cbd6cf", "#a9c4c4", "#84adb9", "#6193ab", "#457899", "#315c80", "#203f60", "#101f36",
  ]

  struct Panel {
    var title: String
    /// By cell.
    var shares: [Double]
  }

  static func svg(_ groups: [(title: String, panels: [Panel])]) -> String {
    let rows = Cell.jitters.count * Cell.missShares.count
    let columns = Cell.periods.count * Cell.extraShares.count * 2
    let width = columns * side + 96
    let height = rows * side + 58
    let most = groups.map(\.panels.count).max() ?? 1
    let across = 2
    let down = groups.reduce(0) { $0 + ($1.panels.count + across - 1) / across }
    let total = (across * width + 20, down * height + groups.count * 34 + 52)
    var out = """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(total.0) \(total.1)" font-family="sans-serif" font-size="10" \
      fill="#222" role="img" aria-label="Share of bots found by cell, \(most) panels a group">
      <rect width="100%" height="100%" fill="#fff"/>

      """
    var y = 10
    for group in groups {
      y += 16
      out += text(10, y, group.title, size: 13, weight: "bold")
      y += 18
      for (i, panel) in group.panels.enumerated() {
        out += draw(panel, x: 10 + (i % across) * width, y: y + (i / across) * height)
      }
      y += (group.panels.count + across - 1) / across * height
    }
    out += text(10, y + 16, "share found:")
    for (i, shade) in shades.enumerated() {
      out += "<rect x=\"\(80 + i * 26)\" y=\"\(y + 7)\" width=\"26\" height=\"11\" fill=\"\(shade)\"/>\n"
    }
    out += text(80, y + 30, "0") + text(326, y + 30, "1")
    return out + "</svg>\n"
  }

  private static func draw(_ panel: Panel, x: Int, y: Int) -> String {
    let left = x + 62
    let top = y + 22
    var paths = [String](repeating: "", count: shades.count)
    for (index, cell) in Cell.all.enumerated() {
      guard let p = Cell.periods.firstIndex(of: cell.period), let e = Cell.extraShares.firstIndex(of: cell.extra),
        let j = Cell.jitters.firstIndex(of: cell.jitter), let m = Cell.missShares.firstIndex(of: cell.misses)
      else { continue }
      let column = p * Cell.extraShares.count * 2 + (cell.isOfficeHours ? Cell.extraShares.count : 0) + e
      let row = j * Cell.missShares.count + m
      let shade = min(shades.count - 1, Int(panel.shares[index] * Double(shades.count)))
      let (px, py) = (left + column * side + p * 3, top + row * side + j * 2)
      paths[shade] += "M\(px) \(py)h\(side - 1)v\(side - 1)h-\(side - 1)z"
    }
    let mean = panel.shares.reduce(0, +) / Double(max(1, panel.shares.count))
    var out = text(left, y, "\(panel.title): \(Decimal.text(mean * 100, 0)) % of all", weight: "bold")
    for (i, period) in Cell.periods.enumerated() {
      out += text(left + i * (6 * side + 3), y + 16, Words.period(period))
    }
    for (j, jitter) in Cell.jitters.enumerated() {
      out += text(x, top + j * (3 * side + 2) + 16, Words.jitter(jitter))
    }
    for (shade, path) in paths.enumerated() where !path.isEmpty {
      out += "<path fill=\"\(shades[shade])\" d=\"\(path)\"/>\n"
    }
    return out
  }

  private static func text(_ x: Int, _ y: Int, _ words: String, size: Int = 10, weight: String = "normal") -> String {
    "<text x=\"\(x)\" y=\"\(y)\" font-size=\"\(size)\" font-weight=\"\(weight)\">\(words)</text>\n"
  }
}

enum Words {
  static func period(_ seconds: Double) -> String {
    seconds < 60 ? "\(Int(seconds)) s" : seconds < 3600 ? "\(Int(seconds / 60)) min" : "\(Int(seconds / 3600)) h"
  }
  static func jitter(_ jitter: Double?) -> String { jitter.map { "± \(Int($0 * 100)) %" } ?? "clock" }
}
