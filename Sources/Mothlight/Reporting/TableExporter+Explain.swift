/// The long answer for one host: every number behind its verdict, and what would refute it.
extension TableExporter {
  func explain(
    _ host: IPAddress, _ report: Report, on page: inout TerminalPage, to write: (String) throws -> Void
  ) throws {
    let days = report.hosts.filter { $0.host == host }.sorted { $0.day < $1.day }
    if days.isEmpty {
      page.paragraph("Nothing was seen of \(host), or it is not in the home network.", indent: 2)
      page.paragraph("That is no verdict: it says nothing about this machine.", indent: 2)
    }
    for entry in days {
      page.line([
        .init("\(host) on \(Timestamp.describe(day: entry.day)): ", .bold),
        .init(ReportWords.label(entry.verdict), Self.style(entry.verdict)),
        .init(", score \(ReportWords.decimals(entry.score, 2))"),
      ])
      page.paragraph(entry.reason, indent: 2)
      if !entry.botnets.isEmpty { page.entry("Botnet", entry.botnets.joined(separator: ", ")) }
      if !entry.roles.isEmpty { page.entry("Role", entry.roles.map(\.words).joined(separator: ", ")) }
      for caveat in entry.caveats { page.entry("Unknown", caveat) }
      page.blank()
      story(entry, on: &page)
      families(entry, bar: report.familyBar, on: &page)
      for (i, finding) in entry.findings.enumerated() {
        page.line([.init("FINDING \(i + 1) OF \(entry.findings.count)", .bold)], indent: 2)
        self.finding(finding, report.inputs, on: &page)
        page.blank()
      }
      activity(entry, on: &page)
      page.blank()
      try write(page.drain())
    }
    let hidden = report.hidden.filter { $0.finding.host == host }
    guard !hidden.isEmpty else { return }
    page.heading("KEPT OUT OF THE VERDICT")
    for item in hidden {
      page.entry("Rule", item.rule)
      self.finding(item.finding, report.inputs, on: &page)
      page.blank()
    }
  }

  private func story(_ entry: HostDay, on page: inout TerminalPage) {
    guard !entry.story.isEmpty else { return }
    page.line([.init("THE STORY", .bold)], indent: 2)
    for step in entry.story {
      page.paragraph("\(ReportWords.clock(step.time, milliseconds: false))  \(step.sentence)", indent: 4, hanging: 14)
    }
    page.blank()
  }

  private func families(_ entry: HostDay, bar: Double?, on page: inout TerminalPage) {
    guard !entry.families.isEmpty else { return }
    let threshold = bar.map { "; the bar is \(ReportWords.logOdds($0))" } ?? ""
    page.line([.init("EVIDENCE BY FAMILY", .bold), .init("  (natural log-odds, capped\(threshold))", .dim)], indent: 2)
    let most = max(1, entry.families.map { abs($0.logOdds) }.filter(\.isFinite).max() ?? 1)
    let room = max(8, min(40, page.width - 38))
    for item in entry.families {
      let share = item.logOdds.isFinite ? max(0, item.logOdds) / most : 0
      let drawn = Int((share * Double(room)).rounded())
      let blocks = String(repeating: "█", count: drawn)
      let side = bar.map { item.logOdds >= $0 ? "above" : "below" } ?? ""
      let number = TerminalPage.rightAligned(ReportWords.logOdds(item.logOdds), 8)
      page.line(
        TerminalPage.padded(ReportWords.label(item.family), 10) + number + "  "
          + (side.isEmpty ? blocks : TerminalPage.padded(blocks, room) + "  " + side), indent: 4)
    }
    let prior = entry.score - entry.families.reduce(0) { $0 + $1.logOdds }
    page.line(
      TerminalPage.padded("prior", 10) + TerminalPage.rightAligned(ReportWords.logOdds(prior), 8), indent: 4)
    page.line(
      TerminalPage.padded("score", 10) + TerminalPage.rightAligned(ReportWords.logOdds(entry.score), 8), indent: 4)
    page.blank()
  }

