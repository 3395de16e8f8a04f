/// How long what a sinkhole saw of a source is worth something: it moves, is cleaned, or its address goes to a neighbour.
///
/// A source counts 1 at its last message, less with every hour, and 0 from its expiry on: the decaying model of MISP with speed 1
/// (Mokaddem et al., "Taxonomy driven indicator scoring in MISP threat intelligence platforms", 2018, arXiv:1803.11052). The
/// lifetimes are those by which Shadowserver let sources go from its botnet counts, 5, 10 and 30 days; the better a
/// source is known to come back, the longer it is believed.
public enum Decay {
  /// Days after the last message.
  public static func days(of level: EvidenceLevel) -> Int {
    switch level {
    case .connected, .shaped: 5
    case .recognised: 10
    case .repeated: 30
    }
  }

  public static func expiry(of level: EvidenceLevel, last: Timestamp) -> Timestamp {
    last.advanced(bySeconds: Double(days(of: level) * 86_400))
  }

  /// Of one source, 1 to 0.
  /// - Parameter asOf: the moment for which is asked; never a clock's, always the newest record's.
  public static func weight(of level: EvidenceLevel, last: Timestamp, asOf: Timestamp) -> Double {
    Double(weightInMillionths(of: level, last: last, asOf: asOf)) / 1e6
  }

  static func weightInMillionths(of level: EvidenceLevel, last: Timestamp, asOf: Timestamp) -> UInt64 {
    let lifetime = Int64(days(of: level)) * 86_400
    let (age, overflow) = asOf.nanoseconds.subtractingReportingOverflow(last.nanoseconds)
    guard !overflow else { return asOf < last ? 1_000_000 : 0 }
    let seconds = max(0, age / 1_000_000_000)
    guard seconds < lifetime else { return 0 }
    return UInt64((lifetime - seconds) * 1_000_000 / lifetime)
  }
}
