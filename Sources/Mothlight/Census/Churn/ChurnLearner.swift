/// Learns a churn table from a botnet whose protocol carries identities that last.
///
/// A machine at one address of a network after another is a change; the hours from its first to its last sight at
/// each address are the time in which it could have happened. The same sums over tags, without identities, give the
/// machines of another botnet: machines = tags − λ × hours.
public struct ChurnLearner: Sendable {
  /// Why nothing can be learned.
  public enum Refusal: Error, Sendable, Hashable {
    case noIdentities
    case sampled
  }

  /// - Parameters:
  ///   - rollup: of the whole botnet.
  ///   - window: hours outside are left out; `nil`: all.
  /// - Throws: `Refusal`.
  /// - Complexity: O(tags log tags).
  public static func table(
    _ rollup: CensusRollup, window: ClosedRange<UInt32>? = nil, rules: CensusRules = CensusRules()
  ) throws(Refusal) -> ChurnTable {
    guard let table = CensusTable(rollup, window: window) else { throw .noIdentities }
    // A machine's addresses are sampled one by one, so that a sample shows too few changes.
    guard table.theta == 1, table.identityTheta == 1 else { throw .sampled }
    let estimator = CensusEstimator(table, rules: rules)
    guard estimator.usesIdentities, let a = estimator.a else { throw .noIdentities }
    let middle = table.hours.lowerBound + UInt32(table.hourCount / 2)
    let quarter = ChurnTable.Quarter(hour: middle)
    var out = ChurnTable()
    out.sources = [ChurnTable.Source(botnet: rollup.botnet, hours: table.hours)]
    let b = estimator.b
    var shared: Set<UInt32> = []
    for n in table.networks.indices where table.networks[n].system != 0 && !b.networks[n].isDropped {
      let system = table.networks[n].system
      if b.networks[n].isShared { shared.insert(system) }
      var row = ChurnTable.Row(
        changes: 0, hours: 0, machineHours: 0, addressHours: b.measures.networks[n].addressHours)
      row.machineHours = a.machineHours(of: n)
      out.rows[ChurnTable.Key(system: system, quarter: quarter), default: ChurnTable.Row.none] += row
    }
    for (system, stays) in stays(rollup, table.hours) where !shared.contains(system) {
      let key = ChurnTable.Key(system: system, quarter: quarter)
      guard out.rows[key] != nil else { continue }
      out.rows[key]?.changes += stays.changes
      out.rows[key]?.hours += stays.hours
    }
    out.rows = out.rows.filter { $0.value.hours > 0 || $0.value.addressHours > 0 }
    return out
  }

  /// Changes and hours by system, over identities that were seen at addresses that show few.
  private static func stays(
    _ rollup: CensusRollup, _ window: ClosedRange<UInt32>
  ) -> [UInt32: (changes: Double, hours: Double)] {
    struct Stay {
      var system: UInt32
      var identity: UInt32
      var unit: UInt64
      var hours: UInt32
    }
    var stays: [Stay] = []
    for tag in rollup.tags.sortedTags where !tag.hasMoreCompanions && tag.place.system != 0 {
      for companion in tag.companions {
        let first = max(companion.firstHour, window.lowerBound)
        let last = min(companion.lastHour, window.upperBound)
        guard first <= last else { continue }
        stays.append(
          Stay(system: tag.place.system, identity: companion.hash, unit: tag.unit, hours: last - first))
      }
    }
    stays.sort { ($0.system, $0.identity, $0.unit) < ($1.system, $1.identity, $1.unit) }
    var out: [UInt32: (changes: Double, hours: Double)] = [:]
    for (i, stay) in stays.enumerated() {
      out[stay.system, default: (0, 0)].hours += Double(stay.hours)
      guard i > 0, stays[i - 1].system == stay.system, stays[i - 1].identity == stay.identity,
        stays[i - 1].unit != stay.unit
      else { continue }
      out[stay.system]?.changes += 1
    }
    return out
  }
}

extension ChurnTable.Row {
  static let none = ChurnTable.Row(changes: 0, hours: 0, machineHours: 0, addressHours: 0)
}
