/// What `mothlight simulate` is asked to make: a home network, its machines, and which of them are infected.
///
/// Decoding is strict: a key that is not known is an error that names it (see `Scenario+Decoding.swift`).
public struct Scenario: Codable, Sendable, Equatable {
  public var name: String
  public var seed: UInt64
  /// RFC 3339 date or date-time; UTC is also the local time of the simulated office.
  public var start: String
  /// Length in hours.
  public var hours: Double
  public var formats: [Format]
  /// Private IPv4 prefix of the home network; its first address is gateway and resolver.
  public var home: String
  public var machines: [MachineGroup]
  public var infections: [Infection]
  /// Hours after the start at which all machines lose power for `powerCutSeconds` and start together.
  public var powerCutHours: [Double]
  static let powerCutSeconds = 240.0

  public init(
    name: String, seed: UInt64 = 1, start: String = "2026-03-02", hours: Double = 24, formats: [Format] = [.pcap],
    home: String = "192.168.10.0/24", machines: [MachineGroup], infections: [Infection] = [],
    powerCutHours: [Double] = []
  ) {
    self.name = name
    self.seed = seed
    self.start = start
    self.hours = hours
    self.formats = formats
    self.home = home
    self.machines = machines
    self.infections = infections
    self.powerCutHours = powerCutHours
  }

  /// An output format, under the names of the `format` column of truth.csv.
  public enum Format: String, Codable, Sendable, CaseIterable {
    case pcap, zeek
    case zeekJSON = "zeek-json"
    case binetflow
  }

  /// Machines that are alike in what they run.
  public struct MachineGroup: Codable, Sendable, Equatable {
    /// Name that infections refer to; the kind's own name when left out.
    public var group: String
    public var kind: Kind
    public var count: Int
    /// Hours a day: 24 is always on, less is a working day that begins around 08:30.
    public var online: Double
    /// Switches over what the kind runs by default.
    public var services: ServiceSwitches

    public init(
      group: String? = nil, kind: Kind, count: Int = 1, online: Double? = nil,
      services: ServiceSwitches = ServiceSwitches()
    ) {
      self.group = group ?? kind.rawValue
      self.kind = kind
      self.count = count
      self.online = online ?? (kind == .office ? 8 : 24)
      self.services = services
    }

    /// What runs on these machines after the switches are applied.
    public var running: Set<Service> {
      var set = kind.defaultServices
      for (service, on) in services.settings {
        if on { set.insert(service) } else { set.remove(service) }
      }
      return set
    }
  }

  public enum Kind: String, Codable, Sendable, CaseIterable {
    case office, iot, server

    var defaultServices: Set<Service> {
      switch self {
      case .office: [.browsing, .ntp, .updates, .push, .antivirus, .mail, .telemetry, .discovery, .videoCalls]
      case .iot: [.ntp, .iotCloud, .updates, .discovery]
      case .server: [.ntp, .updates]
      }
    }
  }

  /// Benign software; most of it is periodic, which is what a timing test confuses with a bot.
  public enum Service: String, Codable, Sendable, CaseIterable, CodingKey {
    case browsing, ntp, updates, push, antivirus, backup, mail, telemetry, discovery, rss, bittorrent, monitoring
    case videoCalls = "video_calls"
    case iotCloud = "iot_cloud"
    case mailServer = "mail_server"
    case dhcp, resolver, game, chat, cron
    case updaterPost = "updater_post"
    case hashScan = "hash_scan"
    case contentNetwork = "content_network"
    case secureShell = "secure_shell"
    case tunnelClient = "vpn"
    case insideScanner = "inside_scanner"
    case nameNoise = "name_noise"
    case failingSites = "failing_sites"
    case movedServer = "moved_server"
    case homeScript = "home_script"
    case proxiedWeb = "proxied_web"
    case bareMQTT = "bare_mqtt"
    case returningSwarm = "returning_swarm"
  }

  /// `browsing: false`-like overrides.
  public struct ServiceSwitches: Codable, Sendable, Equatable {
    public var settings: [Service: Bool]
    public init(_ settings: [Service: Bool] = [:]) { self.settings = settings }
  }
}
