import Mothlight

/// The first page: who is infected, what is new, which botnets, what waits for somebody, and whether the sensors see.
struct TodayPage {
  let frame: Frame
  let day: Int
  /// The day that the page shows when none is asked for.
  let first: Int
  /// Set when the day before is shown, as the present one has only begun.
  var young: YoungDay?
  let overview: Overview
  let botnets: [BotnetActivity]
  let statistics: CaseStatistics
  let health: StationHealth
  let census: CensusEdition?

  private var ask: Ask { frame.ask }
  private var latest: Overview.Day { overview.days.last ?? Overview.Day(day: day, hosts: [:], new: 0) }
  private func count(_ verdict: Verdict) -> Int { latest.hosts[verdict] ?? 0 }
  private var flagged: Int { count(.infected) + count(.suspicious) }
  private var hosts: Int { latest.hosts.values.reduce(0, +) }
  private var isToday: Bool { day == ask.now.day }
  private var when: String { isToday ? "today" : "on \(Timestamp.describe(day: day))" }
  private var isEmpty: Bool { overview.days.allSatisfy { $0.hosts.values.allSatisfy { $0 == 0 } } }

  var page: String { frame.page(title, .today, main) }

  private var title: String {
    if isEmpty { return "Nothing seen yet" }
    return flagged > 0
      ? "\(count(.infected)) infected, \(count(.suspicious)) suspicious"
      : hosts == 0 ? "Nothing seen \(when)" : "No sign"
  }

  private var main: Markup {
    if isEmpty { return "<div data-live=\"today\">\(StartPage(frame: frame, health: health).main)</div>" }
    return """
      <div class="two" data-live="today"><div>
      <section aria-labelledby="answer"><p class="over">\(Parts.time(day: day, Parts.longDay(day)))</p><h1 id="answer">\(headline).</h1>
      \(counts)<p class="lead">\(news)</p>\(warnings)</section>
      <section aria-labelledby="days"><h2 id="days">The last \(overview.days.count) days</h2>\(DayStrip(days: overview.days, current: day).figure())</section>
      \(machines)</div>
      <aside aria-label="Botnets, cases and sensors">\(named)\(cases)\(sensors)</aside></div>

      """
  }

  private var headline: String {
    let (infected, suspicious) = (count(.infected), count(.suspicious))
    func machines(_ n: Int) -> String { ReportWords.count(n, "machine", "machines") }
    if hosts == 0 { return "Nothing was seen \(when)" }
    if infected > 0 {
      let more =
        suspicious > 0 ? ", \(ReportWords.grouped(suspicious)) more \(suspicious == 1 ? "is" : "are") suspicious" : ""
      return "\(machines(infected)) \(infected == 1 ? "is" : "are") infected\(more)"
    }
    if suspicious > 0 {
      return "\(machines(suspicious)) \(suspicious == 1 ? "is" : "are") suspicious; none is called infected"
    }
    if count(.noSign) == 0 { return "Too little was seen \(when) to judge any of \(machines(hosts))" }
    return "No sign of infection in \(machines(count(.noSign)))"
  }

  private var counts: Markup {
    func item(_ n: Int, _ style: Markup, _ label: Markup, _ link: String) -> Markup {
      "<li class=\"\(style)\(n == 0 ? " zero" : "" as Markup)\"><a href=\"\(link)\"><b>\(ReportWords.grouped(n))</b> \(label)</a></li>"
    }
    let at = "day=\(Timestamp.describe(day: day))"
    return """
      <ul class="counts">\(item(count(.infected), "infected", "infected", "/hosts?\(at)&verdict=infected"))\
      \(item(count(.suspicious), "suspicious", "suspicious", "/hosts?\(at)&verdict=suspicious"))\
      \(item(latest.new, "fresh", isToday ? "new today" : "new that day", "/hosts?\(at)&verdict=suspicious&new=1"))\
      \(item(count(.noSign), "no_sign", "no sign", "/hosts?\(at)&verdict=no_sign"))\
      \(item(count(.notEnoughData), "not_enough_data", "not enough data", "/hosts?\(at)&verdict=not_enough_data"))</ul>
      \(SVG.shares([
        (count(.infected), "infected"), (count(.suspicious), "suspicious"), (count(.noSign), "no_sign"),
        (count(.notEnoughData), "not_enough_data"),
      ], title: "Machines by verdict"))
      """
  }

