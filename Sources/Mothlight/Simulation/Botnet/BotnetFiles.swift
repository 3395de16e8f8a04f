import Glibc

/// Writes a simulated botnet: a spool for each sensor, `sightings.csv`, the networks, and the truth beside them.
public struct BotnetFiles: Sendable {
  public let scenario: BotnetScenario
  /// Files in the folder, besides the spools.
  static let names = ["sightings.csv", "networks.csv", "truth.csv", "visitors.csv"]

  public init(_ scenario: BotnetScenario) { self.scenario = scenario }

  /// - Parameters:
  ///   - sink: makes the spool of a sensor in a folder of its own; `nil` writes the tables only.
  ///   - progress: called with the share of simulated time done, 0…1.
  /// - Returns: paths written, `truth.csv` last but one.
  public func run(
    into folder: String, overwrite: Bool = false, sink: ((_ folder: String, _ sensor: String) throws -> any SpoolSink)?,
    progress: ((Double) -> Void)? = nil
  ) throws(SimulationError) -> [String] {
    let simulation = try BotnetSimulation(scenario)
    let base = folder.isEmpty ? "." : folder
    for name in Self.names { try OutputFile.check("\(base)/\(name)", overwrite: overwrite) }
    try OutputFile.makeFolder(base)
    var spools: [SightingMerger] = []
    for sensor in scenario.sensors {
      guard let sink else { break }
      try Self.clear("\(base)/spool-\(sensor.name)", overwrite: overwrite)
      do {
        spools.append(SightingMerger(scenario.botnet, try sink("\(base)/spool-\(sensor.name)", sensor.name)))
      } catch { throw SimulationError(.unwritable, "\(base)/spool-\(sensor.name): \(error)") }
    }
    let rows = try OutputFile("\(base)/sightings.csv")
    try rows.append("hour,sensor,ip,asn,cc,tz,fp,id,contacts,valid\n")
    var seen: [Int: Visit] = [:]
    let hours = Double(scenario.days * 24)
    let truth = try simulation.run(
      contact: { (contact) throws(SimulationError) in
        try rows.append(row(contact))
        if !spools.isEmpty { spools[contact.sensor].add(contact) }
        if contact.visitor != nil { seen[contact.visitorNumber, default: Visit(contact)].add(contact) }
      },
      ended: { (done) throws(SimulationError) in
        for i in spools.indices { spools[i].close() }
        progress?(Double(done) / hours)
      })
    let end = Timestamp(seconds: Int64(try scenario.firstHour() + scenario.days * 24) * 3600)
    for spool in spools { spool.finish(now: end) }
    try rows.close()
    try writeNetworks("\(base)/networks.csv", simulation)
    try writeVisitors("\(base)/visitors.csv", seen)
    try write(truth, to: "\(base)/truth.csv")
    return Self.names.map { "\(base)/\($0)" }
      + (sink == nil ? [] : scenario.sensors.map { "\(base)/spool-\($0.name)" })
  }

  /// A spool is appended to by nature; one of an earlier run must not be mixed with this one.
  private static func clear(_ folder: String, overwrite: Bool) throws(SimulationError) {
    for name in SpoolDisk.names(in: folder) where SpoolFolder.isSegmentName(name) {
      guard overwrite else {
        throw SimulationError(.alreadyExists, "\(folder): exists already; choose another folder, or give --overwrite")
      }
      unlink("\(folder)/\(name)")
    }
  }

  private struct Visit {
    var kind: VisitorClass?
    var sources: Set<IPAddress> = []
    var contacts: UInt64 = 0

    init(_ contact: BotnetSimulation.Contact) { kind = contact.visitor }

    mutating func add(_ contact: BotnetSimulation.Contact) {
      sources.insert(contact.source)
      contacts += UInt64(contact.contacts)
    }
  }

  private func row(_ c: BotnetSimulation.Contact) -> String {
    let network = c.network.map { scenario.networks[$0] }
    let identity = c.identity == 0 ? "" : String(c.identity, radix: 16)
    return "\(c.hour),\(scenario.sensors[c.sensor].name),\(c.source),\(network.map { String($0.asn) } ?? ""),"
      + "\(network?.country ?? ""),\(network.map { String($0.timeZone) } ?? ""),\(c.fingerprint),\(identity),\(c.contacts),"
      + "\(c.level >= .recognised ? 1 : 0)\n"
  }

