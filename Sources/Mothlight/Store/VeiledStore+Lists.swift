extension VeiledStore {
  // MARK: Host-days

  public func hostDays(_ query: HostDayQuery, after: Cursor?, limit: Int) async throws(StoreError) -> Page<HostDayRow> {
    var query = query
    if query.within != nil {
      guard let named = await named(nil, query.within) else { return Page(rows: [], next: nil) }
      query.within = named.host.map { Prefix($0, length: 128) }
    }
    var start = 0
    if let after {
      guard let place = try opened(after).flatMap({ Int($0.text) }), place >= 0 else {
        throw StoreError(.refused, "this place in a list is none of ours")
      }
      start = place
    }
    // What only asks for the first row by day gets it cheaply; ties are told by no address then.
    let most = limit == 1 && start == 0 && query.order == .newest ? 1 : Self.hostDaysMost
    let rows = try await all(query, most)
    let end = min(rows.count, start + max(1, limit))
    guard start < end else { return Page(rows: [], next: nil) }
    let next = end < rows.count ? veil.covered(Cursor(String(end))) : nil
    return Page(rows: Array(rows[start..<end]), next: next)
  }

  private func all(_ query: HostDayQuery, _ most: Int) async throws(StoreError) -> [HostDayRow] {
    var rows: [HostDayRow] = []
    var cursor: Cursor?
    repeat {
      let page = try await base.hostDays(query, after: cursor, limit: min(1000, most - rows.count))
      rows += page.rows
      cursor = page.rows.isEmpty ? nil : page.next
    } while cursor != nil && rows.count < most
    index.learn(rows.lazy.map(\.host))
    return rows.map(veil.covered).sorted { Self.precedes($0, $1, query.order) }
  }

  static func precedes(_ a: HostDayRow, _ b: HostDayRow, _ order: HostDayQuery.Order) -> Bool {
    if order == .newest, a.day != b.day { return a.day > b.day }
    if order != .host {
      if a.verdict != b.verdict { return a.verdict > b.verdict }
      if a.score != b.score { return a.score > b.score }
    }
    return a.host != b.host ? a.host < b.host : a.day > b.day
  }

  // Not optimised: Swift 6.3.1 crashes while it splits coroutines over answers that may be missing.
  @_optimize(none)
  public func hostDay(_ host: IPAddress, day: Int) async throws(StoreError) -> HostDay? {
    guard let real = await self.host(named: host) else { return nil }
    let found = try await base.hostDay(real, day: day)
    return found.map(veil.covered)
  }

  public func history(of host: IPAddress) async throws(StoreError) -> [HostDayRow] {
    guard let real = await self.host(named: host) else { return [] }
    return try await base.history(of: real).map(veil.covered)
  }

  public func overview(day: Int, days: Int) async throws(StoreError) -> Overview {
    var overview = try await base.overview(day: day, days: days)
    index.learn(overview.flagged.lazy.map(\.host))
    overview.flagged = overview.flagged.map(veil.covered).sorted { Self.precedes($0, $1, .verdict) }
    return overview
  }

  // MARK: Findings

  public func findings(_ query: FindingQuery, after: Cursor?, limit: Int) async throws(StoreError) -> Page<
    StoredFinding
  > {
    let nothing = Page<StoredFinding>(rows: [], next: nil)
    var query = query
    guard let named = await named(query.host, query.within) else { return nothing }
    if named.isAsked {
      query.host = named.host
      query.within = nil
    }
    guard let text = query.text else {
      let page = try await base.findings(query, after: try opened(after), limit: limit)
      index.learn(page.rows.lazy.map(\.finding.host))
      return covered(page, veil.covered)
    }
    guard !veil.asksForAddresses(text) else { return nothing }
    return try await holding(text, query, try opened(after), limit)
  }

  /// Only rows in which the text still stands once they are covered: the others would tell what was taken out.
  private func holding(_ text: String, _ query: FindingQuery, _ after: Cursor?, _ limit: Int) async throws(StoreError)
    -> Page<StoredFinding>
  {
    var rows: [StoredFinding] = []
    var cursor = after
    var parts = 0
    repeat {
      let page = try await base.findings(query, after: cursor, limit: limit - rows.count)
      index.learn(page.rows.lazy.map(\.finding.host))
      rows += page.rows.map(veil.covered).filter { stored in
        Self.holds(text, stored.finding.subject) || Self.holds(text, stored.finding.peerName ?? "")
      }
      cursor = page.rows.isEmpty ? nil : page.next
      parts += 1
    } while cursor != nil && rows.count < limit && parts < Self.partsMost
    // A place behind nothing but rows that are not shown would tell that they are there.
    return Page(rows: rows, next: rows.isEmpty ? nil : cursor.flatMap(veil.covered))
  }

  static func holds(_ text: String, _ place: String) -> Bool { place.lowercased().contains(text.lowercased()) }

  @_optimize(none)
  public func finding(id: String) async throws(StoreError) -> StoredFinding? {
    let real = veil.uncovered(id: id)
    guard !real.isEmpty else { return nil }
    let found = try await base.finding(id: real)
    return found.map(veil.covered)
  }

  // MARK: Search

  public func search(_ text: String, limit: Int) async throws(StoreError) -> [SearchHit] {
    let words = text.split { $0.isWhitespace }.joined(separator: " ")
    guard !words.isEmpty else { return [] }
    if let name = IPAddress(standInName: words) {
      guard let host = await host(named: name) else { return [] }
      let hits = try await base.search(host.description, limit: limit)
      return hits.filter { $0.kind == .host || $0.kind == .case }.compactMap(veil.covered)
    }
    guard !veil.asksForAddresses(words) else { return [] }
    let id = try await finding(id: words.lowercased())
    if let id {
      return [SearchHit(kind: .finding, key: id.id, title: id.finding.subject, detail: id.finding.summary)]
    }
    let hits = try await base.search(words, limit: limit)
    return hits.compactMap { hit in
      // Hosts are found by their address alone, findings by their identifier.
      guard hit.kind != .host, hit.kind != .finding || Finding.looksLikeID(words) == false,
        let out = veil.covered(hit)
      else { return nil }
      let isNumber = hit.kind == .case && words.lowercased().drop { !$0.isNumber } == Substring(hit.key)
      let isHeld = [out.key, out.title, out.detail].contains { Self.holds(words, $0) }
      return hit.kind == .botnet || isNumber || isHeld ? out : nil
    }
  }
}

extension Finding {
  static func looksLikeID(_ text: String) -> Bool {
    text.utf8.count == 32 && text.utf8.allSatisfy { hexDigit($0) != nil }
  }
}
