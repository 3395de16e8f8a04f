/// Number formats of the text logs, built without Foundation.
enum LogRow {
  /// Seconds with six decimals, as Zeek and Argus print times and durations.
  static func seconds(_ microseconds: Int64) -> String {
    let magnitude = microseconds.magnitude
    return (microseconds < 0 ? "-" : "") + "\(magnitude / 1_000_000).\(pad(Int(magnitude % 1_000_000), 6))"
  }

  /// `2026/03/02 08:30:00.000000` in UTC, as Argus prints it for CTU's files.
  static func argusTime(_ microseconds: Int64) -> String {
    let text = Timestamp(nanoseconds: microseconds * 1000).description
    return text.dropLast().map { $0 == "-" ? "/" : $0 == "T" ? " " : String($0) }.joined()
  }

  /// A knob as written by hand: no `.0`.
  static func short(_ value: Double) -> String {
    let text = "\(value)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// RFC 4180 section 2: quoted when it holds a comma, a quote or a line break.
  static func csvField(_ text: String) -> String {
    guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
    return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
