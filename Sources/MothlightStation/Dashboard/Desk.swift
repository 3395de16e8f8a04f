import Mothlight

/// What pages are made from.
struct Desk: Sendable {
  private(set) var store: any Store
  let registry: (any RegistryShelf)?
  let census: (any CensusShelf)?
  let board: StatusBoard
  let networks: (any NetworkDirectory)?
  let version: String
  var privacy = StationPrivacy.none
  let clock: @Sendable () -> Timestamp
  /// Set where addresses of ours are not shown.
  private(set) var veil: Veil?

  /// The desk as somebody of that role sees it.
  func seen(by role: Role) -> Desk {
    guard let veiled = privacy.veil(for: role) else { return self }
    var copy = self
    copy.store = veiled
    copy.veil = veiled.veil
    return copy
  }
}
