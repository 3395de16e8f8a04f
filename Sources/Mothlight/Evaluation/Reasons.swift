/// Why a truth row was not met, drawn from the report alone: the verdict's reason, the strongest findings with their numbers
/// beside the thresholds, and what such an input cannot show.
struct Reasons {
  let row: TruthRow
  let report: Report
  private static let findingsShown = 3
  private static let flowsTelling: UInt64 = 20

  func lines(_ days: [HostDay], _ strongest: HostDay?, _ result: RowEvaluation) -> [String] {
    if row.truth.isRefusal { return refusal(days, result) }
    guard let day = strongest else { return unseen() + noted }
    var lines = ["Verdict on \(day.host): \(day.reason)"]
    if row.truth == .clean || result.outcome == .misnamed {
      lines += day.deciding(bar: report.bar).prefix(Self.findingsShown).map(describe)
      if result.outcome == .misnamed { lines.append("It was named \(result.botnets.joined(separator: ", ")).") }
    } else {
      let findings = day.findings.filter { $0.logOdds > 0 }.prefix(Self.findingsShown)
      lines += findings.isEmpty ? ["No detector had anything to say about it."] : findings.map(describe)
      let all = HostTotals(days.filter { $0.host == day.host }, home: report.home)
      lines.append(all.description)
      lines += limits(all, day.host)
    }
    return lines + noted
  }

  private var noted: [String] { row.note.isEmpty ? [] : ["The truth's own note: \(row.note)"] }

  private func refusal(_ days: [HostDay], _ result: RowEvaluation) -> [String] {
    var lines: [String] = []
    if result.message == nil { lines.append("The input gave neither an error nor a warning.") }
    let least: Verdict = row.truth == .notEnoughData ? .noSign : .suspicious
    for day in days.filter({ $0.verdict >= least }).prefix(Self.findingsShown) {
      lines.append("\(day.host) was scored all the same, \(ReportWords.label(day.verdict)): \(day.reason)")
    }
    return lines + noted
  }

  private func unseen() -> [String] {
    var lines = report.inputs.compactMap(\.error).prefix(2).map { "Not read: \($0.message)" }
    if let host = row.host {
      let home = report.home.map(\.description).joined(separator: ", ")
      lines.append(
        "\(host) was never seen to speak as one of ours; the home network "
          + "\(report.homeWasGiven ? "given" : "learned") is \(home.isEmpty ? "empty" : home).")
    } else {
      lines.append("No internal host was seen to speak.")
    }
    return lines
  }

  /// One finding: weight against the bar, summary, numbers against thresholds.
  private func describe(_ finding: Finding) -> String {
    var text = "\(finding.detector), \(ReportWords.label(finding.family)), "
    text += "\(ReportWords.logOdds(finding.logOdds)) where \(ReportWords.logOdds(report.bar)) is the bar"
    if finding.isConclusive { text += ", an exact match" }
    text += ": \(finding.summary)"
    let numbers = finding.measures.compactMap { measure -> String? in
      guard let threshold = measure.threshold, let isMet = measure.isMet else { return nil }
      let need = "\(measure.atLeast ? "at least" : "at most") \(ReportWords.quantity(threshold, measure.unit))"
      let value = ReportWords.quantity(measure.value, measure.unit)
      return "\(ReportWords.spaced(measure.name)) \(value) (\(need)\(isMet ? "" : ": not met"))"
    }
    return numbers.isEmpty ? text : text + " [\(numbers.joined(separator: "; "))]"
  }

