/// What the registry says, for a terminal.
public struct RegistryPage: Sendable {
  private var page: TerminalPage
  private let time: Timestamp

  /// - Parameter tlp: stands at the head.
  public init(width: Int, colour: Bool, at time: Timestamp, tlp: TLP = RegistryMarking.contents) {
    page = TerminalPage(width: width, colour: colour)
    self.time = time
    page.line(tlp.marking)
  }

  public mutating func list(_ rows: [BotnetSummary], of total: Int, expiryDays: Int) -> String {
    let nameWidth = max(12, min(34, page.width - 78))
    page.heading(
      columns([
        ("NAME", nameWidth), ("KIND", 8), ("STATUS", 10), ("5/10/30", 8), ("LAST LIFE", 11), ("C2", 6), ("SOURCES", 8),
        ("MACHINES", 0),
      ]))
    for row in rows {
      let life = BotnetStatus.lastLife(row.evidence, at: time)
      let active = BotnetStatus.expiries.map { days in isAlive(life, days) ? "x" : "-" }.joined(separator: " ")
      page.line(
        columns([
          (row.name, nameWidth), (row.kind.rawValue, 8), (row.standing(at: time, expiryDays: expiryDays).rawValue, 10),
          (active, 8), (life?.dayDescription ?? "never", 11), ("\(row.serverClaims)", 6), ("\(row.sources)", 8),
          (row.size.map { brief($0.figure) } ?? "-", 0),
        ]))
    }
    page.blank()
    page.line("\(rows.count) of \(total) rows; status at \(time.dayDescription) with an expiry of \(expiryDays) days")
    return page.drain()
  }

  public mutating func search(_ hits: [BotnetHit]) -> String {
    for hit in hits {
      var how =
        switch hit.how {
        case .exact, .beginning, .part: ""
        case .typing: "\(hit.errors) typing error\(hit.errors == 1 ? "" : "s")"
        case .text: "in its notes or references"
        }
      if hit.matched != hit.name { how = "as \(hit.matched)\(how.isEmpty ? "" : ", ")" + how }
      page.line(columns([(hit.name, 28), (hit.kind.rawValue, 9), (hit.id, 37), (how, 0)]))
    }
    return page.drain()
  }

  public mutating func matches(_ answers: [(asked: String, hits: [IndicatorHit])]) -> String {
    for answer in answers where !answer.hits.isEmpty || answers.count == 1 {
      page.heading(answer.asked)
      if answer.hits.isEmpty { page.line("not in the registry", indent: 2) }
      for hit in answer.hits {
        let how = hit.how == .exact ? "" : hit.how.rawValue.replacing("_", with: " ") + " "
        let name = hit.botnet ?? (hit.claim.malware.isEmpty ? "no botnet named" : hit.claim.malware)
        page.paragraph("\(name): \(how)\(words(hit.claim))", indent: 2, hanging: 4)
      }
    }
    if answers.count != 1 {
      page.line("\(answers.count { !$0.hits.isEmpty }) of \(answers.count) values are in the registry")
    }
    return page.drain()
  }

