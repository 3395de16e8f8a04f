import GRDB
import Mothlight

/// Writes claims within one transaction and keeps count of what they changed.
struct LedgerWriter {
  let db: Database
  /// Of what carries no date of its own.
  let second: Int64
  var changes = RegistryChanges()
  /// Rows whose evidence and text must be made anew.
  private(set) var touched: Set<Int64> = []
  private var sources: [String: Int64] = [:]

  init(_ db: Database, second: Int64) {
    self.db = db
    self.second = second
  }

  mutating func touch(_ botnet: Int64) { touched.insert(botnet) }

  mutating func source(_ name: String) throws -> Int64 {
    if let id = sources[name] { return id }
    try db.execute(sql: "INSERT OR IGNORE INTO source (name) VALUES (?)", arguments: [name])
    let id = try Int64.fetchOne(db, sql: "SELECT id FROM source WHERE name = ?", arguments: [name]) ?? 0
    sources[name] = id
    return id
  }

  /// Runs an insertion that does nothing when the row is there; whether it did something.
  func insert(_ sql: String, _ arguments: StatementArguments) throws -> Bool {
    let statement = try db.cachedStatement(sql: sql)
    try statement.execute(arguments: arguments)
    return db.changesCount > 0
  }

  // MARK: Botnets

  /// - Returns: the new row.
  mutating func create(id: String?, name: String, kind: Botnet.Kind, authority: Int, source: Int64) throws -> Int64 {
    var uuid = id ?? BotnetName.id(of: name)
    if try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM botnet WHERE uuid = ?)", arguments: [uuid]) ?? false {
      uuid = BotnetName.id(of: name)
    }
    try db.execute(
      sql: "INSERT INTO botnet (uuid, name, folded, kind, authority, source_id, date) VALUES (?, ?, ?, ?, ?, ?, ?)",
      arguments: [uuid, name, BotnetName.folded(name), kind.rawValue, authority, source, second])
    let row = db.lastInsertedRowID
    changes.add(.botnets, "\(kind.rawValue) \(name)")
    try addName(name, to: row, source: source, isOwn: true)
    return row
  }

  mutating func addName(_ name: String, to botnet: Int64, source: Int64, isOwn: Bool = false) throws {
    let isNew = try insert(
      "INSERT OR IGNORE INTO name (botnet_id, folded, source_id, text, date) VALUES (?, ?, ?, ?, ?)",
      [botnet, BotnetName.folded(name), source, name, second])
    guard isNew else { return }
    touch(botnet)
    guard !isOwn else { return }
    let owner = try label(botnet)
    changes.add(.names, "name \(name) of \(owner)")
  }

  func label(_ botnet: Int64) throws -> String {
    try String.fetchOne(db, sql: "SELECT name FROM botnet WHERE id = ?", arguments: [botnet]) ?? "?"
  }

  /// A kind that is stated outranks one that was assumed, and an analyst's word outranks both; among equals the narrower
  /// (botnet, variant, family, tool) stands, so that the order of imports does not matter.
  mutating func setKind(_ kind: Botnet.Kind, of botnet: Int64, authority: Int, source: Int64) throws {
    _ = try insert(
      "INSERT OR IGNORE INTO fact (botnet_id, field, value, source_id, date) VALUES (?, 'kind', ?, ?, ?)",
      [botnet, kind.rawValue, source, second])
    guard let row = try Row.fetchOne(db, sql: "SELECT kind, authority FROM botnet WHERE id = ?", arguments: [botnet]),
      let old = Botnet.Kind(rawValue: row["kind"])
    else { return }
    let held: Int = row["authority"]
    let order = Botnet.Kind.allCases
    let isNarrower = (order.firstIndex(of: kind) ?? 9) < (order.firstIndex(of: old) ?? 9)
    guard authority > held || (authority == held && (isNarrower || authority == 2)), kind != old || authority > held
    else { return }
    try db.execute(
      sql: "UPDATE botnet SET kind = ?, authority = ?, source_id = ?, date = ? WHERE id = ?",
      arguments: [kind.rawValue, authority, source, second, botnet])
    touch(botnet)
    guard kind != old else { return }
    let owner = try label(botnet)
    changes.change(.kinds, "\(owner): \(old.rawValue) is now \(kind.rawValue)")
  }

  mutating func addIdentifier(_ identifier: Botnet.Identifier, to botnet: Int64, source: Int64) throws {
    let isNew = try insert(
      "INSERT OR IGNORE INTO identifier (scheme, value, botnet_id, source_id, date) VALUES (?, ?, ?, ?, ?)",
      [identifier.scheme, identifier.value, botnet, source, second])
    if isNew { changes.add(.identifiers, nil) }
  }

  mutating func addRelation(_ relation: Botnet.Relation, to botnet: Int64, source: Int64) throws {
    let isNew = try insert(
      "INSERT OR IGNORE INTO relation (botnet_id, kind, target, source_id, date) VALUES (?, ?, ?, ?, ?)",
      [botnet, relation.kind, relation.target, source, second])
    if isNew { changes.add(.relations, nil) }
  }

  mutating func addFact(_ field: String, _ value: String, to botnet: Int64, source: Int64) throws {
    let isNew = try insert(
      "INSERT OR IGNORE INTO fact (botnet_id, field, value, source_id, date) VALUES (?, ?, ?, ?, ?)",
      [botnet, field, value, source, second])
    guard isNew else { return }
    touch(botnet)
    let owner = try label(botnet)
    changes.add(.facts, "\(field) of \(owner): \(value)")
  }

  /// A row that only a feed's column made is taken in by the one that a catalogue knows under this name.
  mutating func absorb(_ old: Int64, into new: Int64, source: Int64) throws {
    let name = try label(old)
    let uuid = try String.fetchOne(db, sql: "SELECT uuid FROM botnet WHERE id = ?", arguments: [old]) ?? ""
    for table in ["name", "identifier", "relation", "fact", "claim", "size", "takedown"] {
      try db.execute(sql: "UPDATE OR IGNORE \(table) SET botnet_id = ? WHERE botnet_id = ?", arguments: [new, old])
    }
    try db.execute(sql: "DELETE FROM botnet WHERE id = ?", arguments: [old])
    // The old id goes on leading here.
    try addIdentifier(Botnet.Identifier(scheme: "mothlight", value: uuid), to: new, source: source)
    touch(old)
    touch(new)
    let owner = try label(new)
    changes.change(.botnets, "\(name) is a name of \(owner), and its claims went there")
  }
}
