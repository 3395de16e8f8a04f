import ArgumentParser
import Foundation
import MothlightStation

/// `mothlight sinkhole`: answers for names that were lawfully handed over, and keeps who came.
struct Sinkhole: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Answer for seized names, and record who asks.",
    subcommands: [SinkholeRun.self, SinkholeFirewall.self],
    defaultSubcommand: SinkholeRun.self)
}

/// `mothlight sinkhole [run] CONFIG`.
struct SinkholeRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run the sinkhole until SIGTERM; SIGHUP reads the zones again.")

  /// Parts that run alone.
  enum Part: String, ExpressibleByArgument, CaseIterable {
    case dns, listeners
  }

  @Argument(help: "Configuration file (YAML); see Examples/.")
  var config: String

  @Option(help: "Run this part alone: \(Part.allCases.map(\.rawValue).joined(separator: ", ")).")
  var only: Part = .dns

  func run() throws {
    Signals.holdBack()
    do {
      let configuration = try SinkholeConfiguration.read(config)
      if only == .listeners { return try SinkholeListeners.run(configuration) }
      let service = try DNSService(configuration) { Terminal.complain("dns: \($0)") }
      try service.run { _ in }
    } catch let problem as ZoneFile.Problem {
      throw Failure(problem.description)
    } catch let error as ListenError {
      throw Failure(error.description)
    }
  }
}
