/// Words and numbers as people read them, the same in every output made for people.
package enum ReportWords {
  package static func label(_ verdict: Verdict) -> String {
    switch verdict {
    case .infected: "infected"
    case .suspicious: "suspicious"
    case .noSign: "no sign"
    case .notEnoughData: "not enough data"
    }
  }

  package static func label(_ family: EvidenceFamily) -> String {
    switch family {
    case .timing: "timing"
    case .fanOut: "fan-out"
    case .dns: "DNS"
    case .payload: "payload"
    case .peer: "peer"
    case .list: "list"
    }
  }

  /// The state's name in the output schema.
  package static func name(_ state: ConnectionState) -> String {
    switch state {
    case .unknown: "unknown"
    case .unanswered: "unanswered"
    case .refused: "refused"
    case .established: "established"
    case .closed: "closed"
    case .reset: "reset"
    case .midstream: "midstream"
    }
  }

  /// `1 flow`, `1,234 flows`.
  package static func count(_ n: some BinaryInteger, _ one: String, _ many: String) -> String {
    grouped(n) + " " + (n == 1 ? one : many)
  }

  /// Digits in groups of three.
  package static func grouped(_ n: some BinaryInteger) -> String { group(String(n)) }

  private static func group(_ digits: String) -> String {
    guard digits.utf8.count > 3 else { return digits }
    var out = ""
    let sign = digits.utf8.first == 0x2d ? 1 : 0
    let length = digits.utf8.count
    for (i, c) in digits.unicodeScalars.enumerated() {
      if i > sign, (length - i) % 3 == 0 { out += "," }
      out.unicodeScalars.append(c)
    }
    return out
  }

  /// Decimal multiples (SI), three digits: `512 B`, `1.27 kB`, `34.1 MB`.
  package static func octets(_ n: UInt64) -> String {
    guard n >= 1000 else { return "\(n) B" }
    var value = Double(n)
    for unit in ["kB", "MB", "GB", "TB", "PB", "EB"] {
      value /= 1000
      if value < 999.5 || unit == "EB" {
        return decimals(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0) + " " + unit
      }
    }
    return "\(n) B"
  }

  /// A number with about three or four telling digits: `1,234`, `97.4`, `0.0312`.
  package static func number(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    let size = abs(value)
    if size >= 1e15 { return "\(value)" }
    if value == value.rounded() { return decimals(value, 0) }
    if size >= 1000 { return decimals(value, 0) }
    let text = decimals(value, size >= 100 ? 1 : size >= 1 ? 2 : size >= 0.01 ? 4 : 6)
    return trimmed(text)
  }

  /// A schema name in words: `gap_dispersion` is "gap dispersion".
  package static func spaced(_ name: String) -> String { name.split(separator: "_").joined(separator: " ") }

  /// `value` with its unit; a share is shown in percent.
  package static func quantity(_ value: Double, _ unit: String) -> String {
    if unit == "share" { return number((value * 10_000).rounded() / 100) + " %" }
    return unit.isEmpty ? number(value) : number(value) + " " + unit
  }

  /// Fixed decimals, half away from zero, thousands grouped.
  package static func decimals(_ value: Double, _ places: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return value.isFinite ? "\(value)" : "–" }
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let scaled = (abs(value) * scale).rounded()
    guard let whole = Int64(exactly: (scaled / scale).rounded(.down)) else { return "\(value)" }
    let fraction = Int(max(0, scaled - Double(whole) * scale))
    let sign = value < 0 && scaled > 0 ? "−" : ""
    return sign + grouped(whole) + (places > 0 ? "." + pad(fraction, places) : "")
  }

  private static func trimmed(_ text: String) -> String {
    guard text.utf8.contains(0x2e) else { return text }
    var view = Substring(text)
    while view.utf8.last == 0x30 { view.removeLast() }
    if view.utf8.last == 0x2e { view.removeLast() }
    return String(view)
  }

  /// With a sign, two decimals: how log-odds are written.
  package static func logOdds(_ value: Double) -> String { (value >= 0 ? "+" : "") + decimals(value, 2) }

  /// The two largest parts of a time: `6 h 7 min`, `42 s`, `0.3 s`.
  package static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { return "–" }
    if seconds < 60 { return number((seconds * 10).rounded() / 10) + " s" }
    let s = Int(seconds.rounded())
    let parts = [(s / 86_400, "d"), (s / 3600 % 24, "h"), (s / 60 % 60, "min"), (s % 60, "s")]
    guard let top = parts.firstIndex(where: { $0.0 > 0 }) else { return "0 s" }
    let shown = parts[top..<min(top + 2, parts.count)].filter { $0.0 > 0 }
    return shown.map { "\($0.0) \($0.1)" }.joined(separator: " ")
  }
}

extension ReportWords {
  /// Whether a time was ever set: the ends of the range stand for "never".
  package static func isSet(_ time: Timestamp) -> Bool { time != .distantPast && time != .distantFuture }

  /// `2011-08-10 09:46:53` in UTC; a dash when never set.
  package static func moment(_ time: Timestamp) -> String {
    isSet(time) ? time.dayDescription + " " + clock(time) : "–"
  }

  /// `09:46:53` in UTC, with milliseconds on request.
  package static func clock(_ time: Timestamp, milliseconds: Bool = false) -> String {
    guard isSet(time) else { return "–" }
    let rest = time.nanoseconds &- Int64(time.day) &* 86_400_000_000_000
    let ms = Int(rest / 1_000_000)
    let s = ms / 1000
    let base = "\(pad(s / 3600, 2)):\(pad(s / 60 % 60, 2)):\(pad(s % 60, 2))"
    return milliseconds ? base + ".\(pad(ms % 1000, 3))" : base
  }

  /// Two times as briefly as the known `day` allows: `09:46–15:54`, with dates when they leave that day.
  package static func span(_ first: Timestamp, _ last: Timestamp, day: Int) -> String {
    guard isSet(first), isSet(last) else { return "–" }
    let from = String(clock(first).prefix(5))
    let to = String(clock(last).prefix(5))
    if first.day == day, last.day == day { return "\(from)–\(to)" }
    return "\(first.dayDescription) \(from) – \(last.dayDescription) \(to)"
  }

  /// Two times in full with their distance.
  package static func longSpan(_ first: Timestamp, _ last: Timestamp) -> String {
    guard isSet(first), isSet(last) else { return "–" }
    let end = first.day == last.day ? clock(last) : moment(last)
    return "\(moment(first)) – \(end) UTC (\(duration(max(0, last.seconds(since: first)))))"
  }
}

extension Measure {
  /// Whether the number is on the telling side of its threshold; `nil` for context.
  package var isMet: Bool? { threshold.map { atLeast ? value >= $0 : value <= $0 } }
}
