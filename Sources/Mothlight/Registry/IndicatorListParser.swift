extension IndicatorList {
  private enum Bound {
    /// Lines of one list: the largest public ones carry about 1.6 M trails.
    static let lines = 4_000_000
    /// Octets of a line: the longest indicator is a user agent.
    static let lineOctets = 4096
  }

  /// Parses a list file: `# key: value` headers, then `value[,family[,flags]]` a line.
  ///
  /// `name`, `source` and `date` are required; `expires`, `family`, `confidence` (`high` or `normal`) may be given. The only
  /// flag is `shared`. Other lines that begin with `#` are remarks.
  /// - Throws: `ConfigurationError` that begins with `path:line:`.
  public init(text: String, path: String) throws(ConfigurationError) {
    var header: [String: String] = [:]
    var indicators: [Indicator] = []
    var number = 0
    for line in text.utf8.split(separator: 0x0a, maxSplits: .max, omittingEmptySubsequences: false) {
      number += 1
      guard number <= Bound.lines else { throw ConfigurationError("\(path):\(number): more than \(Bound.lines) lines") }
      guard line.count <= Bound.lineOctets else {
        throw ConfigurationError("\(path):\(number): line of more than \(Bound.lineOctets) octets")
      }
      let content = Self.trim(Substring(line))
      if content.isEmpty { continue }
      if content.hasPrefix("#") {
        try Self.readHeader(content.dropFirst(), into: &header, "\(path):\(number)")
      } else {
        indicators.append(try Self.readIndicator(content, family: header["family"], "\(path):\(number)"))
      }
    }
    guard let name = header["name"], let source = header["source"], let date = header["date"] else {
      let missing = ["name", "source", "date"].filter { header[$0] == nil }.map { "'# \($0):'" }.joined(separator: ", ")
      throw ConfigurationError("\(path):1: header lines missing: \(missing)")
    }
    self.init(
      name: name, source: source, day: Self.day(date) ?? 0, lastDay: header["expires"].flatMap(Self.day),
      isHighConfidence: header["confidence"] == "high", indicators: indicators)
  }

  private static func readHeader(_ text: Substring, into header: inout [String: String], _ place: String)
    throws(ConfigurationError)
  {
    guard let colon = text.firstIndex(of: ":") else { return }
    let key = trim(text[..<colon])
    let value = String(trim(text[text.index(after: colon)...]))
    switch key {
    case "name", "source", "family":
      guard !value.isEmpty else { throw ConfigurationError("\(place): '# \(key):' is empty") }
    case "date", "expires":
      guard day(value) != nil else { throw ConfigurationError("\(place): '\(value)' is no date YYYY-MM-DD") }
    case "confidence":
      guard value == "high" || value == "normal" else {
        throw ConfigurationError("\(place): confidence is 'high' or 'normal', not '\(value)'")
      }
    default: return
    }
    guard header[String(key)] == nil else { throw ConfigurationError("\(place): '# \(key):' is given twice") }
    header[String(key)] = value
  }

  private static func readIndicator(_ line: Substring, family: String?, _ place: String) throws(ConfigurationError)
    -> Indicator
  {
    // A user agent may hold commas, so its line is split from nowhere: it stands alone.
    let isAgent = line.lowercased().hasPrefix("ua:")
    let fields = isAgent ? [line] : line.split(separator: ",", omittingEmptySubsequences: false).map { trim($0) }
    guard fields.count <= 3 else { throw ConfigurationError("\(place): more than three fields") }
    var isShared = false
    if fields.count == 3 {
      for flag in fields[2].split(whereSeparator: { $0 == " " || $0 == "|" }) {
        guard flag == "shared" else { throw ConfigurationError("\(place): unknown flag '\(flag)'; there is: shared") }
        isShared = true
      }
    }
    let own = fields.count >= 2 && !fields[1].isEmpty ? String(fields[1]) : family
    guard let indicator = Indicator(String(fields[0]), family: own, isShared: isShared) else {
      throw ConfigurationError("\(place): '\(fields[0])' is no domain, address, address:port, prefix, or marked print")
    }
    return indicator
  }

  /// Days since the epoch of `YYYY-MM-DD`; `nil` for a day that does not exist.
  static func day(_ text: String) -> Int? {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].utf8.count == 4, parts[1].utf8.count == 2, parts[2].utf8.count == 2,
      let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]), year > 0, (1...12).contains(month),
      (1...31).contains(day)
    else { return nil }
    let days = CivilDate.daysSinceEpoch(year: year, month: month, day: day)
    let back = CivilDate.from(daysSinceEpoch: days)
    return back.year == year && back.month == month && back.day == day ? days : nil
  }

  private static func trim(_ text: Substring) -> Substring {
    var text = text
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return text
  }
}
