import GRDB
import Mothlight

/// Host-days in an order, page by page: each day's part comes out of an index in that order, and the parts are merged.
struct HostDayList {
  /// Where a row stands; all that the orders look at.
  struct Key: Sendable {
    var verdict: Int64
    var score: Double
    var host: IPAddress
    var day: Int

    init(verdict: Int64, score: Double, host: IPAddress, day: Int) {
      self.verdict = verdict
      self.score = score
      self.host = host
      self.day = day
    }

    init(_ cursor: Cursor) throws(StoreError) {
      let numbers = try PageCursor.read(cursor, "h", count: 5)
      verdict = Int64(bitPattern: numbers[0])
      score = Double(bitPattern: numbers[1])
      host = IPAddress(high: numbers[2], low: numbers[3])
      day = Int(Int64(bitPattern: numbers[4]))
    }

    var cursor: Cursor {
      PageCursor.make(
        "h",
        [UInt64(bitPattern: verdict), score.bitPattern, host.high, host.low, UInt64(bitPattern: Int64(day))])
    }
  }

  private struct Found {
    var key: Key
    var findings: Int
    var first: Int64
    var last: Int64
    var flows: Int64
    var brief: [UInt8]
    var firstFlagged: Int64?
  }

  private let db: Database
  private let query: HostDayQuery
  private let botnet: Int64?
  private let hosts: ClosedRange<IPAddress>?

  init(_ db: Database, _ query: HostDayQuery) throws {
    self.db = db
    self.query = query
    botnet = try query.botnet.map { try BotnetNames.id($0, db) ?? -1 }
    hosts = query.within.map(\.range)
  }

  func page(after key: Key?, limit: Int) throws -> Page<HostDayRow> {
    var found: [Found] = []
    for day in try KeptDays.all(db, in: query.days) {
      if query.order == .newest {
        if let key, day > key.day { continue }
        // A later day of the same page begins at its top.
        try fetch(day, after: key.flatMap { $0.day == day ? $0 : nil }, limit: limit + 1 - found.count, into: &found)
        if found.count > limit { break }
      } else {
        try fetch(day, after: key, limit: limit + 1, into: &found)
      }
    }
    if query.order != .newest { found.sort { comesBefore($0.key, $1.key) } }
    let rows = try found.prefix(limit).map(row)
    return Page(rows: rows, next: found.count > limit ? found[limit - 1].key.cursor : nil)
  }

  private func comesBefore(_ a: Key, _ b: Key) -> Bool {
    if query.order == .verdict {
      if a.verdict != b.verdict { return a.verdict > b.verdict }
      if a.score != b.score { return a.score > b.score }
    }
    return a.host != b.host ? a.host < b.host : a.day > b.day
  }

  // MARK: One day

  private func fetch(_ day: Int, after key: Key?, limit: Int, into found: inout [Found]) throws {
    let start = found.count
    for part in parts(day, after: key) where found.count - start < limit {
      let (sql, values) = try statement(day, part, limit: limit - (found.count - start))
      let select = try Prepared(db, sql)
      select.bind(all: values)
      try select.each { row in
        found.append(
          Found(
            key: Key(verdict: row.integer(0), score: row.real(1), host: try row.address(2), day: day),
            findings: Int(row.integer(3)), first: row.integer(4), last: row.integer(5), flows: row.integer(6),
            brief: row.blob(7), firstFlagged: row.optional(8)))
        return true
      }
    }
  }

  /// A condition and its values: pieces of the rest of the list that an index gives without passing over what came before.
  private typealias Part = (condition: String, values: [SQLValue])

  private func parts(_ day: Int, after key: Key?) -> [Part] {
    guard let key else { return [("", [])] }
    let host = SQLValue.blob(key.host.octets)
    // Of one host the newer day comes first.
    let comparison = query.order != .newest && day < key.day ? ">=" : ">"
    if query.order == .host { return [(" AND h.host \(comparison) ?", [host])] }
    let verdict = SQLValue.integer(key.verdict)
    return [
      (" AND h.verdict = ? AND h.score = ? AND h.host \(comparison) ?", [verdict, .real(key.score), host]),
      (" AND h.verdict = ? AND h.score < ?", [verdict, .real(key.score)]),
      (" AND h.verdict < ?", [verdict]),
    ]
  }