  private func finding(_ finding: Finding, _ inputs: [InputSummary], on page: inout TerminalPage) {
    page.paragraph(finding.summary, indent: 4, style: .bold)
    let conclusive = finding.isConclusive ? ", conclusive by itself" : ""
    page.entry(
      "Rule",
      "\(finding.detector) v\(finding.version), \(ReportWords.label(finding.family)), "
        + "log-odds \(ReportWords.logOdds(finding.logOdds))\(conclusive)", indent: 4)
    if let botnet = finding.botnet { page.entry("Botnet", botnet, indent: 4) }
    if let peer = finding.peer {
      page.entry("Peer", peer.description + (finding.peerName.map { " (\($0))" } ?? ""), indent: 4)
    }
    for item in finding.suppressions {
      page.entry(
        "Lowered", "by \(ReportWords.logOdds(item.nats)): \(item.because) (--undo \(item.kind.rawValue))", indent: 4)
    }
    page.entry("Seen", ReportWords.longSpan(finding.first, finding.last), indent: 4)
    measures(finding.measures, on: &page)
    flows(finding.evidence, inputs, on: &page)
    page.entry("Refuted by", finding.refutedBy, indent: 4)
    page.entry("Id", finding.id, indent: 4)
  }

  private func measures(_ measures: [Measure], on page: inout TerminalPage) {
    guard !measures.isEmpty else { return }
    page.line([.init("Measured", .dim)], indent: 4)
    let values = measures.map { ReportWords.quantity($0.value, $0.unit) }
    let limits = measures.map { m in
      m.threshold.map { (m.atLeast ? "at least " : "at most ") + ReportWords.quantity($0, m.unit) } ?? "for context"
    }
    let nameWidth = min(28, measures.map { VisibleText.width(VisibleText.escaped($0.name)) }.max() ?? 0)
    let valueWidth = min(18, values.map { VisibleText.width(VisibleText.escaped($0)) }.max() ?? 0)
    let limitWidth = min(22, limits.map { VisibleText.width(VisibleText.escaped($0)) }.max() ?? 0)
    for (i, measure) in measures.enumerated() {
      let met = measure.isMet.map { $0 ? "  met" : "  not met" } ?? ""
      page.line(
        [
          .init(
            TerminalPage.padded(ReportWords.spaced(measure.name), nameWidth) + "  "
              + TerminalPage.rightAligned(values[i], valueWidth)),
          .init("  " + (met.isEmpty ? limits[i] : TerminalPage.padded(limits[i], limitWidth)), .dim), .init(met),
        ], indent: 6)
    }
  }

  private func flows(_ flows: [EvidenceFlow], _ inputs: [InputSummary], on page: inout TerminalPage) {
    guard !flows.isEmpty else { return }
    page.line([.init("Sample records", .dim)], indent: 4)
    for flow in flows.prefix(Limits.evidenceFlowsPerFinding) {
      var text = "\(flow.time.dayDescription) \(ReportWords.clock(flow.time, milliseconds: true))  "
      text += "\(flow.sourceText) → \(flow.destinationText) \(flow.transport)"
      if flow.octets > 0 { text += ", \(ReportWords.octets(flow.octets))" }
      if flow.state != .unknown { text += ", \(ReportWords.name(flow.state))" }
      page.paragraph(text, indent: 6, hanging: 8)
      let path = flow.origin.path(in: inputs) ?? "input \(flow.origin.input)"
      page.line([.init(flow.communityID, .dim)], indent: 8)
      page.paragraph("record \(flow.origin.record) of \(path)", indent: 8, hanging: 10, style: .dim)
      if !flow.note.isEmpty { page.paragraph(flow.note, indent: 8, hanging: 10) }
    }
  }
}

