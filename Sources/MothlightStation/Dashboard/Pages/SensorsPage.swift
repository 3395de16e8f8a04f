import Mothlight

/// How much of the network Mothlight really sees: per source what was read, left out and lost, and how pipeline and store are.
struct SensorsPage {
  let frame: Frame
  let health: StationHealth

  private var now: Timestamp { frame.ask.now }

  var page: String { frame.page("Sensors", .sensors, main) }

  private var main: Markup {
    var out: Markup = "<h1>Sensors</h1>\n<p class=\"lead\">\(summary)</p>\n<div data-live=\"sensors\">"
    if health.sources.isEmpty {
      out += Parts.empty(
        "No source is configured.",
        "Name one in the station's configuration and check it with <code>mothlight config check</code>.")
    }
    for source in health.sources { out += card(source) }
    return out + pipeline + store + "</div>\n"
  }

  private var summary: String {
    "A verdict is worth no more than what the sensors see. Lost is what came and could not be kept; skipped was left out on purpose."
  }

  private func card(_ source: SourceHealth) -> Markup {
    let state = SourceState(source, now: now)
    var out: Markup = """
      <section class="sensor \(state.style)" aria-label="\(source.name)"><h2><i aria-hidden="true"></i>\(Parts.text(source.name, columns: 60)) \
      <small>\(source.kind), \(Parts.text(source.place, columns: 120))</small></h2>
      <p><b>\(state.words)</b> since \(ReportWords.moment(source.since)) UTC\(source.restarts > 0 ? ", started again \(ReportWords.count(source.restarts, "time", "times"))" : "").\
      \(source.isSampled ? " Its records are sampled: gaps and counts mean less than they seem." : "")</p>

      """
    if let trouble = source.trouble { out += "<p class=\"warn\">\(Parts.text(trouble))</p>\n" }
    let total = source.records &+ state.dropped
    out += """
      <ul class="figures"><li><b>\(ReportWords.grouped(source.records))</b> read</li><li><b>\(ReportWords.octets(source.octets))</b> of data</li>\
      <li><b>\(ReportWords.grouped(source.used))</b> observations</li><li><b>\(ReportWords.grouped(state.skipped))</b> skipped</li>\
      <li><b>\(ReportWords.grouped(source.unparsed))</b> not understood</li>\
      <li\(state.dropped > 0 ? " class=\"lost\"" : "" as Markup)><b>\(ReportWords.grouped(state.dropped))</b> lost\(share(state.dropped, of: total))</li></ul>
      \(SVG.shares([
        (Int(clamping: source.records &- min(source.records, state.skipped &+ source.unparsed)), "used"), (Int(clamping: state.skipped), "skipped"),
        (Int(clamping: source.unparsed &+ state.dropped), "unparsed"),
      ], title: "Read, skipped, and not understood or lost"))
      <dl class="facts">
      """
    out += reasons("lost", source.dropped) + reasons("skipped", source.skipped)
    if let newest = source.newest {
      out += "<dt>newest record</dt><dd>\(ReportWords.moment(newest)) UTC, \(Parts.ago(newest, now))</dd>"
    }
    for (name, value) in source.details.sorted(by: { $0.key < $1.key }).prefix(24) {
      out += "<dt>\(Parts.text(name, columns: 60))</dt><dd>\(Parts.text(value, columns: 200))</dd>"
    }
    return out + "</dl></section>\n"
  }

  private func share(_ part: UInt64, of total: UInt64) -> String {
    guard part > 0, total > 0 else { return "" }
    return " (\(ReportWords.quantity(Double(part) / Double(total), "share")))"
  }

  private func reasons(_ word: Markup, _ counts: [String: UInt64]) -> Markup {
    let known = counts.filter { $0.value > 0 }.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    guard !known.isEmpty else { return "" }
    let list = known.prefix(20).map { "\(ReportWords.spaced($0.key)) \(ReportWords.grouped($0.value))" }.joined(
      separator: ", ")
    return "<dt>\(word)</dt><dd>\(Parts.text(list))</dd>"
  }

  private var pipeline: Markup {
    let p = health.pipeline
    let home = p.home.map(\.description).joined(separator: ", ")
    var out: Markup = """
      <section aria-labelledby="pipeline"><h2 id="pipeline">Pipeline</h2><dl class="facts">
      <dt>running since</dt><dd>\(ReportWords.moment(p.started)) UTC</dd>
      <dt>home network</dt><dd><span class="m">\(home.isEmpty ? "not known yet" : home)</span> \(p.homeWasGiven ? "(given)" : p.isLearning ? "(being learned)" : "(learned)")</dd>
      <dt>observations</dt><dd>\(ReportWords.grouped(p.observations)), \(ReportWords.number(p.observationsPerSecond.rounded())) a second</dd>
      <dt>hosts, pairs</dt><dd>\(ReportWords.grouped(p.hosts)), \(ReportWords.grouped(p.pairs))</dd>
      <dt>newest observation</dt><dd>\(p.newest.map { "\(ReportWords.moment($0)) UTC" } ?? "none")</dd>
      <dt>judged</dt><dd>\(p.judged.map { "\(Parts.ago($0, now)), in \(ReportWords.duration(p.judgingSeconds))" } ?? "never")</dd>

      """
    for (name, value) in p.counters.sorted(by: { $0.key < $1.key }) where value > 0 {
      out += "<dt>\(ReportWords.spaced(name))</dt><dd>\(ReportWords.grouped(value))</dd>"
    }
    out += "</dl>"
    for warning in p.warnings.prefix(20) { out += "<p class=\"warn\">\(Parts.text(warning))</p>" }
    return out + "</section>\n"
  }

  private var store: Markup {
    let s = health.store
    let words: Markup =
      switch s.state {
      case .ready: "ready"
      case .full: "full: nothing is written, reading goes on; it resumes by itself when there is room"
      case .readOnly: "read only"
      }
    return """
      <section aria-labelledby="store"><h2 id="store">Store</h2>\(s.reason.map { "<p class=\"warn\">\(Parts.text($0))</p>" as Markup } ?? "")
      <dl class="facts"><dt>state</dt><dd>\(words)</dd><dt>size</dt><dd>\(ReportWords.octets(s.octets))</dd>
      <dt>findings</dt><dd>\(ReportWords.grouped(s.findings))</dd><dt>host-days</dt><dd>\(ReportWords.grouped(s.hostDays))</dd>
      <dt>reaches back to</dt><dd>\(s.oldestDay.map { Timestamp.describe(day: $0) } ?? "–")</dd></dl></section>

      """
  }
}
