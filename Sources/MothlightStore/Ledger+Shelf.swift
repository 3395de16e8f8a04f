import Foundation
import Mothlight

/// What a station's pages ask the registry.
extension Ledger: RegistryShelf {
  public func botnet(_ name: String) async throws(StoreError) -> Botnet? {
    try await apart { () throws(StoreError) -> Botnet? in
      try botnet(name, indicatorLimit: Self.indicatorsShown)
    }
  }

  /// Claims of indicators that a page shows of one botnet; further ones are counted.
  private static let indicatorsShown = 1000

  public func botnets(matching text: String, limit: Int) async throws(StoreError) -> [BotnetSummary] {
    try await apart { () throws(StoreError) -> [BotnetSummary] in
      let hits = try search(text, limit: max(0, min(1000, limit)))
      guard !hits.isEmpty else { return [] }
      let all = try Dictionary(summaries().map { ($0.id, $0) }, uniquingKeysWith: { a, _ in a })
      return hits.compactMap { all[$0.id] }
    }
  }

  private static let line = DispatchQueue(label: "registry")

  /// Off the threads that tasks share: waiting there for a reader keeps those tasks from going on that hold the readers, and
  /// with as many waiting as there are threads the program stands still for good.
  private func apart<T: Sendable>(_ body: @escaping @Sendable () throws(StoreError) -> T) async throws(StoreError) -> T
  {
    let result: Result<T, StoreError> = await withCheckedContinuation { done in
      Self.line.async {
        do throws(StoreError) { done.resume(returning: .success(try body())) } catch {
          done.resume(returning: .failure(error))
        }
      }
    }
    return try result.get()
  }
}
