/// A store as somebody sees it who may not know addresses of ours: pseudonyms come out, and pseudonyms are asked with.
///
/// A question with an address of ours, with a part of one or with a network of ours is answered as if there were nothing: whoever could
/// ask so would find out who is who by trying.
public struct VeiledStore: Store {
  /// Rows of a list of hosts. Its order is made anew, as the store's tells the order of addresses among equals, so all are read first.
  public static let hostDaysMost = 5_000
  /// Parts that are read for one page of what holds a text.
  static let partsMost = 20

  let base: any Store
  public let veil: Veil
  let index: PseudonymIndex

  public init(_ base: any Store, _ veil: Veil, clock: @escaping @Sendable () -> Timestamp) {
    self.base = base
    self.veil = veil
    index = PseudonymIndex(veil, clock: clock)
  }

  /// The machine that a name stands for; `nil` for addresses, and when no kept machine has that name.
  public func host(named name: IPAddress) async -> IPAddress? {
    guard name.isStandIn else { return nil }
    return await index.host(name, in: base)
  }

  /// An allow rule with machines in the place of their names.
  /// - Throws: `refused` when a name is nobody's, or when it names machines of ours in any other way.
  public func uncovered(_ rule: AllowList.Rule, mayNameOurs: Bool) async throws(StoreError) -> AllowList.Rule {
    func ours(_ prefix: Prefix) async throws(StoreError) -> Prefix {
      guard prefix.address.isStandIn else {
        guard mayNameOurs else {
          throw StoreError(.refused, "name a machine of ours by its pseudonym, such as host-7F3K2QXD")
        }
        return prefix
      }
      guard let host = await host(named: prefix.address) else {
        throw StoreError(.refused, "\(prefix.address): no kept machine has this name")
      }
      return Prefix(host, length: 128)
    }
    func peer(_ prefix: Prefix) async throws(StoreError) -> Prefix {
      let isOurs = prefix.address.isStandIn || (!mayNameOurs && veil.isOurs(prefix.address))
      return isOurs ? try await ours(prefix) : prefix
    }
    switch rule {
    case .source(let prefix): return .source(try await ours(prefix))
    case .destination(let prefix): return .destination(try await peer(prefix))
    case .pair(let from, let to): return .pair(try await ours(from), try await peer(to))
    case .name: return rule
    }
  }

  // MARK: What is not about machines

  public func keep(_ hostDays: [HostDay], run: String, at time: Timestamp) async throws(StoreError) {
    try await base.keep(hostDays, run: run, at: time)
  }
  public func botnets(_ range: ClosedRange<Int>, limit: Int) async throws(StoreError) -> [BotnetActivity] {
    try await base.botnets(range, limit: limit)
  }
  public func caseStatistics() async throws(StoreError) -> CaseStatistics { try await base.caseStatistics() }
  public func record(_ entry: AuditEntry) async throws(StoreError) { try await base.record(entry) }
  public func condition() async -> StoreCondition { await base.condition() }

  // MARK: Parts

  func opened(_ cursor: Cursor?) throws(StoreError) -> Cursor? {
    guard let cursor else { return nil }
    guard let text = veil.uncovered(cursor) else { throw StoreError(.refused, "this place in a list is none of ours") }
    return text
  }

  func covered<Row>(_ page: Page<Row>, _ cover: (Row) -> Row) -> Page<Row> {
    Page(rows: page.rows.map(cover), next: page.next.flatMap(veil.covered))
  }

  /// A host query by name; `nil` when nothing can be meant.
  func named(_ host: IPAddress?, _ prefix: Prefix?) async -> (host: IPAddress?, isAsked: Bool)? {
    guard let name = host ?? prefix?.address else { return (nil, false) }
    if let prefix, !prefix.isOneHost { return nil }
    guard let real = await self.host(named: name) else { return nil }
    return (real, true)
  }

  /// Errors quote what they are about.
  func covering(_ error: StoreError) -> StoreError { StoreError(error.code, veil.text(error.message)) }
}