  private var news: String {
    var parts: [String] = []
    if flagged > 0 {
      parts.append(
        latest.new == 0
          ? "None of them is new."
          : "\(ReportWords.grouped(latest.new)) of them \(latest.new == 1 ? "was" : "were") not flagged on any earlier day."
      )
    } else if count(.noSign) > 0 {
      parts.append(
        "No sign is not a proof of health: a bot that was silent, or whose traffic does not pass here, shows none.")
    }
    if count(.notEnoughData) > 0, hosts > count(.notEnoughData) {
      parts.append(
        "Of \(ReportWords.count(count(.notEnoughData), "machine", "machines")) too little was seen to say anything.")
    }
    return parts.joined(separator: " ")
  }

  private var warnings: Markup {
    var out: Markup = ""
    if health.pipeline.isLearning {
      out +=
        "<p class=\"warn\">Mothlight is still learning which addresses are ours; nothing new is judged until then.</p>\n"
    } else if let judged = health.pipeline.judged {
      out += """
        <p class="sub">Judged <time datetime="\(judged.description)">\(Parts.ago(judged, ask.now))</time> \
        from \(ReportWords.count(health.pipeline.observations, "observation", "observations")).</p>

        """
    }
    if let young {
      out += """
        <p class="note">The new day is \(ReportWords.duration(young.seconds)) old and \(ReportWords.grouped(young.judged)) of \
        yesterday's \(ReportWords.count(young.before, "machine", "machines")) can be judged so far, so this is yesterday. \
        <a href="/?day=\(Timestamp.describe(day: young.day))">The new day all the same</a></p>

        """
    } else if !isToday, day != first {
      out += "<p class=\"note\">This is \(Timestamp.describe(day: day)). <a href=\"/\">To the latest day</a></p>\n"
    }
    if health.store.state != .ready {
      out +=
        "<p class=\"warn\">The store cannot be written: <bdi>\(health.store.reason ?? health.store.state.rawValue)</bdi></p>\n"
    }
    for warning in health.pipeline.warnings.prefix(5) { out += "<p class=\"warn\">\(Parts.text(warning))</p>\n" }
    return out
  }

  private var machines: Markup {
    guard !overview.flagged.isEmpty else { return "" }
    var out: Markup = """
      <section aria-labelledby="look"><h2 id="look">Machines to look at</h2>
      <table class="stack verdicts"><caption class="vh">Infected and suspicious machines \(when), worst first</caption>
      <thead><tr><th scope="col">Verdict</th><th scope="col">Machine</th><th scope="col">Flagged for</th>\
      <th scope="col">Strongest reason</th></tr></thead><tbody>

      """
    for row in overview.flagged { out += HostRows.short(row) }
    out += "</tbody></table>\n"
    let rest = flagged - overview.flagged.count
    if rest > 0 {
      out +=
        "<p class=\"pager\"><a href=\"/hosts?day=\(Timestamp.describe(day: day))&amp;verdict=suspicious\">\(ReportWords.grouped(rest)) more</a></p>\n"
    }
    out += "</section>\n"
    return out
  }

  private var named: Markup {
    var out: Markup = "<section aria-labelledby=\"named\"><h2 id=\"named\"><a href=\"/botnets\">Botnets</a></h2>\n"
    if botnets.isEmpty {
      out += "<p class=\"sub\">No finding of the last 30 days names a botnet.</p>\n"
    } else {
      out += "<ul class=\"rows\">"
      for activity in botnets.prefix(6) {
        let spark = Spark(byDay: activity.byDay, days: day - 29...day)
        out += """
          <li>\(Parts.botnet(activity.name)) \(spark.drawing(activity.name))\
          <span><b>\(ReportWords.grouped(activity.byDay[day] ?? 0))</b> \((activity.byDay[day] ?? 0) == 1 ? "machine" : "machines") \(when), \
          \(ReportWords.grouped(activity.hosts)) in 30 days, \(spark.trend)</span></li>
          """
      }
      out += "</ul>\n"
    }
    if let census, let live = CensusBrief(census) { out += live.line }
    out += "</section>\n"
    return out
  }

