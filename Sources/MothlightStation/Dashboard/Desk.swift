import Mothlight

/// What pages are made from.
struct Desk: Sendable {
  let store: any Store
  let registry: (any RegistryShelf)?
  let census: (any CensusShelf)?
  let board: StatusBoard
  let networks: (any NetworkDirectory)?
  let version: String
  let clock: @Sendable () -> Timestamp
}
