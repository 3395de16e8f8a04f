extension VeiledStore {
  // MARK: Cases

  public func cases(_ query: CaseQuery, after: Cursor?, limit: Int) async throws(StoreError) -> Page<Case> {
    var query = query
    let nothing = Page<Case>(rows: [], next: nil)
    guard let named = await named(query.host, nil) else { return nothing }
    query.host = named.host
    if let owner = query.owner {
      // A machine without an owner is its own.
      if let name = IPAddress(standInName: owner) {
        guard let host = await host(named: name) else { return nothing }
        query.owner = host.description
      } else if veil.asksForAddresses(owner) {
        return nothing
      }
    }
    let page = try await base.cases(query, after: try opened(after), limit: limit)
    index.learn(page.rows.lazy.flatMap(\.hosts))
    return covered(page, veil.covered)
  }

  @_optimize(none)
  public func `case`(_ number: Int64) async throws(StoreError) -> CaseRecord? {
    let found = try await base.case(number)
    if let found { index.learn(found.summary.hosts) }
    return found.map(veil.covered)
  }

  public func change(_ number: Int64, to state: Case.State, reason: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError) -> CaseRecord
  {
    do { return veil.covered(try await base.change(number, to: state, reason: reason, by: actor, at: time)) } catch {
      throw covering(error)
    }
  }

  public func undo(_ number: Int64, by actor: Actor, at time: Timestamp) async throws(StoreError) -> CaseRecord {
    do { return veil.covered(try await base.undo(number, by: actor, at: time)) } catch { throw covering(error) }
  }

  public func openCase(_ host: IPAddress, day: Int, reason: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError) -> CaseRecord
  {
    guard let real = await self.host(named: host) else {
      throw StoreError(.unknown, "nothing is kept of \(host) on \(Timestamp.describe(day: day))")
    }
    do { return veil.covered(try await base.openCase(real, day: day, reason: reason, by: actor, at: time)) } catch {
      throw covering(error)
    }
  }

  // MARK: Allow rules and audit

  public func allowRules() async throws(StoreError) -> [StoredAllowRule] {
    try await base.allowRules().map(veil.covered)
  }

  public func addAllowRule(_ rule: AllowList.Rule, reason: String, by actor: Actor, at time: Timestamp)
    async throws(StoreError) -> StoredAllowRule
  {
    let real = try await uncovered(rule, mayNameOurs: false)
    do { return veil.covered(try await base.addAllowRule(real, reason: reason, by: actor, at: time)) } catch {
      throw covering(error)
    }
  }

  public func endAllowRule(_ number: Int64, by actor: Actor, at time: Timestamp) async throws(StoreError) -> Bool {
    do { return try await base.endAllowRule(number, by: actor, at: time) } catch { throw covering(error) }
  }

  public func audit(after: Cursor?, limit: Int) async throws(StoreError) -> Page<AuditEntry> {
    covered(try await base.audit(after: try opened(after), limit: limit), veil.covered)
  }
}
