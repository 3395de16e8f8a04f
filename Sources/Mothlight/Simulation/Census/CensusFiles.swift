/// Writes a simulated census to files: `sightings.csv`, and what was really so in `truth.csv` and `networks.csv`.
public struct CensusFiles: Sendable {
  public let scenario: CensusScenario
  /// Files in the folder.
  static let names = ["sightings.csv", "networks.csv", "truth.csv"]

  public init(_ scenario: CensusScenario) { self.scenario = scenario }

  /// - Parameter progress: called with the share of simulated time done, 0…1.
  /// - Returns: paths written.
  public func run(
    into folder: String, overwrite: Bool = false, progress: ((Double) -> Void)? = nil
  ) throws(SimulationError) -> [String] {
    let simulation = try CensusSimulation(scenario)
    let base = folder.isEmpty ? "." : folder
    let paths = Self.names.map { "\(base)/\($0)" }
    for path in paths { try OutputFile.check(path, overwrite: overwrite) }
    try OutputFile.makeFolder(base)
    let file = try OutputFile(paths[0])
    try file.append(CensusRowText.header)
    var text = CensusRowText(sensors: scenario.sensors.map(\.name))
    let truth: CensusTruth
    do {
      truth = try simulation.run(progress: progress) { row in
        if text.isFull { try text.drain { (octets) throws(SimulationError) in try file.append(octets) } }
        text.append(row)
      }
    } catch let error as SimulationError { throw error } catch {
      throw SimulationError(.unwritable, "\(paths[0]): \(error)")
    }
    try text.drain { (octets) throws(SimulationError) in try file.append(octets) }
    try file.close()
    try writeNetworks(paths[1], simulation)
    try write(truth, to: paths[2])
    return paths
  }

  private func writeNetworks(_ path: String, _ simulation: CensusSimulation) throws(SimulationError) {
    let file = try OutputFile(path)
    try file.append("asn,cc,tz,kind,policy,prefix_bits,asn_later\n")
    for n in simulation.population.networks {
      try file.append(
        "\(n.asn),\(n.country),\(n.timeZone),\(n.isHosting ? "hosting" : "provider"),\(n.policy.rawValue),"
          + "\(n.prefixBits > 0 ? String(n.prefixBits) : ""),\(n.laterASN > 0 ? String(n.laterASN) : "")\n")
    }
    try file.close()
  }

  private func write(_ truth: CensusTruth, to path: String) throws(SimulationError) {
    let file = try OutputFile(path)
    let first = Int(scenario.firstHour)
    try file.append("quantity,at,asn,cc,machines\n")
    for (hour, count) in truth.live.enumerated() { try file.append("live,\(first + hour),,,\(count)\n") }
    for (day, count) in truth.active.enumerated() { try file.append("active,\(first / 24 + day),,,\(count)\n") }
    for (day, count) in truth.stock.enumerated() { try file.append("stock,\(first / 24 + day),,,\(count)\n") }
    for part in truth.systems + truth.countries {
      let place = part.asn > 0 ? "\(part.asn),\(part.country)" : ",\(part.country)"
      try file.append("live,window,\(place),\(LogRow.short(part.live))\n")
      try file.append("footprint,window,\(place),\(part.footprint)\n")
      try file.append("reached,window,\(place),\(part.reached)\n")
      if part.asn > 0 { try file.append("addresses,window,\(place),\(part.addresses)\n") }
    }
    try file.append("live,window,,,\(LogRow.short(truth.meanLive))\n")
    try file.append("footprint,window,,,\(truth.footprint)\n")
    try file.append("reached,window,,,\(truth.reached)\n")
    try file.append("addresses,window,,,\(truth.addresses)\n")
    try file.close()
  }
}
