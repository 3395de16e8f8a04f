/// The sinkhole's part of the page.
extension HTMLExporter {
  /// Networks in the table before the rest is only counted.
  private static let networksShown = 500

  func sinkhole(_ s: SinkholeSummary) -> Markup {
    var botnets: Markup = ""
    for botnet in s.botnets {
      let c = botnet.sources
      botnets += """
        <tr><th scope="row"><bdi>\(botnet.name.isEmpty ? "none" : botnet.name)</bdi></th><td class="n">\(ReportWords.grouped(c.infected))</td>
        <td class="n">\(ReportWords.decimals(c.weight, 1))</td><td class="n">\(ReportWords.grouped(c.addressDays))</td>
        <td class="n">\(botnet.identities > 0 ? ReportWords.grouped(botnet.identities) : "–")</td>
        <td class="n">\(ReportWords.grouped(c.byLevel[3]))</td><td class="n">\(ReportWords.grouped(c.byLevel[1]))</td>
        <td class="n">\(ReportWords.grouped(c.byLevel[0]))</td><td class="n">\(ReportWords.grouped(c.visiting))</td>
        <td class="n">\(ReportWords.grouped(botnet.networks))</td><td>\(ReportWords.longSpan(c.first, c.last))</td></tr>

        """
    }
    let rows = s.rows.filter { $0.sources.infected > 0 }
    var networks: Markup = ""
    for row in rows.prefix(Self.networksShown) {
      let owner = [row.system.map { "AS\($0)" }, row.systemName, row.country].compactMap { $0 }.joined(separator: " ")
      networks += """
        <tr><th scope="row" class="m">\(row.prefix.description)</th><td><bdi>\(owner)</bdi></td><td><bdi>\(row.botnet)</bdi></td>
        <td class="n">\(ReportWords.grouped(row.sources.infected))</td><td class="n">\(ReportWords.decimals(row.sources.weight, 1))</td>
        <td>\(ReportWords.longSpan(row.sources.first, row.sources.last))</td>
        <td class="m">\(row.sources.ports.map(String.init).joined(separator: " "))</td></tr>

        """
    }
    let rest = rows.count - Self.networksShown
    return """
      <section aria-labelledby="sinkhole"><h2 id="sinkhole">Who came to the sinkhole</h2>
      <p>Addresses, not machines: changing addresses count one machine several times, shared ones hide many. Visitors
      (scanners, crawlers, sandboxes, researchers) are counted apart. “By age” counts a source from 1 at its last message down to 0 at its
      expiry: \(Decay.days(of: .recognised)) days, \(Decay.days(of: .repeated)) with the bot’s timing.</p>
      <div class="wide"><table><thead><tr><th scope="col">botnet</th><th scope="col">recognised</th><th scope="col">by age</th>
      <th scope="col">address-days</th><th scope="col">identities</th><th scope="col">with the bot’s timing</th>
      <th scope="col">protocol’s shape</th><th scope="col">only connected</th><th scope="col">visitors</th><th scope="col">networks</th>
      <th scope="col">seen (UTC)</th></tr></thead><tbody>\(botnets)</tbody></table></div>
      <h3>By network</h3>
      <div class="wide"><table><thead><tr><th scope="col">network</th><th scope="col">holder</th><th scope="col">botnet</th><th scope="col">sources</th>
      <th scope="col">by age</th><th scope="col">seen (UTC)</th><th scope="col">ports</th></tr></thead><tbody>\(networks)</tbody></table></div>
      \(rest > 0 ? Markup("<p class=\"note\">\(ReportWords.grouped(rest)) more networks are in the json output.</p>") : "")
      <p class="note">\(TableExporter.custody(s))</p></section>

      """
  }
}
