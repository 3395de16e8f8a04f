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
    /// The harder form of kinds that have two: an ordinary nickname, agent, path or label, changing sizes.
    public var blends: Bool

    public init(
      host: HostReference, kind: InfectionKind, periodSeconds: Double? = nil, jitter: Double = 0, miss: Double = 0,
      extra: Double = 0, online: Double? = nil, port: UInt16? = nil, transport: Carrier? = nil, name: String? = nil,
      size: Int? = nil, startOffsetSeconds: Double = 0, count: Int? = nil, family: String? = nil,
      blends: Bool = false
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
      self.blends = blends
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
      case host, kind, jitter, miss, extra, online, port, transport, name, size, count, family, blends
      case periodSeconds = "period_s"
      case startOffsetSeconds = "start_offset_s"
    }
  }

  public enum InfectionKind: String, Codable, Sendable, CaseIterable {
    case beacon, scan, spam, bfbot, ddos
    case nxdomainBurst = "nxdomain_burst"
    case bruteForce = "brute_force"
    case dnsTunnel = "dns_tunnel"
    case fastFlux = "fast_flux"
    case irc
    case httpCallHome = "http_call_home"
    case deviceAttack = "device_attack"
    case crowd
    case peerToPeer = "p2p"
    case deadRendezvous = "dead_rendezvous"
    case quietChannel = "quiet_channel"
    case proxiedBeacon = "proxied_beacon"
    case programDownload = "program_download"
    case sameRequest = "same_request"
    case clickFraud = "click_fraud"
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
    if blends { parts.append("blends") }
    parts.append("\(effectiveCarrier.rawValue)/\(effectivePort)")
    parts.append(name.map { "name=\($0)" } ?? "no name")
    return parts.joined(separator: " ")
  }
}
