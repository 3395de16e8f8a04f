/// A census for a person at a terminal: how many, on what grounds, and what must not be concluded.
public struct CensusTableExporter: CensusExporter {
  public static let card = ExporterCard(name: "table", title: "the census for a terminal; the default")
  /// Countries and networks listed before the rest is only counted.
  static let placesShown = 15
  let settings: ExporterSettings

  public init(_ settings: ExporterSettings) { self.settings = settings }

  /// - Throws: only what `write` throws.
  public func export(_ edition: CensusEdition, to write: (String) throws -> Void) throws {
    var page = TerminalPage(width: settings.width, colour: settings.colour)
    let digest = CensusDigest(edition)
    let report = edition.report
    page.line([.init("Mothlight \(edition.version)", .bold), .init("  census of "), .init(report.botnet, .bold)])
    page.line([.init(CensusWords.window(report.hours), .dim)])
    page.paragraph("\(digest.sensorWords); \(digest.droppedWords)", style: .dim)
    page.blank()
    if edition.hidden.isAll {
      page.paragraph(CensusWords.caveat("below_ten"), style: .bold)
    } else {
      quantities(digest, on: &page)
      caveats(report, on: &page)
      places(edition, digest, on: &page)
      outlook(edition, on: &page)
      grounds(digest, on: &page)
    }
    try write(page.drain())
  }

  private func quantities(_ digest: CensusDigest, on page: inout TerminalPage) {
    page.heading("HOW MANY MACHINES")
    let report = digest.report
    let head =
      TerminalPage.padded("", 22) + TerminalPage.rightAligned("MACHINES", 13)
      + TerminalPage.rightAligned("95 % INTERVAL", 22) + TerminalPage.rightAligned("ADDRESSES", 13)
      + TerminalPage.rightAligned("FACTOR", 8) + "  GRADE"
    page.line([.init(head, .dim)], indent: 2)
    row("live, typical hour", digest.typical ?? report.live.first, on: &page)
    row("live, peak hour", digest.peak, on: &page)
    row("live, last hour", digest.last, on: &page)
    row("active, typical day", digest.active, on: &page)
    row("infected, on or off", digest.stock, on: &page)
    row("footprint", report.footprint, on: &page)
    page.paragraph(
      "Factor: addresses for each machine. Addresses are not machines: changing ones count a machine many times, shared "
        + "ones hide many.", indent: 2, style: .dim)
    page.blank()
  }

  private func row(_ name: String, _ figure: CensusFigure?, on page: inout TerminalPage) {
    guard let figure else { return }
    var spans = [TerminalPage.Span(TerminalPage.padded(name, 22))]
    if let machines = figure.machines {
      spans.append(.init(TerminalPage.rightAligned(CensusWords.machines(machines.value), 13), .bold))
      spans.append(.init(TerminalPage.rightAligned(CensusWords.interval(machines), 22)))
    } else {
      let most = figure.atMost.map { "at most \(CensusWords.machines($0))" } ?? ""
      spans.append(.init(TerminalPage.rightAligned("not stated", 13), .suspicious))
      spans.append(.init(TerminalPage.rightAligned(most, 22)))
    }
    spans.append(.init(TerminalPage.rightAligned(CensusWords.machines(figure.addresses), 13)))
    spans.append(.init(TerminalPage.rightAligned(CensusWords.factor(figure.inflation), 8)))
    spans.append(.init("  " + figure.grade.rawValue, .dim))
    page.line(spans, indent: 2)
  }

  private func caveats(_ report: CensusReport, on page: inout TerminalPage) {
    guard !report.caveats.isEmpty else { return }
    page.heading("BEFORE YOU QUOTE IT")
    for caveat in report.caveats {
      let refusal = caveat.refuses.map { " (no \($0.rawValue) stated)" } ?? ""
      page.paragraph("! \(caveat.text)\(refusal)", indent: 2, hanging: 4, style: .suspicious)
    }
    page.blank()
  }

  private func outlook(_ edition: CensusEdition, on page: inout TerminalPage) {
    if let trend = edition.trend {
      page.heading("TREND")
      page.paragraph(trend.headline, indent: 2)
      for text in trend.outlook { page.paragraph(text, indent: 2, style: .dim) }
      page.blank()
    }
    if let firepower = edition.firepower {
      page.heading("FIREPOWER")
      page.paragraph("Peak hour: \(firepower.peak.rate.words)", indent: 2)
      page.paragraph("Typical hour: \(firepower.typical.rate.words)", indent: 2)
      for flag in firepower.flags { page.paragraph("! \(flag.text)", indent: 2, hanging: 4, style: .suspicious) }
      page.paragraph(Firepower.limits, indent: 2, style: .dim)
      page.blank()
    }
  }

  private func grounds(_ digest: CensusDigest, on page: inout TerminalPage) {
    page.heading("WHAT IT RESTS ON")
    for (name, text) in digest.grounds { page.entry(name, text, gap: 22) }
  }
}

