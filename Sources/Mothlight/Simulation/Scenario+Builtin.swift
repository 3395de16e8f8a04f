extension Scenario {
  /// The demonstration: a small office for a day, four infected machines of different kinds among much benign clockwork.
  ///
  /// `Examples/demo.yaml` says the same.
  public static let builtin = Scenario(
    name: "demo", seed: 2026, start: "2026-03-02", hours: 24, formats: [.pcap, .zeek, .zeekJSON, .binetflow],
    home: "192.168.10.0/24",
    machines: [
      MachineGroup(group: "server", kind: .server, services: ServiceSwitches([.monitoring: true])),
      MachineGroup(group: "mail", kind: .server, services: ServiceSwitches([.mailServer: true, .backup: true])),
      MachineGroup(group: "office", kind: .office, count: 20),
      MachineGroup(group: "reader", kind: .office, count: 1, services: ServiceSwitches([.rss: true])),
      MachineGroup(group: "night", kind: .office, count: 1, online: 24, services: ServiceSwitches([.backup: true])),
      MachineGroup(group: "guest", kind: .office, count: 1, services: ServiceSwitches([.bittorrent: true])),
      MachineGroup(group: "iot", kind: .iot, count: 8),
    ],
    infections: [
      Infection(
        host: .group("office", 4), kind: .beacon, periodSeconds: 300, jitter: 0.2, miss: 0.1, port: 443,
        transport: .tls,
        name: "cdn-static.quietmoth.example", size: 320, family: "QuietMoth"),
      Infection(
        host: .group("office", 11), kind: .bfbot, periodSeconds: 240, jitter: 0.02, port: 3433,
        name: "wing.butterfly.example",
        family: "BFBot"),
      Infection(
        host: .group("iot", 3), kind: .scan, periodSeconds: 0.5, jitter: 0.5, port: 23, startOffsetSeconds: 21_600,
        count: 8000, family: "Mirai-like"),
      Infection(
        host: .group("iot", 3), kind: .beacon, periodSeconds: 60, jitter: 0.05, port: 48_101, transport: .tcp, size: 24,
        startOffsetSeconds: 21_600, family: "Mirai-like"),
      Infection(
        host: .group("office", 17), kind: .spam, periodSeconds: 25, startOffsetSeconds: 36_000, count: 500,
        family: "SpamMoth"),
    ])
}
