import Mothlight

/// Findings over all hosts, by what they are.
struct FindingsPage {
  let frame: Frame
  let choice: FindingChoice
  let found: Page<StoredFinding>
  let latest: Int

  private var ask: Ask { frame.ask }

  var page: String { frame.page("Findings", .findings, main) }

  private var main: Markup {
    var out: Markup = "<h1>Findings</h1>\n\(form)"
    for trouble in choice.troubles { out += "<p class=\"warn\" role=\"alert\">\(Parts.text(trouble))</p>\n" }
    guard !found.rows.isEmpty else {
      return out
        + Parts.empty("No finding fits this.", "A finding is one behaviour of one machine; verdicts are made of them.")
    }
    return out + Self.table(found.rows, caption: "Newest first.") + Parts.next(ask, found.next)
  }

  static func table(_ rows: [StoredFinding], caption: Markup) -> Markup {
    var out: Markup = """
      <div class="scroll" role="region" aria-label="Findings" tabindex="0"><table class="stack verdicts"><caption>\(caption)</caption>\
      <thead><tr><th scope="col">Last seen</th><th scope="col">Machine</th><th scope="col">Evidence</th>\
      <th scope="col" class="n">Log-odds</th><th scope="col">Finding</th></tr></thead><tbody>

      """
    for item in rows {
      let finding = item.finding
      let botnet: Markup = finding.botnet.map { Parts.botnet($0) + " " } ?? ""
      out += """
        <tr><td class="m">\(ReportWords.moment(finding.last))</td>\
        <td>\(Parts.host(finding.host, day: finding.first.day))</td>\
        <td>\(HTMLExporter.tag(finding.family))<div class="sub">\(finding.detector)</div></td>\
        <td class="n" data-label="log-odds">\(ReportWords.logOdds(finding.logOdds))</td>\
        <th scope="row" class="why">\(botnet)<a class="quiet" href="/findings/\(Form.encoded(item.id))">\(Parts.text(finding.summary, columns: 260))</a></th></tr>

        """
    }
    out += "</tbody></table></div>\n"
    return out
  }

  private var form: Markup {
    let families =
      [("", "any" as Markup)] + EvidenceFamily.allCases.map { ($0.rawValue, "\(ReportWords.label($0))" as Markup) }
    let detectors = [("", "any" as Markup)] + DetectorRoster.cards.map(\.name).sorted().map { ($0, "\($0)" as Markup) }
    return """
      <form class="filter" method="get" action="/findings">
      <p><label for="text">Peer or subject</label><input id="text" name="text" maxlength="200" value="\(ask.query["text"] ?? "")"></p>
      <p><label for="host">Machine</label><input id="host" name="host" maxlength="49" placeholder="address or prefix" value="\(ask.query["host"] ?? "")"></p>
      <p><label for="family">Evidence</label><select id="family" name="family">\(Fields.options(families, ask.query["family"]))</select></p>
      <p><label for="detector">Detector</label><select id="detector" name="detector">\(Fields.options(detectors, ask.query["detector"]))</select></p>
      <p><label for="botnet">Botnet</label><input id="botnet" name="botnet" maxlength="100" value="\(ask.query["botnet"] ?? "")"></p>
      \(Fields.days(ask, choice.query.days, latest))
      <button>Show</button></form>

      """
  }
}

/// A filter of findings as a query says it.
struct FindingChoice {
  var query = FindingQuery()
  private(set) var troubles: [String] = []

  init(_ form: Form, latest: Int, isVeiled: Bool = false) {
    var form30 = form
    if form["days"] == nil, form["day"] == nil { form30 = Form("days=30") }
    query.days = HostChoice.days(form30, latest: latest, &troubles)
    if let text = form["host"] {
      query.within = HostName.prefix(text, isVeiled: isVeiled)
      if isVeiled, query.within == nil {
        troubles.append(HostChoice.noPrefixes)
      } else if query.within == nil {
        troubles.append("'\(text)' is no address; write 192.0.2.7 or 192.0.2.0/24")
      }
    }
    query.detector = form["detector"]
    if let text = form["family"] {
      query.family = EvidenceFamily(rawValue: text)
      if query.family == nil { troubles.append("'\(text)' is no kind of evidence") }
    }
    query.botnet = form["botnet"]
    query.text = form["text"]
  }
}

/// One finding, with the way to its machine and to what else was seen of it.
struct FindingPage {
  let frame: Frame
  let item: StoredFinding

  var page: String {
    let finding = item.finding
    let card = HTMLExporter.card(finding, [], id: "finding", isFirst: true)
    return frame.page(
      "Finding", .findings,
      """
      <h1>A finding about \(Parts.host(finding.host, day: finding.first.day))</h1>
      <p class="sub">\(Timestamp.describe(day: finding.first.day)), first written \(ReportWords.moment(item.recorded)) UTC. \
      <a href="/hosts/\(finding.host)?day=\(Timestamp.describe(day: finding.first.day))">The machine's whole day</a>, with what can be done about it.</p>
      \(card)
      """)
  }
}
