/// What a station's pages ask the registry; the ledger of `MothlightStore` answers.
public protocol RegistryShelf: Sendable {
  /// A botnet by any of its names or its id.
  func botnet(_ name: String) async throws(StoreError) -> Botnet?
  /// Botnets that a text is part of, best first.
  func botnets(matching text: String, limit: Int) async throws(StoreError) -> [BotnetSummary]
}

/// The latest census of what the sinkhole's spools hold.
public protocol CensusShelf: Sendable {
  /// One for each botnet, by name; empty until one was made, and without a sinkhole.
  func editions() async -> [CensusEdition]
}

extension CensusShelf {
  /// The edition of the botnet with most addresses.
  public func edition() async -> CensusEdition? {
    await editions().max { $0.report.footprint.addresses < $1.report.footprint.addresses }
  }
}
