import Mothlight

/// One machine on one day at length, and its other days.
struct HostPage {
  let frame: Frame
  let host: IPAddress
  /// Newest first.
  let history: [HostDayRow]
  let entry: HostDay?
  let cases: [Case]
  let network: NetworkRecord?
  /// The allow rule that covers each finding, in their order.
  let covering: [StoredAllowRule?]
  /// The name under which those see it who see no addresses.
  var pseudonym: String?
  /// What the latest judgement kept out of this day's verdict.
  var leftOut = LeftOut.Part()

  private var ask: Ask { frame.ask }
  private var mayAct: Bool { ask.visitor.role >= .analyst }

  var page: String { frame.page(host.description, .hosts, main) }

  private var main: Markup {
    guard let entry else {
      return "<h1 class=\"m\">\(host)</h1>\n" + Parts.empty("Nothing is kept of this machine on that day.") + days(nil)
    }
    var out: Markup = Note.shown(ask)
    out += """
      <section class="host wide \(entry.verdict.rawValue)" aria-labelledby="host">
      <h1 id="host">\(HTMLExporter.badge(entry.verdict)) <span class="m">\(host)</span> <small>\(Parts.time(day: entry.day, Timestamp.describe(day: entry.day)))</small></h1>
      <p class="reason">\(Parts.text(entry.reason))</p>\(facts(entry))\(days(entry.day))
      \(HTMLExporter.story(entry))\(ActivityTimeline(entry).figure(id: "day"))
      <p class="sub">\(entry.activity.sentence)</p>\(HTMLExporter.families(entry, bar: nil))
      """
    out += openCase(entry)
    out += "</section>\n"
    if entry.findings.isEmpty {
      out += "<section><h2>Findings</h2><p>None on this day.</p></section>\n"
    } else {
      out +=
        "<section aria-labelledby=\"findings\"><h2 id=\"findings\">\(ReportWords.count(entry.findings.count, "finding", "findings"))</h2>\n"
      for (i, finding) in entry.findings.enumerated() {
        out += HTMLExporter.card(finding, [], id: "f-\(i + 1)", isFirst: i == 0, actions: actions(finding, i))
      }
      out += "</section>\n"
    }
    out += keptOut
    out += "<section aria-labelledby=\"peers\"><h2 id=\"peers\">Whom it talked to</h2>\n"
    out += HTMLExporter.peers(entry.activity.topPeers) + HTMLExporter.names(entry.activity.topNames)
    out += "</section>\n"
    return out
  }

  /// Closed until asked for; a rule that hides too much must be seen to do so.
  private var keptOut: Markup {
    guard leftOut.count > 0 else { return "" }
    var out: Markup = """
      <section aria-labelledby="left"><h2 id="left">Kept out</h2><details class="act"><summary>\
      \(ReportWords.count(leftOut.count, "finding was", "findings were")) kept out of the verdict</summary>
      <p class="sub">By allow rules, or as services that are known. They count again when the rule ends.</p>

      """
    for (i, item) in leftOut.shown.enumerated() {
      let why: Markup = "<p class=\"sub\">Kept out by <code>\(Parts.text(item.rule, columns: 200))</code></p>\n"
      out += HTMLExporter.card(item.finding.bounded, [], id: "left-\(i + 1)", isFirst: false, actions: why)
    }
    if leftOut.count > leftOut.shown.count {
      out += "<p class=\"note\">\(leftOut.count - leftOut.shown.count) more are not listed.</p>\n"
    }
    return out + "</details></section>\n"
  }

