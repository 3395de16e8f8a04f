/// What the name server did, by reason; every query ends in exactly one of the outcomes.
public struct DNSCounters: Sendable {
  public var queriesUDP: UInt64 = 0
  public var queriesTCP: UInt64 = 0

  /// How a query ended; in exactly one of these ways.
  public enum Outcome: Int, Sendable, CaseIterable {
    case answer, nodata, nxdomain, refused, formerr, notimp, badvers, notauth
    case cookieOnly = 8
    case rateLimitedTruncated = 9
    case rateLimitedDropped = 10
    /// A packet that says it is a reply.
    case responseDropped = 11
    /// Shorter than a header.
    case runtDropped = 12

    /// As it stands in the metrics.
    var word: String {
      switch self {
      case .cookieOnly: "cookie_only"
      case .rateLimitedTruncated: "rate_limited_truncated"
      case .rateLimitedDropped: "rate_limited_dropped"
      case .responseDropped: "response_dropped"
      case .runtDropped: "runt_dropped"
      default: "\(self)"
      }
    }
  }

  private var outcomes = InlineArray<13, UInt64>(repeating: 0)

  public subscript(outcome: Outcome) -> UInt64 { outcomes[outcome.rawValue] }

  @inline(__always)
  mutating func count(_ outcome: Outcome) { outcomes[outcome.rawValue] &+= 1 }

  public var truncated: UInt64 = 0
  public var cookiesValid: UInt64 = 0
  public var cookiesInvalid: UInt64 = 0
  public var cookiesClientOnly: UInt64 = 0
  public var limiterEvictions: UInt64 = 0

  public var connections: UInt64 = 0
  public var connectionsRefused: UInt64 = 0
  public var connectionsTimedOut: UInt64 = 0
  public var connectionsEvicted: UInt64 = 0
  public var connectionsBroken: UInt64 = 0

  public var bytesIn: UInt64 = 0
  public var bytesOut: UInt64 = 0
  public var sendFailures: UInt64 = 0
  public var kernelDrops: UInt64 = 0

  /// Queries counted under their zone since the table of names was full, and those not counted by resolver at all.
  public var coarselyCounted: UInt64 = 0
  public var uncounted: UInt64 = 0

  public init() {}

  /// Name, label, and value of everything that only grows.
  private static var series: [(metric: String, label: String, value: WritableKeyPath<DNSCounters, UInt64>)] {
    [
      ("queries_total", "transport=\"udp\"", \.queriesUDP),
      ("queries_total", "transport=\"tcp\"", \.queriesTCP),
      ("truncated_total", "", \.truncated),
      ("cookies_total", "state=\"valid\"", \.cookiesValid),
      ("cookies_total", "state=\"invalid\"", \.cookiesInvalid),
      ("cookies_total", "state=\"client_only\"", \.cookiesClientOnly),
      ("rate_limit_evictions_total", "", \.limiterEvictions),
      ("tcp_connections_total", "end=\"opened\"", \.connections),
      ("tcp_connections_total", "end=\"refused\"", \.connectionsRefused),
      ("tcp_connections_total", "end=\"timed_out\"", \.connectionsTimedOut),
      ("tcp_connections_total", "end=\"evicted\"", \.connectionsEvicted),
      ("tcp_connections_total", "end=\"broken\"", \.connectionsBroken),
      ("octets_total", "direction=\"in\"", \.bytesIn),
      ("octets_total", "direction=\"out\"", \.bytesOut),
      ("send_failures_total", "", \.sendFailures),
      ("kernel_drops_total", "", \.kernelDrops),
      ("observations_coarse_total", "", \.coarselyCounted),
      ("observations_uncounted_total", "", \.uncounted),
    ]
  }

  /// The sum of all workers.
  public static func + (a: DNSCounters, b: DNSCounters) -> DNSCounters {
    var sum = a
    for i in sum.outcomes.indices { sum.outcomes[i] &+= b.outcomes[i] }
    for (_, _, value) in series { sum[keyPath: value] &+= b[keyPath: value] }
    return sum
  }

  /// Prometheus text exposition, version 0.0.4.
  public var prometheusText: String {
    var text = ""
    var last = ""
    for (metric, label, value) in Self.series {
      let name = "mothlight_dns_" + metric
      if name != last { text += "# TYPE \(name) counter\n" }
      last = name
      text += "\(name)\(label.isEmpty ? "" : "{\(label)}") \(self[keyPath: value])\n"
    }
    text += "# TYPE mothlight_dns_outcomes_total counter\n"
    for outcome in Outcome.allCases {
      text += "mothlight_dns_outcomes_total{outcome=\"\(outcome.word)\"} \(self[outcome])\n"
    }
    return text
  }
}
