extension UplinkTable {
  static let columns = ["country", "year", "mbit_s", "source", "assumption"]

  /// A table from CSV text with the header `country,year,mbit_s,source,assumption`; the country `world` is everybody.
  ///
  /// - Parameter name: what to call the file in an error.
  /// - Throws: `ConfigurationError` with file, line, and what to do.
  public init(csv text: String, name: String) throws(ConfigurationError) {
    var rows: [Row] = []
    var hasHead = false
    var number = 0
    for line in text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false) {
      number += 1
      let bare = line.drop { $0 == 0x20 || $0 == 0x0d || $0 == 0x09 }
      if bare.isEmpty || bare.first == 0x23 { continue }
      let fields: [String]
      switch CSVLine.fields(line) {
      case .success(let list): fields = list
      case .failure(let mistake): throw ConfigurationError("\(name):\(number): \(mistake.message)")
      }
      guard hasHead else {
        guard fields == Self.columns else {
          throw ConfigurationError("\(name):\(number): the first line must be: \(Self.columns.joined(separator: ","))")
        }
        hasHead = true
        continue
      }
      guard rows.count < Self.rowsMost else {
        throw ConfigurationError("\(name):\(number): more than \(Self.rowsMost) rows; keep the years that are needed")
      }
      let row = try Self.row(fields, at: "\(name):\(number)")
      guard !rows.contains(where: { $0.country == row.country && $0.year == row.year }) else {
        throw ConfigurationError("\(name):\(number): \(row.name) stands there twice; keep one")
      }
      rows.append(row)
    }
    guard rows.contains(where: { $0.country == nil }) else {
      throw ConfigurationError("\(name): no row for world, which countries without a row need; add one")
    }
    self.rows = rows
  }

  private static func row(_ fields: [String], at place: String) throws(ConfigurationError) -> Row {
    guard fields.count == columns.count else {
      throw ConfigurationError("\(place): \(fields.count) fields; there must be \(columns.count)")
    }
    let country = CountryCode(fields[0])
    let isWorld = fields[0] == "world"
    guard isWorld || country != .unknown else {
      throw ConfigurationError("\(place): '\(fields[0])' is no country; write two letters (ISO 3166-1) or world")
    }
    guard let year = Int(fields[1]), (1990...2100).contains(year) else {
      throw ConfigurationError("\(place): '\(fields[1])' is no year from 1990 to 2100")
    }
    guard let rate = Double(fields[2]), rate > 0, rate <= 1e6 else {
      throw ConfigurationError("\(place): '\(fields[2])' is no uplink in Mbit/s above 0 and at most 1000000")
    }
    guard fields[4] == "yes" || fields[4] == "no" else {
      throw ConfigurationError("\(place): assumption is '\(fields[4])'; write yes or no")
    }
    guard fields[4] == "yes" || !fields[3].isEmpty else {
      throw ConfigurationError("\(place): a row without a source is an assumption; give the source or write yes")
    }
    return Row(isWorld ? nil : country.description, year, rate, fields[3], isAssumption: fields[4] == "yes")
  }

  /// The same table as text, to be edited and given back.
  public var csv: String {
    var out = Self.columns.joined(separator: ",") + "\n"
    for row in rows {
      let fields = [
        row.country?.description ?? "world", String(row.year), LogRow.short(row.megabitsPerSecond),
        LogRow.csvField(row.source), row.isAssumption ? "yes" : "no",
      ]
      out += fields.joined(separator: ",") + "\n"
    }
    return out
  }
}
