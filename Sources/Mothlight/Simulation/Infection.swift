extension Scenario {
  /// One bot on one machine. Left-out knobs take the kind's default.
  public struct Infection: Codable, Sendable, Equatable {
    public var host: HostReference
    public var kind: InfectionKind
    /// Mean seconds between check-ins, probes, mails, attempts or bursts.
    public var periodSeconds: Double?
    /// Each gap is the period times 1 ± this share, uniformly and accumulating; 0…0.9.
    public var jitter: Double
    /// Share of check-ins that never happen; 0…0.6.
    public var miss: Double
    /// Random further connections to the same server, as a share of the check-ins; 0…1.
    public var extra: Double
    /// Hours a day that the bot is active within the machine's own hours; `nil` is all of them.
    public var online: Double?
    public var port: UInt16?
    public var transport: Carrier?
    /// DNS name of the server; without one the bot uses a bare address.
    public var name: String?
    /// Payload octets per check-in, mail or flood packet.
    public var size: Int?
    /// Seconds after the start of the scenario before the bot wakes.
    public var startOffsetSeconds: Double
    /// Beacons: most check-ins; scan, spam, flood, brute force: how many in all; NXDOMAIN: names per burst.
    public var count: Int?
    /// Family for truth.csv.
    public var family: String?

    public init(
      host: HostReference, kind: InfectionKind, periodSeconds: Double? = nil, jitter: Double = 0, miss: Double = 0,
      extra: Double = 0, online: Double? = nil, port: UInt16? = nil, transport: Carrier? = nil, name: String? = nil,
      size: Int? = nil, startOffsetSeconds: Double = 0, count: Int? = nil, family: String? = nil
    ) {
      self.host = host
      self.kind = kind
      self.periodSeconds = periodSeconds
      self.jitter = jitter
      self.miss = miss
      self.extra = extra
      self.online = online
      self.port = port
      self.transport = transport
      self.name = name
      self.size = size
      self.startOffsetSeconds = startOffsetSeconds
      self.count = count
      self.family = family
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
      case host, kind, jitter, miss, extra, online, port, transport, name, size, count, family
      case periodSeconds = "period_s"
      case startOffsetSeconds = "start_offset_s"
    }
  }

  public enum InfectionKind: String, Codable, Sendable, CaseIterable {
    case beacon, scan, spam, bfbot, ddos
    case nxdomainBurst = "nxdomain_burst"
    case bruteForce = "brute_force"
  }

  /// What carries a check-in.
  public enum Carrier: String, Codable, Sendable, CaseIterable {
    case tcp, udp, tls, http
  }

  /// A machine by its number from 1 in scenario order (`7`), by group and number (`iot/2`), or the group's first (`iot`).
  public enum HostReference: Codable, Sendable, Equatable {
    case number(Int)
    case group(String, Int)
  }
}

extension Scenario.Infection {
  /// Kind and knobs in one line, as truth.csv notes them.
  var note: String {
    var parts = [kind.rawValue]
    parts.append("period_s=\(LogRow.short(effectivePeriod))")
    if jitter > 0 { parts.append("jitter=\(LogRow.short(jitter))") }
    if miss > 0 { parts.append("miss=\(LogRow.short(miss))") }
    if extra > 0 { parts.append("extra=\(LogRow.short(extra))") }
    if let online { parts.append("online=\(LogRow.short(online))") }
    if let count { parts.append("count=\(count)") }
    parts.append("\(effectiveCarrier.rawValue)/\(effectivePort)")
    parts.append(name.map { "name=\($0)" } ?? "no name")
    return parts.joined(separator: " ")
  }

  var effectivePeriod: Double { periodSeconds ?? kind.defaultPeriodSeconds }
  var effectiveCarrier: Scenario.Carrier { transport ?? kind.defaultCarrier }
  var effectivePort: UInt16 {
    if let port { return port }
    switch kind {
    case .scan: return 23
    case .spam: return 25
    case .bruteForce: return 22
    case .ddos: return 80
    case .bfbot: return 3433
    case .beacon, .nxdomainBurst:
      switch effectiveCarrier {
      case .tls: return 443
      case .http: return 80
      case .tcp, .udp: return 8081
      }
    }
  }
}

extension Scenario.InfectionKind {
  /// Starting values of this simulator, chosen to look like the family and not taken from any one capture, except the
  /// 240 s keep-alive of BFBot (sinkhole reference 3.1).
  var defaultPeriodSeconds: Double {
    switch self {
    case .beacon: 600
    case .scan: 0.5
    case .spam: 20
    case .nxdomainBurst: 7200
    case .bfbot: 240
    case .ddos: 0.005
    case .bruteForce: 3
    }
  }

  var defaultCarrier: Scenario.Carrier {
    switch self {
    case .beacon, .nxdomainBurst: .tls
    case .bfbot: .udp
    case .scan, .spam, .ddos, .bruteForce: .tcp
    }
  }
}
