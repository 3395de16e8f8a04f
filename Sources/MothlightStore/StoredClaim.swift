import GRDB
import Mothlight

/// What of a claim may change while it stays the same claim.
struct StoredClaim: Equatable {
  var botnet: Int64?
  var role: String
  var firstSeen: Int64?
  var lastSeen: Int64?
  var isOnline: Bool?
  var confidence: Int?
  var reference: String?
  var extra: String?

  init(_ claim: IndicatorClaim, botnet: Int64?) {
    self.botnet = botnet
    role = claim.role.rawValue
    firstSeen = claim.firstSeen?.second
    lastSeen = claim.lastSeen?.second
    isOnline = claim.isOnline
    confidence = claim.confidence
    reference = claim.reference
    extra = Self.text(claim.extra)
  }

  init(_ row: Row) {
    botnet = row[0]
    role = row[1]
    firstSeen = row[2]
    lastSeen = row[3]
    isOnline = row[4]
    confidence = row[5]
    reference = row[6]
    extra = row[7]
  }

  /// When the source last said something; rows without any time are always news.
  private var said: Int64? { lastSeen ?? firstSeen }

  /// Times widen; the rest is the newer word's. Of equal dates, the one that came last is the newer.
  func updated(by new: StoredClaim) -> StoredClaim {
    var next = new
    if let old = said, let now = new.said, now < old { next = self }
    next.botnet = new.botnet ?? botnet
    next.firstSeen = [firstSeen, new.firstSeen].compactMap { $0 }.min()
    next.lastSeen = [lastSeen, new.lastSeen].compactMap { $0 }.max()
    return next
  }

  /// Columns without a place, as `name=value` lines in order of name; `nil` when there are none.
  static func text(_ extra: [String: String]) -> String? {
    let lines = extra.sorted { $0.key < $1.key }.map { name, value in
      "\(oneLine(name).replacing("=", with: " "))=\(oneLine(value))"
    }
    return lines.isEmpty ? nil : lines.joined(separator: "\n")
  }

  private static func oneLine(_ text: String) -> String { text.replacing("\n", with: " ").replacing("\r", with: " ") }

  static func extra(_ text: String?) -> [String: String] {
    var out: [String: String] = [:]
    for line in text?.split(separator: "\n") ?? [] {
      let halves = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if halves.count == 2 { out[String(halves[0])] = String(halves[1]) }
    }
    return out
  }
}

extension IndicatorClaim {
  /// Of two rows of one file: the later, and of equal ones the greater text, so that their order does not matter.
  func merged(with other: IndicatorClaim) -> IndicatorClaim {
    func rank(_ claim: IndicatorClaim) -> (Int64, String) {
      let said = (claim.lastSeen ?? claim.firstSeen)?.second ?? .min
      let text = [
        claim.role.rawValue, claim.isOnline.map { $0 ? "1" : "0" } ?? "", claim.confidence.map { "\($0)" } ?? "",
        claim.reference ?? "", StoredClaim.text(claim.extra) ?? "",
      ]
      return (said, text.joined(separator: "\n"))
    }
    var result = rank(self) >= rank(other) ? self : other
    result.firstSeen = [firstSeen, other.firstSeen].compactMap { $0 }.min()
    result.lastSeen = [lastSeen, other.lastSeen].compactMap { $0 }.max()
    result.origin.date = max(origin.date, other.origin.date)
    return result
  }
}
