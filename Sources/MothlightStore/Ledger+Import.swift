import GRDB
import Mothlight

extension Ledger {
  /// Takes in what files say, all of it or nothing. The same files again change nothing.
  /// - Parameter time: the date of claims that carry none of their own.
  /// - Complexity: O(rows × log of the registry).
  public func apply(_ imports: [RegistryImport], author: String, at time: Timestamp) throws(StoreError)
    -> RegistryChanges
  {
    try store.write { db in
      var writer = LedgerWriter(db, second: time.second)
      for file in imports {
        let source = try writer.source(file.source)
        for entry in file.entries { try writer.apply(entry, source: source) }
        try writer.apply(rows: file.rows, source: source)
        for size in file.sizes { try writer.apply(size, source: source) }
      }
      guard !writer.changes.isEmpty else { return writer.changes }
      try writer.derive(fullText: store.hasFullText)
      let counts = RegistryChanges.Subject.allCases.compactMap { subject -> String? in
        let (added, changed) = (writer.changes.added[subject] ?? 0, writer.changes.changed[subject] ?? 0)
        return added + changed > 0 ? "\(subject.rawValue) +\(added) ~\(changed)" : nil
      }
      try writer.audit(
        Edit(author: author, reason: "import", time: time), action: "import",
        subject: imports.map(\.source).joined(separator: " "), detail: counts.joined(separator: ", "))
      return writer.changes
    }
  }
}

extension LedgerWriter {
  mutating func apply(_ entry: RegistryImport.Entry, source: Int64) throws {
    let authority = entry.isKindStated ? 1 : 0
    let botnet =
      try row(of: entry)
      ?? create(id: entry.id, name: entry.name, kind: entry.kind, authority: authority, source: source)
    try addName(entry.name, to: botnet, source: source)
    for alias in entry.aliases { try addName(alias, to: botnet, source: source) }
    if authority > 0 {
      try setKind(entry.kind, of: botnet, authority: authority, source: source)
      for alias in entry.aliases {
        if let old = try assumed(alias), old != botnet { try absorb(old, into: botnet, source: source) }
      }
    }
    for identifier in entry.identifiers { try addIdentifier(identifier, to: botnet, source: source) }
    for relation in entry.relations { try addRelation(relation, to: botnet, source: source) }
    for reference in entry.references { try addFact("reference", reference, to: botnet, source: source) }
    if let dated = entry.dated { try addFact("dated", dated, to: botnet, source: source) }
  }

  /// The row with this UUID, or with this very name; a synonym alone does not make two entries one.
  private func row(of entry: RegistryImport.Entry) throws -> Int64? {
    if let id = entry.id {
      if let row = try Int64.fetchOne(db, sql: "SELECT id FROM botnet WHERE uuid = ?", arguments: [id]) { return row }
      let known = try Int64.fetchOne(
        db, sql: "SELECT botnet_id FROM identifier WHERE value = ? AND scheme = 'misp-galaxy' LIMIT 1", arguments: [id])
      if let known { return known }
    }
    return try Int64.fetchOne(
      db, sql: "SELECT id FROM botnet WHERE folded = ?", arguments: [BotnetName.folded(entry.name)])
  }

  /// A row of this name that only a feed's column made.
  private func assumed(_ name: String) throws -> Int64? {
    try Int64.fetchOne(
      db, sql: "SELECT id FROM botnet WHERE folded = ? AND authority = 0", arguments: [BotnetName.folded(name)])
  }

  // MARK: Indicators

  private struct ClaimKey: Hashable {
    var indicator: Indicator
    var malware: String
  }

  mutating func apply(rows: [RegistryImport.Row], source: Int64) throws {
    // A file may list an indicator twice; which line comes first must not matter.
    var merged: [ClaimKey: Int] = [:]
    var unique: [RegistryImport.Row] = []
    for row in rows {
      let key = ClaimKey(indicator: row.claim.indicator, malware: row.claim.malware)
      if let at = merged[key] {
        unique[at].claim = unique[at].claim.merged(with: row.claim)
      } else {
        merged[key] = unique.count
        unique.append(row)
      }
    }
    var botnets: [[String]: Int64?] = [:]
    for row in unique {
      let key = row.candidates + [row.malpedia ?? ""]
      if botnets[key] == nil { botnets[key] = .some(try botnet(of: row, source: source)) }
      try apply(row.claim, botnet: botnets[key] ?? nil, source: source)
    }
  }

