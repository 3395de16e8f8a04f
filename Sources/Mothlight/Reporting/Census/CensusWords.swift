/// Words of a census as people read them, the same in every output made for people.
package enum CensusWords {
  package static func label(_ kind: CensusKind) -> String {
    switch kind {
    case .live: "live in an hour"
    case .active: "active in a day"
    case .footprint: "footprint of the window"
    case .stock: "infected, on or off"
    }
  }

  package static func label(_ grade: CensusGrade) -> String {
    switch grade {
    case .identities: "identities"
    case .addresses: "addresses"
    case .sensors: "several sensors"
    }
  }

  /// `grade B (addresses)`.
  package static func grade(_ grade: CensusGrade) -> String { "grade \(grade.rawValue) (\(label(grade)))" }

  package static func label(_ sharing: CensusBasis.Sharing) -> String {
    switch sharing {
    case .fingerprints: "fingerprints of the machines"
    case .contactRate: "how often an address calls"
    case .none: "not told apart: one machine an address at least"
    }
  }

  /// Machines with three telling digits, since no census has more: `28`, `1,230`, `61,400`, `1.23 million`.
  package static func machines(_ count: Double) -> String {
    guard count.isFinite, count >= 0 else { return "–" }
    if count >= 999_500 { return millions(count) }
    var unit = 1.0
    while count / unit >= 999.5 { unit *= 10 }
    let rounded = (count / unit).rounded() * unit
    if count < 9.95, count != count.rounded() { return ReportWords.decimals(count, 1) }
    return ReportWords.decimals(rounded, 0)
  }

  private static func millions(_ count: Double) -> String {
    let m = count / 1e6
    return ReportWords.decimals(m, m < 9.995 ? 2 : m < 99.95 ? 1 : 0) + " million"
  }

  /// For axes: `250`, `12 k`, `1.5 M`.
  package static func short(_ count: Double) -> String {
    guard count.isFinite else { return "–" }
    func trimmed(_ value: Double, _ unit: String) -> String { ReportWords.number((value * 100).rounded() / 100) + unit }
    if abs(count) >= 999_500 { return trimmed(count / 1e6, " M") }
    if abs(count) >= 1000 { return trimmed(count / 1e3, " k") }
    return trimmed(count, "")
  }

  /// `6.4 times`.
  package static func times(_ value: Double?) -> String { factor(value).replacing("×", with: "") + " times" }

  /// `55,000–68,000`.
  package static func interval(_ range: CensusRange) -> String { "\(machines(range.low))–\(machines(range.high))" }

  /// `×5.8`, with as many digits as tell something.
  package static func factor(_ value: Double?) -> String {
    guard let value, value.isFinite, value >= 0 else { return "–" }
    return "×" + ReportWords.decimals(value, value < 9.95 ? (value < 0.095 ? 3 : value < 0.995 ? 2 : 1) : 0)
  }

  /// The hour's beginning: `2010-03-01 14:00`.
  package static func hour(_ hour: UInt32) -> String {
    "\(Timestamp.describe(day: Int(hour / 24))) \(pad(Int(hour % 24), 2)):00"
  }

  /// A window with its length; the end is where its last hour ends.
  package static func window(_ hours: ClosedRange<UInt32>) -> String {
    let count = Int(hours.upperBound - hours.lowerBound) + 1
    let last = hours.upperBound
    let end = last % 24 == 23 ? "\(Timestamp.describe(day: Int(last / 24))) 24:00" : hour(last &+ 1)
    return "\(hour(hours.lowerBound)) – \(end) UTC (\(length(count)))"
  }

  package static func length(_ hours: Int) -> String {
    hours % 24 == 0 && hours >= 48
      ? "\(ReportWords.grouped(hours / 24)) days" : ReportWords.count(hours, "hour", "hours")
  }

  /// `3 Mar`.
  package static func shortDay(_ day: Int) -> String {
    let (_, month, dayOfMonth) = CivilDate.from(daysSinceEpoch: day)
    return "\(dayOfMonth) \(months[max(0, min(11, month - 1))])"
  }

  package static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
  package static let weekdays = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

  /// Hour of the week from Monday 00:00 UTC; 1970-01-01 was a Thursday.
  package static func hourOfWeek(_ hour: UInt32) -> Int { Int((hour &+ 72) % 168) }

  package static func place(_ place: CensusPart.Place) -> String {
    switch place {
    case .country(let code): CountryNames.name(code)
    case .system(let number): number == 0 ? "network not known" : "AS\(number)"
    }
  }

  /// Weeks as people say them: `6 days`, `9.5 weeks`, `1.5 years`.
  package static func weeks(_ weeks: Double) -> String {
    guard weeks.isFinite, weeks >= 0 else { return "no end" }
    if weeks * 7 < 1.5 { return ReportWords.decimals(weeks * 168, 0) + " hours" }
    if weeks < 3 { return ReportWords.decimals(weeks * 7, weeks * 7 < 9.95 ? 1 : 0) + " days" }
    if weeks < 104 { return ReportWords.decimals(weeks, weeks < 29.95 ? 1 : 0) + " weeks" }
    return ReportWords.decimals(weeks * 7 / 365.25, 1) + " years"
  }
}
