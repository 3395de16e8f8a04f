import Glibc

extension CensusEstimator {
  /// - Parameter refusing: whether the abstention rules apply; without them it is the bare answer.
  func footprint(refusing: Bool) -> CensusFigure {
    if usesIdentities, let a {
      return CensusFigure(
        kind: .footprint, hours: table.hours, machines: doubting(a.range), addresses: addresses,
        grade: .identities)
    }
    let value = b.footprint(byHours: b.countsHours)
    let isRefused = refusing && caveats.contains { $0.refuses == .footprint }
    if isRefused, let apart = recaptureOfWindows {
      // Unequal visibility makes it a lower bound: the interval is longer upwards.
      let low = apart.estimate * exp(-1.96 * apart.deviation)
      let high = apart.estimate * exp(1.96 * (apart.deviation * apart.deviation + 0.3 * 0.3).squareRoot())
      return CensusFigure(
        kind: .footprint, hours: table.hours, machines: CensusRange(low: low, value: apart.estimate, high: high),
        addresses: addresses, grade: .sensors)
    }
    var machines = !isRefused && value.isFinite && value > 0 ? doubting(range(value, footprintDeviation)) : nil
    machines?.low *= b.leastAfterLoss
    return CensusFigure(
      kind: .footprint, hours: table.hours, machines: machines, atMost: atMost, addresses: addresses, grade: .addresses)
  }

  /// Each machine had one tag at least; `nil` where nobody can tell how many machines share one.
  var atMost: Double? {
    guard b.sharing != .none || machinesPerAddress > 1 else { return nil }
    let tags = b.networks.indices.reduce(0) { sum, n in
      sum + (b.networks[n].isDropped ? 0 : max(b.measures.networks[n].machinesInWindow, b.measures.networks[n].tags))
    }
    return tags / table.theta * (1 + 2 * rules.sharingError * log(max(1, machinesPerAddress)))
  }

  /// One standard deviation of the logarithm of a footprint from addresses.
  var footprintDeviation: Double {
    let days = Double(table.hourCount) / 24
    let model =
      days <= 30
      ? rules.footprintModel30
      : min(1, (days - 30) / 60) * (rules.footprintModel90 - rules.footprintModel30) + rules.footprintModel30
    let all = b.networks.reduce(0) { $0 + $1.machineDays }
    let loose = all > 0 ? b.networks.reduce(0) { $0 + ($1.isAnchor ? 0 : $1.machineDays) } / all : 1
    let anchored = b.networks.reduce(0) { $0 + $1.anchored }
    let gap = log(max(0.2, min(5, b.footprint(byHours: true) / max(1, b.footprint(byHours: false)))))
    let missed = 0.2 * log(b.visibility.share * Double(b.visibility.lag))
    let sharing = b.sharing == .none ? 0.15 : rules.sharingError * log(machinesPerAddress)
    let open = b.roaming.error ?? 0
    let roamingError = open <= Roaming.errorMost ? 2 * open : 0
    let followed = 0.15 * (b.knownSuccession ?? 0)
    let followedError = b.knownSuccession == nil ? 0 : b.succession?.error ?? 0
    let terms = [
      model, 0.04 * loose, bootstrap(), 0.5 * gap, missed, sharing, 1 / max(1, anchored).squareRoot(),
      table.movedShare > 0.02 ? 0.05 : 0, 0.35 * log(b.roaming.networksPerMachine),
      roamingError, b.learnedDeviation, followed, followedError,
    ]
    return terms.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }

  /// Standard deviation of the logarithm of the days (hours) per machine over resamples of the anchors: networks
  /// share a policy, so networks are drawn, not machines.
  func bootstrap(_ chosen: [Int]? = nil) -> Double {
    let anchors = chosen ?? b.networks.indices.filter { b.networks[$0].isMeasure }
    guard anchors.count > 1 else { return 0.5 }
    var random = RandomSource(seed: 0x6d6f_7468, stream: UInt64(anchors.count))
    var logs: [Double] = []
    for _ in 0..<rules.resamples {
      var exposure = 0.0
      var machines = 0.0
      for _ in anchors {
        let n = b.networks[anchors[random.int(below: anchors.count)]]
        exposure += b.countsHours ? n.machineHours : n.machineDays
        machines += n.anchored
      }
      if machines > 0, exposure > 0 { logs.append(log(exposure / machines)) }
    }
    guard logs.count > 1 else { return 0.5 }
    let mean = logs.reduce(0, +) / Double(logs.count)
    return (logs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(logs.count - 1)).squareRoot()
  }

  // MARK: countries and networks

  func parts(_ place: (CensusTable.Network) -> CensusPart.Place) -> [CensusPart] {
    var groups: [CensusPart.Place: [Int]] = [:]
    for n in table.networks.indices where !b.networks[n].isDropped {
      groups[place(table.networks[n]), default: []].append(n)
    }
    return groups.map { part($0.key, $0.value) }.sorted { x, y in
      let (l, r) = (x.live.machines?.value ?? 0, y.live.machines?.value ?? 0)
      return l != r ? l > r : "\(x.place)" < "\(y.place)"
    }
  }

