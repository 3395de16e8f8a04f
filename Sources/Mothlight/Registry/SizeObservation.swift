/// One number of machines as a census stated it: never without window, grade and addresses.
public struct SizeObservation: Sendable, Hashable {
  public var figure: CensusFigure
  public var sensors: [String]
  public var origin: Origin

  public init(_ figure: CensusFigure, sensors: [String], origin: Origin) {
    self.figure = figure
    self.sensors = sensors
    self.origin = origin
  }
}

extension CensusReport {
  /// What the registry keeps of a report: the footprint, the live machines of the window's busiest hour, and each day.
  public func sizeObservations(origin: Origin) -> [SizeObservation] {
    let busiest = live.max { ($0.machines?.value ?? -1) < ($1.machines?.value ?? -1) }
    let figures = [footprint] + (busiest.map { [$0] } ?? []) + active + stock
    return figures.map { SizeObservation($0, sensors: sensors, origin: origin) }
  }
}