  private var cases: Markup {
    let open = overview.openCases
    let pace: Markup =
      statistics.hoursMedian.map {
        "<p class=\"sub\">Cleaned \(ReportWords.grouped(statistics.cleaned)), half of them within \(ReportWords.duration($0 * 3600)).</p>"
      }
      ?? ""
    return """
      <section aria-labelledby="cases"><h2 id="cases"><a href="/cases">Cases</a></h2>
      <p class="big"><b>\(ReportWords.grouped(open))</b> \(open == 1 ? "waits" : "wait") for somebody</p>\(pace)</section>

      """
  }

  private var sensors: Markup {
    var out: Markup = "<section aria-labelledby=\"sensors\"><h2 id=\"sensors\"><a href=\"/sensors\">Sensors</a></h2>\n"
    out += health.sources.isEmpty ? "<p class=\"sub\">No source is running.</p>\n" : "<ul class=\"lights\">"
    for source in health.sources.prefix(12) {
      let state = SourceState(source, now: ask.now)
      out += """
        <li class="\(state.style)"><i aria-hidden="true"></i><b>\(Parts.text(source.name, columns: 40))</b> \
        <span>\(state.words), \(CensusWords.short(Double(source.records))) read\(state.losses)</span></li>
        """
    }
    out += health.sources.isEmpty ? "" : "</ul>\n"
    out += "</section>\n"
    return out
  }
}

/// What the first page says before anything was seen: what to do.
struct StartPage {
  let frame: Frame
  let health: StationHealth

  var main: Markup {
    let running = health.sources.filter { $0.state == .running || $0.state == .starting }
    let waiting = health.sources.filter { $0.state == .waiting }
    var out: Markup =
      "<section aria-labelledby=\"answer\"><h1 id=\"answer\">\(answer(running.count, waiting.count)).</h1>\n"
    if health.sources.isEmpty {
      out += """
        <p class="lead">Mothlight says which machines of yours are infected, by what, and why. For that it must see their traffic:</p>
        <ol class="steps"><li>Name a source in the station's configuration: a network interface, a NetFlow or IPFIX exporter, a folder that \
        Zeek or Suricata writes into, or a folder of captures.</li>
        <li>Check it with <code>mothlight config check</code>; <code>mothlight doctor</code> tells what is missing on this machine.</li>
        <li>Start <code>mothlight watch</code>. This page fills by itself, usually within a minute.</li></ol>
        <p>To look around with made-up traffic first: <code>mothlight watch demo</code>.</p>

        """
    } else if health.pipeline.isLearning {
      out += """
        <p class="lead">\(ReportWords.count(health.pipeline.observations, "observation has", "observations have")) come in. \
        Mothlight first learns which addresses are ours: from 20,000 exchanges, or from what came in a minute if that is 200 or more. Name the
        home network in the configuration to skip that.</p>

        """
    } else {
      out += """
        <p class="lead">\(ReportWords.count(health.pipeline.observations, "observation has", "observations have")) come in. \
        Hosts are judged every half minute; until then nothing is said about any machine.</p>

        """
    }
    for source in waiting.prefix(5) {
      out +=
        "<p class=\"warn\"><b>\(Parts.text(source.name, columns: 60))</b>: \(Parts.text(source.trouble ?? "failed"))</p>\n"
    }
    out += "<p><a href=\"/sensors\">How the sensors are doing</a></p></section>\n"
    return out
  }

  private func answer(_ running: Int, _ waiting: Int) -> String {
    if health.sources.isEmpty { return "Nothing is watched yet" }
    if running == 0, waiting > 0 { return "No source can be read" }
    return health.pipeline.isLearning ? "Getting to know the network" : "Nothing was judged yet"
  }
}
