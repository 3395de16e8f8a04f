/// What a collector did with what it got.
public struct CollectorCounts: Sendable, Hashable {
  /// Left out on purpose or for want of what it takes to read it.
  public enum Skip: Int, Sendable, CaseIterable {
    case noTemplate, notAllowed, unknownFormat, exporterRefused, badTime, noAddresses, noCounts, firewallEvent
    case counterSample, otherSample, otherRecord, notIP

    /// Word in health and metrics; append only.
    public var word: String {
      switch self {
      case .noTemplate: "no_template"
      case .notAllowed: "exporter_not_allowed"
      case .unknownFormat: "unknown_format"
      case .exporterRefused: "exporters_full"
      case .badTime: "impossible_time"
      case .noAddresses: "no_addresses"
      case .noCounts: "no_counts"
      case .firewallEvent: "firewall_event"
      case .counterSample: "counter_sample"
      case .otherSample: "other_sample"
      case .otherRecord: "other_record"
      case .notIP: "not_ip"
      }
    }
  }

  public var datagrams: UInt64 = 0
  public var octets: UInt64 = 0
  /// Flow records and sampled packets.
  public var records: UInt64 = 0
  /// Records of options: how the exporter works.
  public var optionsRecords: UInt64 = 0
  /// Datagrams, sets, templates and samples that contradict their format.
  public var unparsed: UInt64 = 0
  public var templates: UInt64 = 0
  public var templatesChanged: UInt64 = 0
  public var templatesWithdrawn: UInt64 = 0
  /// For want of room, or too many fields.
  public var templatesRefused: UInt64 = 0
  /// Unused ones that made room for others.
  public var templatesPushedOut: UInt64 = 0
  public var exportersPushedOut: UInt64 = 0
  /// Lost on the way, by the sequence numbers of exporters that are gone; of the others their reports tell.
  var recordsLostBefore: UInt64 = 0
  var datagramsLostBefore: UInt64 = 0
  /// Records whose other direction could not be waited for.
  public var unpaired: UInt64 = 0
  /// Event time of the newest flow.
  public var newest: Timestamp?
  private var skips = [UInt64](repeating: 0, count: Skip.allCases.count)

  public init() {}

  mutating func skip(_ reason: Skip, _ count: UInt64 = 1) { skips[reason.rawValue] &+= count }
  public subscript(reason: Skip) -> UInt64 { skips[reason.rawValue] }

  /// By word; reasons that did not occur are left out.
  public var skipped: [String: UInt64] {
    var out: [String: UInt64] = [:]
    for reason in Skip.allCases where self[reason] > 0 { out[reason.word] = self[reason] }
    return out
  }
}
