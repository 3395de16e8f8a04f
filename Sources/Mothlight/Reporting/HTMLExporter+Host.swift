/// One machine on one day at length: verdict, reason, the day as a picture, the findings, whom it talked to.
extension HTMLExporter {
  func host(_ entry: HostDay, _ report: Report) -> Markup {
    let anchor = Self.anchor(entry)
    var out: Markup = """
      <section class="host \(entry.verdict.rawValue)" aria-labelledby="\(anchor)">
      <h3 id="\(anchor)">\(Self.badge(entry.verdict)) <span class="m">\(entry.host)</span> \
      <small>\(Timestamp.describe(day: entry.day))</small></h3>

      """
    if !entry.botnets.isEmpty {
      out += "<p>Named: <b class=\"botnet\">\(entry.botnets.joined(separator: ", "))</b></p>\n"
    }
    out += "<p class=\"reason\"><bdi>\(entry.reason)</bdi></p>\n"
    if !entry.roles.isEmpty {
      out += "<p class=\"sub\">Role: \(entry.roles.map(\.words).joined(separator: ", "))</p>\n"
    }
    out += Self.story(entry)
    out += ActivityTimeline(entry).figure(id: anchor)
    out += "<p class=\"sub\">\(entry.activity.sentence)</p>\n"
    out += Self.families(entry, bar: report.familyBar)
    for (i, finding) in entry.findings.enumerated() {
      out += Self.card(finding, report.inputs, id: "\(anchor)-\(i + 1)", isFirst: i == 0)
    }
    out += Self.peers(entry.activity.topPeers)
    out += Self.names(entry.activity.topNames)
    out += "</section>\n"
    return out
  }

  package static func story(_ entry: HostDay) -> Markup {
    var out: Markup = ""
    if !entry.story.isEmpty {
      out += "<h4>The story</h4>\n<ol class=\"story\">\n"
      for step in entry.story {
        out += """
          <li><time class="m">\(ReportWords.clock(step.time, milliseconds: false))</time> <bdi>\(step.sentence)</bdi></li>

          """
      }
      out += "</ol>\n"
    }
    if !entry.caveats.isEmpty {
      out += "<ul class=\"caveats\">\n"
      for caveat in entry.caveats { out += "<li>\(caveat)</li>\n" }
      out += "</ul>\n"
    }
    return out
  }

  package static func families(_ entry: HostDay, bar: Double?) -> Markup {
    guard !entry.families.isEmpty else { return "" }
    let finite = entry.families.map(\.logOdds).filter(\.isFinite)
    let most = max(1, finite.max() ?? 1, bar ?? 0)
    let threshold = bar.map { "; the tick is the bar of \(ReportWords.logOdds($0))" } ?? ""
    let prior = entry.score - entry.families.reduce(0) { $0 + $1.logOdds }
    var out: Markup = """
      <table class="families"><caption>Score: capped log-odds by family, on the prior\(threshold)</caption><tbody>

      """
    for item in entry.families {
      out += """
        <tr><th scope="row">\(tag(item.family))</th><td class="n">\(ReportWords.logOdds(item.logOdds))</td>\
        <td class="wide">\(SVG.bar(item.logOdds / most, style: "f-\(item.family.rawValue)", tick: bar.map { $0 / most }))</td></tr>

        """
    }
    out += """
      <tr><th scope="row">prior</th><td class="n">\(ReportWords.logOdds(prior))</td><td></td></tr>
      <tr class="sum"><th scope="row">score</th><td class="n">\(ReportWords.logOdds(entry.score))</td><td></td></tr>
      </tbody></table>

      """
    return out
  }

  package static func peers(_ peers: [PeerActivity]) -> Markup {
    guard !peers.isEmpty else { return "" }
    var out: Markup = """
      <details><summary>Busiest peers (\(peers.count))</summary><div class="scroll" role="region" aria-label="Busiest peers" \
      tabindex="0"><table><thead><tr><th scope="col">Peer</th><th scope="col">Name</th><th scope="col">Port</th>\
      <th scope="col" class="n">Flows</th><th scope="col" class="n">Octets</th></tr></thead><tbody>

      """
    for peer in peers {
      let port = peer.transport.hasPorts ? "\(peer.transport)/\(peer.port)" : peer.transport.description
      out += """
        <tr><th scope="row" class="m">\(peer.address)</th><td class="m"><bdi>\(peer.name ?? "–")</bdi></td>\
        <td class="m">\(port)</td><td class="n">\(ReportWords.grouped(peer.flows))</td>\
        <td class="n">\(ReportWords.octets(peer.octets))</td></tr>

        """
    }
    out += "</tbody></table></div></details>\n"
    return out
  }

  package static func names(_ names: [(name: String, lookups: UInt32, failed: UInt32)]) -> Markup {
    guard !names.isEmpty else { return "" }
    var out: Markup = """
      <details><summary>Most asked names (\(names.count))</summary><div class="scroll" role="region" \
      aria-label="Most asked names" tabindex="0"><table><thead><tr><th scope="col">Name</th>\
      <th scope="col" class="n">Look-ups</th><th scope="col" class="n">Failed</th></tr></thead><tbody>

      """
    for item in names {
      out += """
        <tr><th scope="row" class="m"><bdi>\(item.name)</bdi></th><td class="n">\(ReportWords.grouped(item.lookups))</td>\
        <td class="n">\(ReportWords.grouped(item.failed))</td></tr>

        """
    }
    out += "</tbody></table></div></details>\n"
    return out
  }
}
