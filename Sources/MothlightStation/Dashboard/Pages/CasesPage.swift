import Mothlight

/// What somebody has to do something about.
struct CasesPage {
  let frame: Frame
  let rows: Page<Case>
  let statistics: CaseStatistics
  let choice: CaseChoice

  private var ask: Ask { frame.ask }

  var page: String { frame.page("Cases", .cases, main) }

  private var main: Markup {
    var out: Markup = "<h1>Cases</h1>\n<div data-live=\"cases\"><ul class=\"counts\">"
    for state in Case.State.allCases {
      let n = statistics.byState[state] ?? 0
      out += """
        <li class="c-\(state.rawValue)\(n == 0 ? " zero" : "" as Markup)"><a href="/cases?state=\(state.rawValue)"><b>\(ReportWords.grouped(n))</b> \
        \(Parts.label(state))</a></li>
        """
    }
    out += "</ul>\n<p class=\"lead\">\(pace)</p></div>\n\(form)"
    guard !rows.rows.isEmpty else {
      return out
        + Parts.empty(
          "No case fits this.",
          "A case opens by itself when a machine is called infected, or by hand on a machine's page. It groups the findings of one owner."
        )
    }
    out += """
      <div class="scroll" role="region" aria-label="Cases" tabindex="0"><table class="stack verdicts"><caption>Newest first</caption>
      <thead><tr><th scope="col">Case</th><th scope="col">State</th><th scope="col">Owner</th><th scope="col">Verdict</th>\
      <th scope="col">Machines and botnets</th><th scope="col">Opened</th><th scope="col">Last evidence</th></tr></thead><tbody>

      """
    for item in rows.rows { out += row(item) }
    return out + "</tbody></table></div>\n\(Parts.next(ask, rows.next))"
  }

  private func row(_ item: Case) -> Markup {
    let hosts = item.hosts.prefix(4).reduce(into: "" as Markup) { out, host in out += "\(Parts.host(host)) " }
    let more: Markup = item.hosts.count > 4 ? "and \(item.hosts.count - 4) more " : ""
    let again: Markup =
      item.reopened > 0 ? "<div class=\"sub\">came back \(ReportWords.count(item.reopened, "time", "times"))</div>" : ""
    return """
      <tr><th scope="row"><a href="/cases/\(Int(item.number))">\(Int(item.number))</a></th><td>\(Parts.badge(item.state))\(again)</td>\
      <td>\(Parts.text(item.owner, columns: 80))</td><td>\(HTMLExporter.badge(item.verdict))</td>\
      <td>\(hosts)\(more)\(Parts.botnets(item.botnets))</td><td class="m" data-label="opened">\(item.opened.dayDescription)</td>\
      <td class="m" data-label="last">\(ReportWords.moment(item.last))</td></tr>

      """
  }

  private var pace: String {
    guard let median = statistics.hoursMedian else {
      return "None was cleaned yet, so there is no time to clean to tell."
    }
    var text =
      "Of \(ReportWords.count(statistics.cleaned, "cleaned case", "cleaned cases")) half took \(ReportWords.duration(median * 3600)) or less"
    if let slow = statistics.hours90 { text += ", and nine in ten \(ReportWords.duration(slow * 3600)) or less" }
    return text + ". \(ReportWords.grouped(statistics.cameBack)) came back after cleaning."
  }

  private var form: Markup {
    let states: [(String, Markup)] =
      [("", "open and acknowledged"), ("all", "all")] + Case.State.allCases.map { ($0.rawValue, "\(Parts.label($0))") }
    return """
      <form class="filter" method="get" action="/cases"><p><label for="state">State</label>\
      <select id="state" name="state">\(Fields.options(states, ask.query["state"]))</select></p>\
      <p><label for="owner">Owner</label><input id="owner" name="owner" maxlength="100" value="\(ask.query["owner"] ?? "")"></p><button>Show</button></form>

      """
  }
}

struct CaseChoice {
  var query = CaseQuery()

  init(_ form: Form) {
    switch form["state"] {
    case nil: query.states = [.open, .acknowledged]
    case "all": query.states = []
    case let text?: query.states = Case.State(rawValue: text).map { [$0] } ?? [.open, .acknowledged]
    }
    query.owner = form["owner"]
  }
}

/// One case: whose, what was found, what was done, and what can be done.
struct CasePage {
  let frame: Frame
  let record: CaseRecord

  private var ask: Ask { frame.ask }
  private var item: Case { record.summary }
  private var path: String { "/cases/\(item.number)" }
  private var mayAct: Bool { ask.visitor.role >= .analyst }

  var page: String { frame.page("Case \(item.number)", .cases, main) }

