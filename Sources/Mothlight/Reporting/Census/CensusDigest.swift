/// What every output of a census works out the same way: typical hours, what was dropped, and where figures come from.
struct CensusDigest {
  let report: CensusReport
  /// The median hour among those with an estimate, or by addresses if there is none; and the hour with most machines.
  let typical: CensusFigure?
  let peak: CensusFigure?
  /// The last hour with an estimate.
  let last: CensusFigure?
  /// The median day.
  let active: CensusFigure?
  /// The last day.
  let stock: CensusFigure?
  let dropped: [(reason: String, rows: UInt64)]
  let isPublic: Bool

  init(_ edition: CensusEdition) {
    report = edition.report
    isPublic = edition.audience == .everybody
    let live = Self.ascending(report.live)
    typical = live.isEmpty ? Self.medianByAddresses(report.live) : live[(live.count - 1) / 2]
    peak = live.last
    last = report.live.last { Self.isKnown($0) }
    let active = Self.ascending(report.active)
    self.active = active.isEmpty ? report.active.last : active[(active.count - 1) / 2]
    stock = report.stock.last { Self.isKnown($0) } ?? report.stock.last
    dropped = report.basis.dropped.filter { $0.value > 0 }.map { ($0.key, $0.value) }
      .sorted { ($1.rows, $0.reason) < ($0.rows, $1.reason) }
  }

  private static func medianByAddresses(_ figures: [CensusFigure]) -> CensusFigure? {
    let sorted = figures.filter { $0.addresses.isFinite }.sorted {
      ($0.addresses, $0.hours.lowerBound) < ($1.addresses, $1.hours.lowerBound)
    }
    return sorted.isEmpty ? figures.first : sorted[(sorted.count - 1) / 2]
  }

  static func isKnown(_ figure: CensusFigure) -> Bool { (figure.machines?.value).map { $0.isFinite } ?? false }

  private static func ascending(_ figures: [CensusFigure]) -> [CensusFigure] {
    figures.filter(isKnown).sorted {
      ($0.machines?.value ?? 0, $0.hours.lowerBound) < ($1.machines?.value ?? 0, $1.hours.lowerBound)
    }
  }

  var droppedRows: UInt64 { dropped.reduce(0) { $0 &+ $1.rows } }

  /// `invalid 12,300, one shot 410 of 1,923,004 rows`.
  var droppedWords: String {
    guard !dropped.isEmpty else { return "nothing dropped" }
    let list = dropped.map { "\(ReportWords.spaced($0.reason)) \(ReportWords.grouped($0.rows))" }
    return "dropped: \(list.joined(separator: ", ")) of \(ReportWords.grouped(report.basis.rows)) rows"
  }

  var sensorWords: String {
    guard !report.sensors.isEmpty else { return "sensors not stated" }
    if isPublic || report.sensors.count > 4 { return ReportWords.count(report.sensors.count, "sensor", "sensors") }
    return (report.sensors.count == 1 ? "sensor " : "sensors ") + report.sensors.joined(separator: ", ")
  }

  /// Window, grade, sensors and what was dropped: below every figure.
  func provenance(_ grade: CensusGrade? = nil) -> String {
    "\(CensusWords.window(report.hours)) · \(CensusWords.grade(grade ?? report.footprint.grade)) · \(sensorWords) · \(droppedWords)"
  }

  /// Why a number is not stated.
  func refusal(_ kind: CensusKind) -> String? {
    // One code may refuse several kinds; its first text explains.
    let texts = report.caveats.filter { $0.refuses == kind }.map { caveat in
      report.caveats.first { $0.code == caveat.code }?.text ?? caveat.text
    }
    return texts.isEmpty ? nil : texts.map(CensusWords.sentence).joined(separator: " ")
  }

  /// Whether the rules refuse what an estimator alone says: `report.others` has bare answers, to be compared.
  ///
  /// What a caveat refuses rests on addresses, and so do sensors, which match them. Identities have reasons of their own.
  func isRefused(_ other: CensusFigure) -> Bool {
    report.caveats.contains { caveat in
      other.grade == .identities
        ? caveat.code == "identity_per_start" || caveat.code == "few_identities" : caveat.refuses == other.kind
    }
  }

  /// Each code's caveats as one sentence, with the kinds that they refuse.
  var caveats: [(text: String, refuses: [CensusKind])] {
    var out: [(code: String, text: String, refuses: [CensusKind])] = []
    for caveat in report.caveats {
      let kinds = caveat.refuses.map { [$0] } ?? []
      if let i = out.firstIndex(where: { $0.code == caveat.code && !kinds.isEmpty && !$0.refuses.isEmpty }) {
        out[i].refuses += kinds
      } else {
        out.append((caveat.code, CensusWords.sentence(caveat.text), kinds))
      }
    }
    return out.map { ($0.text, $0.refuses) }
  }

  /// Grade of the live figures, which may be better than the footprint's.
  var liveGrade: CensusGrade { typical?.grade ?? report.live.first?.grade ?? report.footprint.grade }

  /// Mean of the hours of each hour of the week from Monday 00:00 UTC, and how many there were.
  var week: [(mean: Double, hours: Int)] {
    var sum = [Double](repeating: 0, count: 168)
    var count = [Int](repeating: 0, count: 168)
    for figure in report.live {
      guard let value = figure.machines?.value, value.isFinite else { continue }
      let h = CensusWords.hourOfWeek(figure.hours.lowerBound)
      sum[h] += value
      count[h] += 1
    }
    return (0..<168).map { (count[$0] > 0 ? sum[$0] / Double(count[$0]) : 0, count[$0]) }
  }
}

extension CensusDigest {
  /// A country's two ranks: by addresses and by machines. Only those whose machines are known.
  struct Rank {
    var part: CensusPart
    var byAddresses: Int
    var byMachines: Int
  }

  /// By the footprint where every country has one, by mean live machines else.
  var ranksByFootprint: Bool { report.countries.allSatisfy { Self.isKnown($0.footprint) } && !report.countries.isEmpty }

  func figure(_ part: CensusPart) -> CensusFigure { ranksByFootprint ? part.footprint : part.live }

  /// A naive count is of the window's addresses, whatever the machines are counted in.
  func addresses(_ part: CensusPart) -> Double {
    part.footprint.addresses.isFinite ? part.footprint.addresses : figure(part).addresses
  }

  /// Most machines first.
  var ranks: [Rank] {
    let parts = report.countries.filter { Self.isKnown(figure($0)) && $0.place != .country(.unknown) }
    let addresses = parts.indices.sorted {
      (self.addresses(parts[$1]), $0) < (self.addresses(parts[$0]), $1)
    }
    var rank = [Int](repeating: 0, count: parts.count)
    for (i, at) in addresses.enumerated() { rank[at] = i + 1 }
    let machines = parts.indices.sorted {
      (figure(parts[$1]).machines?.value ?? 0, $0) < (figure(parts[$0]).machines?.value ?? 0, $1)
    }
    return machines.enumerated().map { Rank(part: parts[$1], byAddresses: rank[$1], byMachines: $0 + 1) }
  }
}
