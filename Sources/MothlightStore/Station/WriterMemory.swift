import GRDB

/// What writing remembers between transactions so that names need no look-up; forgotten when a transaction fails.
struct WriterMemory: Sendable {
  struct Family: Hashable, Sendable {
    var family: Int64
    var detector: Int64
  }
  var runs: [String: Int64] = [:]
  var detectors: [String: Int64] = [:]
  var families: Set<Family> = []
  var botnets: [String: Int64] = [:]
  var abouts = AboutMemory()
  /// The latest subject that the index of texts knows; `nil` until asked for.
  var words: Int64?

  private static let runsMost = 1 << 10

  mutating func trim() {
    if runs.count > Self.runsMost { runs.removeAll() }
  }
}

/// Subjects by 64 bits of their keyed hash: two of a million are taken for one once in thirty million stores.
///
/// Two generations: who was not asked for while the younger one filled up is forgotten, and entered again when it comes back, which is only
/// a little room lost.
struct AboutMemory: Sendable {
  struct Known: Sendable {
    var id: Int64
    var lastDay: Int32
  }
  private var young: [UInt64: Known] = [:]
  private var old: [UInt64: Known] = [:]
  private var isLoaded = false

  /// Subjects of one generation: 24 octets each in tables that are half to three quarters full, so at most 50 MB in both.
  private static let most = 1 << 19

  mutating func find(_ hash: UInt64) -> Known? {
    if let known = young[hash] { return known }
    guard let known = old[hash] else { return nil }
    put(hash, known)
    return known
  }

  mutating func put(_ hash: UInt64, _ known: Known) {
    if young.count >= Self.most {
      old = young
      young = [:]
    }
    young[hash] = known
  }

  /// Takes in what the store knows, the newest last.
  /// - Complexity: the first call reads the table: 0.5 s for a million.
  mutating func load(_ db: Database, _ names: NameHash) throws {
    guard !isLoaded else { return }
    let newest = try Prepared(db, "SELECT MAX(id) FROM about").integer() ?? 0
    let select = try Prepared(db, "SELECT id, last_day, subject, name FROM about WHERE id > ? ORDER BY id")
    try select.bind(.integer(newest - Int64(2 * Self.most))).each { row in
      let hash = row.withText(2) { subject in row.withText(3) { names.hash(subject, $0) } }
      put(hash, Known(id: row.integer(0), lastDay: Int32(clamping: row.integer(1))))
      return true
    }
    isLoaded = true
  }
}
