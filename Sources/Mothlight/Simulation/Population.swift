/// The machines of a scenario with all programs on them.
struct Population {
  var machines: [SimulatedMachine]
  /// Each program with the index of its machine.
  var programs: [(machine: Int, behaviour: any Behaviour)] = []
  let epoch: Int64
  /// Seconds.
  let length: Double
  /// Ends of the power cuts, in seconds by time: all programs start anew.
  let restarts: [Double]

  init(_ scenario: Scenario) throws(SimulationError) {
    try scenario.validate()
    epoch = try scenario.startTime()
    length = scenario.hours * 3600
    let home = try HomeNetwork(scenario.home, machines: scenario.machines.reduce(0) { $0 + $1.count })
    let startOfDay = Double(epoch / 1_000_000 % 86_400)
    let cuts = scenario.powerCutHours.map { $0 * 3600...$0 * 3600 + Scenario.powerCutSeconds }
    restarts = cuts.map(\.upperBound).sorted()
    machines = []
    for group in scenario.machines {
      for _ in 0..<group.count {
        let index = machines.count
        var random = RandomSource(seed: scenario.seed, stream: UInt64(index) << 16)
        let online = OnlineHours(hoursPerDay: group.online, length: length, startOfDay: startOfDay, random: &random)
          .without(cuts)
        machines.append(
          SimulatedMachine(
            index: index, group: group.group, kind: group.kind, address: home.machines[index], gateway: home.gateway,
            online: online, random: random))
      }
    }
    var index = 0
    for group in scenario.machines {
      let running = Scenario.Service.allCases.filter(group.running.contains)
      for _ in 0..<group.count {
        for (order, service) in running.enumerated() {
          install(service, on: index, seed: scenario.seed, stream: UInt64(index) << 16 | UInt64(order + 1) << 8)
        }
        index += 1
      }
    }
    for (order, infection) in scenario.infections.enumerated() {
      let machine = try scenario.machineIndex(infection.host, "infections[\(order)]")
      let random = RandomSource(seed: scenario.seed, stream: UInt64(machine) << 16 | 0xff00 | UInt64(order & 0xff))
      programs.append((machine, infection.behaviour(on: machines[machine], random: random)))
    }
  }

  private mutating func install(_ service: Scenario.Service, on index: Int, seed: UInt64, stream: UInt64) {
    var choice = RandomSource(seed: seed, stream: stream)
    var part = stream
    func add(_ behaviours: [any Behaviour]) { programs += behaviours.map { (index, $0) } }
    func random() -> RandomSource {
      part += 1
      return RandomSource(seed: seed, stream: part)
    }
    switch service {
    case .browsing: add([WebBrowsing(random: random())])
    case .ntp: add([TimeClient(random: random(), epoch: epoch)])
    case .updates: add(Self.updates(machines[index].kind, random))
    case .push:
      add([
        PushChannel(
          name: "push-\(1 + choice.int(below: 3)).messages.example", port: choice.chance(0.5) ? 5228 : 443,
          interval: choice.uniform(900, 1680), messageOctets: choice.int(24, 60), lifetimeHours: 5, random: random())
      ])
    case .antivirus: add([AntivirusLookups(random: random())])
    case .backup:
      let sleeps = machines[index].online.intervals != [0...length]
      add([
        BackupUpload(
          name: "vault.backup.example", period: sleeps ? 14_400 : 86_400, octets: 40_000_000, random: random())
      ])
    case .mail: add(Self.mail(&choice, random))
    case .telemetry: add(Self.telemetry(&choice, random))
    case .discovery: add([LocalDiscovery(random: random())])
    case .rss:
      add([
        PeriodicService(
          names: (1...12).map { "feeds.blog-\($0).example" }, period: 1800, spread: 0.01, up: 200...220,
          down: 9000...30_000,
          bigChance: 0.2, big: 60_000, userAgent: "FeedReader/2.1 Simulated", target: "/feed.xml", random: random())
      ])
    case .bittorrent: add([BitTorrentClient(random: random())])
    case .monitoring:
      let targets = machines.map { ($0.address, $0.online) }
      let sites = (1...3).map { "status.service-\($0).example" }
      add([MonitoringServer(targets: targets, sites: sites, random: random())])
    case .videoCalls: add([VideoCalls(random: random())])
    case .iotCloud: add(Self.deviceCloud(&choice, random))
    case .mailServer: add([MailServer(random: random())])
    case .dhcp, .resolver, .game, .chat, .cron, .updaterPost, .hashScan, .contentNetwork, .secureShell, .tunnelClient,
      .insideScanner, .nameNoise, .failingSites, .movedServer, .homeScript, .proxiedWeb, .bareMQTT, .returningSwarm:
      add(lookAlikes(service, on: machines[index], &choice, random))
    }
  }

