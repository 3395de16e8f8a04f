import Mothlight

/// Findings that the latest judgement kept out of verdicts, by allow rules or as known services; not kept in the store, as they are
/// made anew with every judgement.
public struct LeftOut: Sendable {
  /// Of one host on one day; further ones are only counted.
  static let perHostMost = 20
  /// Of all hosts: some 10 MB.
  static let most = 5_000

  /// What was left out of one host's day.
  public struct Part: Sendable {
    public var shown: [HiddenFinding] = []
    /// All of them, shown or not.
    public var count = 0
  }
  private struct Key: Hashable {
    var host: IPAddress
    var day: Int
  }
  private var parts: [Key: Part] = [:]

  public init() {}

  public init(_ hidden: [HiddenFinding]) {
    var kept = 0
    for item in hidden {
      let key = Key(host: item.finding.host, day: item.finding.first.day)
      parts[key, default: Part()].count += 1
      guard kept < Self.most, parts[key, default: Part()].shown.count < Self.perHostMost else { continue }
      parts[key]?.shown.append(item)
      kept += 1
    }
  }

  public func of(_ host: IPAddress, day: Int) -> Part { parts[Key(host: host, day: day)] ?? Part() }
}
