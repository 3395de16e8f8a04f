extension ChurnTable {
  /// First line of a file, with the version of its form.
  static let title = "# mothlight churn 1"
  static let sourceWord = "# from: "
  static let columns = ["asn", "quarter", "changes", "hours", "machine_hours", "address_hours"]

  /// A table from text that `csv` wrote: a line that names the form, a line for each source, a head, and a line for
  /// each network and quarter. Other lines that begin with `#` are passed over.
  ///
  /// - Parameter name: what to call the file in an error.
  /// - Throws: `ConfigurationError` with file, line, and what to do.
  public init(csv text: String, name: String) throws(ConfigurationError) {
    self.init()
    var number = 0
    var hasHead = false
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      number += 1
      let place = "\(name):\(number)"
      if number == 1 {
        guard line == Self.title else {
          throw ConfigurationError(
            "\(place): the first line must be '\(Self.title)'; a file of a later version needs the program that wrote it"
          )
        }
      } else if line.hasPrefix(Self.sourceWord) {
        sources.append(try Self.source(line.dropFirst(Self.sourceWord.count), place))
      } else if line.isEmpty || line.hasPrefix("#") {
        continue
      } else if !hasHead {
        guard line.split(separator: ",").map(String.init) == Self.columns else {
          throw ConfigurationError("\(place): the columns must be: \(Self.columns.joined(separator: ","))")
        }
        hasHead = true
      } else {
        guard rows.count < Self.rowsMost else {
          throw ConfigurationError("\(place): more than \(Self.rowsMost) rows; keep the quarters that are needed")
        }
        let (key, row) = try Self.row(line, place)
        guard rows.updateValue(row, forKey: key) == nil else {
          throw ConfigurationError("\(place): AS\(key.system) in \(key.quarter) stands there twice; keep one")
        }
      }
    }
    guard hasHead else { throw ConfigurationError("\(name): no table of churn: its columns are missing") }
  }

  /// `2026-03-02/2026-03-31 name`: first and last day, and the botnet.
  private static func source(_ text: Substring, _ place: String) throws(ConfigurationError) -> Source {
    let parts = text.split(separator: " ", maxSplits: 1)
    let days = parts.first?.split(separator: "/").map { day($0) } ?? []
    guard parts.count == 2, days.count == 2, let first = days[0], let last = days[1], first <= last else {
      throw ConfigurationError("\(place): a source is two days and a name, such as 2026-03-02/2026-03-31 mirai")
    }
    return Source(botnet: String(parts[1]), hours: first * 24...(last * 24 + 23))
  }

  private static func day(_ text: Substring) -> UInt32? {
    let parts = text.split(separator: "-").compactMap { Int($0) }
    guard parts.count == 3, (1970...2100).contains(parts[0]), (1...12).contains(parts[1]), (1...31).contains(parts[2])
    else { return nil }
    return UInt32(exactly: CivilDate.daysSinceEpoch(year: parts[0], month: parts[1], day: parts[2]))
  }

  private static func row(_ line: Substring, _ place: String) throws(ConfigurationError) -> (Key, Row) {
    let fields = line.split(separator: ",", omittingEmptySubsequences: false)
    guard fields.count == columns.count else {
      throw ConfigurationError("\(place): \(fields.count) fields; there must be \(columns.count)")
    }
    guard let system = UInt32(fields[0]), system != 0 else {
      throw ConfigurationError("\(place): '\(fields[0])' is no AS number")
    }
    guard let quarter = Quarter(fields[1]) else {
      throw ConfigurationError("\(place): '\(fields[1])' is no quarter such as 2026Q1")
    }
    let sums = fields[2...].compactMap { Double($0) }
    guard sums.count == 4, sums.allSatisfy({ $0 >= 0 && $0 <= 1e15 }) else {
      throw ConfigurationError("\(place): changes and hours are numbers from 0 on")
    }
    return (
      Key(system: system, quarter: quarter),
      Row(changes: sums[0], hours: sums[1], machineHours: sums[2], addressHours: sums[3])
    )
  }

  /// The table as text: equal tables are equal text.
  public var csv: String {
    var out = Self.title + "\n"
    let known = sources.map { source in
      let first = Timestamp.describe(day: Int(source.hours.lowerBound / 24))
      let last = Timestamp.describe(day: Int(source.hours.upperBound / 24))
      return "\(Self.sourceWord)\(first)/\(last) \(String(source.botnet.map { $0.isNewline ? " " : $0 }))\n"
    }
    out += known.sorted().joined() + Self.columns.joined(separator: ",") + "\n"
    for (key, row) in rows.sorted(by: { $0.key < $1.key }) {
      let sums = [row.changes, row.hours, row.machineHours, row.addressHours].map { "\(Int64($0.rounded()))" }
      out += "\(key.system),\(key.quarter),\(sums.joined(separator: ","))\n"
    }
    return out
  }
}
