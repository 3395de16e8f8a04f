import Mothlight

/// What a station's pages ask the registry.
extension Ledger: RegistryShelf {
  public func botnet(_ name: String) async throws(StoreError) -> Botnet? {
    let found: Botnet? = try botnet(name, indicatorLimit: Self.indicatorsShown)
    return found
  }

  /// Claims of indicators that a page shows of one botnet; further ones are counted.
  private static let indicatorsShown = 1000

  public func botnets(matching text: String, limit: Int) async throws(StoreError) -> [BotnetSummary] {
    let hits = try search(text, limit: max(0, min(1000, limit)))
    guard !hits.isEmpty else { return [] }
    let all = try Dictionary(summaries().map { ($0.id, $0) }, uniquingKeysWith: { a, _ in a })
    return hits.compactMap { all[$0.id] }
  }
}