  private func statement(_ day: Int, _ part: Part, limit: Int) throws -> (sql: String, values: [SQLValue]) {
    var values: [SQLValue] = []
    let from: String
    if let botnet {
      from =
        "botnet_host_day b CROSS JOIN host_day h ON h.day = b.day AND h.host = b.host WHERE b.day = ? AND b.botnet = ?"
      values = [.integer(day), .integer(botnet)]
    } else if query.isNewOnly, query.verdictLeast.isFlagged {
      from = "flagged_host f CROSS JOIN host_day h ON h.day = f.first_day AND h.host = f.host WHERE f.first_day = ?"
      values = [.integer(day)]
    } else {
      let byHost = try query.order == .host || isNarrow(day)
      from = "host_day h INDEXED BY \(byHost ? "host_day_host" : "host_day_worst") WHERE h.day = ?"
      values = [.integer(day)]
    }
    var conditions = ""
    if query.verdictLeast > .notEnoughData {
      conditions += " AND h.verdict >= ?"
      values.append(.integer(query.verdictLeast.place))
    }
    if let hosts {
      conditions += " AND h.host BETWEEN ? AND ?"
      values += [.blob(hosts.lowerBound.octets), .blob(hosts.upperBound.octets)]
    }
    if query.isNewOnly {
      conditions += " AND NOT EXISTS (SELECT 1 FROM flagged_host e WHERE e.host = h.host AND e.first_day < h.day)"
    }
    values += part.values + [.integer(limit)]
    let order = query.order == .host ? "h.host" : "h.verdict DESC, h.score DESC, h.host"
    let sql = """
      SELECT h.verdict, h.score, h.host, h.findings, h.first, h.last, h.flows, h.brief,
        (SELECT first_day FROM flagged_host g WHERE g.host = h.host)
      FROM \(from)\(conditions)\(part.condition) ORDER BY \(order) LIMIT ?
      """
    return (sql, values)
  }

  /// Rows below which a network's hosts are sorted rather than looked for along the order of the whole day.
  private static let narrowRows = 5000

  private func isNarrow(_ day: Int) throws -> Bool {
    guard let hosts else { return false }
    let count = try Prepared(
      db,
      "SELECT COUNT(*) FROM (SELECT 1 FROM host_day INDEXED BY host_day_host WHERE day = ? AND host BETWEEN ? AND ? LIMIT ?)"
    )
    let rows = try count.bind(
      .integer(day), .blob(hosts.lowerBound.octets), .blob(hosts.upperBound.octets), .integer(Self.narrowRows)
    ).integer()
    return (rows ?? 0) < Self.narrowRows
  }

  private func row(_ found: Found) throws -> HostDayRow {
    let brief = try found.brief.withUnsafeBytes { try HostDayBody.brief($0) }
    return HostDayRow(
      host: found.key.host, day: found.key.day, verdict: Verdict(place: found.key.verdict), score: found.key.score,
      botnets: brief.botnets, reason: brief.reason, roles: brief.roles, findings: found.findings,
      first: Timestamp(nanoseconds: found.first), last: Timestamp(nanoseconds: found.last),
      flows: UInt64(clamping: found.flows), firstFlaggedDay: found.firstFlagged.map { Int($0) })
  }

  /// All kept days of one host, newest first.
  static func history(_ db: Database, of host: IPAddress) throws -> [HostDayRow] {
    var query = HostDayQuery()
    query.within = Prefix(host, length: 128)
    query.order = .newest
    return try HostDayList(db, query).page(after: nil, limit: .max - 1).rows
  }
}

extension Prefix {
  /// Its first and last address.
  var range: ClosedRange<IPAddress> {
    let bits = UInt64(address.isV4 ? length + 96 : length)
    let high: UInt64 = bits == 0 ? .max : bits >= 64 ? 0 : .max >> bits
    let low: UInt64 = bits <= 64 ? .max : bits >= 128 ? 0 : .max >> (bits - 64)
    return address...IPAddress(high: address.high | high, low: address.low | low)
  }
}

/// Names of botnets that findings gave.
enum BotnetNames {
  /// By the very name, else by one that differs in case and signs only.
  static func id(_ name: String, _ db: Database) throws -> Int64? {
    let exact = try Prepared(db, "SELECT id FROM named_botnet WHERE name = ?").bind(.text(name)).integer()
    if let exact { return exact }
    return try Prepared(db, "SELECT id FROM named_botnet WHERE folded = ? ORDER BY id LIMIT 1").bind(
      .text(BotnetName.folded(name))
    ).integer()
  }

  static func name(_ id: Int64, _ db: Database) throws -> String {
    try Prepared(db, "SELECT name FROM named_botnet WHERE id = ?").bind(.integer(id)).first { $0.text(0) } ?? "?"
  }
}
