import Glibc

extension CensusEstimator {
  /// Everything without which the numbers must not be read, and what each forbids (census.md sections 2 and 8).
  func findCaveats() -> [CensusCaveat] {
    windowCaveats() + lossCaveats() + anchorCaveats() + lossUnknownCaveats() + strangerCaveats() + roamingCaveats()
      + sharingCaveats()
      + sensorCaveats() + identityCaveats()
  }

  private func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10) %" }

  private func windowCaveats() -> [CensusCaveat] {
    var out: [CensusCaveat] = []
    if table.hourCount < rules.windowLeast {
      out.append(
        CensusCaveat(
          "short_window",
          "the window has \(table.hourCount) hours; below \(rules.windowLeast) nobody can tell returning machines "
            + "from new ones",
          refuses: .footprint))
    } else if table.hourCount < rules.windowForDays {
      out.append(
        CensusCaveat(
          "hours_for_days",
          "the window has \(table.hourCount) hours: machine-hours stand in for machine-days, so networks with other "
            + "habits than the anchors weigh wrongly"
        ))
    }
    if b.visibility.base < 50 {
      out.append(
        CensusCaveat(
          "visibility_unknown",
          "too few tags were seen before and after an hour to tell how many are missed: live is a lower bound"))
    }
    if table.theta < 1 || table.identityTheta < 1 {
      out.append(
        CensusCaveat(
          "sampled",
          "1 in \(Int((1 / table.theta).rounded())) addresses was kept by the sketch; all counts are "
            + "scaled")
      )
    }
    if table.samplingFactor > 1 {
      out.append(
        CensusCaveat(
          "sensor_sampled",
          "a sensor under load recorded one source in \(table.samplingFactor) for a while: machines and addresses are lower "
            + "bounds then"))
    }
    if table.movedShare > 0.005 {
      out.append(
        CensusCaveat(
          "network_data_changed",
          "\(percent(table.movedShare)) of the tags were said to be in different networks within the window: the "
            + "network data changed, parts by network are blurred"
        ))
    }
    return out
  }

  private func anchorCaveats() -> [CensusCaveat] {
    var out: [CensusCaveat] = []
    let anchors = b.networks.count { $0.isAnchor }
    let learned = b.networks.count { $0.learned != nil }
    if learned > 0 {
      out.append(
        CensusCaveat(
          "churn_learned",
          "in \(learned) networks with \(percent(b.learnedShare)) of the machine-hours a churn table tells how often a "
            + "machine changes its address: they count as long as their networks have kept their ways"))
    }
    if anchors + learned < rules.anchorsLeast || b.anchorShare + b.learnedShare < rules.anchorShareLeast {
      out.append(
        CensusCaveat(
          "few_anchors",
          "\(anchors) networks with stable addresses hold \(percent(b.anchorShare)) of the machine-hours; "
            + "\(rules.anchorsLeast) with \(percent(rules.anchorShareLeast)) are needed to tell a machine from an "
            + "address",
          refuses: .footprint))
    } else {
      let (days, hours) = (b.footprint(byHours: false), b.footprint(byHours: true))
      if days > 0, !b.countsHours, abs(log(hours / days)) > log(1 + rules.daysHoursGap) {
        out.append(
          CensusCaveat(
            "anchors_unlike",
            "counted in hours the footprint is \(Int(hours)) instead of \(Int(days)): machines of the anchors are "
              + "used unlike the others"
          ))
      }
    }
    return out
  }

  private func lossUnknownCaveats() -> [CensusCaveat] {
    guard b.leastAfterLoss < 0.98, a.map({ $0.isMadeAtStart }) ?? true || fewIdentities else { return [] }
    return [
      CensusCaveat(
        "address_loss_unknown",
        "nothing tells clean-up from addresses that change in stable networks: if all that vanish had changed, there "
          + "would be \(percent(1 - b.leastAfterLoss)) fewer machines; the lower end makes room for that")
    ]
  }

  private func names(_ networks: [Int]) -> String {
    networks.prefix(5).map { "AS\(table.networks[$0].system)" }.joined(separator: ", ")
      + (networks.count > 5 ? "..." : "")
  }

  /// Networks that the behaviour of their sources, not a list, made the census leave out.
  var irregularNetworks: [Int] {
    b.networks.indices.filter {
      b.networks[$0].isDropped && !b.setAside.contains($0) && !rules.hosting.contains(table.networks[$0].system)
    }
  }

  private func strangerCaveats() -> [CensusCaveat] {
    var out: [CensusCaveat] = []
    let dropped = irregularNetworks
    if !dropped.isEmpty {
      out.append(
        CensusCaveat(
          "irregular_networks",
          "\(dropped.count) networks were left out, whose sources come and go like no machine does: "
            + names(dropped)
        ))
    }
    if !b.setAside.isEmpty {
      out.append(
        CensusCaveat(
          "poisoners_set_aside",
          "\(b.setAside.count) networks with \(percent(b.setAsideShare)) as many machine-hours were set aside: their "
            + "sources live unlike those of all other stable networks (\(names(b.setAside))); the upper end takes them in"
        ))
    }
    if b.hostedShare > 0.005 {
      out.append(
        CensusCaveat(
          "known_poisoners",
          "sources of known hosting networks that keep coming back have \(percent(b.hostedShare)) as many "
            + "machine-hours; they "
            + "were left out, and the lower end makes room for as many again from networks that nobody lists"))
    }
    if b.crowdedShare > 0 {
      out.append(
        CensusCaveat(
          "crowded_addresses",
          "\(percent(b.crowdedShare)) of the machine-hours come from few addresses with many steady sources each "
            + "(\(names(b.networks.indices.filter { b.networks[$0].isCrowded }))): offices or inventions; the lower end leaves them out"
        ))
    }
    let weight = min(b.oneShots.anchors, b.oneShots.others)
    if weight < 1 {
      out.append(
        CensusCaveat(
          "one_shot_visitors",
          "tags seen in one hour only are more than returning ones support; \(percent(1 - weight)) of them were "
            + "taken off"
        ))
    }
    return out
  }

  /// What spools tell of their own sensors.
  private func lossCaveats() -> [CensusCaveat] {
    let lost = table.recordsLost.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { sensor, count in
      CensusCaveat(
        "records_lost",
        "sensor \(sensor) lost \(count) records under load: machines and addresses are lower bounds then")
    }
    return lost
      + table.clockSteps.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { sensor, count in
        CensusCaveat(
          "clock_steps",
          "the clock of sensor \(sensor) was set back \(count) times: hours around that may hold the sights of two")
      }
  }

  /// Machines that move are counted in each of their networks.
  private func roamingCaveats() -> [CensusCaveat] {
    guard a.map({ $0.isMadeAtStart }) ?? true || fewIdentities, table.hourCount >= rules.windowForDays else {
      return []
    }
    let times = (b.roaming.networksPerMachine * 100).rounded() / 100
    if times > 1 {
      let isTooMany = times > rules.networksPerMachineMost
      return [
        CensusCaveat(
          "machines_roam",
          "fingerprints that turn up in two networks on the same days and never in the same hour tell that a machine is "
            + "counted in \(times) networks: \(isTooMany ? "too many to be undone" : "taken off")",
          refuses: isTooMany ? .footprint : nil)
      ]
    }
    guard b.roaming.error.map({ $0 > Roaming.errorMost }) ?? true else { return [] }
    return [
      CensusCaveat(
        "roaming_unknown",
        "machines that move between networks would count in each; fingerprints are too few to tell how many do")
    ]
  }

  private func sharingCaveats() -> [CensusCaveat] {
    var out: [CensusCaveat] = []
    let h = table.contactHistogram
    let mean = zip(h.indices, h).reduce(0.0) { $0 + Double($1.0) * Double($1.1) } / max(1, Double(h.reduce(0, +)))
    if b.sharing == .none {
      let isSpread = mean > 3
      out.append(
        CensusCaveat(
          "sharing_unknown",
          isSpread
            ? "there are no fingerprints, and check-ins an hour are spread too widely to tell one machine's: how "
              + "many machines share an address is not known"
            : "there are neither fingerprints nor check-in rates: machines behind one address count as one, so live "
              + "is addresses",
          refuses: isSpread ? .live : nil))
      if isSpread {
        out.append(
          CensusCaveat(
            "sharing_unknown", "a footprint would count addresses that hide an unknown number of machines",
            refuses: .footprint))
      }
    }
    let hours = b.networks.reduce(0) { $0 + ($1.isDropped ? 0 : $1.machineHours) }
    let shared = b.networks.reduce(0) { $0 + ($1.isShared ? $1.machineHours : 0) }
    if hours > 0, shared / hours > 0.5 {
      out.append(
        CensusCaveat(
          "mostly_shared",
          "\(percent(shared / hours)) of the machine-hours come from networks where many machines share or rotate "
            + "addresses"
        ))
    }
    let isInStep = clocks.ahead.allSatisfy { $0 == 0 }
    if isInStep, b.sharing == .fingerprints, b.contactsOfOne > 1, b.visibility.share > rules.visibilityPlain, hours > 0
    {
      let byContacts = table.contacts.reduce(0, +) * table.theta / b.contactsOfOne
      let gap = byContacts / hours
      if gap > 1 + rules.contactGap || gap < 1 / (1 + rules.contactGap) {
        out.append(
          CensusCaveat(
            "contact_rate_disagrees",
            "by the rate of check-ins there are \((gap * 100).rounded() / 100) times the machines that addresses and "
              + "fingerprints show",
            refuses: .footprint))
      }
    }
    return out
  }

  private func sensorCaveats() -> [CensusCaveat] {
    var out: [CensusCaveat] = []
    for (s, lag) in clocks.ahead.enumerated() where lag != 0 {
      out.append(
        CensusCaveat(
          "clock_skew",
          "sensor \(table.sensors[s]) is \(abs(lag)) h \(lag > 0 ? "ahead of" : "behind") \(table.sensors[0]); its "
            + "rows were moved"
        ))
    }
    for (s, hours) in clocks.silent.enumerated() where !hours.isEmpty {
      out.append(
        CensusCaveat(
          "sensor_silent", "sensor \(table.sensors[s]) said nothing in \(hours.count) hours within the window"))
    }
    if let apart = recaptureOfWindows {
      out.append(
        CensusCaveat(
          "sensors_apart",
          "the sensors never saw the same hour: matching them takes the population to be closed and addresses to "
            + "stay for \(apart.span) h, so grade C is a rough lower bound of sources, not of machines"
        ))
    }
    if let c, c.residual > 0.5 {
      out.append(
        CensusCaveat(
          "sensors_depend",
          "pairs of sensors disagree by \(percent(c.residual)): their lists depend on each other, recapture is not "
            + "to be trusted"
        ))
    }
    return out
  }

  private var fewIdentities: Bool {
    Double(table.tags.entries.count { $0.identities > 0 }) < 0.8 * Double(table.tags.entries.count)
  }

  private func identityCaveats() -> [CensusCaveat] {
    guard let a else { return [] }
    var out: [CensusCaveat] = []
    if a.isMadeAtStart {
      out.append(
        CensusCaveat(
          "identity_per_start",
          "a tag shows \((a.renewal * 100).rounded() / 100) identities a day: they are made at each start and count "
            + "starts, so addresses are used"
        ))
    }
    let withIdentity = table.tags.entries.count { $0.identities > 0 }
    if fewIdentities {
      out.append(
        CensusCaveat(
          "few_identities",
          "only \(percent(Double(withIdentity) / Double(max(1, table.tags.entries.count)))) of the tags carry an "
            + "identity: addresses are used"
        ))
    }
    if a.unsupported > 0.01 * a.distinct {
      out.append(
        CensusCaveat(
          "one_shot_identities",
          "\(percent(a.unsupported / a.distinct)) of the identities were seen in one hour only and taken off: "
            + "sandboxes and poisoners"
        ))
    }
    return out
  }

  func basis(_ blind: Set<Int>) -> CensusBasis {
    var out = CensusBasis()
    out.anchors = b.networks.count { $0.isAnchor }
    out.anchorShare = b.anchorShare
    out.sharing = b.sharing
    out.machinesPerAddress = machinesPerAddress
    out.visibility = b.visibility.share
    out.checkInSeconds =
      rules.checkInSeconds
      ?? (b.visibility.lag > 1 ? Double(b.visibility.lag) * 3600 : b.contactsOfOne > 1 ? 3600 / b.contactsOfOne : nil)
    let hours = b.networks.reduce(0) { $0 + ($1.isDropped ? 0 : $1.machineHours) }
    out.sharedShare = hours > 0 ? b.networks.reduce(0) { $0 + ($1.isShared ? $1.machineHours : 0) } / hours : 0
    out.identityLifeHours = a?.lifeHours
    out.theta = table.theta
    out.dropped = table.dropped
    out.rows = table.rows
    let hosting = b.networks.indices.filter { rules.hosting.contains(table.networks[$0].system) }
    for (reason, networks) in [
      ("irregular_network_tags", irregularNetworks), ("set_aside_network_tags", b.setAside),
      ("hosting_network_tags", hosting),
    ] {
      let members = Set(networks.map(Int32.init))
      let count = members.isEmpty ? 0 : table.tags.entries.count { members.contains($0.network) }
      if count > 0 { out.dropped[reason] = UInt64(count) }
    }
    for (s, hours) in clocks.silent.enumerated() where !hours.isEmpty {
      out.silentHours[table.sensors[s]] = hours.map { table.hours.lowerBound + UInt32($0) }
    }
    return out
  }
}
