extension Population {
  /// Healthy software that looks like a bot to one detector or another; not on any machine unless it is switched on.
  func lookAlikes(
    _ service: Scenario.Service, on machine: SimulatedMachine, _ choice: inout RandomSource,
    _ random: () -> RandomSource
  ) -> [any Behaviour] {
    let targets = machines.map { ($0.address, $0.online) }
    return switch service {
    case .dhcp: [LeaseClient(random: random())]
    case .resolver: [ResolverServer(clients: machines.map(\.address), random: random())]
    case .game: [OnlineGame(random: random())]
    case .chat: [PublicChat(random: random())]
    case .cron: [HourlyJob(startOfDay: Double(epoch / 1_000_000 % 86_400), random: random())]
    case .updaterPost:
      [
        ReportingUpdater(
          name: "report-\(1 + choice.int(below: 4)).vendor-update.example",
          period: Double(choice.pick([300, 900, 1800, 3600]) ?? 900), octets: choice.int(200, 900), random: random())
      ]
    case .hashScan: [HashScan(random: random())]
    case .contentNetwork: [ContentNetwork(networks: choice.pick([2, 4, 24]) ?? 4, random: random())]
    case .secureShell: [SecureShellSession(random: random())]
    case .tunnelClient:
      [
        TunnelClient(
          random: random(), hasName: choice.chance(0.7), port: choice.pick([1194, 51_820, 4500, 1194]) ?? 1194)
      ]
    case .insideScanner: [InsideScanner(targets: targets, random: random())]
    case .nameNoise: [NameNoise(random: random())]
    case .failingSites: [FailingSites(random: random())]
    case .movedServer: [MovedServer(period: Double(choice.pick([300, 900, 3600]) ?? 900), random: random())]
    case .homeScript: [HomeScript(period: Double(choice.pick([60, 300, 900]) ?? 300), random: random())]
    case .proxiedWeb: [ProxiedWeb(random: random())]
    case .bareMQTT: [BareMQTT(random: random())]
    case .returningSwarm: ReturningPeer.swarm(&choice, random)
    case .browsing, .ntp, .updates, .push, .antivirus, .backup, .mail, .telemetry, .discovery, .rss, .bittorrent,
      .monitoring, .videoCalls, .iotCloud, .mailServer:
      []
    }
  }
}
