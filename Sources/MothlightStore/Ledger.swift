import GRDB
import Mothlight

/// The registry on disk: botnets, what is claimed of them and by whom, and who changed what.
public struct Ledger: Sendable {
  let store: SQLiteStore

  public init(_ store: SQLiteStore) { self.store = store }

  /// Whose a name is: the row that bears it as its own; else the row for which most sources claim it; else the lower UUID.
  /// So two rows may claim one synonym, and look-ups still have one answer whatever came first.
  static let ownerSQL = """
    SELECT b.id FROM name n JOIN botnet b ON b.id = n.botnet_id WHERE n.folded = ?
    GROUP BY b.id ORDER BY b.folded = n.folded DESC, COUNT(*) DESC, b.uuid LIMIT 1
    """

  /// Row of a name, of its id, or of its number in another catalogue; `nil` when there is none.
  static func row(of text: String, _ db: Database) throws -> Int64? {
    if let uuid = BotnetName.uuid(text) {
      let byID = try db.cachedStatement(sql: "SELECT id FROM botnet WHERE uuid = ?")
      if let id = try Int64.fetchOne(byID, arguments: [uuid]) { return id }
    }
    let byName = try db.cachedStatement(sql: ownerSQL)
    if let id = try Int64.fetchOne(byName, arguments: [BotnetName.folded(text)]) { return id }
    let byNumber = try db.cachedStatement(
      sql: "SELECT botnet_id FROM identifier WHERE value = ? ORDER BY botnet_id LIMIT 1")
    return try Int64.fetchOne(byNumber, arguments: [text.lowercased()])
  }
}

extension Timestamp {
  /// Whole seconds since 1970, rounded down: what the store keeps.
  var second: Int64 {
    let (quotient, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    return rest < 0 ? quotient - 1 : quotient
  }
}
