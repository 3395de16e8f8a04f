import Glibc

@testable import Mothlight

/// A census made up with everything in it, so that every picture has something to show. No part of it is measured.
enum CensusFixture {
  /// 2010-03-01 00:00 UTC, a Monday.
  static let first: UInt32 = 352_056

  /// Machines by country, percent, and addresses for each of them: the ranking changes between the two.
  static let countries: [(String, share: Double, inflation: Double)] = [
    ("IN", 11.8, 9.4), ("KR", 13.9, 3.1), ("MX", 8.9, 8.4), ("US", 7.2, 1.9), ("BR", 6.6, 6.8), ("CO", 4.2, 6.9),
    ("RU", 4.4, 4.2), ("EG", 2.4, 7.3), ("MY", 2.9, 5.7), ("UA", 2.9, 5.4), ("PK", 1.7, 8.7), ("PE", 2.0, 7.0),
    ("IR", 1.5, 8.0), ("SA", 1.4, 7.7), ("CL", 1.9, 5.3), ("KZ", 1.2, 6.7), ("AE", 1.1, 6.1), ("MA", 1.0, 6.6),
    ("AR", 1.6, 4.0), ("DE", 2.6, 4.9), ("FR", 1.9, 1.5), ("GB", 2.1, 2.2), ("JP", 2.4, 1.4), ("NL", 1.2, 1.2),
    ("IT", 1.8, 4.1), ("ES", 1.7, 3.9), ("TR", 1.4, 6.2), ("ID", 1.1, 9.1), ("VN", 1.2, 7.9), ("TH", 0.9, 7.2),
    ("PL", 1.2, 3.6), ("CA", 0.9, 1.6), ("AU", 0.6, 2.1), ("ZA", 0.5, 6.0), ("NG", 0.3, 0.6), ("SE", 0.3, 1.3),
  ]

  static func range(_ value: Double, _ width: Double) -> CensusRange {
    CensusRange(low: value * (1 - width), value: value, high: value * (1 + width * 1.15))
  }

  static func figure(
    _ kind: CensusKind, _ hours: ClosedRange<UInt32>, _ value: Double?, addresses: Double, width: Double = 0.07,
    atMost: Double? = nil, grade: CensusGrade = .addresses
  ) -> CensusFigure {
    CensusFigure(
      kind: kind, hours: hours, machines: value.map { range($0, width) }, atMost: atMost, addresses: addresses,
      grade: grade)
  }

  /// Share of machines on, by UTC hour and day of week: offices by day, homes in the evening, over some time zones.
  static func activity(_ hour: UInt32) -> Double {
    let h = Double(hour % 24)
    let day = Int((hour / 24 + 3) % 7)
    let office = day >= 5 ? 0.35 : 1.0
    let asia = office * exp(-pow((h - 5) / 4.5, 2)) + 0.9 * exp(-pow((h - 13.5) / 4, 2))
    let america =
      0.7 * office * exp(-pow((h - 17.5) / 4, 2)) + 0.75 * (exp(-pow((h - 24) / 3.5, 2)) + exp(-pow(h / 3.5, 2)))
    return 0.13 + 0.16 * asia + 0.13 * america
  }

  /// - Parameter gamma: clean-up per week.
  static func report(
    days: Int = 70, machines: Double = 185_000, gamma: Double = 0.06, refused: Bool = false, outage: Bool = true
  ) -> CensusReport {
    var random = RandomSource(seed: 7)
    let hours = first...(first + UInt32(days) * 24 - 1)
    var report = CensusReport(
      botnet: "mariposa", hours: hours, sensors: ["madrid", "ottawa"],
      footprint: figure(
        .footprint, hours, refused ? nil : machines * 1.26, addresses: machines * 1.26 * 6.4, width: 0.12,
        atMost: machines * 1.26 * 6.4))
    let silent = (outage ? Array((first + 24 * 31 + 5)..<(first + 24 * 33)) : []).filter { hours.contains($0) }
    var drift = 0.0
    for hour in hours {
      drift += -drift / 60 + random.normal(deviation: 0.006)
      let weeks = Double(hour - first) / 168
      let noise = random.logNormal(median: 1, sigma: 0.025)
      let seen = silent.contains(hour) ? 0.55 : 1
      let live = machines * exp(-gamma * weeks) * activity(hour) * noise * exp(drift) * seen
      report.live.append(figure(.live, hour...hour, live, addresses: live * 0.89))
    }
    for day in 0..<days {
      let at = first + UInt32(day) * 24
      let left = machines * exp(-gamma * Double(day) / 7) * random.logNormal(median: 1, sigma: 0.02)
      let on = (day % 7) >= 5 ? 0.62 : 0.74
      report.active.append(figure(.active, at...(at + 23), left * on, addresses: left * on * 1.42, width: 0.08))
      report.stock.append(figure(.stock, at...(at + 23), left, addresses: left * on * 1.42, width: 0.11))
    }
    places(&report, machines, &random)
    basis(&report, silent, refused)
    return report
  }

