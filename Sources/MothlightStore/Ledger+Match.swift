import GRDB
import Mothlight

extension Ledger {
  private enum Bound {
    /// Claims given for one question: a busy hosting address may have thousands.
    static let hits = 64
  }

  /// Which indicators answer each of `values`: itself, a name above it, its address, a prefix that holds it, its host.
  /// - Complexity: a few index probes per value.
  public func matches(_ values: [String]) throws(StoreError) -> [[IndicatorHit]] {
    try store.read { db in
      let sources = try Self.sourceNames(db)
      let lengths = try Self.prefixLengths(db)
      return try values.map { try Self.matches($0, db, sources, lengths) }
    }
  }

  private static func matches(_ text: String, _ db: Database, _ sources: [Int64: String], _ prefixLengths: Set<Length>)
    throws -> [IndicatorHit]
  {
    var hits: [IndicatorHit] = []
    var seen: Set<String> = []
    for question in questions(text, prefixLengths) {
      let column = question.isByHost ? "i.host = ?" : "i.value = ? AND i.kind = ?"
      let statement = try db.cachedStatement(
        sql: """
          SELECT i.kind, i.value, c.role, c.malware, c.first_seen, c.last_seen, c.is_online, c.confidence, c.reference,
            c.extra, c.source_id, c.date, b.name, b.uuid
          FROM indicator i JOIN claim c ON c.indicator_id = i.id LEFT JOIN botnet b ON b.id = c.botnet_id
          WHERE \(column) ORDER BY c.last_seen DESC, i.value, c.source_id, c.malware LIMIT \(Bound.hits)
          """)
      let arguments: StatementArguments =
        question.isByHost ? [question.value] : [question.value, question.kind]
      let rows = try Row.fetchCursor(statement, arguments: arguments)
      while let row = try rows.next(), hits.count < Bound.hits {
        guard let claim = claim(row, sources) else { continue }
        let key = "\(claim.indicator.kind.rawValue) \(claim.indicator.value) \(claim.origin.source) \(claim.malware)"
        if seen.insert(key).inserted {
          hits.append(IndicatorHit(how: question.how, claim: claim, botnet: row[12], botnetID: row[13]))
        }
      }
    }
    return hits
  }

  private struct Question {
    var how: IndicatorHit.How
    var value: String
    var kind: String
    /// Look for endpoints and URLs on `value` instead of for `value`.
    var isByHost = false

    init(_ how: IndicatorHit.How, _ value: String, _ kind: Indicator.Kind, isByHost: Bool = false) {
      self.isByHost = isByHost
      self.how = how
      self.value = value
      self.kind = kind.rawValue
    }
  }

  /// The most telling first.
  private static func questions(_ text: String, _ prefixLengths: Set<Length>) -> [Question] {
    var out: [Question] = []
    for reading in Indicator.readings(text) {
      out.append(Question(.exact, reading.value, reading.kind))
      let host = reading.host ?? reading.value
      switch reading.kind {
      case .domain, .url, .endpoint, .address:
        if let address = IPAddress(host) {
          if reading.kind != .address { out.append(Question(.address, host, .address)) }
          for length in prefixLengths.filter({ $0.isV4 == address.isV4 }).sorted(by: { $0.bits > $1.bits }) {
            out.append(Question(.prefix, Prefix(address, length: length.bits).description, .prefix))
          }
        } else {
          for parent in Indicator.parents(of: host) where parent != reading.value || reading.kind != .domain {
            out.append(Question(parent == host ? .sameHost : .parentDomain, parent, .domain))
          }
        }
        out.append(Question(.sameHost, host, reading.kind, isByHost: true))
      default: break
      }
    }
    return out
  }

  private struct Length: Hashable {
    var isV4: Bool
    var bits: Int
  }

  /// Lengths of the prefixes that are there.
  private static func prefixLengths(_ db: Database) throws -> Set<Length> {
    let all = try String.fetchAll(db, sql: "SELECT value FROM indicator WHERE kind = 'prefix'")
    return Set(all.compactMap { Prefix($0) }.map { Length(isV4: $0.address.isV4, bits: $0.length) })
  }
}
