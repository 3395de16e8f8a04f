extension Scenario.Infection {
  var effectivePeriod: Double { periodSeconds ?? kind.defaultPeriodSeconds }
  var effectiveCarrier: Scenario.Carrier { transport ?? kind.defaultCarrier }
  var effectivePort: UInt16 {
    if let port { return port }
    if let usual = kind.usualPort { return usual }
    return switch effectiveCarrier {
    case .tls: 443
    case .http: 80
    case .tcp, .udp: 8081
    }
  }
}

extension Scenario.InfectionKind {
  /// Starting values of this simulator, chosen to look like the family and not taken from any one capture, except the
  /// 240 s keep-alive of BFBot (sinkhole reference 3.1).
  var defaultPeriodSeconds: Double {
    switch self {
    case .beacon, .fastFlux, .httpCallHome: 600
    case .scan: 0.5
    case .spam, .peerToPeer: 20
    case .nxdomainBurst: 7200
    case .bfbot: 240
    case .ddos: 0.005
    case .bruteForce: 3
    case .dnsTunnel: 5
    case .irc: 90
    case .deviceAttack: 300
    case .crowd: 2400
    case .deadRendezvous: 120
    case .quietChannel: 300
    case .proxiedBeacon: 250
    case .programDownload, .sameRequest, .clickFraud: 30
    }
  }

  var defaultCarrier: Scenario.Carrier {
    switch self {
    case .beacon, .nxdomainBurst, .fastFlux, .crowd: .tls
    case .httpCallHome, .programDownload, .sameRequest, .clickFraud: .http
    case .bfbot, .peerToPeer, .dnsTunnel: .udp
    case .scan, .spam, .ddos, .bruteForce, .irc, .deviceAttack, .deadRendezvous, .quietChannel, .proxiedBeacon: .tcp
    }
  }

  /// `nil` where the carrier decides.
  fileprivate var usualPort: UInt16? {
    switch self {
    case .scan, .deviceAttack: 23
    case .spam: 25
    case .bruteForce: 22
    case .ddos: 80
    case .bfbot: 3433
    case .dnsTunnel: 53
    case .irc: 51_987
    case .proxiedBeacon: 3128
    case .quietChannel: 9431
    case .deadRendezvous: 6543
    case .beacon, .nxdomainBurst, .fastFlux, .httpCallHome, .crowd, .peerToPeer, .programDownload, .sameRequest,
      .clickFraud:
      nil
    }
  }
}
