import GRDB
import Mothlight

/// Puts all claims of one row together.
struct BotnetReading {
  private let db: Database
  private let sources: [Int64: String]
  private let id: Int64

  init(_ db: Database, _ sources: [Int64: String], _ id: Int64) {
    self.db = db
    self.sources = sources
    self.id = id
  }

  func botnet(indicatorLimit: Int) throws -> Botnet? {
    var found: Botnet?
    try each("SELECT uuid, name, kind, source_id, date FROM botnet WHERE id = ?") { row in
      found = Botnet(
        id: row[0], name: row[1], kind: Sourced(Botnet.Kind(rawValue: row[2]) ?? .family, origin(row, 3, 4)))
    }
    guard var botnet = found else { return nil }
    try readNames(&botnet)
    try readFacts(&botnet)
    try each("\(Ledger.sizeSQL) WHERE botnet_id = ? ORDER BY last_hour, first_hour, kind, grade, source_id") { row in
      if let size = Ledger.size(row, sources) { botnet.sizes.append(size) }
    }
    try each("\(Ledger.takedownSQL) WHERE botnet_id = ? ORDER BY day, done_by") { row in
      botnet.takedowns.append(Ledger.takedown(row, sources))
    }
    try each(
      """
      SELECT botnet_id, kind, source_id, first_seen, last_seen, life, items FROM evidence WHERE botnet_id = ?
      ORDER BY kind, source_id
      """
    ) { row in if let item = Ledger.evidence(row, sources) { botnet.evidence.append(item) } }
    try each(
      """
      \(Ledger.claimSQL) WHERE c.botnet_id = ?
      ORDER BY c.role <> 'c2', COALESCE(c.last_seen, c.first_seen) DESC, i.value, i.kind, c.source_id, c.malware
      """
    ) { row in
      guard botnet.indicators.count < indicatorLimit else {
        botnet.indicatorsLeftOut += 1
        return
      }
      if let claim = Ledger.claim(row, sources) { botnet.indicators.append(claim) }
    }
    return botnet
  }

  private func readNames(_ botnet: inout Botnet) throws {
    try each(
      """
      SELECT n.text, n.source_id, n.date, (SELECT b.uuid || ' ' || b.name FROM name m JOIN botnet b ON b.id = m.botnet_id
        WHERE m.folded = n.folded GROUP BY b.id ORDER BY b.folded = m.folded DESC, COUNT(*) DESC, b.uuid LIMIT 1)
      FROM name n WHERE n.botnet_id = ? ORDER BY n.folded, n.source_id
      """
    ) { row in
      let owner = (row[3] as String).split(separator: " ", maxSplits: 1)
      let isOwn = owner.first.map { $0 == botnet.id } ?? true
      botnet.names.append(
        Botnet.Name(text: row[0], origin: origin(row, 1, 2), ownedBy: isOwn ? nil : owner.last.map(String.init)))
    }
    try each(
      "SELECT scheme, value, source_id, date FROM identifier WHERE botnet_id = ? ORDER BY scheme, value, source_id"
    ) {
      row in
      botnet.identifiers.append(Sourced(Botnet.Identifier(scheme: row[0], value: row[1]), origin(row, 2, 3)))
    }
    try each(
      """
      SELECT r.kind, r.target, (SELECT b.name FROM botnet b WHERE b.uuid = r.target UNION ALL
        SELECT b.name FROM identifier d JOIN botnet b ON b.id = d.botnet_id WHERE d.value = r.target LIMIT 1),
        r.source_id, r.date
      FROM relation r WHERE r.botnet_id = ? ORDER BY r.kind, r.target, r.source_id
      """
    ) { row in
      let relation = Botnet.Relation(kind: row[0], target: row[1], targetName: row[2])
      botnet.relations.append(Sourced(relation, origin(row, 3, 4)))
    }
  }

  private func readFacts(_ botnet: inout Botnet) throws {
    try each(
      "SELECT field, value, source_id, date FROM fact WHERE botnet_id = ? ORDER BY field, date, value, source_id"
    ) { row in
      let value = Sourced<String>(row[1], origin(row, 2, 3))
      switch row[0] as String {
      case "protocol": botnet.protocols.append(value)
      case "dated": botnet.dated.append(value)
      case "reference": botnet.references.append(value)
      case "note": botnet.notes.append(value)
      default: break
      }
    }
  }

  private func each(_ sql: String, _ body: (Row) -> Void) throws {
    let rows = try Row.fetchCursor(try db.cachedStatement(sql: sql), arguments: [id])
    while let row = try rows.next() { body(row) }
  }

  private func origin(_ row: Row, _ source: Int, _ date: Int) -> Origin {
    Origin(source: sources[row[source]] ?? "?", date: Timestamp(seconds: row[date]))
  }
}
