import HTTPTypes
import Hummingbird
import Mothlight

/// The pages for people: which address shows what.
struct PageRoutes: RouteGroup {
  let desk: Desk

  func add(open: Router<StationContext>, gated: RouterGroup<StationContext>) {
    page(gated, "/") { desk, ask, _ in try await desk.today(ask) }
    page(gated, "/hosts") { desk, ask, _ in try await desk.hosts(ask) }
    page(gated, "/hosts/:address") { desk, ask, key in try await desk.host(ask, key("address")) }
    page(gated, "/findings") { desk, ask, _ in try await desk.findings(ask) }
    page(gated, "/findings/:id") { desk, ask, key in try await desk.finding(ask, key("id")) }
    page(gated, "/botnets") { desk, ask, _ in try await desk.botnets(ask) }
    page(gated, "/botnets/:name") { desk, ask, key in try await desk.botnet(ask, key("name")) }
    page(gated, "/networks") { desk, ask, _ in try await desk.networks(ask) }
    page(gated, "/networks/:key") { desk, ask, key in try await desk.network(ask, key("key")) }
    page(gated, "/cases") { desk, ask, _ in try await desk.cases(ask) }
    page(gated, "/cases/:number") { desk, ask, key in try await desk.case(ask, key("number")) }
    page(gated, "/allow") { desk, ask, _ in try await desk.allow(ask) }
    page(gated, "/sensors") { desk, ask, _ in await desk.sensors(ask) }
    page(gated, "/census") { desk, ask, _ in await desk.censusPage(ask) }
    page(gated, "/search") { desk, ask, _ in try await desk.search(ask) }
    page(gated, "/about") { desk, ask, _ in AboutPage(frame: desk.frame(ask)).page }
    page(gated, "/audit", least: .admin) { desk, ask, _ in try await desk.audit(ask) }
    ActionRoutes(desk: desk).add(to: gated)
  }

  private func page(
    _ router: RouterGroup<StationContext>, _ path: RouterPath, least: Role = .viewer,
    _ make: @escaping @Sendable (Desk, Ask, @Sendable (String) -> String) async throws -> String
  ) {
    let desk = desk
    router.get(path) { request, context in
      let desk = desk.seen(by: try context.admitted(least).role)
      let parameters = context.parameters
      let text = try await make(desk, try desk.ask(request, context)) { name in
        Form.decodedPath(parameters.get(name) ?? "")
      }
      return desk.html(text)
    }
  }
}

extension Desk {
  /// - Parameter least: marking of what the page shows beside our machines.
  func frame(_ ask: Ask, least: TLP = .clear) -> Frame {
    Frame(ask: ask, version: version, marking: max(least, privacy.marking(for: ask.visitor.role)))
  }

  /// - Throws: `Failure` when nobody known looks.
  func ask(_ request: Request, _ context: StationContext) throws -> Ask {
    Ask(
      visitor: try context.admitted(), target: request.head.path ?? "/", query: Form(request.uri.query ?? ""),
      theme: Self.theme(of: request), now: clock())
  }

  static func theme(of request: Request) -> Ask.Theme {
    request.cookies["theme"].flatMap { Ask.Theme(rawValue: $0.value) } ?? .auto
  }

  func html(_ page: String, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
    var headers = headers
    headers[.contentType] = "text/html; charset=utf-8"
    return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: page)))
  }

  /// An error as a page; it names no visitor, since there may be none.
  func failurePage(_ failure: Failure, _ request: Request) -> Response {
    let page = FailurePage(
      status: failure.status.code, message: failure.message, theme: Self.theme(of: request))
    return html(page.text, status: failure.status, headers: failure.headers)
  }
}
