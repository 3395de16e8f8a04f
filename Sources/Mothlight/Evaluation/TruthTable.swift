/// What is known of a host or an input, before anything is read.
public enum Truth: String, Sendable, CaseIterable {
  case infected
  /// Does something hostile, or may: no clean bill is right, and neither need be "infected".
  case suspicious
  case clean
  /// Cannot be judged honestly, and must say so instead of scoring.
  case notEnoughData = "not-enough-data"
  /// Damaged or foreign input: must give a message.
  case error

  /// Whether the right answer is a refusal in words, not a verdict.
  public var isRefusal: Bool { self == .notEnoughData || self == .error }
}

/// One row of a truth table: an input, one of its hosts, and what is known of it.
public struct TruthRow: Sendable, Equatable {
  /// Line in the file, from 1.
  public var line: Int
  public var path: String
  /// As the table calls it; the input's content decides, not this word.
  public var format: String
  /// `nil`: every internal host of the input that no other row names.
  public var host: IPAddress?
  public var truth: Truth
  /// The botnet's name, if known.
  public var family: String?
  public var note: String

  public init(
    line: Int, path: String, format: String = "", host: IPAddress? = nil, truth: Truth, family: String? = nil,
    note: String = ""
  ) {
    self.line = line
    self.path = path
    self.format = format
    self.host = host
    self.truth = truth
    self.family = family
    self.note = note
  }

  /// The note demands that behaviour is reported but no botnet is named.
  public var forbidsNaming: Bool { note.lowercased().contains("must not be named") }
}

/// Known hosts of known inputs, read from CSV (RFC 4180 without line breaks inside fields).
///
/// The first line names the columns: `path` and `verdict` must be there; `format`, `host`, `family` and `note` may; others
/// are ignored. Lines that begin with `#` and empty lines are comments.
public struct TruthTable: Sendable {
  public var name: String
  public var rows: [TruthRow]
  /// Mistakes told at once before the rest is only counted.
  static let mistakesShown = 10

  public init(name: String, rows: [TruthRow]) {
    self.name = name
    self.rows = rows
  }

  /// - Throws: one message that holds a line `name:line: what` for each of the first ten mistakes.
  public init(text: String, name: String) throws(ConfigurationError) {
    var reader = TruthReader(name: name)
    for (i, line) in text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
      reader.take(line, number: i + 1)
    }
    self.init(name: name, rows: try reader.finish())
  }

  /// Rows by input, in the order in which the inputs are first named.
  public var inputs: [(path: String, rows: [TruthRow])] {
    var places: [String: Int] = [:]
    var result: [(path: String, rows: [TruthRow])] = []
    for row in rows {
      if let place = places[row.path] {
        result[place].rows.append(row)
      } else {
        places[row.path] = result.count
        result.append((row.path, [row]))
      }
    }
    return result
  }

  /// Whether a text begins like a truth table and not like a flow file.
  public static func looksLike(_ text: String) -> Bool {
    let first = text.utf8.split(separator: 0x0a).first { $0.first != 0x23 }
    guard let first, case .success(let names) = CSVLine.fields(first) else { return false }
    return names.contains("path") && names.contains("verdict")
  }
}

/// Rows and mistakes while a truth table is read.
private struct TruthReader {
  let name: String
  private var columns: [String: Int]?
  private var columnCount = 0
  /// Without a header that can be used, the rows say nothing more.
  private var hasUsableHeader = true
  private var rows: [TruthRow] = []
  private var mistakes: [String] = []
  private var seen: [String: Int] = [:]

  init(name: String) { self.name = name }