  private static func places(_ report: inout CensusReport, _ machines: Double, _ random: inout RandomSource) {
    let mean = report.live.reduce(0) { $0 + ($1.machines?.value ?? 0) } / Double(max(1, report.live.count))
    let total = countries.reduce(0) { $0 + $1.share }
    for country in countries.sorted(by: { $0.share > $1.share }) {
      let live = mean * country.share / total
      let footprint = machines * 1.26 * country.share / total
      report.countries.append(
        CensusPart(
          place: .country(CountryCode(country.0)),
          live: figure(.live, report.hours, live, addresses: live * 0.89, width: 0.1),
          footprint: figure(
            .footprint, report.hours, report.footprint.machines == nil ? nil : footprint,
            addresses: footprint * country.inflation, width: 0.18, atMost: footprint * country.inflation)))
    }
    for i in 0..<34 {
      let isAnchor = i % 5 == 1
      let isShared = i % 9 == 4
      let inflation = isShared ? random.uniform(0.08, 0.5) : isAnchor ? random.uniform(1, 1.5) : random.uniform(2, 16)
      let footprint = machines * 0.11 / (1 + Double(i) * 0.35)
      report.systems.append(
        CensusPart(
          place: .system(64_500 + UInt32(i)),
          live: figure(.live, report.hours, footprint * 0.2, addresses: footprint * 0.19, width: 0.12),
          footprint: figure(
            .footprint, report.hours, report.footprint.machines == nil ? nil : footprint,
            addresses: footprint * inflation, width: 0.2), isAnchor: isAnchor, isShared: isShared))
    }
  }

  private static func basis(_ report: inout CensusReport, _ silent: [UInt32], _ refused: Bool) {
    report.others = [
      figure(.footprint, report.hours, 231_000, addresses: report.footprint.addresses, width: 0.02, grade: .identities),
      figure(.footprint, report.hours, refused ? nil : 233_000, addresses: report.footprint.addresses, width: 0.12),
      figure(.footprint, report.hours, 214_000, addresses: report.footprint.addresses, width: 0.2, grade: .sensors),
    ]
    report.basis.anchors = refused ? 2 : 41
    report.basis.anchorShare = refused ? 0.011 : 0.16
    report.basis.sharing = .fingerprints
    report.basis.machinesPerAddress = 1.12
    report.basis.visibility = 0.93
    report.basis.checkInSeconds = 1800
    report.basis.sharedShare = 0.08
    report.basis.theta = 0.25
    report.basis.rows = 41_203_118
    report.basis.dropped = ["invalid": 812_004, "hosting": 90_331, "one_shot": 12_099]
    if !silent.isEmpty { report.basis.silentHours = ["ottawa": silent] }
    if refused {
      report.caveats.append(
        CensusCaveat(
          "few_anchors",
          "Only 2 networks have stable addresses, with 1.1 % of the tags: how many addresses a machine had cannot be told.",
          refuses: .footprint))
    }
    report.caveats.append(
      CensusCaveat("shared_networks", "8 % of the tags are in networks where many machines share an address."))
    if !silent.isEmpty {
      report.caveats.append(
        CensusCaveat(
          "sensor_silent",
          "Sensor ottawa said nothing for \(silent.count) hours; its machines were counted by the other."))
    }
  }
}
