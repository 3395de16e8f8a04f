import ArgumentParser
import Foundation
import Mothlight
import Yams

/// `mothlight simulate`: labelled synthetic traffic to files, never to a network.
struct Simulate: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "simulate", abstract: "Write labelled synthetic traffic and its truth.csv to files.",
    discussion:
      "Without a scenario the built-in demo is made: an office of 34 machines for a day, four of them infected. A scenario with `botnet:` makes what a sinkhole sees of a botnet (Examples/botnet.yaml). --census NAME, or a scenario with `census:`, makes rows and truth for judging a census (docs/simulation.md). The same scenario and seed give the same bytes."
  )

  @Argument(help: "Scenario file (YAML); see Examples/. Default: the built-in demo.")
  var scenario: String?

  @Option(name: .shortAndLong, help: "Folder for the files; made if missing.")
  var output = "demo"

  @Option(help: "Use this seed instead of the scenario's.")
  var seed: UInt64?

  @Option(help: "Make a census scenario of this name instead: baseline, heavy_dhcp, cgn... (docs/simulation.md).")
  var census: String?

  @Option(help: "Machines infected at the beginning of a census scenario.")
  var machines: Int?

  @Flag(help: "A census scenario with another mix of everything, drawn from the seed.")
  var varied = false

  @Flag(help: "Replace files that exist.")
  var overwrite = false

  func validate() throws {
    guard census == nil || scenario == nil else { throw ValidationError("give a scenario file or --census, not both") }
    guard census != nil || !varied else { throw ValidationError("--varied needs --census") }
  }

  func run() throws {
    if let census {
      guard let chosen = CensusScenario.named(census, seed: seed ?? 1, machines: machines, isVaried: varied) else {
        throw Failure(CensusScenario.unknown(census))
      }
      try runCensus(chosen)
      return
    }
    let text = try text()
    if let text, try Self.decoded(CensusProbe.self, text, scenario ?? "").census != nil {
      var chosen = try Self.decoded(CensusScenario.self, text, scenario ?? "")
      if let seed { chosen.seed = seed }
      if let machines { chosen.machines = machines }
      try runCensus(chosen)
      return
    }
    guard machines == nil else { throw Failure("--machines is for census scenarios only") }
    if let text, try Self.decoded(BotnetProbe.self, text, scenario ?? "").botnet != nil {
      try runBotnet(Self.decoded(BotnetScenario.self, text, scenario ?? ""))
      return
    }
    var chosen = try text.map { try Self.decoded(Scenario.self, $0, scenario ?? "") } ?? .builtin
    if let seed { chosen.seed = seed }
    var bar = ShareBar(isShown: Terminal.errorIsTerminal)
    do throws(SimulationError) {
      let files = try Simulator(chosen).run(into: output, overwrite: overwrite) { bar.update($0) }
      bar.clear()
      _ = Terminal.write(files.map { $0 + "\n" }.joined(), to: 1)
    } catch {
      bar.clear()
      throw Failure(error.message)
    }
  }

  private func runBotnet(_ given: BotnetScenario) throws {
    var chosen = given
    if let seed { chosen.seed = seed }
    var bar = ShareBar(isShown: Terminal.errorIsTerminal)
    do throws(SimulationError) {
      let files = try BotnetFiles(chosen).run(
        into: output, overwrite: overwrite,
        sink: { try SpoolWriter(folder: $0, options: SpoolWriter.Options(sensor: $1)) }, progress: { bar.update($0) })
      bar.clear()
      _ = Terminal.write(files.map { $0 + "\n" }.joined(), to: 1)
    } catch {
      bar.clear()
      throw Failure(error.message)
    }
  }

  private func runCensus(_ chosen: CensusScenario) throws {
    var bar = ShareBar(isShown: Terminal.errorIsTerminal)
    do throws(SimulationError) {
      let files = try CensusFiles(chosen).run(into: output, overwrite: overwrite) { bar.update($0) }
      bar.clear()
      _ = Terminal.write(files.map { $0 + "\n" }.joined(), to: 1)
    } catch {
      bar.clear()
      throw Failure(error.message)
    }
  }

  private struct CensusProbe: Decodable { var census: String? }

  /// Tells a botnet's scenario from a network's.
  private struct BotnetProbe: Decodable { var botnet: String? }

  private static let needed = "give a scenario file such as Examples/demo.yaml"

  private func text() throws -> String? {
    guard let scenario else { return nil }
    return try TextFile.read(scenario, Self.needed)
  }

  private static func decoded<T: Decodable>(_ type: T.Type, _ text: String, _ path: String) throws -> T {
    do {
      return try YAMLDecoder().decode(type, from: text)
    } catch let error as DecodingError {
      throw Failure("\(path): \(words(error))")
    } catch let error as YamlError {
      throw Failure("\(path): no valid YAML: \(error)".split(separator: "\n").joined(separator: " "))
    }
  }

  /// The innermost message of a decoding error with the path to the key.
  private static func words(_ error: DecodingError) -> String {
    let context: DecodingError.Context
    switch error {
    case .typeMismatch(_, let c) where c.codingPath.isEmpty: return "is no map of keys; \(needed)"
    case .typeMismatch(_, let c), .valueNotFound(_, let c), .keyNotFound(_, let c), .dataCorrupted(let c): context = c
    @unknown default: return "\(error)"
    }
    if let inner = context.underlyingError as? YamlError {
      return "no valid YAML: \(inner)".split(separator: "\n").joined(separator: " ")
    }
    if let inner = context.underlyingError as? DecodingError { return words(inner) }
    let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
    return path.isEmpty ? context.debugDescription : "\(path): \(context.debugDescription)"
  }
}

/// A bar for work whose share done is known.
struct ShareBar {
  let isShown: Bool
  private var lastPercent = -1

  init(isShown: Bool) { self.isShown = isShown }

  mutating func update(_ share: Double) {
    let percent = Int(max(0, min(1, share)) * 100)
    guard isShown, percent != lastPercent else { return }
    lastPercent = percent
    let filled = percent * 24 / 100
    let line =
      "\r\u{1b}[K[\(String(repeating: "#", count: filled))\(String(repeating: ".", count: 24 - filled))] \(percent) %"
    Terminal.write(line, to: 2)
  }

  func clear() {
    if lastPercent >= 0 { Terminal.write("\r\u{1b}[K", to: 2) }
  }
}
