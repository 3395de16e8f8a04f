import Foundation
import Testing

@testable import Mothlight

@Suite struct Garcia2014Tests {
  typealias F = EvaluationFixture
  static let bot = "10.0.0.1"
  static let desk = "10.0.0.2"

  /// One labelled flow per entry, `window` counted from 0 as the metric does.
  static func labels(_ flows: [(window: Int, source: String, label: String)]) -> LabelledSources {
    var labels = LabelledSources(start: F.start, home: [Prefix("10.0.0.0/8")].compactMap { $0 })
    for flow in flows {
      let time = F.start.advanced(bySeconds: Double(flow.window) * 300 + 17)
      Array(flow.label.utf8).withUnsafeBytes { labels.add(time: time, source: F.address(flow.source), label: $0) }
    }
    return labels
  }

  static func row(_ result: Garcia2014, _ rule: Garcia2014.AlarmRule, _ divisor: Garcia2014.Divisor) throws
    -> Garcia2014.Score
  {
    try #require(result.rows.first { $0.rule == rule && $0.divisor == divisor }).score
  }

  @Test func weightFallsFromNearlyTwoToOne() {
    #expect(abs(Garcia2014.weight(1) - 1.904837418) < 1e-9)
    #expect(abs(Garcia2014.weight(2) - 1.818730753) < 1e-9)
    #expect(abs(Garcia2014.weight(10) - 1.367879441) < 1e-9)
    #expect(Garcia2014.weight(1000) == 1)
  }

  /// Bot in windows 4 to 7, flagged in 4, 5 and 7; a normal host in 5 and 6, wrongly flagged in 6.
  /// Window 4 is dropped. N = 1: TP, TN. N = 2: FN, FP. N = 3: TP.
  /// tTP = e^−0.1 + 1 + e^−0.3 + 1 = 3.645655639, tFN = e^−0.2 + 1 = 1.818730753, tFP = 1, tTN = 1.
  /// TPR = 3.645655639 / 5.464386392 = 0.667166…, FPR = 0.5, precision = 3.645655639 / 4.645655639 = 0.784745…,
  /// FM1 = 2 · 0.784745 · 0.667166 / 1.451911 = 0.721195….
  @Test func fourWindowsByHand() throws {
    let labels = Self.labels([
      (4, Self.bot, "flow=From-Botnet-V42-UDP-DNS"), (5, Self.bot, "flow=From-Botnet-V42-UDP-DNS"),
      (6, Self.bot, "flow=Background"), (6, Self.bot, "flow=From-Botnet-V42-TCP"),
      (7, Self.bot, "flow=From-Botnet-V42"),
      (5, Self.desk, "flow=From-Normal-V42-Jist"), (6, Self.desk, "flow=Normal-V42-HTTP"),
    ])
    let report = F.report([
      F.day(
        Self.bot, .infected,
        [
          F.finding(Self.bot, .dns, 4, from: 4 * 300, to: 5 * 300 + 299),
          F.finding(Self.bot, .timing, 5, from: 7 * 300 + 100, to: 7 * 300 + 200),
          F.finding(Self.bot, .peer, 3.3, from: 6 * 300, to: 6 * 300 + 10),
        ]),
      F.day(Self.desk, .suspicious, [F.finding(Self.desk, .timing, 4, from: 6 * 300, to: 6 * 300 + 299)]),
    ])
    let result = Garcia2014(path: "x", report: report, labels: labels)
    #expect(result.windowsScored == 3 && result.botnetAddresses == 1 && result.normalAddresses == 1)
    for divisor in Garcia2014.Divisor.allCases {
      let score = try Self.row(result, .active, divisor)
      #expect(score.raw.truePositives == 2 && score.raw.falseNegatives == 1)
      #expect(score.raw.falsePositives == 1 && score.raw.trueNegatives == 1)
      #expect(abs(score.tTP - 3.645655639) < 1e-8)
      #expect(abs(score.tFN - 1.818730753) < 1e-8)
      #expect(score.tFP == 1 && score.tTN == 1)
      #expect(abs((score.truePositiveRate ?? 0) - 0.66716655) < 1e-6)
      #expect(score.falsePositiveRate == 0.5)
      #expect(abs((score.precision ?? 0) - 0.78474512) < 1e-6)
      #expect(abs((score.fMeasure1 ?? 0) - 0.72119473) < 1e-6)
    }
    // Known from window 5 on, so window 6 is a hit as well; the desk is known in its own window.
    let known = try Self.row(result, .known, .window)
    #expect(known.raw.truePositives == 3 && known.raw.falseNegatives == 0)
    #expect(known.truePositiveRate == 1)
  }

  /// Two bots in N = 1, one of them flagged; one bot, flagged, in N = 2.
  /// Per window: tTP = 1.904837418 / 2 + 1.818730753, tFN = 1.904837418 / 2. Per file: all over 2.
  @Test func dividedByTheWindowsOrTheFilesAddresses() throws {
    let labels = Self.labels([(5, Self.bot, "Botnet"), (5, "10.0.0.7", "Botnet"), (6, Self.bot, "Botnet")])
    let report = F.report([F.day(Self.bot, .infected, [F.finding(Self.bot, .dns, 4, from: 0, to: 3000)])])
    let result = Garcia2014(path: "x", report: report, labels: labels)
    let window = try Self.row(result, .active, .window)
    #expect(abs(window.tTP - (1.904837418 / 2 + 1.818730753)) < 1e-8)
    #expect(abs(window.tFN - 1.904837418 / 2) < 1e-8)
    let file = try Self.row(result, .active, .file)
    #expect(abs(file.tTP - (1.904837418 + 1.818730753) / 2) < 1e-8)
    #expect(abs(file.tFN - 1.904837418 / 2) < 1e-8)
    #expect(window.falsePositiveRate == nil && window.precision == 1)
    // Complete only in window 10: too late for both.
    #expect(try Self.row(result, .known, .window).raw.truePositives == 0)
    #expect(try Self.row(result, .known, .window).fMeasure1 == nil)
  }

