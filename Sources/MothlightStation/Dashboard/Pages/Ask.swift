import Mothlight

/// One look at one page: by whom, how, and when.
struct Ask: Sendable {
  /// How a page is coloured: as the reader's system is, or as the reader chose.
  enum Theme: String, Sendable, CaseIterable { case auto, light, dark }

  var visitor: Visitor
  /// Path and query, as asked for.
  var target: String
  var query: Form
  var theme: Theme
  var now: Timestamp

  /// The path without its query.
  var path: String { String(target.prefix { $0 != "?" }) }

  /// The same page with one field of its query set, or taken out; other fields stay, places in a list do not.
  func with(_ name: String, _ value: String?) -> String {
    var parts: [String] = []
    for other in query.names where other != name && other != "after" && other != "done" {
      if let kept = query[other] { parts.append("\(Form.encoded(other))=\(Form.encoded(kept))") }
    }
    if let value { parts.append("\(Form.encoded(name))=\(Form.encoded(value))") }
    return path + (parts.isEmpty ? "" : "?" + parts.joined(separator: "&"))
  }
}