  public mutating func show(_ botnet: Botnet, serversShown: Int = 20) -> String {
    page.heading(botnet.name)
    page.entry("id", botnet.id)
    page.entry("kind", "\(botnet.kind.value.rawValue)  \(from(botnet.kind.origin))")
    let life = BotnetStatus.lastLife(botnet.evidence, at: time)
    let standings = BotnetStatus.expiries.map { "\(botnet.standing(at: time, expiryDays: $0).rawValue) (\($0) days)" }
    page.entry("status", standings.joined(separator: ", "))
    page.entry("last life", life.map { $0.description } ?? "no command server answered, and no machines were counted")
    for item in botnet.evidence {
      page.entry("evidence", "\(item.kind.rawValue): \(item.items) \(span(item.first, item.last))  [\(item.source)]")
    }
    for name in botnet.names {
      let other = name.ownedBy.map { ", a name that look-ups take to \($0)" } ?? ""
      page.entry("name", "\(name.text)  \(from(name.origin))\(other)")
    }
    for identifier in botnet.identifiers {
      page.entry("known as", "\(identifier.value.scheme) \(identifier.value.value)  \(from(identifier.origin))")
    }
    for relation in botnet.relations {
      let target = relation.value.targetName ?? relation.value.target
      page.entry(relation.value.kind, "\(target)  \(from(relation.origin))")
    }
    for (label, values) in [
      ("protocol", botnet.protocols), ("dated", botnet.dated), ("note", botnet.notes), ("reference", botnet.references),
    ] {
      for value in values { page.entry(label, "\(value.value)  \(from(value.origin))") }
    }
    for takedown in botnet.takedowns {
      let method = takedown.method.isEmpty ? "" : ", \(takedown.method)"
      let day = Timestamp.describe(day: takedown.day)
      page.entry("takedown", "\(day) \(takedown.outcome.rawValue) by \(takedown.by)\(method)  \(from(takedown.origin))")
    }
    for size in botnet.sizes.suffix(40) {
      page.entry(size.figure.kind.rawValue, "\(words(size.figure))  \(from(size.origin))")
    }
    showIndicators(botnet, serversShown)
    return page.drain()
  }

  private mutating func showIndicators(_ botnet: Botnet, _ shown: Int) {
    let servers = botnet.servers
    for claim in servers.prefix(shown) { page.entry("c2", words(claim)) }
    if servers.count > shown { page.entry("", "and \(servers.count - shown) more claims of command servers") }
    let others = botnet.indicators.filter { $0.role != .server }
    for role in IndicatorClaim.Role.allCases {
      let count = others.count { $0.role == role }
      if count > 0 { page.entry(role.rawValue, "\(count) claims; --format json lists them") }
    }
    if botnet.indicatorsLeftOut > 0 { page.entry("", "\(botnet.indicatorsLeftOut) more claims were not read") }
  }

  public mutating func curve(_ curve: ActivityCurve) -> String {
    page.heading(
      columns([
        ("EXPIRY", 9), ("ACTIVE", 8), ("BOTNET", 8), ("VARIANT", 8), ("FAMILY", 8), ("TOOL", 6), ("CONFIRMED", 11),
        ("C2", 8), ("ONE/TWO SAW", 13), ("AT LEAST", 0),
      ]))
    for point in curve.points {
      let mark = BotnetStatus.expiries.contains(point.expiryDays) ? "*" : ""
      let bound =
        point.lowerBound.map { "\(whole($0.value)) (\(whole($0.low))-\(whole($0.high)))" } ?? "one source: not known"
      let kinds = Botnet.Kind.allCases.map { "\(point.active[$0] ?? 0)" }
      page.line(
        columns([
          ("\(point.expiryDays) d\(mark)", 9), ("\(point.total)", 8), (kinds[0], 8), (kinds[1], 8), (kinds[2], 8),
          (kinds[3], 6), ("\(point.confirmed)", 11), ("\(point.servers)", 8),
          ("\(point.seenOnce)/\(point.seenTwice)", 13),
          (bound, 0),
        ]))
    }
    page.blank()
    page.paragraph(
      "Rows with a sign of life at \(time.dayDescription) within the expiry. A family is malware that several botnets may run, "
        + "and a C2 is a server: neither is a botnet. AT LEAST is Chao's lower bound with the unseen, over publishers.")
    return page.drain()
  }

