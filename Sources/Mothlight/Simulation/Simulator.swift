/// Makes labelled synthetic traffic from a scenario: files on disk, or flows in memory. It never opens a socket.
public struct Simulator: Sendable {
  public let scenario: Scenario

  public init(_ scenario: Scenario) { self.scenario = scenario }

  /// Writes each format of the scenario and `truth.csv` into `folder`, which is made if missing.
  ///
  /// The same scenario gives the same bytes. Memory grows with the conversations open at once, not with the hours.
  /// - Parameters:
  ///   - overwrite: replace files that have content; without it they are an error and nothing is written.
  ///   - progress: called with the share of simulated time done, 0…1.
  /// - Returns: paths of the files written, `truth.csv` last.
  public func run(
    into folder: String, overwrite: Bool = false, progress: ((Double) -> Void)? = nil
  ) throws(SimulationError) -> [String] {
    let population = try Population(scenario)
    let truth = TruthWriter(scenario, population.machines)
    let base = folder.isEmpty ? "." : folder
    let names = scenario.formats.flatMap { Self.files(of: $0, name: scenario.name) } + ["truth.csv"]
    for name in names { try OutputFile.check("\(base)/\(name)", overwrite: overwrite) }
    try OutputFile.makeFolder(base)
    var writers: [any TrafficWriter] = []
    for format in scenario.formats {
      for name in Self.files(of: format, name: scenario.name).prefix(1) where name.contains("/") {
        try OutputFile.makeFolder("\(base)/\(name.split(separator: "/")[0])")
      }
      writers.append(try Self.writer(format, scenario, population.epoch, base))
    }
    let all = writers
    let packetWriters = writers.filter(\.wantsPackets)
    var timeline = Timeline(population)
    try timeline.run(
      progress: progress,
      conversation: { (conversation, summary) throws(SimulationError) in
        for writer in all { try writer.write(conversation, summary) }
      },
      packet: packetWriters.isEmpty
        ? nil
        : { (packet, conversation) throws(SimulationError) in
          for writer in packetWriters { try writer.write(packet, of: conversation) }
        })
    for writer in writers { try writer.finish() }
    try truth.write(to: "\(base)/truth.csv")
    return names.map { "\(base)/\($0)" }
  }

  /// All conversations as flows with their label, by time; for tests and for setting thresholds.
  public func flows() throws(SimulationError) -> [(flow: Flow, label: String)] {
    var out: [(flow: Flow, label: String)] = []
    let population = try Population(scenario)
    let epoch = population.epoch
    var timeline = Timeline(population)
    try timeline.run(
      progress: nil,
      conversation: { (conversation, summary) throws(SimulationError) in
        out.append((summary.flow(conversation, epoch: epoch), conversation.label.text))
      }, packet: nil)
    return out
  }

  /// Flows with look-ups, TLS and HTTP as a reader would deliver them, by time; `label` is the conversation's.
  public func observations() throws(SimulationError) -> [(observation: Observation, label: String)] {
    var out: [(observation: Observation, label: String)] = []
    let population = try Population(scenario)
    let epoch = population.epoch
    var timeline = Timeline(population)
    try timeline.run(
      progress: nil,
      conversation: { (conversation, summary) throws(SimulationError) in
        for observation in summary.observations(conversation, epoch: epoch) {
          out.append((observation, conversation.label.text))
        }
      }, packet: nil)
    return out.enumerated().sorted {
      ($0.element.observation.time, $0.offset) < ($1.element.observation.time, $1.offset)
    }.map(\.element)
  }

  /// Paths of one format below the output folder.
  static func files(of format: Scenario.Format, name: String) -> [String] {
    switch format {
    case .pcap: ["\(name).pcap"]
    case .binetflow: ["\(name).binetflow"]
    case .zeek: ZeekWriter.logs.map { "zeek/\($0).log" }
    case .zeekJSON: ZeekWriter.logs.map { "zeek-json/\($0).log" }
    }
  }

  private static func writer(
    _ format: Scenario.Format, _ scenario: Scenario, _ epoch: Int64, _ folder: String
  ) throws(SimulationError) -> any TrafficWriter {
    switch format {
    case .pcap: try PacketWriter("\(folder)/\(scenario.name).pcap", epoch: epoch)
    case .binetflow: try BinetflowWriter("\(folder)/\(scenario.name).binetflow", epoch: epoch)
    case .zeek: try ZeekWriter(folder: "\(folder)/zeek", epoch: epoch, isJSON: false)
    case .zeekJSON: try ZeekWriter(folder: "\(folder)/zeek-json", epoch: epoch, isJSON: true)
    }
  }
}
