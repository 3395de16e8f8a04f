/// What an analyst knows of a simulated botnet before anything is counted.
public struct CensusTrial: Sendable {
  public var botnet: String
  public var sensors: [String]
  /// UTC hours since 1970, all within.
  public var hours: ClosedRange<UInt32>
  /// AS numbers known to be hosting networks.
  public var hosting: [UInt32]
}

/// Whoever makes a census of rows, so that a simulation can judge it.
public protocol CensusEstimating: Sendable {
  /// - Parameter rows: calls its argument once for each row, by true hour.
  func report(_ trial: CensusTrial, rows: (_ row: (CensusSighting) -> Void) throws -> Void) throws -> CensusReport
}

/// The count that a census replaces: addresses, taken for machines, without an interval.
public struct AddressCount: CensusEstimating {
  public init() {}

  public func report(
    _ trial: CensusTrial, rows: (_ row: (CensusSighting) -> Void) throws -> Void
  ) throws -> CensusReport {
    var all: Set<IPAddress> = []
    var byHour = [Set<IPAddress>](repeating: [], count: trial.hours.count)
    try rows { row in
      all.insert(row.address)
      if trial.hours.contains(row.hour) { byHour[Int(row.hour - trial.hours.lowerBound)].insert(row.address) }
    }
    func figure(_ kind: CensusKind, _ hours: ClosedRange<UInt32>, _ count: Int) -> CensusFigure {
      let value = Double(count)
      return CensusFigure(
        kind: kind, hours: hours, machines: CensusRange(low: value, value: value, high: value), addresses: value,
        grade: .addresses)
    }
    var report = CensusReport(
      botnet: trial.botnet, hours: trial.hours, sensors: trial.sensors,
      footprint: figure(.footprint, trial.hours, all.count))
    report.live = byHour.enumerated().map { i, seen in
      let hour = trial.hours.lowerBound + UInt32(i)
      return figure(.live, hour...hour, seen.count)
    }
    return report
  }
}
