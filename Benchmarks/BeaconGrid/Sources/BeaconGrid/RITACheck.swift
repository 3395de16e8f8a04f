import Foundation

/// Holds the re-implementation against the values that RITA's own tests expect on its proxy logs: beacon 0.979, google 0.586.
enum RITACheck {
  static let expected = [("www.honestimnotevil.com", 0.979), ("www.google.com", 0.586)]
  static let tolerance = 0.05

  /// - Returns: a line for each server, and whether all were near enough; `nil` without the logs.
  static func run(_ folder: String) -> (lines: [String], passed: Bool)? {
    guard let connections = rows(folder + "/conn.log"), let requests = rows(folder + "/http.log") else { return nil }
    var sent: [String: Double] = [:]
    var first = Double.infinity
    var last = -Double.infinity
    for row in connections {
      guard let t = row["ts"].flatMap({ Double($0) }) else { continue }
      first = min(first, t)
      last = max(last, t)
      if let uid = row["uid"] { sent[uid] = row["orig_bytes"].flatMap { Double($0) } ?? 0 }
    }
    guard first < last else { return nil }
    var lines: [String] = []
    var passed = true
    for (name, value) in expected {
      let mine = requests.filter { $0["host"] == name }
      let times = mine.compactMap { $0["ts"].flatMap { Double($0) } }
      let sizes = mine.map { sent[$0["uid"] ?? ""] ?? 0 }
      let score = RITAScore(times: times, sizes: sizes, range: first...last)?.total ?? 0
      let isNear = abs(score - value) <= tolerance
      passed = passed && isNear
      lines.append(
        "\(name): \(times.count) requests, score \(Decimal.text(score, 3)), RITA \(Decimal.text(value, 3)): "
          + (isNear ? "within \(tolerance)" : "TOO FAR"))
    }
    return (lines, passed)
  }

  private static func rows(_ path: String) -> [[String: String]]? {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
    var fields: [String] = []
    var rows: [[String: String]] = []
    for line in text.split(separator: "\n") {
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      if line.hasPrefix("#fields") {
        fields = Array(cells.dropFirst())
      } else if !line.hasPrefix("#"), cells.count == fields.count {
        rows.append(Dictionary(zip(fields, cells), uniquingKeysWith: { a, _ in a }))
      }
    }
    return rows
  }
}
