/// What a collector accepts, and how much it holds.
public struct FlowCollectorSettings: Sendable, Hashable {
  /// Who samples how much, where the exporter does not say it itself.
  public struct Sampling: Sendable, Hashable {
    public var exporters: Prefix
    /// One packet in so many; 1: none is left out, whatever the exporter says.
    public var oneIn: UInt32
    public init(exporters: Prefix, oneIn: UInt32) {
      self.exporters = exporters
      self.oneIn = max(1, oneIn)
    }
  }

  /// Who may export; empty: everybody. UDP sources can be forged, so this is a filter and no proof.
  public var exporters: [Prefix] = []
  public var sampling: [Sampling] = []
  /// Takes records by the exporter's clock alone, however old: for replays of archives.
  public var trustsExporterClock = false
  /// How far an exporter's clock may be off before its times are corrected.
  public var clockToleranceSeconds = 60.0
  /// How long before its arrival a flow may have ended, after correction: the longest idle timeout and queue of exporters.
  public var recordAgeSeconds = 3600.0
  /// How long a record waits for that of the other direction: the longest usual active timeout.
  public var pairingSeconds = 300.0
  /// Exporters followed at a time, a domain counting as one: 1,024 × 1 KiB without templates.
  public var exportersMost = 1024
  /// Templates of one exporter: routers use ten, probes up to some hundred.
  public var templatesPerExporter = 512
  /// Fields of one template: the largest in use have about 100.
  public var fieldsPerTemplate = 512
  /// Fields of all templates together: 22 octets each, 11 MB.
  public var fieldsMost = 1 << 19
  /// Octets of data kept back until their templates come, all exporters together.
  public var heldOctetsMost = 8 << 20
  /// Sets of data kept back for one exporter.
  public var heldSetsPerExporter = 256
  /// Records waiting for their other direction: about 400 octets each, 52 MB.
  public var waitingMost = 1 << 17
  /// Flows of sampled packets held open: 192 octets each, 12 MB.
  public var sampledFlowsMost = 1 << 16

  public init() {}
}
