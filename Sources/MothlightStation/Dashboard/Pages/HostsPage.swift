import Mothlight

/// Host-days by verdict, day, botnet and prefix.
struct HostsPage {
  let frame: Frame
  let choice: HostChoice
  let rows: Page<HostDayRow>
  /// Newest day that is kept.
  let latest: Int

  private var ask: Ask { frame.ask }

  var page: String { frame.page("Hosts", .hosts, main) }

  private var main: Markup {
    var out: Markup = "<h1>Hosts</h1>\n\(form)"
    for trouble in choice.troubles { out += "<p class=\"warn\" role=\"alert\">\(Parts.text(trouble))</p>\n" }
    if rows.rows.isEmpty {
      out += Parts.empty(
        ask.query["after"] == nil ? "No machine fits this." : "There are no further rows.",
        "Loosen the filter: <a href=\"/hosts?days=all\">every machine of every kept day</a>.")
    } else {
      out += HostRows.table(rows.rows, caption: caption)
      out += Parts.next(ask, rows.next)
      if choice.isVeiled {
        out +=
          "<p class=\"note\">Under pseudonyms a list ends after \(ReportWords.grouped(VeiledStore.hostDaysMost)) rows: narrow it.</p>\n"
      }
    }
    return out
  }

  private var caption: Markup {
    let days = choice.query.days.map {
      $0.count == 1
        ? "on \(Timestamp.describe(day: $0.lowerBound))"
        : "from \(Timestamp.describe(day: $0.lowerBound)) to \(Timestamp.describe(day: $0.upperBound))"
    }
    let order: Markup =
      choice.query.order == .verdict ? "worst first" : choice.query.order == .newest ? "newest first" : "by address"
    return
      "Machines \(days ?? "of all kept days"), \(order). “Flagged for” counts from the first kept day on which a machine was suspicious."
  }

  /// Where addresses are not shown, no network can be asked for.
  private var prefix: Markup {
    guard !choice.isVeiled else { return "" }
    return """
      <p><label for="prefix">Prefix</label><input id="prefix" name="prefix" maxlength="49" placeholder="192.0.2.0/24" value="\(ask.query["prefix"] ?? "")"></p>
      """
  }

  private var form: Markup {
    let verdicts: [(String, Markup)] = [
      ("", "any"), ("no_sign", "no sign or worse"), ("suspicious", "suspicious or worse"), ("infected", "infected"),
    ]
    let orders: [(String, Markup)] = [("", "worst first"), ("newest", "newest first"), ("host", "by address")]
    return """
      <form class="filter" method="get" action="/hosts">
      <p><label for="verdict">Verdict</label><select id="verdict" name="verdict">\(Fields.options(verdicts, ask.query["verdict"]))</select></p>
      \(Fields.days(ask, choice.query.days, latest))
      <p><label for="botnet">Botnet</label><input id="botnet" name="botnet" maxlength="100" value="\(ask.query["botnet"] ?? "")"></p>
      \(prefix)
      <p><label for="order">Order</label><select id="order" name="order">\(Fields.options(orders, ask.query["order"]))</select></p>
      <p class="check"><input id="new" type="checkbox" name="new" value="1"\(choice.query.isNewOnly ? " checked" : "" as Markup)><label for="new">new ones only</label></p>
      <button>Show</button></form>

      """
  }
}

/// Fields of filters.
enum Fields {
  static func options(_ choices: [(value: String, label: Markup)], _ current: String?) -> Markup {
    choices.reduce(into: "") { out, choice in
      let mark: Markup = choice.value == (current ?? "") ? " selected" : ""
      out += "<option value=\"\(choice.value)\"\(mark)>\(choice.label)</option>"
    }
  }

  /// Which days: one by its date, or a stretch that ends with the latest.
  static func days(_ ask: Ask, _ days: ClosedRange<Int>?, _ latest: Int) -> Markup {
    let stretches: [(String, Markup)] = [
      ("", "that day"), ("7", "7 days up to it"), ("30", "30 days up to it"), ("all", "all kept days"),
    ]
    let last = days?.upperBound ?? latest
    return """
      <p><label for="day">Day</label><input id="day" name="day" type="date" value="\(Timestamp.describe(day: last))"></p>
      <p><label for="days">Stretch</label><select id="days" name="days">\(options(stretches, ask.query["days"]))</select></p>
      """
  }
}

/// A filter as a query says it; what cannot be understood is told and left out.
struct HostChoice {
  var query = HostDayQuery()
  private(set) var troubles: [String] = []
  let isVeiled: Bool

  /// What is said to who asks for a network where addresses are not shown.
  static let noPrefixes = "networks of ours are not shown to you, so no prefix can be asked for"

  init(_ form: Form, latest: Int, isVeiled: Bool = false) {
    self.isVeiled = isVeiled
    query.days = Self.days(form, latest: latest, &troubles)
    if let text = form["verdict"] {
      if let verdict = Verdict(rawValue: text) {
        query.verdictLeast = verdict
      } else {
        troubles.append("'\(text)' is no verdict")
      }
    }
    query.botnet = form["botnet"]
    if let text = form["prefix"] {
      query.within = HostName.prefix(text, isVeiled: isVeiled)
      if isVeiled, query.within == nil {
        troubles.append(Self.noPrefixes)
      } else if query.within == nil {
        troubles.append("'\(text)' is no prefix; write 192.0.2.0/24 or an address")
      }
    }
    query.isNewOnly = form["new"] != nil
    if let text = form["order"], let order = HostDayQuery.Order(rawValue: text) { query.order = order }
  }

  /// - Parameter latest: what a query without a day is about.
  static func days(_ form: Form, latest: Int, _ troubles: inout [String]) -> ClosedRange<Int>? {
    if form["days"] == "all" { return nil }
    var last = latest
    if let text = form["day"] {
      if let day = day(text) { last = day } else { troubles.append("'\(text)' is no day; write 2026-03-02") }
    }
    let count = form["days"].flatMap { Int($0) } ?? 1
    return last - max(0, min(3660, count - 1))...last
  }

  /// `2026-03-02` in days since the epoch; `nil` when there is no such day.
  static func day(_ text: String) -> Int? { text.utf8.count == 10 ? CivilDay.parse(text) : nil }
}
