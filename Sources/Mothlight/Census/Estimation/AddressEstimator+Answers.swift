extension AddressEstimator {
  /// Machine-hours of all tags (not only the sampled ones) of a network in an hour, as seen.
  func machines(_ network: Int, _ hour: Int) -> Double {
    let i = network * table.hourCount + hour
    if sharing == .contactRate { return table.contacts[i] / contactsOfOne }
    let sharedBy = sharing == .none ? networks[network].occupancy : 1
    guard !table.addresses.isEmpty, table.theta < 1 else { return measures.machines[i] / table.theta * sharedBy }
    let m = measures.networks[network]
    return table.addresses[i] * (m.addressHours > 0 ? m.machineHours / m.addressHours : 1) * sharedBy
  }

  /// Machines that were on in an hour, by network or of all; `nil` when the sensors were silent.
  func live(_ hour: Int, network: Int? = nil) -> Double? {
    let factor = visibility.byHour.isEmpty ? 1 : visibility.byHour[hour]
    guard factor > 0.2 else { return nil }
    let seen =
      network.map { machines($0, hour) }
      ?? networks.indices.reduce(0) { $0 + (networks[$1].isDropped ? 0 : machines($1, hour)) }
    return seen / visibility.share / factor
  }

  /// Distinct machines in the window by networks, from days or, in short windows, from hours.
  func footprint(of network: Int, byHours: Bool) -> Double {
    let n = networks[network]
    let seen = byHours ? n.machineHours / hoursPerMachine : n.machineDays / daysPerMachine
    return seen / table.theta
  }

  /// Machines for each address-day beyond those for each address-hour, where only check-in rates tell machines apart:
  /// people of one household are on at different hours. From how often an address of one machine is on, and how many
  /// others have.
  var machinesADay: Double {
    guard sharing == .contactRate else { return 1 }
    var single = (days: 0.0, life: 0.0)
    var all = (days: 0.0, lives: 0.0, occupied: 0.0)
    for n in networks.indices where networks[n].isAnchor {
      let m = measures.networks[n]
      single.days += m.single.days
      single.life += m.single.life
      all.days += m.shownInDay
      all.lives += m.lives
      all.occupied += m.shownInDay * networks[n].occupancy
    }
    guard single.life > 100, all.occupied > 0 else { return 1 }
    return max(1, min(2, single.days / single.life * all.lives / all.occupied))
  }

  var countsHours: Bool { table.hourCount < rules.windowForDays }

  func footprint(byHours: Bool) -> Double {
    networks.indices.reduce(0) { $0 + footprint(of: $1, byHours: byHours) } / roaming.networksPerMachine
  }
}