  mutating func take(_ line: Substring.UTF8View, number: Int) {
    guard hasUsableHeader else { return }
    if line.first == 0x23 || line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }) { return }
    switch CSVLine.fields(line) {
    case .failure(let mistake): fail(number, mistake.message)
    case .success(let fields):
      if columns == nil { header(fields, number) } else { row(fields, number) }
    }
  }

  private mutating func header(_ fields: [String], _ number: Int) {
    var places: [String: Int] = [:]
    for (i, field) in fields.enumerated() { places[field] = i }
    columns = places
    columnCount = fields.count
    for needed in ["path", "verdict"] where places[needed] == nil {
      fail(number, "the header has no column '\(needed)'; it should be: path,format,host,verdict,family,note")
      hasUsableHeader = false
    }
  }

  private mutating func row(_ fields: [String], _ number: Int) {
    func field(_ column: String) -> String { columns?[column].map { fields[$0] } ?? "" }
    guard fields.count == columnCount else {
      return fail(number, "\(fields.count) fields where the header has \(columnCount)")
    }
    guard !field("path").isEmpty else { return fail(number, "the path is empty") }
    let word = field("verdict")
    guard let truth = Truth(rawValue: word.split(separator: "_").joined(separator: "-")) else {
      let known = Truth.allCases.map(\.rawValue).joined(separator: ", ")
      return fail(number, "the verdict '\(word)' is none of \(known)")
    }
    var host: IPAddress?
    if !field("host").isEmpty {
      host = IPAddress(field("host"))
      guard host != nil else { return fail(number, "the host '\(field("host"))' is no address") }
    }
    let key = field("path") + "\u{0}" + (host?.description ?? "")
    if let earlier = seen.updateValue(number, forKey: key) {
      return fail(number, "line \(earlier) already speaks of this input and host")
    }
    rows.append(
      TruthRow(
        line: number, path: field("path"), format: field("format"), host: host, truth: truth,
        family: field("family").isEmpty ? nil : field("family"), note: field("note")))
  }

  private mutating func fail(_ number: Int, _ what: String) { mistakes.append("\(name):\(number): \(what)") }

  func finish() throws(ConfigurationError) -> [TruthRow] {
    guard mistakes.isEmpty else {
      var shown = mistakes.prefix(TruthTable.mistakesShown).joined(separator: "\n")
      if mistakes.count > TruthTable.mistakesShown {
        shown += "\n\(name): and \(mistakes.count - TruthTable.mistakesShown) more mistakes"
      }
      throw ConfigurationError(shown)
    }
    guard !rows.isEmpty else {
      throw ConfigurationError("\(name): has no rows; it should begin with: path,format,host,verdict,family,note")
    }
    return rows
  }
}

/// One line of comma-separated fields (RFC 4180 section 2): quoted fields may hold commas and doubled quotes.
enum CSVLine {
  struct Mistake: Error { var message: String }

  static func fields(_ line: Substring.UTF8View) -> Result<[String], Mistake> {
    var fields: [String] = []
    var bytes: [UInt8] = []
    var isQuoted = false
    var wasQuoted = false
    var rest = line[...]
    if rest.starts(with: [0xef, 0xbb, 0xbf]) { rest = rest.dropFirst(3) }
    if rest.last == 0x0d { rest = rest.dropLast() }
    func field() -> String {
      guard !wasQuoted else { return String(decoding: bytes, as: UTF8.self) }
      while bytes.last == 0x20 { bytes.removeLast() }
      return String(decoding: bytes.drop { $0 == 0x20 }, as: UTF8.self)
    }
    while let byte = rest.popFirst() {
      if isQuoted {
        if byte != 0x22 {
          bytes.append(byte)
        } else if rest.first == 0x22 {
          bytes.append(0x22)
          rest = rest.dropFirst()
        } else {
          isQuoted = false
        }
      } else if byte == 0x2c {
        fields.append(field())
        bytes = []
        wasQuoted = false
      } else if byte == 0x22, bytes.isEmpty, !wasQuoted {
        isQuoted = true
        wasQuoted = true
      } else if wasQuoted || byte == 0x22 {
        return .failure(Mistake(message: "field \(fields.count + 1): a quote belongs around the whole field"))
      } else {
        bytes.append(byte)
      }
    }
    if isQuoted { return .failure(Mistake(message: "field \(fields.count + 1): its quote is never closed")) }
    fields.append(field())
    return .success(fields)
  }
}
