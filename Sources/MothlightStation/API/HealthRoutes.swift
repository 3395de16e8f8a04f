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
  private let version: String
  private let clock: @Sendable () -> Timestamp

  public init(
    store: any Store, board: StatusBoard, door: Doorkeeper, tally: HTTPTally?, version: String,
    clock: (@Sendable () -> Timestamp)? = nil
  ) {
    self.store = store
    self.board = board
    self.door = door
    self.tally = tally
    self.version = version
    self.clock = clock ?? { Clock.now() }
    access = APIAccess(door)
  }

  public func add(open: Router<StationContext>, gated: RouterGroup<StationContext>) {
    open.get("/healthz") { _, _ in Self.text("ok\n") }
    open.get("/readyz") { request, context in
      try await admit(request, context)
      return await ready()
    }
    open.get("/metrics") { request, context in
      try await admit(request, context)
      let health = StationHealth(
        version: version, pipeline: board.pipeline, sources: board.sources, store: await store.condition())
      let page = StationMetrics(health: health, http: tally?.counts, access: door.counts, now: clock())
      return Self.text(page.text, type: "text/plain; version=0.0.4; charset=utf-8")
    }
  }

  private func admit(_ request: Request, _ context: StationContext) async throws {
    if context.remote?.isLoopback == true, request.headers[.authorization] == nil { return }
    do {
      _ = try await access.pass(of: request, from: context.remote, least: .viewer, isChange: false, at: clock())
    } catch let problem as APIProblem {
      throw Failure(problem.status, problem.detail, headers: problem.headers)
    }
  }

  public func owns(_ path: String) -> Bool { ["/healthz", "/readyz", "/metrics"].contains(path) }

  /// Ready is who can write and has sources that were started; else one line says what is missing.
  private func ready() async -> Response {
    var troubles: [String] = []
    let condition = await store.condition()
    if condition.state != .ready { troubles.append("store: \(condition.reason ?? condition.state.rawValue)") }
    for source in board.sources where source.state == .starting || source.state == .waiting {
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
