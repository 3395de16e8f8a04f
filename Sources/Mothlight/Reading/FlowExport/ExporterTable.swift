/// The exporters that are followed, bounded. UDP sources can be forged, so newcomers never push out who delivers flows.
struct ExporterTable {
  /// Silence after which an exporter that delivered flows makes room for a new one.
  private static let staleNanoseconds: Int64 = 3_600_000_000_000

  private(set) var exporters: [ExporterKey: ExporterState] = [:]
  private var latest: ExporterState?
  let most: Int

  init(most: Int) { self.most = max(1, most) }

  @inline(__always)
  mutating func find(_ key: ExporterKey) -> ExporterState? {
    if let latest, latest.key == key { return latest }
    guard let found = exporters[key] else { return nil }
    latest = found
    return found
  }

  var isFull: Bool { exporters.count >= most }

  /// Takes out who has delivered nothing for longest, else who is silent for an hour; `nil` when all are at work.
  /// - Complexity: O(exporters); only for exporters that are new to a full table.
  mutating func makeRoom(at now: Int64) -> ExporterState? {
    var victim: ExporterState?
    for exporter in exporters.values {
      guard let best = victim else {
        victim = exporter
        continue
      }
      let isBetter =
        (exporter.flows == 0) == (best.flows == 0) ? exporter.lastSeen < best.lastSeen : exporter.flows == 0
      if isBetter { victim = exporter }
    }
    guard let victim, victim.flows == 0 || now &- victim.lastSeen > Self.staleNanoseconds else { return nil }
    exporters[victim.key] = nil
    if latest === victim { latest = nil }
    return victim
  }

  mutating func add(_ exporter: ExporterState) {
    exporters[exporter.key] = exporter
    latest = exporter
  }
}
