import HTTPTypes
import Hummingbird
import Mothlight

/// The pages for people.
struct PageRoutes: RouteGroup {
  let desk: Desk

  func add(open: Router<StationContext>, gated: RouterGroup<StationContext>) {
    gated.get("/") { request, context in
      let ask = try desk.ask(request, context)
      return desk.html(Frame(ask: ask, version: desk.version).page("Today", .today, "<h1>Today</h1>"))
    }
  }
}

extension Desk {
  /// - Throws: `Failure` when nobody known looks.
  func ask(_ request: Request, _ context: StationContext) throws -> Ask {
    let target = request.head.path ?? "/"
    return Ask(
      visitor: try context.admitted(), target: target, query: Form(request.uri.query ?? ""),
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
    let theme = Self.theme(of: request)
    let page = FailurePage(status: failure.status.code, message: failure.message, theme: theme)
    return html(page.text, status: failure.status, headers: failure.headers)
  }
}
