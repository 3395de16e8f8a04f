/// Runs a simulated botnet hour by hour and gives the rows that its sinkholes would write. No file, no socket, no clock.
///
/// A sensor may give the same source several times in an hour, once for each machine behind it: add them up.
///
/// - Complexity: O(machines) an hour, some 50 ns a row; 40 octets a machine and a quarter of one an address.
public struct CensusSimulation: Sendable {
  public let scenario: CensusScenario
  let population: CensusPopulation

  public init(_ scenario: CensusScenario) throws(SimulationError) {
    self.scenario = scenario
    population = try CensusPopulation(scenario)
  }

  /// AS numbers of hosting networks, which an analyst knows from public lists. The last one is on none.
  public var knownHosting: [UInt32] { population.networks.filter(\.isHosting).dropLast().map(\.asn) }

  /// Calls `row` for each row, by true hour.
  /// - Parameter progress: called with the share of the hours done.
  public func run(
    progress: ((Double) -> Void)? = nil, _ row: (CensusSighting) throws -> Void
  ) throws -> CensusTruth {
    try run(progress: progress) { sighting, _ in try row(sighting) }
  }

  /// - Parameter row: with the number of the machine; -1 for those who are none.
  func run(
    progress: ((Double) -> Void)? = nil, labelled row: (CensusSighting, Int) throws -> Void
  ) throws -> CensusTruth {
    var state = CensusRun(scenario, population)
    var strays = CensusStrays(scenario, population)
    for hour in 0..<scenario.hours {
      if hour % 24 == 0 { state.begin(day: hour / 24) }
      try state.run(hour, row)
      try strays.run(hour, &state, row)
      progress?(Double(hour + 1) / Double(scenario.hours))
    }
    return state.truth()
  }
}