  private mutating func botnet(of row: RegistryImport.Row, source: Int64) throws -> Int64? {
    var found: Int64?
    if let malpedia = row.malpedia {
      found = try Int64.fetchOne(
        db, sql: "SELECT botnet_id FROM identifier WHERE value = ? AND scheme = 'malpedia' ORDER BY botnet_id LIMIT 1",
        arguments: [malpedia])
    }
    for name in row.candidates where found == nil {
      found = try Int64.fetchOne(db, sql: Ledger.ownerSQL, arguments: [BotnetName.folded(name)])
    }
    guard row.mayName, let name = row.candidates.first else { return found }
    let botnet = try found ?? create(id: nil, name: name, kind: .family, authority: 0, source: source)
    for name in row.candidates { try addName(name, to: botnet, source: source) }
    if let malpedia = row.malpedia {
      try addIdentifier(Botnet.Identifier(scheme: "malpedia", value: malpedia), to: botnet, source: source)
    }
    return botnet
  }

  private mutating func apply(_ claim: IndicatorClaim, botnet: Int64?, source: Int64) throws {
    let indicator = try row(of: claim.indicator)
    let find = try db.cachedStatement(
      sql: """
        SELECT botnet_id, role, first_seen, last_seen, is_online, confidence, reference, extra FROM claim
        WHERE indicator_id = ? AND source_id = ? AND malware = ?
        """)
    let new = StoredClaim(claim, botnet: botnet)
    if let row = try Row.fetchOne(find, arguments: [indicator, source, claim.malware]) {
      let old = StoredClaim(row)
      let next = old.updated(by: new)
      guard next != old else { return }
      try write(next, indicator, source, claim)
      for id in [old.botnet, next.botnet] { id.map { touch($0) } }
      changes.change(.claims, "\(claim.indicator.kind.rawValue) \(claim.indicator.value)")
    } else {
      try write(new, indicator, source, claim)
      botnet.map { touch($0) }
      changes.add(.claims, nil)
    }
  }

  private mutating func row(of indicator: Indicator) throws -> Int64 {
    let find = try db.cachedStatement(sql: "SELECT id FROM indicator WHERE value = ? AND kind = ?")
    if let id = try Int64.fetchOne(find, arguments: [indicator.value, indicator.kind.rawValue]) { return id }
    _ = try insert(
      "INSERT INTO indicator (kind, value, host) VALUES (?, ?, ?)",
      [indicator.kind.rawValue, indicator.value, indicator.host])
    changes.add(.indicators, "\(indicator.kind.rawValue) \(indicator.value)")
    return db.lastInsertedRowID
  }

  private func write(_ claim: StoredClaim, _ indicator: Int64, _ source: Int64, _ said: IndicatorClaim) throws {
    let statement = try db.cachedStatement(
      sql: "INSERT OR REPLACE INTO claim VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    try statement.execute(arguments: [
      indicator, source, said.malware, claim.botnet, claim.role, claim.firstSeen, claim.lastSeen, claim.isOnline,
      claim.confidence, claim.reference, claim.extra, said.origin.date.second,
    ])
  }

  // MARK: Sizes

  mutating func apply(_ size: RegistryImport.Size, source: Int64) throws {
    let found = try Int64.fetchOne(db, sql: Ledger.ownerSQL, arguments: [BotnetName.folded(size.botnet)])
    let botnet = try found ?? create(id: nil, name: size.botnet, kind: .botnet, authority: 0, source: source)
    let figure = size.observation.figure
    let isSame =
      try Bool.fetchOne(
        db,
        sql: """
          SELECT low IS ?7 AND value IS ?8 AND high IS ?9 AND at_most IS ?10 AND addresses = ?11 AND sensors = ?12 FROM size
          WHERE botnet_id = ?1 AND kind = ?2 AND first_hour = ?3 AND last_hour = ?4 AND grade = ?5 AND source_id = ?6
          """, arguments: Self.arguments(size.observation, botnet, source))
    if isSame == true { return }
    try db.execute(
      sql: "INSERT OR REPLACE INTO size VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      arguments: Self.arguments(size.observation, botnet, source) + [size.observation.origin.date.second])
    touch(botnet)
    if isSame == nil {
      changes.add(.sizes, "\(figure.kind.rawValue) of \(size.botnet)")
    } else {
      changes.change(.sizes, "\(figure.kind.rawValue) of \(size.botnet)")
    }
  }

  private static func arguments(_ size: SizeObservation, _ botnet: Int64, _ source: Int64) -> StatementArguments {
    let figure = size.figure
    return [
      botnet, figure.kind.rawValue, Int64(figure.hours.lowerBound), Int64(figure.hours.upperBound),
      figure.grade.rawValue,
      source, figure.machines?.low, figure.machines?.value, figure.machines?.high, figure.atMost, figure.addresses,
      size.sensors.joined(separator: " "),
    ]
  }
}
