/// Machines and addresses over the window: by day above, by hour below. Windows of many days show each day's hours as a ribbon.
struct CensusTimeChart {
  private struct Point {
    /// Middle of the hour or day, in hours since 1970.
    var at: Double
    var machines: CensusRange?
    var addresses: Double
    /// Lowest and highest hour of a day.
    var ribbon: ClosedRange<Double>?
  }

  private let hours: ClosedRange<UInt32>
  private let active: [Point]
  private let live: [Point]
  private let silent: [ClosedRange<UInt32>]
  let isByDay: Bool
  var hasSilence: Bool { !silent.isEmpty }
  var hasActive: Bool { active.count > 1 }
  /// Days beyond which single hours cannot be seen.
  private static let hourlyDaysMost = 21

  init(_ digest: CensusDigest) {
    let report = digest.report
    hours = report.hours
    isByDay = Int(hours.upperBound - hours.lowerBound) / 24 > Self.hourlyDaysMost
    active = report.active.map {
      Point(at: Double($0.hours.lowerBound) + 12, machines: $0.machines, addresses: $0.addresses)
    }
    live = isByDay ? Self.daily(report.live) : report.live.map { Self.point($0) }
    silent = Self.runs(report.basis.silentHours.values.flatMap { $0 }.filter { report.hours.contains($0) })
  }

  private static func point(_ figure: CensusFigure) -> Point {
    Point(at: Double(figure.hours.lowerBound) + 0.5, machines: figure.machines, addresses: figure.addresses)
  }

  /// Means of each UTC day's hours, ends of the intervals too: hours of a day err together.
  private static func daily(_ figures: [CensusFigure]) -> [Point] {
    var days: [UInt32: [CensusFigure]] = [:]
    for figure in figures { days[figure.hours.lowerBound / 24, default: []].append(figure) }
    return days.sorted { $0.key < $1.key }.map { day, figures in
      let known = figures.compactMap(\.machines).filter { $0.value.isFinite }
      let n = Double(known.count)
      let range = CensusRange(
        low: known.reduce(0) { $0 + $1.low } / n, value: known.reduce(0) { $0 + $1.value } / n,
        high: known.reduce(0) { $0 + $1.high } / n)
      let values = known.map(\.value)
      return Point(
        at: Double(day) * 24 + 12, machines: known.isEmpty ? nil : range,
        addresses: figures.reduce(0) { $0 + $1.addresses } / Double(max(1, figures.count)),
        ribbon: values.min().flatMap { low in values.max().map { low...$0 } })
    }
  }

  static func runs(_ hours: [UInt32]) -> [ClosedRange<UInt32>] {
    var out: [ClosedRange<UInt32>] = []
    for hour in Set(hours).sorted() {
      if let last = out.last, hour == last.upperBound &+ 1 {
        out[out.count - 1] = last.lowerBound...hour
      } else {
        out.append(hour...hour)
      }
    }
    return out
  }

  func drawing() -> Markup {
    let panels =
      (hasActive ? [("active by day", active)] : []) + [(isByDay ? "live in an hour, by day" : "live by hour", live)]
    return ChartFrame.both(id: "time-f", title: "Machines and addresses over time", words: words) { frame in
      let left = frame.isNarrow ? 40.0 : 52
      let high = frame.isNarrow ? 120.0 : 150
      let time = TimeScale(hours, onto: left, frame.width - 8)
      var body: Markup = ""
      var top = 16.0
      for (title, points) in panels {
        body += panel(title, points, time, left: left, top: top, bottom: top + high, right: frame.width - 8)
        top += high + 30
      }
      for tick in time.ticks {
        let x = time(Double(tick.hour))
        body += "<text class=\"mid soft\" x=\"\(px: x)\" y=\"\(px: top - 12)\">\(tick.label)</text>"
      }
      return (top, body)
    }
  }