extension CensusTableExporter {
  private func places(_ edition: CensusEdition, _ digest: CensusDigest, on page: inout TerminalPage) {
    let report = digest.report
    let what = digest.ranksByFootprint ? "footprint" : "mean live"
    let ranks = digest.ranks
    let shown = settings.showAll ? ranks[...] : ranks.prefix(Self.placesShown)
    if !shown.isEmpty {
      page.heading("COUNTRIES, \(what.uppercased())")
      head("COUNTRY", on: &page)
      for rank in shown {
        place(digest.figure(rank.part), rank.part, "\(rank.byMachines)", "\(rank.byAddresses)", on: &page)
      }
      rest(ranks.count - shown.count, "countries", on: &page)
    }
    if edition.hidden.countries > 0 {
      page.paragraph(
        "\(ReportWords.count(edition.hidden.countries, "country", "countries")) hidden: small cells, and what would give them away.",
        indent: 2, style: .dim)
    }
    if !ranks.isEmpty || edition.hidden.countries > 0 { page.blank() }
    guard !report.systems.isEmpty else { return }
    let systems = settings.showAll ? report.systems[...] : report.systems.prefix(Self.placesShown)
    page.heading("NETWORKS, FOOTPRINT")
    head("NETWORK", on: &page)
    for part in systems { place(part.footprint, part, "", "", on: &page) }
    rest(report.systems.count - systems.count, "networks", on: &page)
    page.blank()
  }

  private func head(_ name: String, on page: inout TerminalPage) {
    let text =
      TerminalPage.padded(name, 22) + TerminalPage.rightAligned("MACHINES", 13)
      + TerminalPage.rightAligned("95 % INTERVAL", 22) + TerminalPage.rightAligned("ADDRESSES", 13)
      + TerminalPage.rightAligned("FACTOR", 8) + (name == "COUNTRY" ? "  RANK (BY ADDRESSES)" : "")
    page.line([.init(text, .dim)], indent: 2)
  }

  private func place(
    _ figure: CensusFigure, _ part: CensusPart, _ rank: String, _ other: String, on page: inout TerminalPage
  ) {
    let most = figure.atMost.map { "at most \(CensusWords.machines($0))" } ?? ""
    var text = TerminalPage.padded(CensusWords.place(part.place), 22)
    text += TerminalPage.rightAligned(figure.machines.map { CensusWords.machines($0.value) } ?? "not stated", 13)
    text += TerminalPage.rightAligned(figure.machines.map(CensusWords.interval) ?? most, 22)
    text += TerminalPage.rightAligned(CensusWords.machines(figure.addresses), 13)
    text += TerminalPage.rightAligned(CensusWords.factor(figure.inflation), 8)
    var tags: [String] = []
    if !rank.isEmpty { tags.append(rank == other ? rank : "\(rank) (\(other))") }
    if part.isAnchor { tags.append("stable") }
    if part.isShared { tags.append("shared") }
    page.line([.init(text), .init("  " + tags.joined(separator: " "), .dim)], indent: 2)
  }

  private func rest(_ count: Int, _ what: String, on page: inout TerminalPage) {
    if count > 0 { page.line("\(ReportWords.grouped(count)) more \(what); --all lists them.", indent: 2) }
  }
}

extension CensusDigest {
  /// What section 8 of the method asks to stand beside a number, as names and sentences.
  var grounds: [(name: String, text: String)] {
    let b = report.basis
    let share = ReportWords.quantity
    var out: [(String, String)] = [
      ("window", CensusWords.window(report.hours)),
      ("evidence", CensusWords.grade(report.footprint.grade) + "; live: \(CensusWords.grade(liveGrade))"),
      (
        "stable networks",
        "\(ReportWords.grouped(b.anchors)) with \(share(b.anchorShare, "share")) of the tags"
      ),
      (
        "shared addresses",
        "\(CensusWords.label(b.sharing)); \(ReportWords.decimals(b.machinesPerAddress, 2)) machines for an address in an hour; "
          + "\(share(b.sharedShare, "share")) of the tags in shared networks"
      ),
      ("seen of the live", share(b.visibility, "share")),
      ("dropped", droppedWords),
      ("sensors", sensorWords),
    ]
    let silent = b.silentHours.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
    out.append(
      (
        "silent hours",
        silent.isEmpty
          ? "none" : silent.map { "\($0.key): \(ReportWords.count($0.value.count, "hour", "hours"))" }.joined(separator: ", ")
      ))
    if let seconds = b.checkInSeconds { out.append(("check-in", "every \(ReportWords.duration(seconds))")) }
    out.append(
      (
        "identities last",
        b.identityLifeHours.map { ReportWords.duration($0 * 3600) + " (median)" } ?? "no identity in the protocol"
      ))
    out.append(("kept of the tags", b.theta >= 1 ? "all" : share(b.theta, "share") + ", chosen by hash"))
    return out
  }
}
