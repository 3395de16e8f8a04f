import ArgumentParser
import Foundation
import Mothlight
import MothlightStation

/// `mothlight sinkhole`: answers for names that were lawfully handed over, and keeps who came.
struct Sinkhole: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Answer for seized names, and record who asks.",
    subcommands: [SinkholeRun.self, SinkholeCheck.self],
    defaultSubcommand: SinkholeRun.self)
}

/// `mothlight sinkhole [run] CONFIG`.
struct SinkholeRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run the sinkhole until SIGTERM; SIGHUP reads the zones again.")

  /// Parts that run alone.
  enum Part: String, ExpressibleByArgument, CaseIterable {
    case dns
  }

  @Argument(help: "Configuration file (YAML); see Examples/.")
  var config: String

  @Option(help: "Run this part alone: \(Part.allCases.map(\.rawValue).joined(separator: ", ")).")
  var only: Part = .dns

  func run() throws {
    Signals.holdBack()
    do {
      let configuration = try SinkholeConfiguration.read(config)
      let service = try DNSService(configuration) { Terminal.complain("dns: \($0)") }
      try service.run(UnkeptRecords())
    } catch let problem as ZoneFile.Problem {
      throw Failure(problem.description)
    } catch let error as ListenError {
      throw Failure(error.description)
    }
  }
}

/// Stands where a spool belongs when none is configured: counts go to the metrics alone.
final class UnkeptRecords: SpoolSink {
  func append(_ record: SpoolRecord) {}
  func flush(now: Timestamp) {}
}