  @Test func botnetWinsAndWeakFindingsDoNotCount() throws {
    let labels = Self.labels([(8, Self.bot, "Normal"), (8, Self.bot, "Botnet")])
    let weak = F.report([F.day(Self.bot, .noSign, [F.finding(Self.bot, .dns, 3.3, from: 0, to: 9000)])])
    let result = Garcia2014(path: "x", report: weak, labels: labels)
    #expect(result.normalAddresses == 0)
    #expect(try Self.row(result, .active, .window).raw.falseNegatives == 1)
    #expect(try Self.row(result, .active, .window).raw.trueNegatives == 0)
  }

  @Test func backgroundHostsOfTheHomeNetwork() {
    let labels = Self.labels([
      (0, "10.0.0.3", "flow=Background-UDP"), (9, "10.0.0.4", "flow=To-Background-UDP-CVUT-DNS-Server"),
      (0, "192.0.2.1", "flow=Background"), (0, Self.bot, "flow=Background"), (1, Self.bot, "flow=From-Botnet"),
      (3, "10.0.0.5", "flow=To-Normal-V42"),
    ])
    let report = F.report([
      F.day("10.0.0.3", .infected), F.day("10.0.0.4", .suspicious), F.day(Self.bot, .infected),
      F.day("192.0.2.1", .infected),
    ])
    let result = Garcia2014(path: "x", report: report, labels: labels)
    #expect(result.backgroundHosts == 2)
    #expect(result.backgroundInfected == [F.address("10.0.0.3")])
    #expect(result.backgroundSuspicious == [F.address("10.0.0.4")])
    #expect(labels.flowsTo == 1 && labels.normalFlows == 1 && labels.botnetFlows == 1 && labels.backgroundFlows == 4)
    #expect(result.windowsScored == 0)
    let words = GarciaOutputs.table([result], width: 90).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(words.contains("there are no rates"))
    #expect(words.contains("called infected: 1 of 2, 50 % (1.3 to 98.7 %)"))
  }

  /// The labels' source is the row's, also in a row whose direction says that the other side began.
  @Test func labelsAreReadFromAFile() throws {
    let path = NSTemporaryDirectory() + "garcia-\(UInt64.random(in: 0 ... .max)).binetflow"
    defer { try? FileManager.default.removeItem(atPath: path) }
    let rows = [
      "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label",
      "2011/08/10 10:00:00.000000,1.0,tcp,10.0.0.1,1027,   ->,192.0.2.9,80,FSPA_FSPA,0,0,9,900,400,flow=From-Botnet-V42",
      "2011/08/10 10:05:01.000000,1.0,tcp,10.0.0.2,1027,   <-,192.0.2.9,80,FSPA_FSPA,0,0,9,900,400,flow=From-Normal-V42",
      "2011/08/10 10:05:02.000000,1.0,udp,10.0.0.3,53,  <->,192.0.2.9,53,CON,0,0,2,200,100,flow=Background-UDP",
    ]
    try (rows.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
    let start = Timestamp(seconds: 1_312_970_400)  // 2011-08-10T10:00:00Z
    let labels = try LabelledSources.read(path: path, start: start, home: [Prefix("10.0.0.0/8")].compactMap { $0 })
    #expect(labels.botnet == [0: [F.address("10.0.0.1")]])
    #expect(labels.normal == [1: [F.address("10.0.0.2")]])
    #expect(labels.backgroundHosts == [F.address("10.0.0.3")])
    #expect(throws: SourceError.self) { try LabelledSources.read(path: path + ".none", start: start, home: []) }
  }

  @Test(arguments: [40, 90]) func theTableFits(width: Int) {
    let labels = Self.labels([(5, Self.bot, "Botnet"), (5, Self.desk, "Normal")])
    let report = F.report([F.day(Self.bot, .infected, [F.finding(Self.bot, .dns, 4, from: 1500, to: 1501)])])
    let text = GarciaOutputs.table([Garcia2014(path: "x", report: report, labels: labels)], width: width)
    for line in text.split(separator: "\n") { #expect(VisibleText.width(String(line)) <= width) }
    #expect(text.contains("1.0000") && text.contains("active, n per window"))
  }

  @Test func jsonIsWhole() throws {
    let labels = Self.labels([(5, Self.bot, "Botnet"), (5, Self.desk, "Normal")])
    let report = F.report([F.day(Self.bot, .infected, [F.finding(Self.bot, .dns, 4, from: 1500, to: 1501)])])
    let text = GarciaOutputs.json([Garcia2014(path: "x", report: report, labels: labels)], version: "9")
    let root = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    let file = try #require((root["files"] as? [[String: Any]])?.first)
    let scores = try #require(file["scores"] as? [[String: Any]])
    #expect(scores.count == 4)
    #expect(scores[0]["fm1"] as? Double == 1 && scores[0]["fpr"] as? Double == 0)
  }
}
