import Mothlight

/// Botnets that findings name among our hosts, and what the registry knows by a text.
struct BotnetsPage {
  let frame: Frame
  let day: Int
  let activities: [BotnetActivity]
  /// What the registry has for the text that was asked for; `nil`: there is no registry.
  let summaries: [BotnetSummary]?
  let census: CensusEdition?

  private var ask: Ask { frame.ask }

  var page: String { frame.page("Botnets", .botnets, main) }

  private var main: Markup {
    var out: Markup = """
      <h1>Botnets</h1>
      <p class="lead">What findings of 30 days name among our machines. A machine counts once a day, whatever addresses it spoke to; \
      behaviour alone names nothing.</p>

      """
    if activities.isEmpty {
      out += Parts.empty(
        "No finding of the last 30 days names a botnet.",
        "Machines may be infected all the same: see <a href=\"/hosts\">Hosts</a>.")
    } else {
      out += table
    }
    if let census, let brief = CensusBrief(census) { out += "<h2>Elsewhere</h2>\n\(brief.line)" }
    out += registry
    return out
  }

  private var table: Markup {
    var out: Markup = """
      <div data-live="botnets" class="scroll" role="region" aria-label="Botnets" tabindex="0"><table class="stack">
      <caption>Machines of ours by day, 30 days; most machines first</caption>
      <thead><tr><th scope="col">Botnet</th><th scope="col" class="n">Latest day</th><th scope="col" class="n">30 days</th>\
      <th scope="col">By day</th><th scope="col">Trend</th><th scope="col" class="n">Findings</th><th scope="col">Last seen</th></tr></thead><tbody>

      """
    for activity in activities {
      let spark = Spark(byDay: activity.byDay, days: day - 29...day)
      out += """
        <tr><th scope="row">\(Parts.botnet(activity.name))</th>\
        <td class="n" data-label="latest day">\(ReportWords.grouped(activity.byDay[day] ?? 0))</td>\
        <td class="n" data-label="30 days">\(ReportWords.grouped(activity.hosts))</td><td>\(spark.drawing(activity.name))</td>\
        <td>\(spark.words)</td><td class="n" data-label="findings">\(ReportWords.grouped(activity.findings))</td>\
        <td class="m">\(ReportWords.moment(activity.last))</td></tr>

        """
    }
    out += "</tbody></table></div>\n"
    return out
  }

  private var registry: Markup {
    guard let summaries else { return "" }
    let text = ask.query["q"] ?? ""
    var out: Markup = """
      <section aria-labelledby="registry"><h2 id="registry">In the registry</h2>
      <form class="filter" method="get" action="/botnets"><p><label for="name">Name, or part of one</label>\
      <input id="name" name="q" maxlength="100" value="\(text)"></p><button>Look up</button></form>

      """
    if !text.isEmpty, summaries.isEmpty { out += "<p>The registry has nothing under that name.</p>\n" }
    if !summaries.isEmpty {
      out += """
        <table class="stack"><caption class="vh">Rows of the registry</caption><thead><tr><th scope="col">Name</th><th scope="col">Kind</th>\
        <th scope="col">Standing</th><th scope="col">Last sign of life</th><th scope="col" class="n">Sources</th><th scope="col">Machines</th></tr></thead><tbody>

        """
      for row in summaries {
        let life = BotnetStatus.lastLife(row.evidence, at: ask.now)?.dayDescription ?? "none known"
        out += """
          <tr><th scope="row">\(Parts.botnet(row.name))</th><td>\(row.kind.rawValue)</td>\
          <td>\(row.standing(at: ask.now, expiryDays: 30).rawValue)</td><td class="m">\(life)</td>\
          <td class="n" data-label="sources">\(ReportWords.grouped(row.sources))</td>\
          <td>\(row.size.map { BotnetPage.size($0.figure) } ?? "not counted")</td></tr>

          """
      }
      out += "</tbody></table>\n"
    }
    out += "</section>\n"
    return out
  }
}

/// One botnet: our machines in it, what the registry says and by whom, and how large a census found it.
struct BotnetPage {
  let frame: Frame
  let name: String
  let day: Int
  let activity: BotnetActivity?
  let hosts: [HostDayRow]
  let botnet: Botnet?
  let census: CensusEdition?
  /// Rows of one kind of fact before the rest is only counted.
  private static let rowsShown = 25

  private var ask: Ask { frame.ask }

  var page: String { frame.page(VisibleText.clipped(name, to: 60), .botnets, main) }

  private var main: Markup {
    var out: Markup = "<h1>\(Parts.text(name, columns: Parts.nameColumns))</h1>\n"
    out += ours
    out += size
    out += registry
    return out
  }

  private var ours: Markup {
    guard let activity else {
      return
        "<section><p class=\"lead\">No finding of the last 30 days names it among our machines. That is not a proof that none is in it.</p></section>\n"
    }
    let spark = Spark(byDay: activity.byDay, days: day - 29...day)
    let days = (day - 29...day).map { Overview.Day(day: $0, hosts: [.infected: activity.byDay[$0] ?? 0], new: 0) }
    var out: Markup = """
      <section aria-labelledby="ours" data-live="ours"><h2 id="ours">Our machines</h2>
      <p class="lead"><b>\(ReportWords.count(activity.hosts, "machine", "machines"))</b> in 30 days, \
      \(ReportWords.grouped(activity.byDay[day] ?? 0)) on the latest day. \(String(spark.words.prefix(1)).uppercased() + spark.words.dropFirst()).</p>
      \(MachinesStrip(days: days).figure())

      """
    if !hosts.isEmpty { out += HostRows.table(hosts, caption: "Its machines, newest first; at most \(hosts.count).") }
    out +=
      "<p><a href=\"/hosts?days=30&amp;botnet=\(Form.encoded(name))\">All its host-days</a> · <a href=\"/findings?days=30&amp;botnet=\(Form.encoded(name))\">Findings that name it</a></p></section>\n"
    return out
  }

