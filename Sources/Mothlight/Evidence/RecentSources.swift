/// Who came lately, from the newest segments of a spool: families, networks, countries.
public struct RecentSources: Sendable {
  public struct Row: Sendable {
    public var name: String
    public var sources: Int
  }

  public private(set) var families: [Row] = []
  public private(set) var countries: [Row] = []
  public private(set) var systems: [Row] = []
  /// Addresses, not machines; IPv6 by /64.
  public private(set) var sources = 0

  private struct Seen: Hashable {
    var family: String
    var source: IPAddress
  }
  /// Sources looked at: a screen needs no more.
  private static let sourcesMost = 1 << 20
  private static let newestSegments = 2

  /// - Throws: `notASpool` while nothing was written yet.
  public init(spool: String, networks: (any NetworkDirectory)?) throws(SpoolError) {
    var seen: Set<Seen> = []
    _ = try SpoolReader(path: spool, newest: Self.newestSegments).read { record in
      guard seen.count < Self.sourcesMost else { return }
      switch record {
      case .sighting(let s) where s.visitor == nil: seen.insert(Seen(family: s.botnet, source: s.source))
      case .sample(let c, _) where c.visitor == nil:
        let source = c.source.isV4 ? c.source : Prefix(c.source, length: 64).address
        seen.insert(Seen(family: c.family, source: source))
      default: break
      }
    }
    let addresses = Set(seen.map(\.source)).sorted()
    sources = addresses.count
    families = Self.rows(seen.map { $0.family.isEmpty ? "none" : $0.family })
    guard let networks else { return }
    let records = networks.records(of: addresses)
    countries = Self.rows(records.map { $0?.country ?? "unknown" })
    systems = Self.rows(
      records.map { record in
        record?.system.map { ["AS\($0)", record?.systemName].compactMap { $0 }.joined(separator: " ") } ?? "unknown"
      })
  }

  private static func rows(_ names: [String]) -> [Row] {
    var counts: [String: Int] = [:]
    for name in names { counts[name, default: 0] += 1 }
    return counts.map { Row(name: $0.key, sources: $0.value) }.sorted {
      ($1.sources, $0.name) < ($0.sources, $1.name)
    }
  }
}
