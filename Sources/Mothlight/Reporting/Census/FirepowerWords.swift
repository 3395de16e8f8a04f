extension ReportWords {
  /// Bits a second in the unit that fits: `90 Mbit/s`, `28 Gbit/s`, `2.1 Tbit/s`.
  static func rate(_ gigabits: Double) -> String {
    func short(_ value: Double) -> String { decimals(value, value < 9.95 ? 1 : 0) }
    guard gigabits.isFinite, gigabits >= 0 else { return "–" }
    if gigabits >= 999.5 { return short(gigabits / 1000) + " Tbit/s" }
    if gigabits >= 0.9995 { return short(gigabits) + " Gbit/s" }
    return decimals(gigabits * 1000, 0) + " Mbit/s"
  }
}

extension PublishedAttack {
  /// Name with its year, unless the name has it.
  var title: String { name.contains(String(year)) ? name : "\(name), \(year)" }

  /// The rate as it was published.
  var rateWords: String {
    let (value, unit) =
      gigabitsPerSecond >= 1000
      ? (gigabitsPerSecond / 1000, " Tbit/s")
      : gigabitsPerSecond >= 1 ? (gigabitsPerSecond, " Gbit/s") : (gigabitsPerSecond * 1000, " Mbit/s")
    return ReportWords.number(value) + unit
  }
}

extension Firepower.Rate {
  /// The range in words.
  var words: String {
    "about \(ReportWords.rate(middle)) (5 to 95 %: \(ReportWords.rate(low)) to \(ReportWords.rate(high)))"
  }
}

extension Firepower.Flag {
  /// What to think of it.
  public var text: String {
    let what =
      switch subject {
      case .peak: "The live machines of the peak hour imply"
      case .addresses: "Were the \(ReportWords.decimals(count, 0)) addresses machines, they would imply"
      }
    return "\(what) \(ReportWords.rate(rate.middle)), more than the largest published attack of the time "
      + "(\(record.title): \(record.rateWords)). "
      + "A flag, not a proof: a botnet need not fire with everything."
  }
}

extension Firepower {
  /// What no reading of the range should leave out.
  public static let limits =
    "A range of what the live machines could send together. It does not say that any network or country would fail: that "
    + "depends on the defenders' transit and filters."

  /// One sentence each.
  public var assumptionTexts: [String] {
    let a = assumptions
    func span(_ range: ClosedRange<Double>) -> String {
      "\(ReportWords.number(range.lowerBound))–\(ReportWords.number(range.upperBound))"
    }
    var out = [
      "Live machines × mean uplink × speed-test optimism (\(span(a.speedTest))) × participation (\(span(a.participation))) "
        + "× cap of host and router (\(span(a.cap))), each drawn evenly from its range, \(ReportWords.grouped(draws)) times.",
      "Every hour has the whole window's mix of countries.",
    ]
    let assumed = parts.filter { !$0.isWorldRow && $0.uplink.isAssumption }.compactMap { $0.country?.description }
    if !assumed.isEmpty {
      out.append(
        "Assumed, not measured: the uplink\(assumed.count == 1 ? "" : "s") of \(assumed.joined(separator: ", ")).")
    }
    let world = parts.filter(\.isWorldRow)
    if let row = world.first?.uplink {
      let share = world.reduce(0) { $0 + $1.liveShare }
      out.append(
        "\(ReportWords.quantity(share, "share")) of the live machines take the world's mean of \(row.year) "
          + "(\(ReportWords.number(row.megabitsPerSecond)) Mbit/s\(row.isAssumption ? ", an assumption" : "")), since "
          + "their country has no row within \(UplinkTable.yearsApartMost) years of \(year), or is not known.")
    }
    return out
  }
}
