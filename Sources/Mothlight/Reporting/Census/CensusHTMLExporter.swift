/// One self-contained page of a census: no script, no outside resource, readable on a phone and on paper.
///
/// Everything interpolated goes through `Markup`, and a Content-Security-Policy forbids what escaping might miss.
public struct CensusHTMLExporter: CensusExporter {
  public static let card = ExporterCard(name: "html", title: "one self-contained page with pictures")
  /// Rows of a table before the rest is only counted.
  static let rowsShown = 300

  let settings: ExporterSettings

  public init(_ settings: ExporterSettings) { self.settings = settings }

  /// - Throws: `ConfigurationError` when the marking forbids it, and what `write` throws.
  public func export(_ edition: CensusEdition, to write: (String) throws -> Void) throws {
    let digest = CensusDigest(edition)
    var page = head(edition, digest, try settings.marking(of: edition.tlp))
    for part in parts(edition, digest) {
      page += part
      try write(page.drain())
    }
    page += foot(edition)
    try write(page.drain())
  }

  /// All sections without what makes them a page of their own.
  package static func body(_ edition: CensusEdition) -> Markup {
    Self(ExporterSettings()).parts(edition, CensusDigest(edition)).reduce(into: "") { $0 += $1 }
  }

  private func parts(_ edition: CensusEdition, _ digest: CensusDigest) -> [Markup] {
    if edition.hidden.isAll {
      return ["<h1 class=\"census\" id=\"answer\">Fewer than ten machines: nothing is published</h1>\n", reading()]
    }
    return [
      headline(edition, digest), overTime(digest), week(digest), places(edition, digest), networks(edition, digest),
      edition.firepower.map { firepower($0, digest) } ?? "", edition.trend.map { trend($0, digest) } ?? "",
      comparison(digest), grounds(edition, digest), reading(),
    ]
  }

  private func head(_ edition: CensusEdition, _ digest: CensusDigest, _ marking: TLP) -> Markup {
    let report = edition.report
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">
      <title>Census of \(report.botnet) – Mothlight</title>
      <style>\(HTMLStyle.sheet)
      \(CensusStyle.sheet)</style></head>
      <body><a class="skip" href="#answer">To the answer</a>
      <header class="mast">\(SVG.moth)<div><b>Mothlight</b> <span>botnet observatory</span></div>
      <p>\(HTMLExporter.mark(marking)) Census of <b><bdi>\(report.botnet)</bdi></b>\(edition.audience == .everybody ? ", public edition" : "")<br>\
      \(CensusWords.window(report.hours))</p></header>
      <main>

      """
  }

  private func reading() -> Markup {
    """
    <section aria-labelledby="reading"><h2 id="reading">How to read this</h2>
    <dl class="terms"><dt>live</dt><dd>Machines that are on and call within one hour. The count that survives everything.</dd>
    <dt>active</dt><dd>Different machines within one UTC day.</dd>
    <dt>footprint</dt><dd>Different machines within the whole window. It grows with the window, so it says nothing without it.</dd>
    <dt>infected, on or off</dt><dd>Live machines divided by the share of machines that are on.</dd>
    <dt>addresses</dt><dd>What a naive count counts (IPv6: /64 networks). Changing addresses show one machine many times; a shared
    address hides many machines.</dd>
    <dt>×, addresses for each machine</dt><dd>How far an address count is off. Above 1 it is too high, below 1 too low.</dd>
    <dt>95 %</dt><dd>If the assumptions named here hold, intervals made this way hold the truth 19 times in 20.</dd>
    <dt>grade</dt><dd>A: identities that the protocol carries. B: addresses and when they were seen. C: several sensors that saw the
    same hour.</dd>
    <dt>not stated</dt><dd>The evidence does not carry the number. What holds nevertheless stands beside it.</dd></dl></section>

    """
  }

  private func foot(_ edition: CensusEdition) -> Markup {
    """
    </main>
    <footer><h2>Edition</h2><dl class="facts"><dt>Mothlight</dt><dd>\(edition.version)</dd>
    <dt>schema</dt><dd>\(CensusEdition.schemaVersion)</dd>
    <dt>audience</dt><dd>\(edition.audience == .everybody ? "everybody" : "those who run the sensors")</dd></dl>
    <p>Made offline. All times are UTC. This page loads nothing and runs no script. Intervals for bots in address data were first given
    by CARDCount (Böck et al., NDSS 2023, doi 10.14722/ndss.2023.24002).</p>
    </footer></body></html>

    """
  }

  /// A section with one figure: heading, sentence, key, drawing, and where it comes from.
  static func section(
    _ id: String, _ title: String, say: Markup, key: Markup = "", drawing: Markup, provenance: String,
    after: Markup = ""
  ) -> Markup {
    """
    <section aria-labelledby="\(id)"><h2 id="\(id)">\(title)</h2>
    <p class="say">\(say)</p>
    <figure>\(key)\(drawing)<figcaption class="prov">\(provenance)</figcaption></figure>\(after)</section>

    """
  }
}
