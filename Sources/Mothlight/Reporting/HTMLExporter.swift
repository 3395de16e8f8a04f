/// One self-contained page: no script, no outside resource, readable on a phone and on paper.
///
/// Everything interpolated goes through `Markup`, and a Content-Security-Policy forbids what escaping might miss.
public struct HTMLExporter: Exporter {
  public static let card = ExporterCard(name: "html", title: "one self-contained page with timelines and evidence")
  /// Host-days shown at length; a page with more of them helps nobody, so the rest stays in the verdict table.
  static let fullSections = 200
  /// Rows of the verdict table and of each host list before the rest is only counted.
  static let rowsShown = 5000
  let settings: ExporterSettings

  public init(_ settings: ExporterSettings) throws(ConfigurationError) { self.settings = settings }

  /// - Throws: `ConfigurationError` when the marking forbids it, and what `write` throws.
  public func export(_ report: Report, to write: (String) throws -> Void) throws {
    let marking = try settings.marking(of: report.tlp)
    let scoped = report.scoped(to: settings)
    let tally = ReportTally(scoped)
    let flagged = scoped.hosts.filter { $0.verdict >= .suspicious || settings.explain != nil }
    var page: Markup = ""
    page += head(scoped, tally, marking)
    if let sinkhole = report.sinkhole { page += self.sinkhole(sinkhole) }
    if report.isAboutHosts { page += verdicts(flagged, tally) }
    page += coverage(scoped, tally)
    try write(page.drain())
    if !flagged.isEmpty {
      page += #"<section aria-labelledby="hosts"><h2 id="hosts">The evidence, machine by machine</h2>"#
      for entry in flagged.prefix(Self.fullSections) {
        page += host(entry, report)
        try write(page.drain())
      }
      let rest = flagged.count - Self.fullSections
      if rest > 0 {
        page += """
          <p class="note">\(ReportWords.grouped(rest)) more host-days are in the table above but not shown at length; \
          the json output has all of them.</p>
          """
      }
      page += "</section>"
    }
    if settings.explain == nil {
      page += unflagged(tally)
    }
    page += hidden(scoped.hidden)
    page += reading()
    page += foot(report, tally)
    try write(page.drain())
  }

  private func head(_ report: Report, _ tally: ReportTally, _ marking: TLP) -> Markup {
    let times = tally.first.flatMap { f in tally.last.map { ReportWords.longSpan(f, $0) } } ?? "no time known"
    let machines = report.isAboutHosts ? ReportWords.count(tally.hosts, "machine", "machines") : "a sinkhole"
    let subject = "Report on \(settings.explain.map { "\($0)" } ?? machines)"
    let title = report.isAboutHosts ? tally.headline : "Who came to the sinkhole"
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">
      <title>\(title) – Mothlight</title>
      <style>\(HTMLStyle.sheet)</style></head>
      <body><a class="skip" href="#\(report.isAboutHosts ? "verdicts" : "sinkhole")">To the verdicts</a>
      <header class="mast">\(SVG.moth)<div><b>Mothlight</b> <span>botnet observatory</span></div>
      <p>\(Self.mark(marking)) \(subject)<br>\(times)</p></header>
      <main>

      """
  }

  private func foot(_ report: Report, _ tally: ReportTally) -> Markup {
    var facts: Markup = ""
    for (name, value) in report.counters.sorted(by: { $0.key < $1.key }) {
      facts += "<dt>\(ReportWords.spaced(name))</dt><dd>\(ReportWords.grouped(value))</dd>"
    }
    return """
      </main>
      <footer><h2>Run</h2><dl class="facts">
      <dt>Mothlight</dt><dd>\(report.version)</dd><dt>schema</dt><dd>\(Report.schemaVersion)</dd>
      <dt>findings</dt><dd>\(ReportWords.grouped(tally.findings))</dd>
      <dt>hidden findings</dt><dd>\(ReportWords.grouped(report.hidden.count))</dd>\(facts)</dl>
      <p>Made offline from the records named above. All times are UTC. This page loads nothing and runs no script.</p>
      </footer></body></html>

      """
  }

  private func reading() -> Markup {
    """
    <section aria-labelledby="reading"><h2 id="reading">How to read this</h2>
    <dl class="terms"><dt>infected</dt><dd>One conclusive match, or at least two independent families of evidence.</dd>
    <dt>suspicious</dt><dd>Evidence that deserves a look but could have an innocent cause.</dd>
    <dt>no sign</dt><dd>Enough was seen to judge, and nothing rose to its bar. It is not a proof of health.</dd>
    <dt>not enough data</dt><dd>Too little was seen to say anything at all.</dd>
    <dt>log-odds</dt><dd>The natural logarithm of how much likelier the observation is from an infected machine than from a
    healthy one. Each family is capped and counts once, so that things that always come together cannot add up.</dd>
    <dt>Community ID</dt><dd>A hash of a flow's endpoints that Zeek, Suricata and Arkime print too: search for it there.</dd>
    </dl></section>

    """
  }
}

extension HTMLExporter {
  /// In the standard's colours, on black on either theme.
  static func mark(_ marking: TLP) -> Markup {
    "<b class=\"tlp\" style=\"color:\(marking.colour)\">\(marking.marking)</b>"
  }

  package static func badge(_ verdict: Verdict) -> Markup {
    "<span class=\"badge \(verdict.rawValue)\">\(ReportWords.label(verdict))</span>"
  }

  static func anchor(_ entry: HostDay) -> String { "h-\(entry.host)-\(Timestamp.describe(day: entry.day))" }

  /// Family names as small tags, each with its own colour and its name in words.
  static func tags(_ entry: HostDay) -> Markup {
    var out: Markup = ""
    for item in entry.families { out += tag(item.family) }
    return out
  }

  package static func tag(_ family: EvidenceFamily) -> Markup {
    "<span class=\"tag f-\(family.rawValue)\">\(ReportWords.label(family))</span> "
  }
}
