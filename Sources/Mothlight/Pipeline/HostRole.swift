/// What a host is in its network, learned from what others do with it and what it does; shown beside its verdict.
public enum HostRole: String, Sendable, CaseIterable, Comparable, Codable {
  /// Others hand it mail.
  case mailServer = "mail_server"
  /// Others ask it for names: what it asks is asked for them.
  case resolver
  /// Programs of several operating systems speak from one address: one verdict for many machines.
  case natGateway = "nat_gateway"
  /// File sharing or another peer-to-peer network.
  case peerToPeer = "peer_to_peer"
  /// Knocks at many machines inside: monitoring or a vulnerability scanner, or a worm.
  case insideProber = "inside_prober"
  /// Tries the same long list of services on most machines inside: an inventory or a search for weak points.
  case scanner
  /// Keeps time with several machines inside, as monitoring and backup servers do and bots do not.
  case monitor
  /// Many outside clients are answered on a service port.
  case server

  public static func < (a: HostRole, b: HostRole) -> Bool {
    (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
  }

  enum Bound {
    static let mailReceived: UInt32 = 20
    static let lookupsServed: UInt32 = 50
    /// A person has a computer and perhaps an emulator; three kinds of system are several machines.
    static let platforms = 3
    static let insidePeers = 24
    static let insideTimers = 4
    static let clientsServed: UInt32 = 50
  }

  static func learned(from host: HostRecord) -> [HostRole] {
    var roles: [HostRole] = []
    if host.mailReceived >= Bound.mailReceived { roles.append(.mailServer) }
    if host.lookupsServed >= Bound.lookupsServed { roles.append(.resolver) }
    if host.platforms.count >= Bound.platforms { roles.append(.natGateway) }
    if host.looksPeerToPeer { roles.append(.peerToPeer) }
    if host.insidePeers >= Bound.insidePeers { roles.append(.insideProber) }
    if host.servicesSurveyed > 0 { roles.append(.scanner) }
    if host.insideTimers >= Bound.insideTimers { roles.append(.monitor) }
    if host.clientsServed >= Bound.clientsServed { roles.append(.server) }
    return roles
  }

  package var words: String {
    switch self {
    case .mailServer: "mail server"
    case .resolver: "resolver"
    case .natGateway: "several machines behind one address"
    case .peerToPeer: "peer-to-peer node"
    case .insideProber: "probes machines inside"
    case .scanner: "searches machines inside for weak points"
    case .monitor: "monitors machines inside"
    case .server: "server"
    }
  }
}

/// Operating systems that a host's HTTP requests named, one bit each.
struct PlatformSet: OptionSet, Sendable {
  var rawValue: UInt8
  static let windows = PlatformSet(rawValue: 1)
  static let macintosh = PlatformSet(rawValue: 2)
  static let iOS = PlatformSet(rawValue: 4)
  static let android = PlatformSet(rawValue: 8)
  static let linux = PlatformSet(rawValue: 16)
  static let console = PlatformSet(rawValue: 32)

  var count: Int { rawValue.nonzeroBitCount }

  /// What a browser's agent text says of its system; empty for other programs, whose texts say little.
  init(browserAgent text: String) {
    self = []
    guard text.hasPrefix("Mozilla/") else { return }
    if text.holds("Windows NT") {
      self = .windows
    } else if text.holds("iPhone") || text.holds("iPad") {
      self = .iOS
    } else if text.holds("Macintosh") {
      self = .macintosh
    } else if text.holds("Android") {
      self = .android
    } else if text.holds("PlayStation") || text.holds("Nintendo") || text.holds("Xbox") {
      self = .console
    } else if text.holds("X11; ") {
      self = .linux
    }
  }

  init(rawValue: UInt8) { self.rawValue = rawValue }
}