  private func panel(
    _ title: String, _ points: [Point], _ time: TimeScale, left: Double, top: Double, bottom: Double, right: Double
  ) -> Markup {
    let most = points.reduce(0.0) {
      max($0, $1.addresses.isFinite ? $1.addresses : 0, $1.machines?.high ?? 0, $1.ribbon?.upperBound ?? 0)
    }
    let ticks = ChartScale.ticks(to: most, about: 3)
    let scale = ChartScale(.linear, 0...max(ticks.last ?? 1, 1e-9), onto: bottom, top)
    var out: Markup = "<text class=\"strong\" x=\"\(px: left)\" y=\"\(px: top - 6)\">\(title)</text>"
    for run in silent {
      let from = time(Double(run.lowerBound))
      let to = time(Double(run.upperBound) + 1)
      out += """
        <rect class="mask" x="\(px: from)" y="\(px: top)" width="\(px: max(1.2, to - from))" height="\(px: bottom - top)"/>
        """
    }
    for tick in ticks {
      out += "<path class=\"grid\" d=\"M\(px: left) \(px: scale(tick))H\(px: right)\"/>"
      out +=
        "<text class=\"end soft\" x=\"\(px: left - 6)\" y=\"\(px: scale(tick) + 4)\">\(CensusWords.short(tick))</text>"
    }
    for tick in time.ticks {
      out += "<path class=\"axis\" d=\"M\(px: time(Double(tick.hour))) \(px: bottom)v4\"/>"
    }
    out += lines(points, time, scale)
    return out
  }

  private func lines(_ points: [Point], _ time: TimeScale, _ scale: ChartScale) -> Markup {
    let ribbon = Markup.area(
      points.map { p in p.ribbon.map { (time(p.at), scale($0.lowerBound), scale($0.upperBound)) } })
    let band = Markup.area(points.map { p in p.machines.map { (time(p.at), scale($0.low), scale($0.high)) } })
    let addresses = Markup.line(points.map { $0.addresses.isFinite ? (time($0.at), scale($0.addresses)) : nil })
    let machines = Markup.line(points.map { p in p.machines.map { (time(p.at), scale($0.value)) } })
    return """
      <path class="r-ma" d="\(ribbon)"/><path class="b-ma" d="\(band)"/><path class="l-ad" d="\(addresses)"/>\
      <path class="l-ma" d="\(machines)"/>
      """
  }

  private var words: String {
    func ends(_ name: String, _ points: [Point]) -> String {
      guard let first = points.first(where: { $0.machines != nil })?.machines,
        let last = points.last(where: { $0.machines != nil })?.machines
      else { return "\(name): not stated" }
      return
        "\(name): \(CensusWords.machines(first.value)) machines at the beginning, \(CensusWords.machines(last.value)) at the end"
    }
    let silence = hasSilence ? "; a sensor was silent \(ReportWords.count(silent.count, "time", "times"))" : ""
    return (hasActive ? ends("Active by day", active) + "; " : "") + ends("live in an hour", live) + silence + "."
  }
}

extension CensusHTMLExporter {
  func overTime(_ digest: CensusDigest) -> Markup {
    let chart = CensusTimeChart(digest)
    var key: Markup =
      "<p class=\"key\"><span><i class=\"k-ma\"></i>machines</span><span><i class=\"k-b\"></i>95 % band</span>"
    if chart.isByDay { key += "<span><i class=\"k-r\"></i>lowest to highest hour of the day</span>" }
    key += "<span><i class=\"k-ad\"></i>addresses</span>"
    if chart.hasSilence { key += "<span><i class=\"k-x\"></i>a sensor was silent</span>" }
    key += "</p>"
    let shared = (digest.typical?.inflation ?? 1) < 1
    let say: Markup =
      chart.hasActive
      ? "Within an hour an address is close to a machine\(shared ? ", and hides some behind shared ones" : ""); within a day it no longer is."
      : "Machines and addresses, hour by hour."
    return Self.section(
      "time", "Machines and addresses over time", say: say, key: key, drawing: chart.drawing(),
      provenance: digest.provenance(digest.liveGrade))
  }
}
