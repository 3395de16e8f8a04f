import Foundation
import Testing

@testable import Mothlight

@Suite("Evaluation of a census")
struct CensusEvaluationTests {
  /// Knows the identities by heart: right where they are there, and refuses without.
  private struct IdentityCount: CensusEstimating {
    func report(
      _ trial: CensusTrial, rows: (_ row: (CensusSighting) -> Void) throws -> Void
    ) throws -> CensusReport {
      var all: [UInt64: Set<UInt32>] = [:]
      try rows { row in if row.isValid, row.identity != 0 { all[row.identity, default: []].insert(row.hour) } }
      let count = Double(all.values.count { $0.count > 1 })
      return CensusReport(
        botnet: trial.botnet, hours: trial.hours, sensors: trial.sensors,
        footprint: CensusFigure(
          kind: .footprint, hours: trial.hours,
          machines: all.isEmpty ? nil : CensusRange(low: count * 0.8, value: count, high: count * 1.2), addresses: 1,
          grade: .identities))
    }
  }

  private func plan(_ names: [String], seeds: Int = 2, _ purpose: CensusEvaluation.Purpose = .reporting)
    -> CensusEvaluation.Plan
  { CensusEvaluation.Plan(names: names, purpose: purpose, seeds: seeds, machines: 120) }

  @Test(
    arguments: [(1, 2, 1...2), (21, 3, 21...23), (99, 5, 99...100), (0, 0, 1...1)] as [(Int, Int, ClosedRange<UInt64>)])
  func seedsOfAPlanStayAmongThoseOfItsPurpose(first: Int, seeds: Int, expected: ClosedRange<UInt64>) async throws {
    var later = plan(["short_36h"], seeds: seeds)
    later.firstSeed = first
    #expect(later.numbers == expected)
    later.purpose = .tuning
    #expect(later.numbers == expected.lowerBound + 100...expected.upperBound + 100)
    let evaluation = try await CensusEvaluation.run(later, jobs: 1, by: AddressCount(), progress: { _, _, _ in })
    #expect(evaluation.outcomes[0].scores.map(\.seed) == Array(later.numbers))
    #expect(CensusEvaluationTable(evaluation).origin.contains("seeds \(later.numbers.lowerBound) to"))
  }

  @Test func addressesAreCountedAsTheyAre() async throws {
    let evaluation = try await CensusEvaluation.run(
      plan(["short_36h", "only_ips"]), jobs: 2, by: AddressCount(), progress: { _, _, _ in })
    #expect(evaluation.outcomes.map(\.name) == ["short_36h", "only_ips"])
    for outcome in evaluation.outcomes {
      #expect(outcome.scores.map(\.seed) == [1, 2])
      for score in outcome.scores {
        // Two ways to the same count: the estimator's sets and the simulation's tables.
        let footprint = try #require(score.footprints[.addresses]?.ratio)
        let live = try #require(score.hours[.printed]?.meanRatio)
        #expect(abs(footprint - score.naive) < 1e-9 && abs(live - score.naiveLive) < 1e-9)
      }
    }
  }

  @Test func withoutIdentitiesTheSameRowsComeAgain() async throws {
    let evaluation = try await CensusEvaluation.run(
      plan(["short_36h", "only_ips"], seeds: 1), jobs: 1, by: IdentityCount(), progress: { _, _, _ in })
    let score = try #require(evaluation.outcomes.first?.scores.first)
    let error = try #require(score.footprints[.printed]?.error)
    #expect(error < 0.15)
    #expect(score.footprints[.addresses]?.ratio == nil)
    #expect(evaluation.outcomes.last?.scores.first?.footprints[.printed]?.ratio == nil)
  }

  @Test func theOrderOfJobsChangesNothing() async throws {
    let one = try await CensusEvaluation.run(
      plan(["short_36h"], seeds: 3), jobs: 1, by: AddressCount(), progress: { _, _, _ in })
    let three = try await CensusEvaluation.run(
      plan(["short_36h"], seeds: 3), jobs: 3, by: AddressCount(), progress: { _, _, _ in })
    #expect(one.outcomes.first?.scores == three.outcomes.first?.scores)
  }

  @Test func tuningAndReportingShareNoBotnet() async throws {
    let reported = try await CensusEvaluation.run(
      plan(["short_36h"]), jobs: 1, by: AddressCount(), progress: { _, _, _ in })
    let tuned = try await CensusEvaluation.run(
      plan(["short_36h"], .tuning), jobs: 1, by: AddressCount(), progress: { _, _, _ in })
    #expect(reported.outcomes[0].scores.map(\.seed) == [1, 2] && tuned.outcomes[0].scores.map(\.seed) == [101, 102])
    #expect(CensusEvaluationTable(reported).origin.contains("Seeds 1 to 2"))
    #expect(CensusEvaluationTable(tuned).origin.contains("seeds 101 to 102"))
    #expect(CensusEvaluation.Plan.seedsMost <= 100)
  }

  @Test func anUnknownScenarioIsNamed() async {
    await #expect(throws: SimulationError(.invalidScenario, "")) {
      _ = try await CensusEvaluation.run(
        plan(["nothing"]), jobs: 1, by: AddressCount(), progress: { _, _, _ in })
    }
  }

  @Test func outputsHoldTheSameFigures() async throws {
    let evaluation = try await CensusEvaluation.run(
      plan(["heavy_dhcp"], seeds: 1), jobs: 1, by: AddressCount(), progress: { _, _, _ in })
    let table = CensusEvaluationTable(evaluation)
    let summary = CensusSummary(evaluation.outcomes[0])
    #expect(summary.naive > 3)
    let text = table.text()
    let rows = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    let naive = try #require(rows.first { $0.first == "heavy_dhcp" && $0.dropFirst().first == "addresses" })
    let written = try #require(Double(naive[3]))
    #expect(abs(written - summary.naive) < 0.01)
    #expect(!table.missed.isEmpty && table.missed.allSatisfy { text.contains($0) })
    let json = CensusEvaluationJSON.text(evaluation, version: "0")
    struct Document: Decodable {
      struct Scenario: Decodable {
        struct Line: Decodable {
          var given: Int
          var meanRatio: Double?
        }
        var scenario: String
        var addressesRatio: Double
        var footprint: [String: Line]
      }
      var kind: String
      var scenarios: [Scenario]
      var targetsMissed: [String]
    }
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let document = try decoder.decode(Document.self, from: Data(json.utf8))
    #expect(document.kind == "census_evaluation" && document.targetsMissed == table.missed)
    #expect(document.scenarios.map(\.scenario) == ["heavy_dhcp"])
    #expect(abs(document.scenarios[0].addressesRatio - summary.naive) < 1e-5)
    #expect(document.scenarios[0].footprint["B"]?.given == 1)
  }

  @Test func theSectionOfThePageIsReplacedAndNothingElse() async throws {
    let evaluation = try await CensusEvaluation.run(
      plan(["short_36h"], seeds: 1), jobs: 1, by: AddressCount(), progress: { _, _, _ in })
    let table = CensusEvaluationTable(evaluation)
    let first = table.inserted(into: "# Page\n")
    #expect(
      first.hasPrefix("# Page\n\n\(CensusEvaluationTable.begin)") && first.hasSuffix("\(CensusEvaluationTable.end)\n"))
    let page = first + "\nMore.\n"
    #expect(table.inserted(into: page) == page)
    #expect(table.markdown().contains("| short_36h | addresses | 1 | "))
  }
}
