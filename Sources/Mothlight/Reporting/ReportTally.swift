/// The counts that every output opens with. A host counts once, by the strongest verdict of its days.
struct ReportTally: Sendable {
  var hosts = 0
  var infected = 0
  var suspicious = 0
  var noSign = 0
  var notEnoughData = 0
  var findings = 0
  var flows: UInt64 = 0
  var lookups: UInt64 = 0
  var records: UInt64 = 0
  var used: UInt64 = 0
  var skipped: UInt64 = 0
  var unparsed: UInt64 = 0
  var first: Timestamp?
  var last: Timestamp?
  /// Hosts without a sign on any day, and hosts too little was seen of, each in order of appearance.
  var noSignHosts: [IPAddress] = []
  var unjudgedHosts: [(host: IPAddress, reason: String)] = []
  var isSampled = false
  var clockIsRelative = false

  var flagged: Int { infected + suspicious }

  init(_ report: Report) {
    var strongest: [IPAddress: Verdict] = [:]
    strongest.reserveCapacity(report.hosts.count)
    // By place: a host-day is a dozen references, and a copy counts each up and down.
    for i in report.hosts.indices {
      strongest[report.hosts[i].host, default: .notEnoughData].rise(to: report.hosts[i].verdict)
      findings &+= report.hosts[i].findings.count
      flows &+= report.hosts[i].activity.flows
      lookups &+= report.hosts[i].activity.dnsLookups
    }
    hosts = strongest.count
    for i in report.hosts.indices {
      let host = report.hosts[i].host
      guard let verdict = strongest.removeValue(forKey: host) else { continue }
      switch verdict {
      case .infected: infected += 1
      case .suspicious: suspicious += 1
      case .noSign:
        noSign += 1
        noSignHosts.append(host)
      case .notEnoughData:
        notEnoughData += 1
        unjudgedHosts.append((host, report.hosts[i].reason))
      }
    }
    for input in report.inputs {
      records &+= input.records
      used &+= input.used
      skipped &+= input.skipped.values.reduce(0, &+)
      unparsed &+= input.unparsed
      if let t = input.first { first = min(first ?? t, t) }
      if let t = input.last { last = max(last ?? t, t) }
      isSampled = isSampled || input.isSampled
      clockIsRelative = clockIsRelative || input.clockIsRelative
    }
  }

  /// Reasons of unjudged hosts, most common first. Reasons that differ in their numbers only are one; its first wording stands.
  var unjudgedReasons: [(reason: String, hosts: Int)] {
    var index: [String: Int] = [:]
    var out: [(reason: String, hosts: Int)] = []
    for entry in unjudgedHosts {
      let key = Self.withoutNumbers(entry.reason)
      if let i = index[key] {
        out[i].hosts += 1
      } else {
        index[key] = out.count
        out.append((entry.reason, 1))
      }
    }
    return out.enumerated().sorted { ($1.element.hosts, $0.offset) < ($0.element.hosts, $1.offset) }.map(\.element)
  }

  private static func withoutNumbers(_ text: String) -> String {
    var out = ""
    var inNumber = false
    for scalar in text.unicodeScalars {
      let digit = scalar.value >= 0x30 && scalar.value <= 0x39
      if digit {
        if !inNumber { out += "#" }
      } else {
        out.unicodeScalars.append(scalar)
      }
      inNumber = digit
    }
    return out
  }
}

extension ReportTally {
  /// The answer in one sentence.
  var headline: String {
    let machines = hosts == 1 ? "1 machine" : "\(ReportWords.grouped(hosts)) machines"
    if used == 0 { return "Nothing could be read, so nothing is said about any machine" }
    if hosts == 0 { return "No machine of the home network was seen" }
    if flagged > 0, infected == 0 {
      return
        "\(ReportWords.grouped(suspicious)) of \(machines) \(suspicious == 1 ? "is" : "are") suspicious; none is called infected"
    }
    if flagged > 0 {
      return "\(ReportWords.grouped(flagged)) of \(machines) \(flagged == 1 ? "shows" : "show") signs of infection"
    }
    if noSign == 0 { return "Too little was seen to judge any of \(machines)" }
    if notEnoughData == 0 { return "No sign of infection was seen in \(machines)" }
    return "No sign of infection was seen in \(ReportWords.grouped(noSign)) of \(machines)"
  }

  /// What the headline rests on, and what it does not say; one paragraph each.
  var meaning: [String] {
    if used == 0 { return ["The reason stands beside each input."] }
    let seen =
      "Seen: \(ReportWords.count(flows, "flow", "flows")) and \(ReportWords.count(lookups, "DNS look-up", "DNS look-ups"))"
      + " of \(ReportWords.count(hosts, "home machine", "home machines"))"
      + (first.flatMap { f in last.map { ", " + ReportWords.longSpan(f, $0) } } ?? "") + "."
    if hosts == 0 {
      return [
        "No address in the records belongs to the home network, so there is nobody to judge. "
          + "Check the home prefixes; a log of one direction or of the outside only gives the same picture."
      ]
    }
    if flagged > 0 { return [seen] }
    var out = [seen]
    if notEnoughData > 0 {
      let n = ReportWords.count(notEnoughData, "machine was", "machines were")
      out.append("\(n) seen too little to be judged; nothing is said about \(notEnoughData == 1 ? "it" : "them").")
    }
    if noSign > 0 {
      out.append(
        "It means: no behaviour that Mothlight tests for rose to its bar in these records. "
          + "It does not mean that the machines are free of malware: a bot that was silent in this time, that hides in ordinary "
          + "encrypted traffic to a popular service, or whose traffic does not pass this sensor, leaves no sign here.")
    }
    return out
  }
}

extension Verdict {
  fileprivate mutating func rise(to other: Verdict) { self = max(self, other) }
}
