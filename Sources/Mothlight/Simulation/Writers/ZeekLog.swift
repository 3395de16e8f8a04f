/// One column's value in a Zeek log.
enum ZeekValue {
  case unset
  case text(String)
  case number(Int)
  /// Microseconds, shown as seconds.
  case seconds(Int64)
  case flag(Bool)
  case list([String])
  case secondsList([Int])
}

/// One Zeek log file in TSV (ASCII writer's format) or JSON lines; rows come out in order of their time.
final class ZeekLog {
  typealias Column = (name: String, type: String)
  private let file: OutputFile
  private let columns: [Column]
  private let isJSON: Bool
  private let epoch: Int64
  /// Rows that something earlier may still precede: hellos and requests come a little after their connection's start.
  private var waiting: [(time: Int64, row: String)] = []

  init(_ path: String, name: String, columns: [Column], epoch: Int64, isJSON: Bool) throws(SimulationError) {
    file = try OutputFile(path)
    self.columns = columns
    self.epoch = epoch
    self.isJSON = isJSON
    guard !isJSON else { return }
    try file.append(
      "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t\(name)\n"
        + "#open\t\(Self.openTime(epoch))\n#fields\t\(columns.map(\.name).joined(separator: "\t"))\n"
        + "#types\t\(columns.map(\.type).joined(separator: "\t"))\n")
  }

  /// - Parameter values: one per column after `ts`.
  func append(time: Int64, _ values: [ZeekValue]) {
    let row = isJSON ? json(time, values) : tabbed(time, values)
    var place = waiting.count
    while place > 0, waiting[place - 1].time > time { place -= 1 }
    waiting.insert((time, row), at: place)
  }

  /// Writes the rows before `time`, which nothing can precede any more.
  func release(before time: Int64) throws(SimulationError) {
    var count = 0
    while count < waiting.count, waiting[count].time < time {
      try file.append(waiting[count].row)
      count += 1
    }
    if count > 0 { waiting.removeFirst(count) }
  }

  func finish(at end: Int64) throws(SimulationError) {
    try release(before: .max)
    if !isJSON { try file.append("#close\t\(Self.openTime(epoch + end))\n") }
    try file.close()
  }

  private func tabbed(_ time: Int64, _ values: [ZeekValue]) -> String {
    var row = LogRow.seconds(epoch + time)
    for value in values {
      row += "\t"
      switch value {
      case .unset: row += "-"
      case .text(let text): row += text.isEmpty ? "(empty)" : text
      case .number(let number): row += String(number)
      case .seconds(let microseconds): row += LogRow.seconds(microseconds)
      case .flag(let flag): row += flag ? "T" : "F"
      case .list(let items): row += items.isEmpty ? "(empty)" : items.joined(separator: ",")
      case .secondsList(let items): row += items.map { "\($0).000000" }.joined(separator: ",")
      }
    }
    return row + "\n"
  }

  /// Unset columns are left out, as Zeek does.
  private func json(_ time: Int64, _ values: [ZeekValue]) -> String {
    var row = "{\"ts\":\(LogRow.seconds(epoch + time))"
    for (column, value) in zip(columns.dropFirst(), values) {
      let text: String
      switch value {
      case .unset: continue
      case .text(let string): text = Self.quoted(string)
      case .number(let number): text = String(number)
      case .seconds(let microseconds): text = LogRow.seconds(microseconds)
      case .flag(let flag): text = flag ? "true" : "false"
      case .list(let items): text = "[" + items.map(Self.quoted).joined(separator: ",") + "]"
      case .secondsList(let items): text = "[" + items.map { "\($0).0" }.joined(separator: ",") + "]"
      }
      row += ",\"\(column.name)\":\(text)"
    }
    return row + "}\n"
  }

  /// Names and texts of the simulator are printable ASCII; only the two JSON specials can occur.
  private static func quoted(_ text: String) -> String {
    var out = "\""
    for character in text {
      if character == "\"" || character == "\\" { out += "\\" }
      out.append(character)
    }
    return out + "\""
  }

  /// `2026-03-02-00-00-00`.
  private static func openTime(_ microseconds: Int64) -> String {
    let text = Timestamp(nanoseconds: microseconds * 1000).description.prefix(19)
    return String(text.map { $0 == "T" || $0 == ":" ? "-" : $0 })
  }
}
