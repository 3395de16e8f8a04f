extension AddressEstimator {
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
}
