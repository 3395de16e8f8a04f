/// The JSON of `mothlight census`: an object per botnet, alone, in a list, or under `botnets`.
///
/// Read are `botnet`, `sensors`, `window` and the figures `footprint`, `live`, `active`, `stock`.
/// A figure has `machines` (`low`, `value`, `high`, or `null` when the census abstained), `at_most`, `addresses`, `grade`, and
/// its own window unless it is that of the whole.
enum CensusShape {
  static func recognise(_ tree: JSONTree) -> Bool { !reports(tree).isEmpty }

  private static func reports(_ tree: JSONTree) -> [JSONTree] {
    let all = tree["botnets"]?.array ?? tree["reports"]?.array ?? tree.array ?? [tree]
    return all.filter { $0["botnet"]?.string != nil && ($0["footprint"] != nil || $0["live"] != nil) }
  }

  static func read(_ tree: JSONTree, into result: inout RegistryImport, origin: Origin) {
    for report in reports(tree) {
      guard let name = report["botnet"]?.string, !name.isEmpty, name.utf8.count <= BotnetName.octetsMost else {
        continue
      }
      let line = report.members?.line ?? 1
      let sensors = (report["sensors"]?.array?.compactMap(\.string) ?? []).prefix(64).map { String($0.prefix(64)) }
      let whole = window(report)
      for kind in CensusKind.allCases {
        let all = report[kind.rawValue].map { $0.array ?? [$0] } ?? []
        // Of the live hours only the busiest is kept: a month has 720.
        let figures = kind == .live ? busiest(all) : all
        for tree in figures where tree.members != nil {
          result.read += 1
          guard let figure = figure(tree, kind, whole) else {
            result.skip(line: tree.members?.line ?? line, "'\(kind.rawValue)' without window, addresses or grade")
            continue
          }
          var origin = origin
          origin.date = Timestamp(seconds: (Int64(figure.hours.upperBound) + 1) * 3600)
          result.sizes.append(
            RegistryImport.Size(
              botnet: name, observation: SizeObservation(figure, sensors: Array(sensors), origin: origin)))
        }
      }
    }
  }

  private static func busiest(_ figures: [JSONTree]) -> [JSONTree] {
    figures.max { ($0["machines"]?["value"]?.double ?? -1) < ($1["machines"]?["value"]?.double ?? -1) }.map { [$0] }
      ?? []
  }

  private static func figure(_ tree: JSONTree, _ kind: CensusKind, _ whole: ClosedRange<UInt32>?) -> CensusFigure? {
    guard let hours = window(tree) ?? whole, let addresses = tree["addresses"]?.double, addresses >= 0,
      let grade = tree["grade"]?.string.flatMap(CensusGrade.init)
    else { return nil }
    return CensusFigure(
      kind: kind, hours: hours, machines: range(tree["machines"] ?? tree), atMost: tree["at_most"]?.double,
      addresses: addresses, grade: grade)
  }

  private static func range(_ tree: JSONTree) -> CensusRange? {
    guard let low = tree["low"]?.double, let value = tree["value"]?.double, let high = tree["high"]?.double, low >= 0,
      low <= value, value <= high
    else { return nil }
    return CensusRange(low: low, value: value, high: high)
  }

  /// `window` with `first` and `end`, the first hour after it (docs/census-data.md); or the hours themselves, as times or as
  /// numbers: `first_hour` and `last_hour`, or `hour`.
  private static func window(_ tree: JSONTree) -> ClosedRange<UInt32>? {
    if let inner = tree["window"], inner.members != nil { return window(inner) }
    let first = hour(tree["first_hour"] ?? tree["first"] ?? tree["hour"])
    let end = hour(tree["end"]).flatMap { $0 > 0 ? $0 - 1 : nil }
    let last = end ?? hour(tree["last_hour"] ?? tree["hour"])
    guard let first, let last, first <= last else { return nil }
    return first...last
  }

  private static func hour(_ tree: JSONTree?) -> UInt32? {
    if let number = tree?.double { return UInt32(exactly: number.rounded()) }
    return tree?.string.flatMap { FeedTime.parse($0) }.flatMap { UInt32(exactly: $0.hour) }
  }
}
