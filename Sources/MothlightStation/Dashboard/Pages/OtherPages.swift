import Mothlight

/// The latest census of the sinkhole with its pictures.
struct CensusPage {
  let frame: Frame
  let edition: CensusEdition?
  /// All that a census was made of.
  let botnets: [String]

  private var others: Markup {
    guard botnets.count > 1 else { return "" }
    return botnets.prefix(60).reduce(into: "<nav aria-label=\"Botnets with a census\"><ul class=\"strip\">") {
      out, name in
      let mark: Markup = name == edition?.report.botnet ? " aria-current=\"true\"" : ""
      out += "<li><a href=\"/census?botnet=\(Form.encoded(name))\"\(mark)>\(Parts.text(name, columns: 60))</a></li>"
    } + "</ul></nav>\n"
  }

  var page: String {
    guard let edition else {
      return frame.page(
        "Census", .census,
        "<h1>Census</h1>\n"
          + Parts.empty(
            "There is no census yet.",
            "A census counts machines, not addresses, from what bots say to a sinkhole. It is made from the sinkhole's spools: name their folder as a source, or make one by hand with <code>mothlight census SPOOL</code>."
          ))
    }
    return frame.page(
      "Census of \(VisibleText.clipped(edition.report.botnet, to: 60))", .census,
      """
      <p class="sub">Census of <b>\(Parts.text(edition.report.botnet, columns: 80))</b>, \(CensusWords.window(edition.report.hours)). \
      <a href="/botnets/\(Form.encoded(edition.report.botnet))">What is known of it</a></p>
      \(others)
      <div class="census">\(CensusHTMLExporter.body(edition))</div>
      """)
  }
}

/// Everything that a text is part of.
struct SearchPage {
  let frame: Frame
  let text: String
  let hits: [SearchHit]
  let registry: [BotnetSummary]
  /// Hits before the store stops.
  static let hitsMost = 100

  var page: String { frame.page("Search", nil, main) }

  private var main: Markup {
    guard !text.isEmpty else {
      return "<h1>Search</h1>\n"
        + Parts.empty(
          "Type an address, a name, or a botnet above.",
          "Part of one suffices. The key <kbd>/</kbd> leads to the field.")
    }
    var out: Markup = "<h1>Search for “\(Parts.text(text, columns: 80))”</h1>\n"
    if hits.isEmpty, registry.isEmpty {
      return out
        + Parts.empty(
          "Nothing kept here has it in it.",
          "Only hosts, peers' names, botnets, cases and findings are searched, as far back as the store reaches.")
    }
    for kind in [SearchHit.Kind.host, .botnet, .case, .name, .peer, .finding] {
      let some = hits.filter { $0.kind == kind }
      guard !some.isEmpty else { continue }
      out +=
        "<section aria-labelledby=\"k-\(kind.rawValue)\"><h2 id=\"k-\(kind.rawValue)\">\(Self.title(kind))</h2><ul class=\"rows\">"
      for hit in some {
        out +=
          "<li><a href=\"\(Self.path(hit))\">\(Parts.text(hit.title, columns: 200))</a> <span>\(Parts.text(hit.detail, columns: 200))</span></li>"
      }
      out += "</ul></section>\n"
    }
    if !registry.isEmpty {
      out += "<section aria-labelledby=\"k-registry\"><h2 id=\"k-registry\">In the registry</h2><ul class=\"rows\">"
      for row in registry { out += "<li>\(Parts.botnet(row.name)) <span>\(row.kind.rawValue)</span></li>" }
      out += "</ul></section>\n"
    }
    if hits.count >= Self.hitsMost {
      out += "<p class=\"note\">Only the first \(Self.hitsMost) are shown; say more of it.</p>\n"
    }
    return out
  }

  private static func title(_ kind: SearchHit.Kind) -> Markup {
    switch kind {
    case .host: "Our machines"
    case .peer: "Peers"
    case .name: "Names"
    case .botnet: "Botnets"
    case .case: "Cases"
    case .finding: "Findings"
    }
  }