  /// What this input cannot show, whatever is asked of it.
  private func limits(_ all: HostTotals, _ host: IPAddress) -> [String] {
    var lines: [String] = []
    if all.flows >= Self.flowsTelling {
      if all.octetsOut == 0, all.octetsIn > 0 {
        lines.append(
          "Seen from the victim: \(ReportWords.octets(all.octetsIn)) that others sent to it are in the input, and nothing "
            + "that it sent. Being a target is no sign of infection.")
      } else if all.innerFlows >= all.flows / 2 {
        lines.append(
          "It talks to the inside: \(ReportWords.grouped(all.innerFlows)) of its flows go to the home network, "
            + "most to \(all.innerPeer). What lies behind a proxy is not in connection records.")
      } else if all.outbound <= all.flows / 10 {
        lines.append(
          "Seen from the victim: \(ReportWords.grouped(all.flows &- all.outbound)) of its \(ReportWords.grouped(all.flows)) "
            + "flows were not begun by it toward the outside. Being a target is no sign of infection.")
      }
      if all.octetsOut > 0, all.octetsIn == 0, all.answered == 0 {
        lines.append("One-sided view: only its own packets are in the input, so dead and living peers look alike.")
      }
    }
    if all.lookups == 0 { lines.append("No look-up of it is in the input: what it asks the DNS cannot be judged.") }
    if report.inputs.allSatisfy({ Self.carriesFlowsOnly($0) }) {
      lines.append("Flow records only: what it says and the names it uses are not in the input.")
    }
    if report.inputs.contains(where: \.isSampled) { lines.append("The source is sampled.") }
    return lines + keptOut(of: host)
  }

  /// Findings that did not reach the verdict, by what kept them out.
  private func keptOut(of host: IPAddress) -> [String] {
    let hidden = report.hidden.filter { $0.finding.host == host }.map(\.suppression)
    guard !hidden.isEmpty else { return [] }
    let causes: [(kind: Suppression.Kind?, words: String)] = [
      (nil, "by allow rules"), (.prevalence, "as what many machines here do"), (.knownService, "as a known service"),
      (.role, "as fits what the machine is"), (.age, "as known here for long"),
    ]
    let parts = causes.compactMap { cause -> String? in
      let count = hidden.count { $0 == cause.kind }
      return count > 0 ? "\(ReportWords.grouped(count)) \(cause.words)" : nil
    }
    let all = ReportWords.count(hidden.count, "finding", "findings")
    return ["\(all) kept out of the verdict: \(parts.joined(separator: ", "))."]
  }

  private static func carriesFlowsOnly(_ input: InputSummary) -> Bool {
    input.used == 0 || ["binetflow", "nfcapd"].contains { input.format.hasPrefix($0) }
      || input.format.hasSuffix(" conn")
  }
}

/// What was seen of one host over all its days.
private struct HostTotals: CustomStringConvertible {
  let host: String
  let days: Int
  private(set) var first = Timestamp.distantFuture
  private(set) var last = Timestamp.distantPast
  private(set) var flows: UInt64 = 0
  private(set) var outbound: UInt64 = 0
  private(set) var answered: UInt64 = 0
  private(set) var octetsOut: UInt64 = 0
  private(set) var octetsIn: UInt64 = 0
  private(set) var lookups: UInt64 = 0
  private(set) var peers: UInt32 = 0
  /// Flows to its busiest peers inside the home network, and the busiest of these.
  private(set) var innerFlows: UInt64 = 0
  private(set) var innerPeer = ""

  init(_ days: [HostDay], home: [Prefix]) {
    host = days.first?.host.description ?? ""
    self.days = days.count
    for day in days {
      let a = day.activity
      first = min(first, a.first)
      last = max(last, a.last)
      flows &+= a.flows
      outbound &+= a.outboundFlows
      answered &+= a.answeredFlows
      octetsOut &+= a.octetsOut
      octetsIn &+= a.octetsIn
      lookups &+= a.dnsLookups
      self.peers = max(self.peers, a.peers)
    }
    // Busiest peers are those of the whole run, the same on every day.
    // Every network has its resolver inside; that hides nothing.
    let peers = days.first?.activity.topPeers ?? []
    let inner = peers.filter { peer in peer.port != 53 && home.contains { $0.contains(peer.address) } }
    innerFlows = inner.reduce(0) { $0 &+ UInt64($1.flows) }
    innerPeer = inner.first.map { "\($0.address) port \($0.port)" } ?? ""
  }

  var description: String {
    "Seen of \(host) on \(ReportWords.count(days, "day", "days")): \(ReportWords.count(flows, "flow", "flows")) in "
      + "\(ReportWords.duration(max(0, last.seconds(since: first)))), \(ReportWords.grouped(outbound)) of them begun by it "
      + "toward the outside, \(ReportWords.grouped(answered)) answered; \(ReportWords.octets(octetsOut)) out, "
      + "\(ReportWords.octets(octetsIn)) in; \(ReportWords.count(peers, "peer", "peers")), "
      + "\(ReportWords.count(lookups, "look-up", "look-ups"))."
  }
}
