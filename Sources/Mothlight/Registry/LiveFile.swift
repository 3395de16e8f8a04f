/// Who was live when, as CSV with the columns `botnet,hour,unit` and perhaps `server`; hours as in `SightingFile`.
public enum LiveFile {
  private enum Bound {
    /// Rows of a file: 16 octets each in memory.
    static let rows = 50_000_000
  }

  /// - Returns: one set per botnet and server, and a line about the first row that could not be used.
  /// - Throws: `ConfigurationError` when nothing can.
  public static func read(_ path: String) throws(ConfigurationError) -> ([OverlapSuggestion.Labelled], String?) {
    try parse(try FeedFile.octets(path), path: path)
  }

  static func parse(_ octets: [UInt8], path: String) throws(ConfigurationError) -> (
    [OverlapSuggestion.Labelled], String?
  ) {
    var lines = CSVLines(octets)
    var places: [String: Int] = [:]
    var sets: [OverlapSuggestion.Labelled] = []
    var names: [String] = []
    var rows = 0
    var bad: [TextDamage] = []
    while let line = lines.next() {
      switch line {
      case .remark: continue
      case .damaged(let damage): bad.append(damage)
      case .fields(let fields, let number):
        guard !names.isEmpty else {
          names = fields.map { FeedShape.trimmed($0[...]).lowercased() }
          guard Set(["botnet", "hour", "unit"]).isSubset(of: names) else {
            throw ConfigurationError("\(path):\(number): the columns are botnet,hour,unit and perhaps server")
          }
          continue
        }
        var row = FeedRow(line: number, names: names, values: fields)
        guard let botnet = row.take("botnet"), let hour = row.take("hour").flatMap(hourNumber),
          let unit = row.take("unit")
        else {
          bad.append(TextDamage(line: number, what: "no botnet or unit, or no hour (a number or RFC 3339)"))
          continue
        }
        rows += 1
        guard rows <= Bound.rows else { throw ConfigurationError("\(path):\(number): more than \(Bound.rows) rows") }
        let server = row.take("server") ?? ""
        let place = places["\(botnet)\u{0}\(server)", default: sets.count]
        if place == sets.count {
          places["\(botnet)\u{0}\(server)"] = place
          sets.append(OverlapSuggestion.Labelled(botnet: botnet, server: server, pairs: []))
        }
        sets[place].pairs.append(LivePair(hour: hour, unit: hash(unit)))
      }
    }
    let complaint = bad.first.map { "\(path):\($0.line): \($0.what); \(bad.count) rows skipped" }
    guard !sets.isEmpty else { throw ConfigurationError(complaint ?? "\(path): no rows") }
    return (sets, complaint)
  }

  private static func hourNumber(_ text: String) -> UInt32? {
    var text = text
    return text.withUTF8 { SightingFile.hour(UnsafeRawBufferPointer($0)) }
  }

  /// FNV-1a: only equality matters here.
  private static func hash(_ text: String) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}
