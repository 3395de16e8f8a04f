import HTTPTypes
import Hummingbird
import Mothlight

/// Which role each page and form needs, in one place. What is not in it is shown to nobody.
///
/// The API's roles stand in its own table (`APIRoute`), and so does its check.
public enum RouteRoles {
  /// Who may: everybody that reaches the port, or visitors from a role on.
  public enum Least: Sendable, Equatable {
    case anybody
    case role(Role)
  }

  static let table: [(method: HTTPRequest.Method, route: String, least: Least)] =
    open + pages.map { (.get, $0, .role(.viewer)) } + forms + administration

  private static let open: [(method: HTTPRequest.Method, route: String, least: Least)] = [
    (.get, "/static/{name}", .anybody), (.get, "/log-in", .anybody), (.post, "/log-in", .anybody),
    // These decide by themselves: from this machine, or with a token.
    (.get, "/healthz", .anybody), (.get, "/readyz", .anybody), (.get, "/metrics", .anybody),
  ]

  private static let pages = [
    "/", "/hosts", "/hosts/{address}", "/botnets", "/botnets/{name}", "/networks", "/networks/{key}", "/findings",
    "/findings/{id}",
    "/cases", "/cases/{number}", "/allow", "/sensors", "/census", "/search", "/about", "/events", "/account",
  ]

  private static let forms: [(method: HTTPRequest.Method, route: String, least: Least)] = [
    (.post, "/theme", .role(.viewer)), (.post, "/log-out", .role(.viewer)), (.post, "/account", .role(.viewer)),
    (.post, "/cases", .role(.analyst)), (.post, "/cases/{number}/state", .role(.analyst)),
    (.post, "/cases/{number}/undo", .role(.analyst)), (.post, "/allow", .role(.analyst)),
    (.post, "/allow/{number}/end", .role(.analyst)),
  ]

  private static let administration: [(method: HTTPRequest.Method, route: String, least: Least)] = [
    (.get, "/users", .role(.admin)), (.get, "/audit", .role(.admin)),
  ]

  /// `nil`: nobody.
  public static func least(_ method: HTTPRequest.Method, _ route: String) -> Least? {
    // HEAD is GET without the body.
    let method = method == .head ? .get : method
    return table.first { $0.method == method && $0.route == route }?.least
  }
}

extension DashboardServer {
  /// Every method and pattern that the router knows, e.g. `GET /cases/{number}`.
  var routeNames: [String] { router.routes.map { "\($0.method.rawValue) \($0.path.description)" } }
}
