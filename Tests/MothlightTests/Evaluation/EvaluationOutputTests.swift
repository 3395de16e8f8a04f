import Foundation
import Testing

@testable import Mothlight

@Suite struct EvaluationOutputTests {
  typealias F = EvaluationFixture

  private static var evaluation: Evaluation {
    var evaluation = Evaluation(truthName: "truth.csv")
    let findings = [F.finding("10.0.0.1", .payload, 6.9, from: 0, to: 90, isConclusive: true, botnet: "BFBot")]
    evaluation.add(
      path: "a/bot.pcap", rows: [F.row("10.0.0.1", .infected, path: "a/bot.pcap")],
      report: F.report([F.day("10.0.0.1", .infected, findings, botnets: ["BFBot"])]))
    evaluation.add(
      path: "b/missed.pcap", rows: [F.row("10.0.0.1", .infected, path: "b/missed.pcap")],
      report: F.report([F.day("10.0.0.1", .noSign, reason: "Nothing \u{1b}[31mpointed to it.")]))
    evaluation.add(
      path: "c/office", rows: (1...20).map { F.row("10.0.1.\($0)", .clean, path: "c/office", format: "zeek") },
      report: F.report(
        (1...20).map { F.day("10.0.1.\($0)", $0 == 1 ? .suspicious : $0 == 2 ? .notEnoughData : .noSign) }))
    evaluation.add(
      path: "d", rows: [F.row(nil, .error, path: "d")], report: F.report([], error: SourceError(.empty, "d: is empty")))
    evaluation.missing = ["e/absent.pcap"]
    return evaluation
  }

  @Test func totalsKeepKindsApart() {
    let totals = EvaluationTotals(Self.evaluation)
    let byWords = Dictionary(uniqueKeysWithValues: totals.lines.map { ($0.words, $0.rows) })
    #expect(byWords["infected, called infected"] == BinomialShare(1, of: 2))
    #expect(byWords["infected, missed"] == BinomialShare(1, of: 2))
    #expect(byWords["clean, called suspicious"] == BinomialShare(1, of: 20))
    #expect(byWords["clean, called infected"] == BinomialShare(0, of: 20))
    #expect(byWords["error, answered so"] == BinomialShare(1, of: 1))
    #expect(byWords["suspicious, found"] == nil, "no such row")
    #expect(totals.cleanDays.suspicious == BinomialShare(1, of: 19))
    #expect(totals.cleanDays.tally.notEnoughData == 1)
    #expect(totals.cleanDaysByFormat.isEmpty)
    #expect(totals.rowsMet == 21 && totals.rows == 23)
    #expect(totals.medianSecondsToDetection == 90)
    #expect(Self.evaluation.hasGrossError)
  }

  @Test(arguments: [40, 80, 150, 400]) func theTableFitsAndHidesNothing(width: Int) {
    let text = EvaluationTable(width: width).text(Self.evaluation)
    for line in text.split(separator: "\n") { #expect(VisibleText.width(String(line)) <= width) }
    #expect(!text.contains("\u{1b}"))
    let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    for needed in [
      "MISSED: b/missed.pcap, 10.0.0.1, known infected, said no sign", "e/absent.pcap", "d: is empty",
      "1 in 19 host-days", "rows met 21 of 23", "1 of 2, 50 % (1.3 to 98.7 %)",
    ] { #expect(words.contains(needed), "\(needed) in \(words)") }
  }

  @Test func manyClearHostsOfOneInputAreOneLine() {
    let lines = EvaluationTable(width: 150).text(Self.evaluation).split(separator: "\n")
    #expect(lines.count { $0.contains("c/office") && $0.contains("clear") } == 1)
    #expect(lines.contains { $0.contains("clear") && $0.contains("18 hosts") })
  }

  @Test func jsonIsWholeAndSaysTheSame() throws {
    let text = EvaluationJSON.text(Self.evaluation, version: "9")
    let root = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(root["schema_version"] as? String == EvaluationJSON.schemaVersion)
    #expect(root["tlp"] as? String == "AMBER")
    #expect(EvaluationTable(width: 150).text(Self.evaluation, tlp: .red).hasPrefix("TLP:RED\n"))
    #expect(root["missing"] as? [String] == ["e/absent.pcap"])
    let inputs = try #require(root["inputs"] as? [[String: Any]])
    #expect(inputs.count == 4)
    let row = try #require((inputs[0]["rows"] as? [[String: Any]])?.first)
    #expect(row["outcome"] as? String == "found")
    #expect(row["seconds_to_detection"] as? Double == 90)
    #expect(row["botnets"] as? [String] == ["BFBot"])
    let totals = try #require(root["totals"] as? [String: Any])
    #expect(totals["rows_met"] as? Int == 21)
    let days = try #require((totals["clean_host_days"] as? [[String: Any]])?.first)
    #expect(((days["called_suspicious"] as? [String: Any])?["of"] as? Int) == 19)
    #expect(text == EvaluationJSON.text(Self.evaluation, version: "9"))
  }
}