extension TableExporter {
  private func activity(_ entry: HostDay, on page: inout TerminalPage) {
    let a = entry.activity
    page.line([.init("ACTIVITY", .bold)], indent: 2)
    page.paragraph(a.sentence, indent: 4)
    sparkline(a.bins, on: &page)
    if !a.topPeers.isEmpty {
      page.line([.init("Busiest peers", .dim)], indent: 4)
      for peer in a.topPeers {
        let port = peer.transport.hasPorts ? " \(peer.transport)/\(peer.port)" : " \(peer.transport)"
        let name = peer.name.map { "  \($0)" } ?? ""
        let count = TerminalPage.rightAligned(ReportWords.grouped(peer.flows), 9)
        let octets = TerminalPage.rightAligned(ReportWords.octets(peer.octets), 8)
        page.line("\(count) flows \(octets)  \(peer.address)\(port)\(name)", indent: 4)
      }
    }
    if !a.topNames.isEmpty {
      page.line([.init("Most asked names", .dim)], indent: 4)
      for item in a.topNames {
        let failed = item.failed > 0 ? "  (\(ReportWords.grouped(item.failed)) failed)" : ""
        page.line(
          "\(TerminalPage.rightAligned(ReportWords.grouped(item.lookups), 9)) look-ups  \(item.name)\(failed)",
          indent: 4)
      }
    }
  }

  /// The 96 quarter hours of the day; in a narrow page two, three or four share a column.
  private func sparkline(_ bins: [UInt32], on page: inout TerminalPage) {
    let perColumn = [1, 2, 3, 4].first { HostActivity.binCount / $0 <= page.width - 6 } ?? 4
    var columns: [UInt64] = []
    for start in stride(from: 0, to: bins.count, by: perColumn) {
      columns.append(bins[start..<min(start + perColumn, bins.count)].reduce(0) { $0 &+ UInt64($1) })
    }
    guard let most = columns.max(), most > 0 else { return }
    let marks = Array("▁▂▃▄▅▆▇█".unicodeScalars)
    var line = ""
    for n in columns {
      let step = Int((Double(n) / Double(most) * 7).rounded(.up))
      line.unicodeScalars.append(n == 0 ? "·" : marks[max(0, min(7, step))])
    }
    page.line(line, indent: 4)
    var scale = ""
    for hour in stride(from: 0, to: 18, by: 6) { scale += TerminalPage.padded(pad(hour, 2) + "h", 24 / perColumn) }
    scale += "18h"
    page.line([.init(scale, .dim)], indent: 4)
    let minutes = perColumn * 15
    page.line([.init("flows begun per \(minutes) min, at most \(ReportWords.grouped(most))", .dim)], indent: 4)
  }
}

extension EvidenceFlow {
  /// Address and port as one writes them: IPv6 in brackets (RFC 3986), ICMP without ports.
  var sourceText: String { Self.text(source, transport.hasPorts ? sourcePort : nil) }
  var destinationText: String { Self.text(destination, transport.hasPorts ? destinationPort : nil) }

  private static func text(_ address: IPAddress, _ port: UInt16?) -> String {
    guard let port else { return address.description }
    return address.isV4 ? "\(address):\(port)" : "[\(address)]:\(port)"
  }
}

extension HostActivity {
  /// What the host did that day, in one sentence.
  package var sentence: String {
    guard flows > 0 || dnsLookups > 0 else { return "Nothing was seen of it on this day." }
    var text = ReportWords.isSet(first) ? "Active \(ReportWords.longSpan(first, last)): " : ""
    text += "\(ReportWords.count(flows, "flow", "flows")), \(ReportWords.grouped(outboundFlows)) begun by it toward "
    text += "\(ReportWords.count(peers, "peer", "peers")), \(ReportWords.grouped(answeredFlows)) answered; "
    text += "\(ReportWords.octets(octetsOut)) out, \(ReportWords.octets(octetsIn)) in; "
    return text + ReportWords.count(dnsLookups, "DNS look-up", "DNS look-ups") + "."
  }
}