  public mutating func suggestions(_ all: [OverlapSuggestion]) -> String {
    for suggestion in all {
      switch suggestion {
      case .merge(let a, let b, let overlap):
        let range = overlap.jaccardRange.map { " (\(share($0.lowerBound))-\(share($0.upperBound)))" } ?? ""
        page.paragraph(
          "\(a) and \(b) may be one: \(share(overlap.jaccard ?? 0))\(range) of their machines are live in both in the same hour, "
            + "\(overlap.sharedUnits) units over \(overlap.hours) common hours", hanging: 2)
      case .split(let botnet, let groups):
        let parts = groups.map { $0.joined(separator: " ") }.joined(separator: " | ")
        page.paragraph("\(botnet) may be \(groups.count): these servers share no machines: \(parts)", hanging: 2)
      }
    }
    if all.isEmpty { page.line("nothing to suggest") }
    return page.drain()
  }

  public mutating func changes(_ changes: RegistryChanges, shown: Int) -> String {
    for line in changes.lines.prefix(shown) { page.line(line) }
    let more = changes.lines.count - min(shown, changes.lines.count) + changes.linesRefused
    if more > 0 { page.line("and \(more) more; --format json lists them") }
    if changes.isEmpty {
      page.line("nothing changed")
    } else {
      for (word, counts) in [("new", changes.added), ("changed", changes.changed)] {
        let parts = RegistryChanges.Subject.allCases.compactMap { subject in
          counts[subject].map { "\($0) \(subject.rawValue)" }
        }
        if !parts.isEmpty { page.paragraph("\(word): \(parts.joined(separator: ", "))", hanging: 2) }
      }
    }
    return page.drain()
  }
}

// MARK: Words

extension RegistryPage {
  /// Texts beside each other; a width of 0 takes the rest.
  private func columns(_ parts: [(text: String, width: Int)]) -> String {
    parts.map { $0.width > 0 ? TerminalPage.padded($0.text, $0.width - 1) + " " : $0.text }.joined()
  }

  private func isAlive(_ life: Timestamp?, _ days: Int) -> Bool {
    life.map { time.seconds(since: $0) <= Double(days) * 86_400 } ?? false
  }

  private func from(_ origin: Origin) -> String { "[\(origin.source) \(origin.date.dayDescription)]" }

  private func span(_ first: Timestamp?, _ last: Timestamp?) -> String {
    switch (first, last) {
    case (let first?, let last?) where first.day != last.day: "\(first.dayDescription) to \(last.dayDescription)"
    case (let day?, _), (nil, let day?): day.dayDescription
    case (nil, nil): ""
    }
  }

  private func words(_ claim: IndicatorClaim) -> String {
    var out =
      "\(claim.indicator.kind.rawValue.replacing("_", with: " ")) \(claim.indicator.value), \(claim.role.rawValue)"
    let seen = span(claim.firstSeen, claim.lastSeen)
    if !seen.isEmpty { out += ", \(seen)" }
    if let isOnline = claim.isOnline { out += isOnline ? ", online" : ", offline" }
    if let confidence = claim.confidence { out += ", confidence \(confidence)" }
    if !claim.malware.isEmpty { out += ", as \(claim.malware)" }
    if let reference = claim.reference { out += ", \(reference)" }
    return out + "  " + from(claim.origin)
  }

  private func words(_ figure: CensusFigure) -> String {
    let first = Timestamp(seconds: Int64(figure.hours.lowerBound) * 3600)
    let window = "\(first.dayDescription), \(figure.hours.count) h"
    return "\(brief(figure)) machines, \(whole(figure.addresses)) addresses, grade \(figure.grade.rawValue), \(window)"
  }

  private func brief(_ figure: CensusFigure) -> String {
    guard let range = figure.machines else { return figure.atMost.map { "at most \(whole($0))" } ?? "not known" }
    return "\(whole(range.value)) (\(whole(range.low))-\(whole(range.high))) \(figure.kind.rawValue)"
  }

  private func whole(_ number: Double) -> String {
    guard number.isFinite, abs(number) < 1e15 else { return "?" }
    return String(Int(number.rounded()))
  }

  private func share(_ number: Double) -> String { "\(whole(number * 100)) %" }
}
