import Mothlight

/// All that a server needs to know its visitors and to answer programs, put together once.
public struct StationDoor: Sendable {
  public let keeper: Doorkeeper
  public let gatekeeper: StationGatekeeper
  /// Log-in, API and monitoring, for `DashboardServer.init(groups:)`.
  public let groups: [any RouteGroup]
  public let tally = HTTPTally()

  /// - Parameters:
  ///   - book: users, sessions and tokens; `AccessStore` in a station.
  ///   - version: of the program.
  public init(
    _ settings: AccessSettings, book: any AccessBook, store: any Store, registry: (any RegistryShelf)? = nil,
    census: (any CensusShelf)? = nil, board: StatusBoard, version: String,
    privacy: StationPrivacy = .none, clock: (@Sendable () -> Timestamp)? = nil
  ) {
    keeper = Doorkeeper(settings, book: book) { try await store.record($0) }
    gatekeeper = StationGatekeeper(keeper, clock: clock)
    groups = [
      LogInRoutes(keeper, version: version, clock: clock),
      APIRoutes(
        store: store, registry: registry, census: census, board: board, door: keeper, version: version,
        privacy: privacy, clock: clock),
      HealthRoutes(
        store: store, board: board, door: keeper, tally: tally, version: version, privacy: privacy,
        clock: clock),
    ]
  }
}
