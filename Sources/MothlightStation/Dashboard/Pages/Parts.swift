import Mothlight

/// Small parts that many pages are made of.
enum Parts {
  /// Columns of a text from outside before it is cut: enough for any sentence of ours with a long name in it.
  static let textColumns = 600
  /// Columns of a name in a table.
  static let nameColumns = 120

  static func host(_ address: IPAddress, day: Int? = nil) -> Markup {
    let query: Markup = day.map { "?day=\(Timestamp.describe(day: $0))" } ?? ""
    return "<a class=\"m\" href=\"/hosts/\(address)\(query)\">\(address)</a>"
  }

  static func botnet(_ name: String) -> Markup {
    "<a class=\"botnet\" href=\"/botnets/\(Form.encoded(name))\"><bdi>\(VisibleText.clipped(name, to: nameColumns))</bdi></a>"
  }

  static func botnets(_ names: [String]) -> Markup {
    names.prefix(8).reduce(into: "") { out, name in out += "\(botnet(name)) " }
  }

  static func text(_ text: String, columns: Int = textColumns) -> Markup {
    "<bdi>\(VisibleText.clipped(text, to: columns))</bdi>"
  }

  static func badge(_ state: Case.State) -> Markup {
    "<span class=\"badge c-\(state.rawValue)\">\(label(state))</span>"
  }

  static func label(_ state: Case.State) -> String {
    switch state {
    case .open: "open"
    case .acknowledged: "acknowledged"
    case .cleaned: "cleaned"
    case .falseAlarm: "false alarm"
    }
  }

  /// `14 s ago`; `in 3 min` for what is to come.
  static func ago(_ time: Timestamp, _ now: Timestamp) -> String {
    guard ReportWords.isSet(time) else { return "never" }
    let seconds = now.seconds(since: time)
    if seconds < -1 { return "in \(brief(-seconds))" }
    return seconds < 1 ? "just now" : "\(brief(seconds)) ago"
  }

  /// One unit suffices for an age.
  private static func brief(_ seconds: Double) -> String {
    let units: [(Double, String)] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")]
    guard let unit = units.first(where: { seconds >= $0.0 }) else { return "1 s" }
    return "\(ReportWords.grouped(Int(min(1e9, seconds / unit.0)))) \(unit.1)"
  }

  /// `Mon 2 Mar`.
  static func shortDay(_ day: Int) -> String {
    "\(CensusWords.weekdays[((day + 3) % 7 + 7) % 7]) \(CensusWords.shortDay(day))"
  }

  /// `Monday, 2 March 2026`.
  static func longDay(_ day: Int) -> String {
    let (year, month, dayOfMonth) = CivilDate.from(daysSinceEpoch: day)
    let weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    let months = [
      "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
      "December",
    ]
    return "\(weekdays[((day + 3) % 7 + 7) % 7]), \(dayOfMonth) \(months[max(0, min(11, month - 1))]) \(year)"
  }

  /// A day as an attribute and in words.
  static func time(day: Int, _ words: String) -> Markup {
    "<time datetime=\"\(Timestamp.describe(day: day))\">\(words)</time>"
  }

  static func moment(_ time: Timestamp) -> Markup { "<span class=\"m\">\(ReportWords.moment(time))</span>" }

  /// How long a machine has been flagged, as far as the store knows.
  static func since(_ row: HostDayRow) -> Markup {
    guard let first = row.firstFlaggedDay, row.verdict >= .suspicious else { return "–" }
    if first >= row.day { return "<span class=\"new\">new</span>" }
    let days = row.day - first
    return "<span title=\"\(Timestamp.describe(day: first))\">\(ReportWords.count(days, "day", "days"))</span>"
  }

  static func next(_ ask: Ask, _ cursor: Cursor?) -> Markup {
    guard let cursor else { return "" }
    return """
      <p class="pager"><a rel="next" href="\(ask.with("after", cursor.text))">Further rows</a></p>
      """
  }

  /// What stands where a list is empty: that, why, and what to do.
  static func empty(_ what: Markup, _ advice: Markup = "") -> Markup {
    "<div class=\"empty\"><p class=\"lead\">\(what)</p>\(advice.text.isEmpty ? "" : "<p>\(advice)</p>" as Markup)</div>\n"
  }

  /// A form that changes something, closed until asked for.
  static func action(_ summary: Markup, to path: String, _ frame: Frame, _ fields: Markup, button: Markup) -> Markup {
    """
    <details class="act"><summary>\(summary)</summary><form method="post" action="\(path)">\(frame.csrf)\(fields)\
    <button class="do">\(button)</button></form></details>

    """
  }

  static func reason(_ id: String, _ hint: Markup) -> Markup {
    """
    <p><label for="\(id)">Reason</label><input id="\(id)" name="reason" required maxlength="300" placeholder="\(hint)" \
    autocomplete="off"></p>
    """
  }
}

/// What a form that was sent has done; told once, on the page it leads to.
enum Note: String, CaseIterable {
  case ruleAdded = "rule-added"
  case ruleEnded = "rule-ended"
  case caseOpened = "case-opened"
  case caseChanged = "case-changed"
  case changeUndone = "change-undone"

  var words: Markup {
    switch self {
    case .ruleAdded: "The rule holds from the next judging on. Nothing was deleted: end the rule to undo it."
    case .ruleEnded: "The rule has ended; what it kept out counts again from the next judging on."
    case .caseOpened: "The case is open."
    case .caseChanged: "The case was changed. Its past below can undo it."
    case .changeUndone: "The last change was taken back. The audit keeps both."
    }
  }

  static func shown(_ ask: Ask) -> Markup {
    guard let note = ask.query["done"].flatMap(Note.init) else { return "" }
    return "<p class=\"done\" role=\"status\">\(note.words)</p>\n"
  }
}