  private func part(_ place: CensusPart.Place, _ members: [Int]) -> CensusPart {
    let blind = clocks.blind
    var sum = 0.0
    var hours = 0.0
    for hour in 0..<table.hourCount where !blind.contains(hour) {
      let parts = members.map { n in usesIdentities ? a?.live(hour, network: n) : b.live(hour, network: n) }
      guard parts.allSatisfy({ $0 != nil }) else { continue }
      sum += parts.reduce(0) { $0 + ($1 ?? 0) }
      hours += 1
    }
    let live = hours > 0 ? sum / hours : 0
    let addressHours = members.reduce(0) { $0 + b.measures.networks[$1].addressHours } / table.theta
    let addresses = members.reduce(0) { $0 + b.measures.networks[$1].addresses } / table.theta
    let grade: CensusGrade = usesIdentities ? .identities : .addresses
    let (foot, deviation) = footprint(of: members)
    let isRefused = refuses(.footprint) || !foot.isFinite
    return CensusPart(
      place: place,
      live: CensusFigure(
        kind: .live, hours: table.hours,
        machines: refuses(.live) ? nil : range(live, 1.3 * liveDeviation(live, byIdentities: usesIdentities)),
        addresses: addressHours / Double(table.hourCount), grade: grade),
      footprint: CensusFigure(
        kind: .footprint, hours: table.hours, machines: isRefused ? nil : range(foot, deviation), addresses: addresses,
        grade: grade),
      isAnchor: members.allSatisfy { b.networks[$0].isAnchor }, isShared: members.contains { b.networks[$0].isShared })
  }

  /// With five anchors of its own a country uses these; else it borrows the days per machine of all and its interval
  /// is half as wide again.
  private func footprint(of members: [Int]) -> (Double, Double) {
    if usesIdentities, let a {
      let machines = members.reduce(0) { $0 + a.byNetwork[$1] }
      return (machines, (a.deviation * a.deviation + 0.5 / max(1, machines * table.identityTheta)).squareRoot() * 1.2)
    }
    // Networks count a machine that moves once each; a country once.
    let times = Set(members.map { table.networks[$0].system }).count > 1 ? b.roaming.networksPerMachine : 1
    let pooled = members.reduce(0) { $0 + b.footprint(of: $1, byHours: b.countsHours) } / times
    let anchors = members.filter { b.networks[$0].isMeasure }
    let few = 0.5 / max(1, pooled * table.theta)
    guard anchors.count >= 5 else {
      return (pooled, 1.5 * (footprintDeviation * footprintDeviation + few).squareRoot())
    }
    let exposure = anchors.reduce(0) { $0 + (b.countsHours ? b.networks[$1].machineHours : b.networks[$1].machineDays) }
    let machines = anchors.reduce(0) { $0 + b.networks[$1].anchored }
    guard machines > 100, exposure > 0 else {
      return (pooled, 1.5 * (footprintDeviation * footprintDeviation + few).squareRoot())
    }
    let own = members.reduce(0) { $0 + (b.countsHours ? b.networks[$1].machineHours : b.networks[$1].machineDays) }
    let spread = bootstrap(anchors)
    return (
      own * machines / exposure / table.theta / times, (pow(footprintDeviation, 2) + spread * spread + few).squareRoot()
    )
  }

  // MARK: what the others say

  /// Answers of all estimators, so that a reader sees how they agree.
  func others() -> [CensusFigure] {
    var out: [CensusFigure] = []
    let hours = (0..<table.hourCount).filter { !clocks.blind.contains($0) }
    let meanAddresses = hours.isEmpty ? 0 : hours.reduce(0) { $0 + addresses(in: $1) } / Double(hours.count)
    func mean(_ values: [Double]) -> Double? { values.isEmpty ? nil : values.reduce(0, +) / Double(values.count) }
    func add(_ kind: CensusKind, _ value: Double?, _ deviation: Double, _ grade: CensusGrade) {
      guard let value, value.isFinite, value > 0 else { return }
      out.append(
        CensusFigure(
          kind: kind, hours: table.hours, machines: range(value, deviation),
          addresses: kind == .live ? meanAddresses : addresses, grade: grade))
    }
    if let a {
      add(.footprint, a.estimate, a.isMadeAtStart ? 1 : a.deviation, .identities)
      add(.live, mean(hours.compactMap { a.live($0) }), 0.02, .identities)
    }
    let live = mean(hours.compactMap { b.live($0) })
    add(.footprint, b.daysPerMachine > 0 ? b.footprint(byHours: b.countsHours) : nil, footprintDeviation, .addresses)
    add(.live, live, liveDeviation(live ?? 1, byIdentities: false), .addresses)
    if let c {
      let gap = log(max(1, c.corrected) / max(1, c.darroch))
      add(
        .live, c.corrected * callsPerTag, (0.05 * 0.05 + c.deviation * c.deviation + gap * gap / 4).squareRoot(),
        .sensors)
    }
    return out
  }
}
