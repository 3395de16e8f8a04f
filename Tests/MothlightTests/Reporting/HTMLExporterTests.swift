import Testing

@testable import Mothlight

@Suite("HTML output")
struct HTMLExporterTests {
  @Test("nothing foreign becomes markup")
  func escaping() throws {
    let page = try exported("html", ReportFixture.report()) { $0.showHidden = true }
    #expect(
      page.contains(
        "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;amp;\\x1b[31mred\\u{202e}gpj.exe\\x0d\\x0a\\x00"))
    #expect(!page.lowercased().contains("<script"))
    #expect(!page.contains("alert(1)</"))
    #expect(page.unicodeScalars.allSatisfy { $0 == "\n" || !VisibleText.isHidden($0) })
  }

  @Test("nothing is loaded from anywhere")
  func selfContained() throws {
    let page = try exported("html", ReportFixture.report())
    #expect(page.contains("content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\""))
    for word in ["http:", "https:", "src=", "@import", "url(", "<link", "<iframe", "<object", "onload", "javascript:"] {
      #expect(!page.contains(word), "\(word)")
    }
    for part in page.split(separator: "href=\"").dropFirst() { #expect(part.first == "#") }
  }

  @Test("tags are balanced and ids are unique")
  func wellFormed() throws {
    let page = try exported("html", ReportFixture.report())
    let void: Set<Substring> = ["meta", "br", "wbr", "!DOCTYPE"]
    var open: [Substring] = []
    var ids: [Substring] = []
    for part in page.split(separator: "<").dropFirst(0) {
      guard let end = part.firstIndex(of: ">") else { continue }
      let tag = part[..<end]
      let name = tag.prefix { $0 != " " && $0 != "/" && $0 != ">" }
      if let id = tag.split(separator: " id=\"").dropFirst().first { ids.append(id.prefix { $0 != "\"" }) }
      if tag.first == "/" {
        #expect(open.popLast() == tag.dropFirst())
      } else if tag.last != "/", !void.contains(name) {
        open.append(name)
      }
    }
    #expect(open.isEmpty)
    #expect(Set(ids).count == ids.count)
    for anchor in page.split(separator: "href=\"#").dropFirst() {
      #expect(ids.contains(anchor.prefix { $0 != "\"" }))
    }
  }

  @Test("verdicts, timeline, histogram and records are there")
  func content() throws {
    let page = try exported("html", ReportFixture.report())
    #expect(page.contains("<h1 id=\"verdicts\">2 of 35 machines show signs of infection.</h1>"))
    #expect(page.contains("<b>30</b> no sign"))
    #expect(page.contains("active in 7 of 24 hours"))
    #expect(page.contains("Fullest bin 5 min 4 s to 6 min 2 s: 68 of 73."))
    #expect(page.contains("record 1200"))
    #expect(page.contains("≤ 0.15"))
    #expect(page.contains("1 finding kept out of the verdicts"))
    #expect(!page.lowercased().contains("clean"))
    // One picture of the day per flagged host-day, each with words.
    #expect(page.split(separator: "class=\"timeline\"").count == 3)
    let quiet = try exported("html", ReportFixture.report(withFindings: false))
    #expect(quiet.contains("It does not mean that the machines are free of malware"))
  }

  @Test("a gap histogram knows where its first bin begins")
  func series() {
    #expect(Histogram.firstOctave("gap_histogram_quarter_octave") == 0)
    #expect(Histogram.firstOctave("gap_histogram_quarter_octave_from_2e-4_s") == -4)
    #expect(Histogram.firstOctave("gap_histogram_quarter_octave_from_2e999999_s") == nil)
    #expect(Histogram.firstOctave("sizes") == nil)
    #expect(Histogram.seconds(8, 0) == 4)
    #expect(Histogram.seconds(0, -4) == 0.0625)
  }

  @Test("a damaged report is drawn without a trap")
  func damaged() throws {
    var report = ReportFixture.report()
    report.hosts[0].activity.bins = [.max, 1]
    report.hosts[0].day = .max / 200_000
    report.hosts[0].score = .nan
    report.hosts[0].families = [(.timing, .infinity), (.dns, .nan)]
    report.hosts[0].findings[0].series = [.nan, -1, .infinity, 5]
    report.hosts[0].findings[0].first = .distantFuture
    report.hosts[0].findings[0].last = .distantPast
    report.hosts[0].findings[0].evidence[0].origin = RecordOrigin(input: .max, record: .max)
    report.hosts[1].findings[0].measures = [
      Measure("x", -.infinity, "", atMost: 1e300), Measure("y", 1e308, "", atLeast: -1),
    ]
    for format in ["html", "json", "ndjson", "table"] {
      #expect(try !exported(format, report).isEmpty)
      #expect(try !exported(format, report) { $0.explain = ReportFixture.bot }.isEmpty)
    }
  }
}
