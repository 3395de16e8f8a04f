import HTTPTypes
import Hummingbird
import Mothlight
import NIOCore

/// What monitoring asks: `/healthz`, `/readyz` and `/metrics`.
///
/// That the station is alive may be known by everybody who reaches it; all else only by this machine, or with a token.
public struct HealthRoutes: RouteGroup {
  private let store: any Store
  private let board: StatusBoard
  private let door: Doorkeeper
  private let access: APIAccess
  private let tally: HTTPTally?
  private let privacy: StationPrivacy
  private let version: String
  private let clock: @Sendable () -> Timestamp

  public init(
    store: any Store, board: StatusBoard, door: Doorkeeper, tally: HTTPTally?, version: String,
    privacy: StationPrivacy = .none, clock: (@Sendable () -> Timestamp)? = nil
  ) {
    self.store = store
    self.board = board
    self.door = door
    self.tally = tally
    self.version = version
    self.privacy = privacy
    self.clock = clock ?? { Clock.now() }
    access = APIAccess(door)
  }

  public func add(open: Router<StationContext>, gated: RouterGroup<StationContext>) {
    open.get("/healthz") { _, _ in Self.text("ok\n") }
    open.get("/readyz") { request, context in
      return await ready(try await admit(request, context))
    }
    open.get("/metrics") { request, context in
      let health = await health(try await admit(request, context))
      let page = StationMetrics(
        health: health, http: tally?.counts, access: door.counts, now: clock(), heap: Heap.octets())
      return Self.text(page.text, type: "text/plain; version=0.0.4; charset=utf-8")
    }
  }

  /// Whoever is on this machine counts as its admin.
  private func admit(_ request: Request, _ context: StationContext) async throws -> Role {
    if context.remote?.isLoopback == true, request.headers[.authorization] == nil { return .admin }
    do {
      return try await access.pass(of: request, from: context.remote, least: .viewer, isChange: false, at: clock()).role
    } catch let problem as APIProblem {
      throw Failure(problem.status, problem.detail, headers: problem.headers)
    }
  }

  public func owns(_ path: String) -> Bool { ["/healthz", "/readyz", "/metrics"].contains(path) }

  private func health(_ role: Role) async -> StationHealth {
    let health = StationHealth(
      version: version, pipeline: board.pipeline, sources: board.sources, store: await store.condition())
    return privacy.veil(for: role)?.veil.covered(health) ?? health
  }

  /// Ready is who can write and has sources that were started; else one line says what is missing.
  private func ready(_ role: Role) async -> Response {
    var troubles: [String] = []
    let health = await health(role)
    let condition = health.store
    if condition.state != .ready { troubles.append("store: \(condition.reason ?? condition.state.rawValue)") }
    for source in health.sources where source.state == .starting || source.state == .waiting {
      let why = source.trouble.map { ": \($0)" } ?? ""
      troubles.append("source \(source.name): \(source.state.rawValue)\(why)")
    }
    guard !troubles.isEmpty else { return Self.text("ready\n") }
    let lines = troubles.map { VisibleText.escaped($0) }.joined(separator: "\n")
    return Self.text(lines + "\n", status: .serviceUnavailable)
  }

  private static func text(
    _ text: String, status: HTTPResponse.Status = .ok, type: String = "text/plain; charset=utf-8"
  ) -> Response {
    Response(
      status: status, headers: [.contentType: type, .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}
