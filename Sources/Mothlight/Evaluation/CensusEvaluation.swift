/// Judges a census by botnets whose size is known because they are made up: many scenarios, many seeds.
///
/// Estimators are tuned on seeds from 101 on with the plain mixes; what is reported comes from seeds from 1 on, each with a
/// mix of its own, so that no reported botnet was ever tuned on.
public struct CensusEvaluation: Sendable {
  public enum Purpose: String, Sendable, CaseIterable {
    case reporting, tuning

    /// The seed before the first.
    var base: UInt64 { self == .reporting ? 0 : 100 }
    var isVaried: Bool { self == .reporting }
  }

  public struct Plan: Sendable {
    public var names: [String]
    public var purpose: Purpose
    /// Seeds for each scenario.
    public var seeds: Int
    /// Of the purpose's seeds: a later one gives botnets that nobody has looked at.
    public var firstSeed = 1
    /// Instead of each scenario's own.
    public var machines: Int?

    public init(
      names: [String] = CensusScenario.tableNames + CensusScenario.furtherNames, purpose: Purpose = .reporting,
      seeds: Int = 20, machines: Int? = nil
    ) {
      self.names = names
      self.purpose = purpose
      self.seeds = seeds
      self.machines = machines
    }

    /// Tuning has 101 to 1100, so reporting must end before.
    public static let seedsMost = 100

    /// Seeds as the scenarios get them.
    var numbers: ClosedRange<UInt64> {
      let first = max(1, min(firstSeed, Self.seedsMost))
      let last = max(first, min(first - 1 + seeds, Self.seedsMost))
      return purpose.base + UInt64(first)...purpose.base + UInt64(last)
    }
  }

  /// The scores of one scenario, by seed.
  public struct Outcome: Sendable {
    public var name: String
    public var days: Double
    public var scores: [CensusScore]
  }

  public var plan: Plan
  /// In the order of the plan.
  public var outcomes: [Outcome] = []

  /// Runs a plan, some botnets at a time.
  /// - Parameters:
  ///   - jobs: botnets at a time.
  ///   - progress: called with the botnets done, of how many, and the last one's scenario.
  public static func run(
    _ plan: Plan, jobs: Int, by estimator: some CensusEstimating, progress: @Sendable (Int, Int, String) -> Void
  ) async throws -> CensusEvaluation {
    var scenarios: [CensusScenario] = []
    for name in plan.names {
      for seed in plan.numbers {
        guard
          let scenario = CensusScenario.named(
            name, seed: seed, machines: plan.machines, isVaried: plan.purpose.isVaried)
        else { throw SimulationError(.invalidScenario, CensusScenario.unknown(name)) }
        try scenario.validate()
        scenarios.append(scenario)
      }
    }
    var scores = [CensusScore?](repeating: nil, count: scenarios.count)
    try await withThrowingTaskGroup(of: (Int, CensusScore).self) { group in
      var next = 0
      var done = 0
      func start() {
        guard next < scenarios.count else { return }
        let (i, scenario) = (next, scenarios[next])
        next += 1
        group.addTask { (i, try score(scenario, by: estimator)) }
      }
      for _ in 0..<max(1, jobs) { start() }
      while let (i, score) = try await group.next() {
        scores[i] = score
        done += 1
        progress(done, scenarios.count, scenarios[i].name)
        start()
      }
    }
    var evaluation = CensusEvaluation(plan: plan)
    for name in plan.names {
      let own = scenarios.indices.filter { scenarios[$0].name == name }
      evaluation.outcomes.append(
        Outcome(
          name: name, days: own.first.map { Double(scenarios[$0].hours) / 24 } ?? 0,
          scores: own.compactMap { scores[$0] }
        ))
    }
    return evaluation
  }

  /// One botnet: simulated once with everything, and where it has identities once more without them.
  static func score(_ scenario: CensusScenario, by estimator: some CensusEstimating) throws -> CensusScore {
    let simulation = try CensusSimulation(scenario)
    let trial = CensusTrial(
      botnet: scenario.name, sensors: scenario.sensors.map(\.name),
      hours: scenario.firstHour...(scenario.firstHour + UInt32(scenario.hours) - 1),
      hosting: simulation.knownHosting)
    var truth: CensusTruth?
    var addresses = HourlyAddresses(hours: scenario.hours, first: scenario.firstHour)
    let plain = try estimator.report(trial) { row in
      truth = try simulation.run { sighting in
        addresses.note(sighting)
        var bare = sighting
        bare.identity = 0
        row(bare)
      }
    }
    guard let truth else {
      throw SimulationError(.invalidScenario, "\(scenario.name): the estimator did not read the rows")
    }
    let full =
      scenario.identity.kind == .none
      ? nil : try estimator.report(trial) { row in _ = try simulation.run { row($0) } }
    return CensusScore(
      truth, seed: scenario.seed, naiveLive: addresses.ratio(to: truth.live), full: full, plain: plain)
  }
}

/// Distinct addresses of each hour, by the sensors' clocks.
struct HourlyAddresses {
  private var counts: [Int]
  private let first: UInt32
  /// Hours that may still get rows: clocks are wrong by a day at most.
  private var open: [UInt32: Set<UInt64>] = [:]
  private var latest: UInt32 = 0

  init(hours: Int, first: UInt32) {
    counts = [Int](repeating: 0, count: hours)
    self.first = first
  }

  mutating func note(_ row: CensusSighting) {
    guard row.hour >= first, Int(row.hour - first) < counts.count else { return }
    if open[row.hour, default: []].insert(row.address.mixed).inserted { counts[Int(row.hour - first)] += 1 }
    if row.hour > latest {
      latest = row.hour
      open = open.filter { $0.key + 24 >= latest }
    }
  }

  /// Mean over the hours with live machines.
  func ratio(to live: [Int]) -> Double {
    let ratios = zip(counts, live).filter { $1 > 0 }.map { Double($0) / Double($1) }
    return ratios.isEmpty ? 0 : ratios.reduce(0, +) / Double(ratios.count)
  }
}