  private func facts(_ entry: HostDay) -> Markup {
    var out: Markup = "<dl class=\"facts\">"
    if !entry.botnets.isEmpty { out += "<dt>named</dt><dd>\(Parts.botnets(entry.botnets))</dd>" }
    if !entry.roles.isEmpty { out += "<dt>role</dt><dd>\(entry.roles.map(\.words).joined(separator: ", "))</dd>" }
    if let first = history.last(where: { $0.verdict >= .suspicious }),
      let since = first.firstFlaggedDay ?? history.last?.day
    {
      out += "<dt>flagged since</dt><dd>\(Parts.time(day: since, Timestamp.describe(day: since)))</dd>"
    }
    if let pseudonym {
      out += "<dt>pseudonym</dt><dd><span class=\"m\">\(pseudonym)</span> for those who see no addresses</dd>"
    }
    if let network {
      let system = network.system.map { "AS\($0) \(network.systemName ?? "")" } ?? ""
      out +=
        "<dt>network</dt><dd>\(network.prefix.description) \(Parts.text(system, columns: 80)) \(network.country ?? "")</dd>"
    }
    for item in cases.prefix(5) {
      out +=
        "<dt>case</dt><dd><a href=\"/cases/\(Int(item.number))\">\(Int(item.number))</a> \(Parts.badge(item.state))</dd>"
    }
    out += "</dl>\n"
    return out
  }

  /// The kept days as a row of links, coloured by verdict.
  private func days(_ current: Int?) -> Markup {
    guard history.count > 1 else { return "" }
    var out: Markup = "<nav aria-label=\"Days of this machine\"><ol class=\"strip\">"
    for row in history.prefix(60).reversed() {
      let mark: Markup = row.day == current ? " aria-current=\"true\"" : ""
      out += """
        <li class="\(row.verdict.rawValue)"><a href="/hosts/\(host)?day=\(Timestamp.describe(day: row.day))"\(mark)>\
        <span class="vh">\(ReportWords.label(row.verdict)), </span>\(CensusWords.shortDay(row.day))</a></li>
        """
    }
    out += "</ol></nav>\n"
    return out
  }

  private func openCase(_ entry: HostDay) -> Markup {
    guard mayAct, !cases.contains(where: { $0.state.isOpen }) else { return "" }
    return Parts.action(
      "Open a case", to: "/cases", frame,
      """
      <input type="hidden" name="host" value="\(host.description)"><input type="hidden" name="day" value="\(Timestamp.describe(day: entry.day))">\
      \(Parts.reason("case-reason", "who is asked to look at it"))
      """, button: "Open the case")
  }

  private func actions(_ finding: Finding, _ i: Int) -> Markup {
    if i < covering.count, let rule = covering[i] {
      return """
        <p class="sub">Kept out from now on by <a href="/allow#rule-\(Int(rule.number))">rule \(Int(rule.number))</a>: \
        <bdi>\(rule.reason)</bdi></p>

        """
    }
    guard mayAct else { return "" }
    let rules = AllowChoice.rules(for: finding)
    guard !rules.isEmpty else { return "" }
    var choices: Markup = "<fieldset><legend>What you vouch for, narrowest first</legend>"
    for (n, choice) in rules.enumerated() {
      let id = "r-\(i)-\(n)"
      choices += """
        <p class="check"><input type="radio" id="\(id)" name="rule" value="\(choice.rule.description)"\(n == 0 ? " checked" : "" as Markup) required>\
        <label for="\(id)">\(choice.words) <code>\(choice.rule.description)</code></label></p>
        """
    }
    choices += "</fieldset>\(Parts.reason("why-\(i)", "what it is, and who says so"))"
    choices += "<input type=\"hidden\" name=\"back\" value=\"\(ask.path)\">"
    return Parts.action("This is known and harmless", to: "/allow", frame, choices, button: "Add the rule")
  }
}

/// Allow rules that would keep a finding out, narrowest first.
struct AllowChoice {
  let rule: AllowList.Rule
  let words: Markup

  static func rules(for finding: Finding) -> [AllowChoice] {
    let host = Prefix(finding.host, length: 128)
    var out: [AllowChoice] = []
    if let peer = finding.peer {
      out.append(AllowChoice(rule: .pair(host, Prefix(peer, length: 128)), words: "this machine to this peer"))
    }
    if let name = finding.peerName, !name.isEmpty, name.utf8.count <= 253,
      !name.contains(where: { $0.isWhitespace || $0 == "#" })
    {
      out.append(AllowChoice(rule: .name(name.lowercased()), words: "every machine to this name"))
    }
    if let peer = finding.peer {
      out.append(AllowChoice(rule: .destination(Prefix(peer, length: 128)), words: "every machine to this peer"))
    }
    out.append(AllowChoice(rule: .source(host), words: "everything of this machine"))
    return out
  }
}