  private static func updates(_ kind: Scenario.Kind, _ random: () -> RandomSource) -> [any Behaviour] {
    switch kind {
    case .office:
      [
        PeriodicService(
          names: ["settings.update.example", "dl.update.example"], period: 3600, spread: 0.2, up: 900...1400,
          down: 2000...9000,
          bigChance: 0.05, big: 6_000_000, random: random()),
        PeriodicService(
          names: ["update.browser-vendor.example"], period: 5 * 3600, spread: 0.1, client: .browser, up: 1200...1300,
          down: 700...800, random: random()),
      ]
    case .server:
      [
        PeriodicService(
          names: ["deb.mirror.example", "security.mirror.example"], period: 43_200, spread: 0.5, up: 200...240,
          down: 60_000...400_000, userAgent: "Package-Client/2.6 (simulated)", target: "/dists/stable/InRelease",
          random: random())
      ]
    case .iot:
      [
        PeriodicService(
          names: ["fw.thing-vendor.example"], period: 21_600, spread: 0.05, client: .device, up: 240...260,
          down: 380...400,
          random: random())
      ]
    }
  }

  private static func mail(_ choice: inout RandomSource, _ random: () -> RandomSource) -> [any Behaviour] {
    [
      PeriodicService(
        names: ["imap.mailhost.example"], period: Double(choice.int(5, 10)) * 60, spread: 0.01, client: .system,
        port: 993,
        up: 300...340, down: 500...620, bigChance: 0.15, big: 90_000, random: random()),
      PeriodicService(
        names: ["smtp.mailhost.example"], period: 4000, spread: 0.9, client: .system, port: 465, up: 2000...90_000,
        down: 200...260, random: random()),
    ]
  }

  /// Each program is on some machines only; the fastest timers are the rarest.
  private static func telemetry(_ choice: inout RandomSource, _ random: () -> RandomSource) -> [any Behaviour] {
    let kinds: [(name: String, period: Double, share: Double)] = [
      ("beat.player-app.example", 30, 0.05), ("v10.telemetry.example", 60, 0.1),
      ("metrics.office-suite.example", 300, 0.5),
      ("events.driver-vendor.example", 900, 0.8),
    ]
    return kinds.compactMap { kind in
      guard choice.chance(kind.share) else { return nil }
      let up = choice.int(600, 1500)
      return PeriodicService(
        names: [kind.name], period: kind.period, spread: choice.uniform(0.005, 0.1), up: up...(up + 60),
        down: 180...240,
        bigChance: 0.02, big: 5000, random: random())
    }
  }

  private static func deviceCloud(_ choice: inout RandomSource, _ random: () -> RandomSource) -> [any Behaviour] {
    let vendor = 1 + choice.int(below: 3)
    return [
      PushChannel(
        name: "mqtt.cloud-\(vendor).thing-vendor.example", port: 8883, client: .device, interval: 60, messageOctets: 2,
        lifetimeHours: 9, random: random()),
      PeriodicService(
        names: ["api.cloud-\(vendor).thing-vendor.example"], period: vendor == 1 ? 300 : 900, spread: 0.02,
        client: .device,
        up: 310...330, down: 400...420, random: random()),
    ]
  }
}