  private var main: Markup {
    var out: Markup = Note.shown(ask)
    out += """
      <h1>Case \(Int(item.number)) \(Parts.badge(item.state))</h1>
      <p class="lead">\(sentence)</p><dl class="facts">
      <dt>owner</dt><dd>\(Parts.text(item.owner, columns: 120))</dd>
      <dt>verdict</dt><dd>\(HTMLExporter.badge(item.verdict))</dd>
      <dt>machines</dt><dd>\(item.hosts.prefix(40).reduce(into: "" as Markup) { out, host in out += "\(Parts.host(host)) " })</dd>
      """
    if !item.botnets.isEmpty { out += "<dt>named</dt><dd>\(Parts.botnets(item.botnets))</dd>" }
    out += "<dt>evidence</dt><dd>\(ReportWords.longSpan(item.first, item.last))</dd></dl>\n"
    if mayAct { out += actions }
    out += past + suggestions
    if !record.findings.isEmpty {
      out +=
        "<section aria-labelledby=\"found\"><h2 id=\"found\">Findings</h2>\(FindingsPage.table(Array(record.findings.sorted { $1.finding.last < $0.finding.last }.prefix(200)), caption: "Newest first, at most 200."))</section>\n"
    }
    return out
  }

  private var sentence: String {
    let opened = "Opened \(ReportWords.moment(item.opened)) UTC"
    let again = item.reopened > 0 ? ", and opened again \(ReportWords.count(item.reopened, "time", "times")) since" : ""
    return item.state.isOpen
      ? "\(opened)\(again); it waits for somebody."
      : "\(opened)\(again); \(Parts.label(item.state)) since \(ReportWords.moment(item.changed)) UTC."
  }

  private var actions: Markup {
    let next = Case.State.allCases.filter { $0 != item.state }
    var choices: Markup = "<fieldset><legend>From \(Parts.label(item.state)) to</legend>"
    for (i, state) in next.enumerated() {
      choices += """
        <p class="check"><input type="radio" id="to-\(state.rawValue)" name="to" value="\(state.rawValue)"\(i == 0 ? " checked" : "" as Markup) required>\
        <label for="to-\(state.rawValue)"><b>\(Parts.label(state))</b> <span class="sub">\(Self.meaning(state))</span></label></p>
        """
    }
    choices += "</fieldset>\(Parts.reason("reason", "what was done, or what it was"))"
    return Parts.action("Change its state", to: path + "/state", frame, choices, button: "Change")
  }

  private static func meaning(_ state: Case.State) -> Markup {
    switch state {
    case .open: "somebody has to look"
    case .acknowledged: "somebody is on it"
    case .cleaned: "the machine was cleaned; new evidence opens the case again"
    case .falseAlarm: "it was something harmless; an allow rule is suggested"
    }
  }

  private var past: Markup {
    let undoable = record.changes.last { !$0.isUndone && $0.from != nil }
    var out: Markup = "<section aria-labelledby=\"past\"><h2 id=\"past\">What was done</h2>\n<ol class=\"past\">"
    for change in record.changes.suffix(200) {
      let step = change.from.map { "\(Parts.label($0)) → \(Parts.label(change.to))" } ?? Parts.label(change.to)
      let text: Markup = """
        <span class="m">\(ReportWords.moment(change.time))</span> <b>\(step)</b> by \(Parts.text(change.actor.name, columns: 60)): \
        \(Parts.text(change.reason, columns: 300))
        """
      out += change.isUndone ? "<li><s>\(text)</s> taken back</li>" : "<li>\(text)</li>"
    }
    out += "</ol>\n"
    if mayAct, undoable != nil {
      out +=
        "<form method=\"post\" action=\"\(path)/undo\">\(frame.csrf)<button class=\"do\">Undo the last change</button></form>\n"
    }
    return out + "</section>\n"
  }

  private var suggestions: Markup {
    guard !record.suggestions.isEmpty, mayAct else { return "" }
    var choices: Markup = "<fieldset><legend>Narrowest first</legend>"
    for (i, rule) in record.suggestions.prefix(20).enumerated() {
      choices += """
        <p class="check"><input type="radio" id="s-\(i)" name="rule" value="\(rule.description)"\(i == 0 ? " checked" : "" as Markup) required>\
        <label for="s-\(i)"><code>\(rule.description)</code></label></p>
        """
    }
    choices +=
      "</fieldset>\(Parts.reason("allow-reason", "what it is, and who says so"))<input type=\"hidden\" name=\"back\" value=\"\(path)\">"
    return """
      <section aria-labelledby="suggest"><h2 id="suggest">So that it does not come back</h2>
      <p>A false alarm stays shut for the same findings. An allow rule keeps their like out of every verdict.</p>
      <form class="act open" method="post" action="/allow">\(frame.csrf)\(choices)<button class="do">Add the rule</button></form></section>

      """
  }
}
