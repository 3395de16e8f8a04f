import ArgumentParser
import Foundation
import Mothlight

/// `mothlight evaluate --census`: a census held against botnets whose size is known.
struct CensusChoices: ParsableArguments {
  @Flag(help: "Judge the census by made-up botnets of known size.")
  var census = false

  @Option(help: "Botnets for each scenario, 1 to \(CensusEvaluation.Plan.seedsMost).")
  var seeds = 20

  @Option(
    help:
      "Seed of the first botnet, to draw ones that nobody has looked at; with --seeds up to \(CensusEvaluation.Plan.seedsMost)."
  )
  var firstSeed = 1

  @Option(help: "Machines infected at the beginning, instead of each scenario's own.")
  var machines: Int?

  @Flag(help: "Seeds from 101 on and plain mixes: for tuning, not for reporting.")
  var tuning = false

  @Option(help: "Botnets at a time.")
  var jobs = max(1, ProcessInfo.processInfo.activeProcessorCount)

  @Option(help: "Page in which the section of this evaluation is replaced: docs/census-quality.md.")
  var write: String?

  func validate() throws {
    guard (1...CensusEvaluation.Plan.seedsMost).contains(seeds) else {
      throw ValidationError("--seeds: 1 to \(CensusEvaluation.Plan.seedsMost)")
    }
    guard (1...CensusEvaluation.Plan.seedsMost + 1 - seeds).contains(firstSeed) else {
      throw ValidationError(
        "--first-seed: 1 to \(CensusEvaluation.Plan.seedsMost + 1 - seeds), so that the last seed is at most \(CensusEvaluation.Plan.seedsMost)"
      )
    }
    guard (1...64).contains(jobs) else { throw ValidationError("--jobs: 1 to 64") }
    guard write == nil || !tuning else { throw ValidationError("tuning seeds are not for reporting: no --write") }
  }

  /// The census that is judged.
  private var estimator: some CensusEstimating { RollupCensus() }

  func run(only: String?, format: String, tlp: TLP, isStrict: Bool, showsProgress: Bool) async throws {
    var plan = CensusEvaluation.Plan(purpose: tuning ? .tuning : .reporting, seeds: seeds, machines: machines)
    plan.firstSeed = firstSeed
    if let only { plan.names = only.split(separator: ",").map(String.init) }
    let evaluation: CensusEvaluation
    do {
      evaluation = try await CensusEvaluation.run(plan, jobs: jobs, by: estimator) { done, all, name in
        if showsProgress { Terminal.write("\r\u{1b}[K[\(done)/\(all)] \(name)", to: 2) }
      }
    } catch let error as SimulationError { throw Failure(error.message) }
    if showsProgress { Terminal.write("\r\u{1b}[K", to: 2) }
    let table = CensusEvaluationTable(evaluation)
    Terminal.write(
      format == "json"
        ? CensusEvaluationJSON.text(evaluation, version: Mothlight.version, tlp: tlp) : table.text(tlp: tlp),
      to: 1)
    if let write {
      let page = (try? String(contentsOfFile: write, encoding: .utf8)) ?? "# How good the census is\n"
      do {
        try table.inserted(into: page).write(toFile: write, atomically: true, encoding: .utf8)
      } catch { throw Failure("\(write): cannot write: \(error.localizedDescription)") }
    }
    if isStrict, !table.missed.isEmpty { throw ExitCode(1) }
  }
}
