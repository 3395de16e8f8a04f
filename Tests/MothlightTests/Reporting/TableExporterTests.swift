import Foundation
import Testing

@testable import Mothlight

@Suite("Terminal output")
struct TableExporterTests {
  private func isSafe(_ text: String) -> Bool {
    text.unicodeScalars.allSatisfy { $0 == "\n" || !VisibleText.isHidden($0) }
  }

  @Test(
    "no line is wider than the page and no foreign control byte comes through",
    arguments: [0, 40, 60, 80, 100, 132, 200],
    [false, true])
  func width(width: Int, explain: Bool) throws {
    let text = try exported("table", ReportFixture.report()) {
      $0.width = width
      $0.showAll = true
      $0.showHidden = true
      if explain { $0.explain = ReportFixture.bot }
    }
    for line in text.split(separator: "\n") {
      #expect(VisibleText.width(String(line)) <= max(40, width), "\(line)")
    }
    #expect(isSafe(text))
    #expect(text.contains("\\x1b[31m"))
  }

  @Test("colour uses our own escapes only")
  func colour() throws {
    let plain = try exported("table", ReportFixture.report())
    var coloured = try exported("table", ReportFixture.report()) { $0.colour = true }
    #expect(coloured.contains("\u{1b}[1;31minfected"))
    for code in ["0", "1", "2", "1;31", "33"] { coloured = coloured.split(separator: "\u{1b}[\(code)m").joined() }
    #expect(coloured == plain)
  }

  @Test("verdicts come strongest first, the rest is counted")
  func verdicts() throws {
    let text = try exported("table", ReportFixture.report())
    let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(text.contains("2 of 35 machines show signs of infection (1 infected, 1 suspicious)."))
    let infected = try #require(text.range(of: "infected        147.32.84.165"))
    let suspicious = try #require(text.range(of: "suspicious      2001:db8:1234"))
    #expect(infected.lowerBound < suspicious.lowerBound)
    #expect(text.contains("30 hosts with no sign"))
    #expect(words.contains("3 hosts with not enough data; most often (3): Only 1 flows were seen"))
    #expect(text.contains("1 finding kept out of the verdicts"))
    #expect(words.contains("36,090 skipped (not ip 36,000, group address 90), 20 unparsed"))
    #expect(text.contains("Not usable: dns.log has a header but no rows"))
    #expect(text.contains("learned from the traffic"))
    #expect(text.contains("evicted flows 12"))
    #expect(!text.contains("147.32.0.1 "))
  }

  @Test("the quiet answer says what it means and what it does not")
  func quiet() throws {
    let text = try exported("table", ReportFixture.report(withFindings: false))
    #expect(text.contains("No sign of infection was seen in 30 of 33 machines."))
    #expect(text.contains("It does not mean that the machines are free of malware"))
    #expect(!text.lowercased().contains("clean"))
    let unjudged = try exported("table", ReportFixture.report(quietHosts: 0, withFindings: false))
    #expect(unjudged.contains("Too little was seen to judge any of 3 machines."))
    #expect(!unjudged.contains("It means"))
    let empty = try exported("table", Report(version: "1"))
    #expect(empty.contains("Nothing could be read, so nothing is said about any machine."))
  }

  @Test("explain aligns numbers with thresholds and tells where the records are")
  func explain() throws {
    var report = ReportFixture.report()
    report.familyBar = 3
    let text = try exported("table", report) {
      $0.explain = ReportFixture.bot
      $0.width = 120
    }
    let lines = text.split(separator: "\n")
    let measured = lines.filter { $0.hasSuffix("  met") }
    #expect(measured.count == 6)
    let beacon = measured.prefix(4).map { $0.unicodeScalars.count }
    #expect(Set(beacon).count == 1)
    #expect(text.contains("gap spread                   0.031  at most 0.15"))
    #expect(text.contains("the bar is +3.00"))
    #expect(text.contains("prior        −6.91"))
    #expect(text.contains("record 1200 of"))
    #expect(text.contains(ReportFixture.beacon(ReportFixture.bot).evidence[0].communityID))
    #expect(text.contains("Refuted by"))
    #expect(text.contains("▇"))
    let unknown = try exported("table", report) { $0.explain = ReportFixture.address("10.9.9.9") }
    #expect(unknown.contains("Nothing was seen of 10.9.9.9"))
  }
}

@Suite("Words and numbers for people")
struct ReportWordsTests {
  @Test("numbers keep what tells")
  func numbers() {
    #expect(ReportWords.number(1234) == "1,234")
    #expect(ReportWords.number(-1234.56) == "−1,235")
    #expect(ReportWords.number(0.031) == "0.031")
    #expect(ReportWords.number(97.256) == "97.26")
    #expect(ReportWords.number(0.00012) == "0.00012")
    #expect(ReportWords.number(.nan) == "–")
    #expect(ReportWords.quantity(0.9561, "share") == "95.61 %")
    #expect(ReportWords.decimals(0.995, 2) == "1.00")
    #expect(ReportWords.decimals(-0.001, 1) == "0.0")
    #expect(ReportWords.octets(999) == "999 B")
    #expect(ReportWords.octets(1270) == "1.27 kB")
    #expect(ReportWords.octets(.max) == "18.4 EB")
    #expect(ReportWords.grouped(-1_234_567) == "-1,234,567")
  }

  @Test("times are brief where the day is known")
  func times() {
    let t = ReportFixture.midnight
    #expect(ReportWords.duration(22_020) == "6 h 7 min")
    #expect(ReportWords.duration(86_400) == "1 d")
    #expect(ReportWords.duration(-1) == "–")
    #expect(ReportWords.span(t, t.advanced(bySeconds: 59), day: t.day) == "00:00–00:00")
    #expect(ReportWords.span(t, t.advanced(bySeconds: 90_000), day: t.day) == "2011-08-10 00:00 – 2011-08-11 01:00")
    #expect(ReportWords.moment(.distantFuture) == "–")
  }

  @Test("wrapping never loses a letter", arguments: 8...40)
  func wrapping(width: Int) {
    let text = "a bb ccc 漢字漢字漢字漢字漢字漢字 \(String(repeating: "x", count: 90)) end"
    let lines = TerminalPage.wrapped(text, first: width, rest: width)
    #expect(lines.allSatisfy { VisibleText.width($0) <= width })
    #expect(lines.joined().filter { $0 != " " } == text.filter { $0 != " " })
  }
}