  private var size: Markup {
    var rows: Markup = ""
    if let census, census.report.botnet.lowercased() == name.lowercased() { rows += CensusBrief(census)?.line ?? "" }
    let sizes = botnet?.sizes.suffix(8) ?? []
    if !sizes.isEmpty {
      rows += """
        <table class="stack"><caption>Ranges are 95 % intervals; a number means nothing without its window and its grade.</caption>\
        <thead><tr><th scope="col">Quantity</th><th scope="col">Machines</th><th scope="col">Addresses</th><th scope="col">Window</th>\
        <th scope="col">Grade</th><th scope="col">Source</th></tr></thead><tbody>

        """
      for item in sizes.reversed() {
        rows += """
          <tr><th scope="row">\(CensusWords.label(item.figure.kind))</th><td>\(Self.size(item.figure))</td>\
          <td>\(CensusWords.machines(item.figure.addresses))</td><td>\(CensusWords.window(item.figure.hours))</td>\
          <td>\(CensusWords.grade(item.figure.grade))</td><td>\(origin(item.origin))</td></tr>

          """
      }
      rows += "</tbody></table>\n"
    }
    guard !rows.text.isEmpty else { return "" }
    return "<section aria-labelledby=\"size\"><h2 id=\"size\">How many machines, by census</h2>\n\(rows)</section>\n"
  }

  /// `34,800 (32,300–37,600)`, or what holds in its place.
  static func size(_ figure: CensusFigure) -> Markup {
    guard let range = figure.machines else {
      return figure.atMost.map { "not stated; at most \(CensusWords.machines($0))" } ?? "not stated"
    }
    return "\(CensusWords.machines(range.value)) (\(CensusWords.interval(range)))"
  }

  private func origin(_ origin: Origin) -> Markup {
    "<span class=\"sub\">\(Parts.text(origin.source, columns: 80)), \(origin.date.dayDescription)</span>"
  }

  private var registry: Markup {
    guard let botnet else {
      return "<section><h2>In the registry</h2><p>The registry has nothing under this name.</p></section>\n"
    }
    let life = BotnetStatus.lastLife(botnet.evidence, at: ask.now)
    let standings = BotnetStatus.expiries.map {
      "\(botnet.standing(at: ask.now, expiryDays: $0).rawValue) (\($0) days)"
    }
    var out: Markup = """
      <section aria-labelledby="registry"><h2 id="registry">In the registry</h2><dl class="facts">
      <dt>kind</dt><dd>\(botnet.kind.value.rawValue) \(origin(botnet.kind.origin))</dd>
      <dt>standing</dt><dd>\(standings.joined(separator: ", "))</dd>
      <dt>last sign of life</dt><dd>\(life?.dayDescription ?? "none known")</dd>

      """
    for item in botnet.names.prefix(Self.rowsShown) {
      out += "<dt>name</dt><dd>\(Parts.text(item.text, columns: 120)) \(origin(item.origin))</dd>"
    }
    for item in botnet.identifiers.prefix(Self.rowsShown) {
      out +=
        "<dt>known as</dt><dd>\(Parts.text("\(item.value.scheme) \(item.value.value)", columns: 160)) \(origin(item.origin))</dd>"
    }
    for item in botnet.relations.prefix(Self.rowsShown) {
      out +=
        "<dt>\(item.value.kind)</dt><dd>\(Parts.text(item.value.targetName ?? item.value.target, columns: 120)) \(origin(item.origin))</dd>"
    }
    for (label, values) in [
      ("protocol", botnet.protocols), ("dated", botnet.dated), ("note", botnet.notes), ("reference", botnet.references),
    ] {
      for item in values.prefix(Self.rowsShown) {
        out += "<dt>\(label)</dt><dd>\(Parts.text(item.value)) \(origin(item.origin))</dd>"
      }
    }
    for item in botnet.takedowns.prefix(Self.rowsShown) {
      out +=
        "<dt>takedown</dt><dd>\(Timestamp.describe(day: item.day)), \(item.outcome.rawValue) by \(Parts.text("\(item.by) \(item.method)", columns: 200)) \(origin(item.origin))</dd>"
    }
    out += "</dl>\n" + servers(botnet) + "</section>\n"
    return out
  }

  private func servers(_ botnet: Botnet) -> Markup {
    let servers = botnet.servers
    guard !servers.isEmpty else { return "" }
    var out: Markup = """
      <details><summary>Command servers (\(servers.count))</summary><div class="scroll" role="region" aria-label="Command servers" tabindex="0">\
      <table><thead><tr><th scope="col">Server</th><th scope="col">Kind</th><th scope="col">Last seen</th><th scope="col">Source</th></tr></thead><tbody>

      """
    for claim in servers.prefix(Self.rowsShown) {
      out += """
        <tr><th scope="row" class="m">\(Parts.text(claim.indicator.value, columns: 120))</th>\
        <td>\(ReportWords.spaced(claim.indicator.kind.rawValue))</td><td class="m">\(claim.lastSeen?.dayDescription ?? "–")</td>\
        <td>\(origin(claim.origin))</td></tr>

        """
    }
    out += "</tbody></table></div>"
    if servers.count > Self.rowsShown {
      out += "<p class=\"note\">\(servers.count - Self.rowsShown) more are not listed.</p>"
    }
    out += "</details>\n"
    return out
  }
}