  private func writeNetworks(_ path: String, _ simulation: BotnetSimulation) throws(SimulationError) {
    let file = try OutputFile(path)
    try file.append("first,last,asn,cc,tz,policy\n")
    for plan in simulation.population.plans {
      let n = plan.network
      try file.append(
        "\(plan.firstFree),\(IPAddress(v4: plan.nextFree &- 1)),\(n.asn),\(n.country),\(n.timeZone),\(n.policy.rawValue)\n"
      )
    }
    try file.close()
  }

  private func writeVisitors(_ path: String, _ seen: [Int: Visit]) throws(SimulationError) {
    let file = try OutputFile(path)
    try file.append("visitor,class,source,contacts\n")
    for (number, visit) in seen.sorted(by: { $0.key < $1.key }) {
      for source in visit.sources.sorted() {
        try file.append("\(number),\(visit.kind?.name ?? ""),\(source),\(visit.contacts)\n")
      }
    }
    try file.close()
  }

  private func write(_ truth: BotnetSimulation.Truth, to path: String) throws(SimulationError) {
    let file = try OutputFile(path)
    let first = try scenario.firstHour()
    try file.append("quantity,at,asn,cc,machines\n")
    for (hour, count) in truth.live.enumerated() { try file.append("live,\(first + hour),,,\(count)\n") }
    for (day, count) in truth.active.enumerated() { try file.append("active,\(first / 24 + day),,,\(count)\n") }
    for (day, count) in truth.stock.enumerated() { try file.append("stock,\(first / 24 + day),,,\(count)\n") }
    for (n, network) in scenario.networks.enumerated() {
      try file.append("footprint,window,\(network.asn),\(network.country),\(truth.footprint[n])\n")
      try file.append("reached,window,\(network.asn),\(network.country),\(truth.reached[n])\n")
      try file.append("addresses,window,\(network.asn),\(network.country),\(truth.addresses[n])\n")
    }
    try file.append("footprint,window,,,\(truth.footprint.reduce(0, +))\n")
    try file.append("reached,window,,,\(truth.reached.reduce(0, +))\n")
    try file.append("addresses,window,,,\(truth.addresses.reduce(0, +))\n")
    try file.close()
  }
}

/// Joins what one sensor saw of a source in an hour into the sighting that a sinkhole would write.
struct SightingMerger {
  private let botnet: String
  private let sink: any SpoolSink
  private var open: [IPAddress: Sighting] = [:]

  init(_ botnet: String, _ sink: any SpoolSink) {
    self.botnet = botnet
    self.sink = sink
  }

  mutating func add(_ c: BotnetSimulation.Contact) {
    var sighting =
      open[c.source]
      ?? Sighting(
        source: c.source, sourcePort: UInt16(1024 + (UInt32(c.fingerprint) &* 251 &+ UInt32(c.first)) % 64_000),
        botnet: botnet, hour: UInt32(clamping: c.hour), firstSecond: UInt16(clamping: c.first),
        lastSecond: UInt16(clamping: c.last), count: 0, ports: [3431], transport: .udp, level: c.level,
        visitor: c.visitor)
    sighting.firstSecond = min(sighting.firstSecond, UInt16(clamping: c.first))
    sighting.lastSecond = max(sighting.lastSecond, UInt16(clamping: c.last))
    sighting.count &+= c.contacts
    sighting.level = max(sighting.level, c.level)
    if c.identity != 0, c.visitor == nil {
      if let at = sighting.identities.firstIndex(where: { $0.identity == c.identity }) {
        sighting.identities[at].count &+= c.contacts
      } else if sighting.identities.count < Sighting.identitiesMost {
        sighting.identities.append(IdentityCount(identity: c.identity, count: c.contacts))
      }
    }
    // A machine behind the same address makes it more than a visitor's.
    if c.visitor == nil { sighting.visitor = nil }
    open[c.source] = sighting
  }

  func finish(now: Timestamp) { sink.finish(now: now) }

  /// The hour has ended.
  mutating func close() {
    guard let hour = open.values.first?.hour else { return }
    for source in open.keys.sorted() {
      guard var sighting = open[source] else { continue }
      sighting.identities.sort { $0.identity < $1.identity }
      sink.append(.sighting(sighting))
    }
    open.removeAll(keepingCapacity: true)
    sink.flush(now: Timestamp(seconds: (Int64(hour) + 1) * 3600))
  }
}
