import GRDB
import Mothlight

extension StationStore {
  /// Hosts first, then botnets, cases, and names and peers that findings are about, newest first.
  ///
  /// A text that begins an address, e.g. `10.1.`, finds the hosts below it; `case 12` a case; 32 hexadecimal digits a finding.
  public func search(_ text: String, limit: Int) async throws(StoreError) -> [SearchHit] {
    let words = String(text.prefix(Self.searchedMost)).split { $0.isWhitespace }.joined(separator: " ")
    guard !words.isEmpty else { return [] }
    let hasFullText = file.hasFullText
    return try await read { db in
      let search = StationSearch(db, words, hasFullText: hasFullText, limit: PageCursor.clamped(limit))
      return try search.hits()
    }
  }

  /// Characters of a text that are looked for: longer than any name.
  private static let searchedMost = 256
}

struct StationSearch {
  private let db: Database
  private let text: String
  private let hasFullText: Bool
  private let limit: Int

  /// Host-days that are looked at for hosts below the beginning of an address.
  private static let hostDaysMost = 2000

  init(_ db: Database, _ text: String, hasFullText: Bool, limit: Int) {
    self.db = db
    self.text = text
    self.hasFullText = hasFullText
    self.limit = limit
  }

  func hits() throws -> [SearchHit] {
    var hits = try hosts()
    hits += try botnets()
    hits += try cases()
    if let mark = Finding.mark(of: text.lowercased()),
      let stored = try StationStore.finding(db, mark, text.lowercased())
    {
      hits.append(
        SearchHit(kind: .finding, key: stored.id, title: stored.finding.subject, detail: stored.finding.summary))
    }
    if hits.count < limit { hits += try abouts(limit - hits.count) }
    return Array(hits.prefix(limit))
  }

  // MARK: Hosts

  private func hosts() throws -> [SearchHit] {
    guard let range = Self.addresses(text) else { return [] }
    var found: [IPAddress: (day: Int, verdict: Verdict)] = [:]
    let select = try Prepared(
      db,
      "SELECT host, verdict FROM host_day INDEXED BY host_day_host WHERE day = ? AND host BETWEEN ? AND ? LIMIT ?")
    var seen = 0
    for day in try KeptDays.all(db) where seen < Self.hostDaysMost {
      select.bind(
        .integer(day), .blob(range.lowerBound.octets), .blob(range.upperBound.octets),
        .integer(Self.hostDaysMost - seen))
      try select.each { row in
        seen += 1
        let host = try row.address(0)
        if found[host] == nil { found[host] = (day, Verdict(place: row.integer(1))) }
        return true
      }
    }
    let order = found.sorted { a, b in
      a.value.verdict != b.value.verdict ? a.value.verdict > b.value.verdict : a.key < b.key
    }
    return order.prefix(limit).map { host, last in
      SearchHit(
        kind: .host, key: host.description, title: host.description,
        detail: "\(last.verdict.rawValue) on \(Timestamp.describe(day: last.day))")
    }
  }

  /// A whole address, a prefix, or whole octets from the left of an IPv4 address.
  static func addresses(_ text: String) -> ClosedRange<IPAddress>? {
    if let prefix = Prefix(text) { return prefix.range }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    let octets = parts.prefix { !$0.isEmpty }
    guard (1...3).contains(octets.count), parts.count >= 2, parts.dropFirst(octets.count).allSatisfy(\.isEmpty) else {
      return nil
    }
    let numbers = octets.compactMap { UInt8($0) }
    guard numbers.count == octets.count else { return nil }
    let bits = numbers.reduce(0 as UInt32) { $0 << 8 | UInt32($1) } << UInt32(8 * (4 - numbers.count))
    return Prefix(IPAddress(v4: bits), length: 8 * numbers.count).range
  }

  // MARK: Names

  private func botnets() throws -> [SearchHit] {
    let folded = BotnetName.folded(text)
    let select = try Prepared(
      db,
      """
      SELECT n.name, (SELECT MAX(day) FROM botnet_day d WHERE d.botnet = n.id AND d.hosts > 0) FROM named_botnet n
      WHERE instr(n.folded, ?) > 0 ORDER BY n.folded <> ?1, n.name LIMIT ?2
      """)
    var hits: [SearchHit] = []
    try select.bind(.text(folded), .integer(limit)).each { row in
      let last = row.optional(1).map { "last on \(Timestamp.describe(day: Int($0)))" } ?? "not here"
      hits.append(SearchHit(kind: .botnet, key: row.text(0), title: row.text(0), detail: last))
      return true
    }
    return hits
  }

  private func cases() throws -> [SearchHit] {
    let words = text.split(separator: " ")
    let number = (words.count == 2 && words[0].lowercased() == "case" ? words[1] : words[0]).drop { $0 == "#" }
    let select = try Prepared(
      db,
      """
      SELECT number, owner, state FROM case_file WHERE number = ? OR instr(lower(owner), ?) > 0
      ORDER BY number DESC LIMIT ?
      """)
    select.bind(.integer(Int64(number) ?? -1), .text(text.lowercased()), .integer(limit))
    var hits: [SearchHit] = []
    try select.each { row in
      hits.append(
        SearchHit(
          kind: .case, key: String(row.integer(0)), title: "case \(row.integer(0))",
          detail: "\(row.text(1)): \(row.text(2))"))
      return true
    }
    return hits
  }

  private func abouts(_ limit: Int) throws -> [SearchHit] {
    // One name is the subject of several findings.
    let ids = try AboutSearch(db, hasFullText: hasFullText).ids(holding: text, limit: limit * 4).ids
    let select = try Prepared(db, "SELECT subject, name, last_day FROM about WHERE id = ?")
    var hits: [SearchHit] = []
    var seen: Set<String> = []
    for id in ids where hits.count < limit {
      try select.bind(.integer(id)).each { row in
        let (subject, name) = (row.text(0), row.text(1))
        let first = subject.prefix { $0 != " " }
        let hit =
          !name.isEmpty
          ? SearchHit(kind: .name, key: name, title: name, detail: subject)
          : IPAddress(first) != nil
            ? SearchHit(kind: .peer, key: String(first), title: String(first), detail: subject)
            : SearchHit(kind: .name, key: subject, title: subject, detail: "")
        if seen.insert(hit.key).inserted { hits.append(hit) }
        return true
      }
    }
    return hits
  }
}
