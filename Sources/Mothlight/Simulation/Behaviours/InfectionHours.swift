/// When a bot may act: its machine's hours, its own share of them, and not before it was caught.
struct InfectionHours: Sendable {
  private let online: OnlineHours
  private let wake: Double

  init(_ infection: Scenario.Infection, on machine: SimulatedMachine) {
    online = machine.online.limited(toHours: infection.online)
    wake = infection.startOffsetSeconds
  }

  /// `time` or the next moment that the bot is awake; `nil` for never again.
  func next(_ time: Double) -> Double? { online.next(max(time, wake)) }
}

extension Scenario.Infection {
  /// Where the bot calls: the same server for the same name, or for the same family when it knows no name.
  var server: IPAddress {
    Outside.addresses(of: name ?? "\(family ?? kind.rawValue).\(effectivePort).server.invalid")[0]
  }

  var label: TrafficLabel { .botnet(kind) }

  /// The behaviour that plays this infection.
  func behaviour(on machine: SimulatedMachine, random: RandomSource) -> any Behaviour {
    let hours = InfectionHours(self, on: machine)
    return switch kind {
    case .beacon: BeaconInfection(infection: self, hours: hours, random: random)
    case .bfbot: BFBotInfection(infection: self, hours: hours, random: random)
    case .scan: ScanInfection(infection: self, hours: hours, random: random)
    case .spam: SpamInfection(infection: self, hours: hours, random: random)
    case .nxdomainBurst: NXDomainInfection(infection: self, hours: hours, random: random)
    case .ddos: FloodInfection(infection: self, hours: hours, random: random)
    case .bruteForce: BruteForceInfection(infection: self, hours: hours, random: random)
    case .dnsTunnel: TunnelInfection(infection: self, hours: hours, random: random)
    case .fastFlux: FluxInfection(infection: self, hours: hours, random: random)
    case .irc: IRCInfection(infection: self, hours: hours, random: random)
    case .httpCallHome: HTTPCallHomeInfection(infection: self, hours: hours, random: random)
    case .deviceAttack: DeviceAttackInfection(infection: self, hours: hours, random: random)
    case .crowd: CrowdInfection(infection: self, hours: hours, random: random)
    case .peerToPeer: PeerInfection(infection: self, hours: hours, random: random)
    case .deadRendezvous: DeadRendezvousInfection(infection: self, hours: hours, random: random)
    case .quietChannel: QuietChannelInfection(infection: self, hours: hours, random: random)
    case .proxiedBeacon: ProxiedInfection(infection: self, hours: hours, random: random)
    case .programDownload: ProgramDownloadInfection(infection: self, hours: hours, random: random)
    case .sameRequest: SameRequestInfection(infection: self, hours: hours, random: random)
    case .clickFraud: ClickFraudInfection(infection: self, hours: hours, random: random)
    }
  }
}

extension SimulatedMachine {
  /// One check-in of a bot with its server by the infection's carrier.
  mutating func checkIn(
    _ infection: Scenario.Infection, at time: Double, up: Int, down: Int, random: inout RandomSource,
    into out: inout [Conversation]
  ) {
    let (server, ready) = find(infection, at: time, into: &out)
    checkIn(infection, with: server, at: ready, up: up, down: down, into: &out)
  }

  /// The bot's server: looked up when it has a name.
  mutating func find(_ infection: Scenario.Infection, at time: Double, into out: inout [Conversation])
    -> (address: IPAddress, ready: Double)
  {
    guard let name = infection.name else { return (infection.server, time) }
    return resolve(name, at: time, label: infection.label, into: &out)
  }

  /// The same with a server whose address is known.
  mutating func checkIn(
    _ infection: Scenario.Infection, with server: IPAddress, at ready: Double, up: Int, down: Int,
    into out: inout [Conversation]
  ) {
    let port = infection.effectivePort
    switch infection.effectiveCarrier {
    case .tls:
      out.append(
        tls(
          to: server, port: port, name: infection.name, as: .agent, at: ready,
          exchanges: [TrafficExchange(up: up, down: down)], label: infection.label))
    case .http:
      let request = SyntheticHTTP(
        method: "POST", host: infection.name ?? server.description, target: "/gate", userAgent: "Mozilla/4.0",
        requestOctets: up, responseOctets: down, contentType: "application/octet-stream")
      out.append(http(to: server, port: port, at: ready, requests: [request], label: infection.label))
    case .tcp, .udp:
      let transport: Transport = infection.effectiveCarrier == .tcp ? .tcp : .udp
      var raw = open(to: server, port: port, transport, at: ready, label: infection.label)
      raw.steps = [.client(.opaque(max(1, up))), .server(.opaque(min(1400, max(1, down))), after: 0.01)]
      out.append(raw)
    }
  }
}
