import Glibc

/// The room that a drawing has: each is drawn twice, for a desk or paper and for a phone, since scaled text cannot be read.
package struct ChartFrame: Sendable {
  package let width: Double
  package let isNarrow: Bool

  package static let wide = ChartFrame(width: 900, isNarrow: false)
  package static let narrow = ChartFrame(width: 352, isNarrow: true)

  /// Both drawings, of which the page shows one. `draw` gives the drawing's height and what is in it.
  package static func both(
    id: String, title: String, words: String, wide: ChartFrame = .wide, narrow: ChartFrame = .narrow,
    draw: (ChartFrame) -> (height: Double, body: Markup)
  ) -> Markup {
    var out: Markup = ""
    for frame in [wide, narrow] {
      let (height, body) = draw(frame)
      let own = id + (frame.isNarrow ? "-n" : "-w")
      out += """
        <svg class="chart \(frame.isNarrow ? "pn" : "pw")" viewBox="0 0 \(px: frame.width) \(px: height)" role="img" \
        aria-labelledby="\(own)t \(own)d"><title id="\(own)t">\(title)</title><desc id="\(own)d">\(words)</desc>\(body)</svg>
        """
    }
    return out
  }
}

/// Values to places on a drawing.
package struct ChartScale: Sendable {
  package enum Kind: Sendable { case linear, logarithmic }
  private let kind: Kind
  private let from: Double
  private let to: Double
  private let start: Double
  private let end: Double

  package init(_ kind: Kind, _ domain: ClosedRange<Double>, onto start: Double, _ end: Double) {
    self.kind = kind
    self.start = start
    self.end = end
    from = kind == .linear ? domain.lowerBound : log10(max(1e-12, domain.lowerBound))
    to = kind == .linear ? domain.upperBound : log10(max(1e-12, domain.upperBound))
  }

  /// Clamped to the drawing; values that are no number stand at its start.
  package func callAsFunction(_ value: Double) -> Double {
    let v = kind == .linear ? value : log10(max(1e-12, value))
    guard v.isFinite, to > from else { return start }
    return start + max(0, min(1, (v - from) / (to - from))) * (end - start)
  }

  /// Round numbers from 0 up to and above `most`: 1, 2, 2.5 or 5 times a power of ten apart.
  package static func ticks(to most: Double, about count: Int = 4) -> [Double] {
    guard most.isFinite, most > 0, most < 1e15 else { return [0, 1] }
    let rough = most / Double(max(1, count))
    let power = pow(10, log10(rough).rounded(.down))
    let step = [1, 2, 2.5, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? rough
    let last = (most / step).rounded(.up)
    return (0...Int(max(1, min(20, last)))).map { Double($0) * step }
  }

  /// Powers of ten within a range.
  package static func decades(_ range: ClosedRange<Double>) -> [Double] {
    let low = Int(log10(max(1e-12, range.lowerBound)).rounded(.up))
    let high = Int(log10(min(1e15, max(1e-12, range.upperBound))).rounded(.down))
    return low <= high ? (low...high).map { pow(10, Double($0)) } : []
  }
}

/// Where days and hours stand along a time axis.
struct TimeScale: Sendable {
  let hours: ClosedRange<UInt32>
  private let left: Double
  private let right: Double

  init(_ hours: ClosedRange<UInt32>, onto left: Double, _ right: Double) {
    self.hours = hours
    self.left = left
    self.right = right
  }

  private var length: Double { Double(hours.upperBound - hours.lowerBound) + 1 }

  /// The beginning of an hour, which may be a fraction.
  func callAsFunction(_ hour: Double) -> Double {
    left + max(0, min(1, (hour - Double(hours.lowerBound)) / length)) * (right - left)
  }

  /// Days that get a mark: all, or Mondays and then every so many.
  var ticks: [(hour: UInt32, label: String)] {
    let most = max(3, Int((right - left) / 62))
    let days = Int(length / 24)
    if days < 3 { return clock(most) }
    let step = [1, 2, 7, 14, 28, 56, 91, 182, 364].first { days / $0 < most } ?? 728
    let first = Int(hours.lowerBound / 24) + (hours.lowerBound % 24 == 0 ? 0 : 1)
    let last = Int(hours.upperBound / 24)
    guard first <= last else { return [] }
    // 1970-01-05 was a Monday.
    let start = step >= 7 ? first + (4 - first % 7 + 7) % 7 : first
    return stride(from: start, through: last, by: step).map { (UInt32(clamping: $0 * 24), CensusWords.shortDay($0)) }
  }

  private func clock(_ most: Int) -> [(hour: UInt32, label: String)] {
    let step: UInt32 = [1, 3, 6, 12, 24].first { Int(length) / Int($0) <= most } ?? 24
    let first = (hours.lowerBound / step + (hours.lowerBound % step == 0 ? 0 : 1)) * step
    return stride(from: UInt64(first), through: UInt64(hours.upperBound), by: Int(step)).map { hour in
      let h = UInt32(clamping: hour)
      return (h, h % 24 == 0 ? CensusWords.shortDay(Int(h / 24)) : "\(pad(Int(h % 24), 2)):00")
    }
  }
}

extension Markup {
  /// A line through places; gaps where one is missing.
  package static func line(_ points: [(x: Double, y: Double)?]) -> Markup {
    var path: Markup = ""
    var isDown = false
    for point in points {
      guard let point else {
        isDown = false
        continue
      }
      path += "\(isDown ? "L" as Markup : "M")\(px: point.x) \(px: point.y)"
      isDown = true
    }
    return path
  }

  /// The area between two lines, in pieces where one of them is missing.
  package static func area(_ points: [(x: Double, low: Double, high: Double)?]) -> Markup {
    var path: Markup = ""
    for piece in points.split(whereSeparator: { $0 == nil }) {
      let known = piece.compactMap { $0 }
      guard let first = known.first else { continue }
      path += "M\(px: first.x) \(px: first.high)"
      for point in known.dropFirst() { path += "L\(px: point.x) \(px: point.high)" }
      for point in known.reversed() { path += "L\(px: point.x) \(px: point.low)" }
      path += "z"
    }
    return path
  }
}
