import Mothlight

/// What the operators vouch for.
struct AllowPage {
  let frame: Frame
  let rules: [StoredAllowRule]
  /// A rule that could not be added, as it was sent, and why.
  var trouble: (rule: String, reason: String, why: String)?

  private var mayAct: Bool { frame.ask.visitor.role >= .analyst }

  var page: String { frame.page("Allow rules", .allow, main) }

  private var main: Markup {
    var out: Markup = Note.shown(frame.ask)
    out += """
      <h1>Allow rules</h1>
      <p class="lead">What is known and harmless. A rule keeps findings out of verdicts; it deletes nothing, and ending it brings them back.</p>

      """
    if rules.isEmpty {
      out += Parts.empty("There is no rule.", "The page of a finding's machine suggests the narrowest that fits.")
    } else {
      out += """
        <div class="scroll" role="region" aria-label="Rules" tabindex="0"><table class="stack"><caption>\(ReportWords.count(rules.count, "rule holds", "rules hold"))</caption>
        <thead><tr><th scope="col">Rule</th><th scope="col">Reason</th><th scope="col">By</th><th scope="col">Since</th>\
        <th scope="col"><span class="vh">End</span></th></tr></thead><tbody>

        """
      for rule in rules { out += row(rule) }
      out += "</tbody></table></div>\n"
    }
    if mayAct { out += form }
    return out
  }

  private func row(_ rule: StoredAllowRule) -> Markup {
    let end: Markup =
      mayAct
      ? "<form method=\"post\" action=\"/allow/\(Int(rule.number))/end\">\(frame.csrf)<button class=\"do small\">End<span class=\"vh\"> rule \(Int(rule.number))</span></button></form>"
      : ""
    return """
      <tr id="rule-\(Int(rule.number))"><th scope="row"><code>\(Parts.text(rule.rule.description, columns: 160))</code></th>\
      <td class="why">\(Parts.text(rule.reason, columns: 300))</td><td>\(Parts.text(rule.actor.name, columns: 60))</td>\
      <td class="m">\(ReportWords.moment(rule.added))</td><td>\(end)</td></tr>

      """
  }

  private var form: Markup {
    let why: Markup = trouble.map { "<p class=\"warn\" role=\"alert\">\(Parts.text($0.why))</p>" } ?? ""
    return """
      <section aria-labelledby="add"><h2 id="add">Add a rule</h2>\(why)
      <form class="act open" method="post" action="/allow">\(frame.csrf)
      <p><label for="rule">Rule</label><input id="rule" name="rule" required maxlength="300" placeholder="name:*.updates.example" \
      autocomplete="off" aria-describedby="rule-help" value="\(trouble?.rule ?? "")"></p>
      <p><label for="why">Reason</label><input id="why" name="reason" required maxlength="300" placeholder="what it is, and who says so" autocomplete="off" value="\(trouble?.reason ?? "")"></p>
      <button class="do">Add the rule</button>
      <dl class="facts" id="rule-help"><dt><code>name:*.example.net</code></dt><dd>a name and all below it</dd>
      <dt><code>destination:192.0.2.0/24</code></dt><dd>whoever is asked there</dd>
      <dt><code>source:10.1.2.3</code></dt><dd>everything of one of our machines</dd>
      <dt><code>pair:10.1.2.3&gt;192.0.2.7</code></dt><dd>one machine and one peer</dd></dl></form></section>

      """
  }
}
