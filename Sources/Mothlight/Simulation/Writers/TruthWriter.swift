/// Writes truth.csv: which machine is infected with what, one row per machine and format.
struct TruthWriter {
  private let rows: [String]

  init(_ scenario: Scenario, _ machines: [SimulatedMachine]) {
    var infections: [Int: [Scenario.Infection]] = [:]
    for infection in scenario.infections {
      // The population was built from the same scenario, so every reference resolves.
      if let index = try? scenario.machineIndex(infection.host, "") { infections[index, default: []].append(infection) }
    }
    let notes = Dictionary(uniqueKeysWithValues: scenario.machines.map { ($0.group, Self.note($0)) })
    rows = scenario.formats.flatMap { format in
      machines.map { machine in
        let own = infections[machine.index] ?? []
        let families = own.compactMap { $0.family ?? ($0.kind == .bfbot ? "BFBot" : nil) }
        let note = own.isEmpty ? notes[machine.group] ?? "" : own.map(\.note).joined(separator: "; ")
        return [
          Self.path(format, scenario.name), format.rawValue, machine.address.description,
          own.isEmpty ? "clean" : "infected",
          LogRow.csvField(families.first ?? ""), "\"\(note)\"",
        ].joined(separator: ",")
      }
    }
  }

  func write(to path: String) throws(SimulationError) {
    let file = try OutputFile(path)
    try file.append("path,format,host,verdict,family,note\n")
    for row in rows { try file.append(row + "\n") }
    try file.close()
  }

  private static func path(_ format: Scenario.Format, _ name: String) -> String {
    switch format {
    case .pcap: "\(name).pcap"
    case .binetflow: "\(name).binetflow"
    case .zeek: "zeek"
    case .zeekJSON: "zeek-json"
    }
  }

  private static func note(_ group: Scenario.MachineGroup) -> String {
    let services = group.running.map(\.rawValue).sorted().joined(separator: " ")
    return "simulated \(group.kind.rawValue), \(LogRow.short(group.online)) h: \(services)"
  }
}
