/// One row of a feed, whatever it was written in.
struct FeedRow {
  var line: Int
  /// Values that are there and not empty, by lower-case name of the column.
  var columns: [String: String]

  /// A row that cannot be used, and why; the row is passed over.
  struct Problem: Error {
    var what: String
    init(_ what: String) { self.what = what }
  }

  private static let empty: Set<String> = ["", "none", "null", "n/a", "-"]

  init(line: Int, names: [String], values: [String]) {
    self.line = line
    columns = Dictionary(
      zip(names, values).filter { !Self.empty.contains($0.1.lowercased()) }, uniquingKeysWith: { first, _ in first })
  }

  init(_ members: JSONTree.Members, id: String? = nil) {
    let pairs = members.all.map { ($0.name.lowercased(), $0.value.scalarText ?? "") }
    self.init(line: members.line, names: pairs.map(\.0), values: pairs.map(\.1))
    if let id, columns["id"] == nil { columns["id"] = id }
  }

  /// Takes the first of these columns that has a value, so that what is left at the end is what nobody knew.
  mutating func take(_ names: String...) -> String? {
    var found: String?
    for name in names {
      let value = columns.removeValue(forKey: name)
      if found == nil { found = value }
    }
    return found
  }

  mutating func takeTime(_ names: String...) throws(Problem) -> Timestamp? {
    for name in names {
      guard let text = columns.removeValue(forKey: name) else { continue }
      guard let time = FeedTime.parse(text) else {
        throw Problem("\(name) '\(text.prefix(40))' is no time such as 2026-01-31 12:00:00")
      }
      return time
    }
    return nil
  }

  /// What is left, bounded, for keeping.
  var rest: [String: String] {
    var out: [String: String] = [:]
    for (name, value) in columns.sorted(by: { $0.key < $1.key }).prefix(24) {
      out[String(name.prefix(64))] = String(value.prefix(512))
    }
    return out
  }
}

/// Times as feeds write them, in UTC: `2026-01-31`, `2026-01-31 12:00:00`, with `T`, `Z` or ` UTC`.
enum FeedTime {
  static func parse(_ text: String) -> Timestamp? {
    var text = Substring(text)
    for ending in [" UTC", "Z", "+00:00"] where text.hasSuffix(ending) {
      text = text.dropLast(ending.utf8.count)
      break
    }
    let halves = text.split(maxSplits: 1, omittingEmptySubsequences: true) { $0 == " " || $0 == "T" }
    guard let date = halves.first, let day = IndicatorList.day(String(date)) else { return nil }
    guard halves.count == 2 else { return Timestamp(seconds: Int64(day) * 86_400) }
    let clock = halves[1].split(separator: ".", maxSplits: 1)[0].split(separator: ":", omittingEmptySubsequences: false)
    guard clock.count >= 2, clock.count <= 3, let hour = UInt8(clock[0]), let minute = UInt8(clock[1]), hour < 24,
      minute < 60
    else { return nil }
    guard let second = clock.count == 3 ? UInt8(clock[2]) : 0, second <= 60 else { return nil }
    let seconds = Int64(day) * 86_400 + Int64(hour) * 3600 + Int64(minute) * 60 + Int64(second)
    return Timestamp(seconds: seconds)
  }
}
