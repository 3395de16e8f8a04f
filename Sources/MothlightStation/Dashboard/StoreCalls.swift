import Mothlight

/// Calls whose answer may be missing, each in a function of its own that is not optimised: Swift 6.3.1 crashes while it splits
/// coroutines into which they were inlined (release builds, typed errors over existentials).
enum StoreCalls {
  @inline(never) @_optimize(none)
  static func hostDay(_ store: any Store, _ host: IPAddress, day: Int) async throws -> HostDay? {
    try await store.hostDay(host, day: day)
  }

  @inline(never) @_optimize(none)
  static func finding(_ store: any Store, id: String) async throws -> StoredFinding? {
    try await store.finding(id: id)
  }

  @inline(never) @_optimize(none)
  static func `case`(_ store: any Store, _ number: Int64) async throws -> CaseRecord? {
    try await store.case(number)
  }

  @inline(never) @_optimize(none)
  static func botnet(_ registry: (any RegistryShelf)?, _ name: String) async throws -> Botnet? {
    guard let registry else { return nil }
    return try await registry.botnet(name)
  }
}
