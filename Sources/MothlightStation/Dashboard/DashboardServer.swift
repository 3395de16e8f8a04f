import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import Mothlight
import NIOCore
import ServiceLifecycle

/// Serves the pages of a station, its stream of events, and what other route groups add.
public struct DashboardServer: Sendable {
  private let settings: DashboardSettings
  private let desk: Desk
  private let access: any Gatekeeper
  private let groups: [any RouteGroup]
  private let tally: HTTPTally?
  private let logger: Logger

  public init(
    settings: DashboardSettings, store: any Store, registry: (any RegistryShelf)? = nil,
    census: (any CensusShelf)? = nil, board: StatusBoard, networks: (any NetworkDirectory)? = nil,
    access: any Gatekeeper = LocalGatekeeper(), privacy: StationPrivacy = .none, groups: [any RouteGroup] = [],
    tally: HTTPTally? = nil,
    logger: Logger = Logger(label: "dashboard", factory: { _ in SwiftLogNoOpLogHandler() }),
    clock: (@Sendable () -> Timestamp)? = nil
  ) {
    self.settings = settings
    desk = Desk(
      store: store, registry: registry, census: census, board: board, networks: networks, version: settings.version,
      privacy: privacy, clock: clock ?? { Clock.now() })
    self.access = access
    self.tally = tally
    self.logger = logger
    self.groups =
      [StaticRoutes(), EventRoutes(desk: desk, streamsMost: settings.eventStreamsMost)] + groups + [
        PageRoutes(desk: desk)
      ]
  }

  /// Answers until the task is cancelled; then lets replies that are under way end, for `stopSeconds` at most.
  /// - Parameter onListening: called once with the port that was got.
  /// - Throws: `ListenError` when it cannot listen.
  public func run(onListening: @escaping @Sendable (Int) async -> Void = { _ in }) async throws {
    guard settings.address == "localhost" || IPAddress(settings.address) != nil else {
      throw ListenError(
        "'\(settings.address)' is no address to listen on; write one of this machine's, such as 127.0.0.1")
    }
    var quiet = logger
    quiet.logLevel = max(.warning, logger.logLevel)
    let app = Application(
      router: router, server: try channels(),
      configuration: ApplicationConfiguration(
        address: .hostname(settings.address, port: settings.port),
        availableConnectionsDelegate: MaximumAvailableConnections(settings.connectionsMost, logger: quiet)),
      onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) }, logger: quiet)
    let service = ServiceGroup(configuration: ServiceGroupConfiguration(services: [app], logger: quiet))
    // Not a child of this task: cancelling this one begins a graceful stop, and only after a while a hard one.
    let running = Task { try await service.run() }
    let seconds = settings.stopSeconds
    do {
      try await withTaskCancellationHandler {
        try await running.value
      } onCancel: {
        Task {
          await service.triggerGracefulShutdown()
          try await Task.sleep(for: .seconds(seconds))
          running.cancel()
        }
      }
    } catch is CancellationError {
      return
    } catch let error as IOError {
      throw Self.refusal(settings.address, settings.port, error.errnoCode)
    }
  }

  /// Whether a port is free, before anything is made for it.
  /// - Throws: `ListenError` when another program has it.
  public static func check(_ address: ListenAddress) throws(ListenError) {
    let reason = PortProbe(address: address, isStream: true).bind()
    if reason == EADDRINUSE { throw refusal("\(address.address)", Int(address.port), reason) }
  }

  private static func refusal(_ address: String, _ port: Int, _ reason: Int32) -> ListenError {
    ListenError(
      "cannot listen on \(address) port \(port): \(String(cString: strerror(reason))); choose another, or stop what holds it"
    )
  }

  private func channels() throws -> HTTPServerBuilder {
    let settings = settings
    let room = ConnectionRoom(most: settings.connectionsCrowded)
    tally?.watch(room)
    let decoder = HTTP1Channel.Configuration.DecoderConfiguration(
      maxHeaderFieldSize: settings.headerOctetsMost, maxHeaderListSize: settings.headerOctetsMost,
      maxHeaderFieldCount: 100)
    let base = HTTPServerBuilder.http1(
      configuration: HTTP1Channel.Configuration(
        additionalChannelHandlers: [ClientPace(settings, room)], idleTimeout: .seconds(Int64(settings.idleSeconds)),
        httpDecoderConfiguration: decoder))
    guard let tls = settings.tls else { return base }
    return try .tls(base, tlsConfiguration: tls)
  }

  var router: Router<StationContext> {
    let router = Router(context: StationContext.self, options: .autoGenerateHeadEndpoints)
    if let tally { router.add(middleware: TallyMiddleware(tally: tally)) }
    router.add(middleware: SecurityHeaders())
    router.add(middleware: Failures(groups: groups, page: desk.failurePage))
    router.add(middleware: TargetCheck(settings))
    let gated = router.group().add(middleware: Gate(keeper: access, settings: settings))
    for group in groups { group.add(open: router, gated: gated) }
    return router
  }
}
