import Mothlight

/// What pages are made from.
struct Desk: SeenByRole {
  var store: any Store
  let registry: (any RegistryShelf)?
  let census: (any CensusShelf)?
  let board: StatusBoard
  let networks: (any NetworkDirectory)?
  let version: String
  var privacy = StationPrivacy.none
  let clock: @Sendable () -> Timestamp
  /// Set where addresses of ours are not shown.
  var veil: Veil?
}