  private static func path(_ hit: SearchHit) -> String {
    let key = Form.encoded(hit.key)
    switch hit.kind {
    case .host: return "/hosts/\(hit.key)"
    case .botnet: return "/botnets/\(key)"
    case .case: return "/cases/\(key)"
    case .finding: return "/findings/\(key)"
    case .peer, .name: return "/findings?days=all&text=\(key)"
    }
  }
}

/// Who changed what: for admins.
struct AuditPage {
  let frame: Frame
  let rows: Page<AuditEntry>

  var page: String {
    var out: Markup =
      "<h1>Audit</h1>\n<p class=\"lead\">Who changed what, newest first. Nothing here can be changed.</p>\n"
    if rows.rows.isEmpty {
      out += Parts.empty("Nothing was changed yet.")
    } else {
      out += """
        <div class="scroll" role="region" aria-label="Audit" tabindex="0"><table class="stack"><thead><tr><th scope="col">Time</th><th scope="col">Who</th>\
        <th scope="col">From</th><th scope="col">What</th><th scope="col">On what</th><th scope="col">Detail</th></tr></thead><tbody>

        """
      for entry in rows.rows {
        out += """
          <tr><td class="m">\(ReportWords.moment(entry.time))</td><th scope="row">\(Parts.text(entry.actor.name, columns: 60))</th>\
          <td class="m">\(Parts.text(entry.actor.origin, columns: 60))</td><td>\(Parts.text(entry.action, columns: 60))</td>\
          <td>\(Parts.text(entry.subject, columns: 120))</td><td class="why">\(Parts.text(entry.detail, columns: 300))</td></tr>

          """
      }
      out += "</tbody></table></div>\n\(Parts.next(frame.ask, rows.next))"
    }
    return frame.page("Audit", nil, out)
  }
}

/// What this is, what it rests on, and what it never does.
struct AboutPage {
  let frame: Frame

  var page: String { frame.page("About", nil, main) }

  private var main: Markup {
    """
    <h1>About Mothlight</h1>
    <p class="lead">Mothlight watches a network's own traffic for machines that a botnet has, counts machines and not addresses, and shows why it says so.</p>
    <section aria-labelledby="never"><h2 id="never">What Mothlight never does</h2><ul class="plain">
    <li>It sends nothing to an infected machine beyond what DNS and TCP need, and never a command.</li>
    <li>It scans nobody and connects to nobody. It reads, and answers those who come.</li>
    <li>It calls no machine clean. <q>No sign</q> means that enough was seen and nothing rose to its bar; <q>not enough data</q> means that nothing can be said.</li>
    <li>It names no botnet from behaviour alone: names come from published names, lists and payloads.</li>
    <li>This page loads nothing from elsewhere and tells nobody that you look.</li></ul></section>
    <section aria-labelledby="words"><h2 id="words">Words</h2><dl class="terms"><dt>infected</dt><dd>One conclusive match, or at least two independent families of evidence.</dd>
    <dt>suspicious</dt><dd>Evidence that deserves a look but could have an innocent cause.</dd>
    <dt>no sign</dt><dd>Enough was seen to judge, and nothing rose to its bar. It is not a proof of health.</dd>
    <dt>not enough data</dt><dd>Too little was seen to say anything at all.</dd>
    <dt>new</dt><dd>Not flagged on any earlier day that the store keeps.</dd>
    <dt>log-odds</dt><dd>The natural logarithm of how much likelier an observation is from an infected machine than from a healthy one.</dd>
    <dt>Community ID</dt><dd>A hash of a flow's endpoints that Zeek, Suricata and Arkime print too: search for it there.</dd></dl></section>
    <section aria-labelledby="made"><h2 id="made">Version and licences</h2><dl class="facts"><dt>Mothlight</dt><dd>\(frame.version)</dd>
    <dt>licence</dt><dd>Apache License 2.0</dd><dt>stands on</dt><dd>Swift, SwiftNIO, Hummingbird, swift-crypto (Apache License 2.0); GRDB, Yams (MIT); \
    SQLite (public domain); BoringSSL (Apache License 2.0 and ISC)</dd></dl>
    \(frame.ask.visitor.role == .admin ? "<p><a href=\"/audit\">Audit: who changed what</a> · <a href=\"/users\">Users and tokens</a></p>" : "" as Markup)</section>

    """
  }
}
