import HTTPTypes
import Hummingbird
import Mothlight
import NIOCore

/// Log-in, log-out, and what users may see of themselves and admins of all.
public struct LogInRoutes: RouteGroup {
  /// Octets of the log-in form.
  private static let formOctetsMost = 8192
  /// Until a log-in page that was left open is out of date.
  private static let formSeconds = 3600

  let door: Doorkeeper
  let version: String
  let clock: @Sendable () -> Timestamp

  public init(_ door: Doorkeeper, version: String, clock: (@Sendable () -> Timestamp)? = nil) {
    self.door = door
    self.version = version
    self.clock = clock ?? { Clock.now() }
  }

  var cookie: SessionCookie { SessionCookie(isEncrypted: door.settings.isEncrypted) }
  /// Of a visitor that is not known yet: binds the form to the browser that asked for it.
  private var formCookie: SessionCookie { SessionCookie(isEncrypted: door.settings.isEncrypted, purpose: "-form") }

  public func add(open: Router<StationContext>, gated: RouterGroup<StationContext>) {
    open.get("/log-in") { request, _ in
      page(request, next: Form(request.uri.query ?? "")["next"], complaint: nil, status: .ok)
    }
    open.post("/log-in") { request, context in try await logIn(request, context) }
    gated.post("/log-out") { request, context in try await logOut(request, context) }
    gated.get("/account") { request, context in try await account(request, context, complaint: nil) }
    gated.post("/account") { request, context in try await changePassword(request, context) }
    gated.get("/users") { request, context in try await users(request, context) }
  }

  // MARK: Log-in

  private func page(_ request: Request, next: String?, complaint: String?, status: HTTPResponse.Status) -> Response {
    let secret = Secret()
    let text = LogInPage(
      token: secret.derived(for: "log-in"), next: NextPage.checked(next), complaint: complaint,
      theme: Desk.theme(of: request)
    ).text
    var response = Self.html(text, status: status)
    response.headers[.setCookie] = formCookie.setting(secret.text, seconds: Self.formSeconds)
    return response
  }

  private func logIn(_ request: Request, _ context: StationContext) async throws -> Response {
    let form = try await form(of: request)
    let next = form["next"]
    let remote = context.remote ?? .unspecified
    switch await door.logIn(form["name"] ?? "", password: form.raw("password") ?? "", from: remote, at: clock()) {
    case .done(let secret, _):
      var headers: HTTPFields = [.location: NextPage.checked(next), .cacheControl: "no-store"]
      headers.append(
        HTTPField(name: .setCookie, value: cookie.setting(secret.text, seconds: door.settings.sessionLifeSeconds)))
      headers.append(HTTPField(name: .setCookie, value: formCookie.clearing))
      return Response(status: .seeOther, headers: headers)
    case .wrong:
      return page(request, next: next, complaint: "Name or password is wrong.", status: .forbidden)
    case .wait(let seconds):
      let whole = Int(min(86_400, max(1, seconds.rounded(.up))))
      var response = page(
        request, next: next, complaint: "Too many attempts; try again in \(whole) s.", status: .tooManyRequests)
      response.headers[.retryAfter] = String(whole)
      return response
    case .busy:
      var response = page(
        request, next: next, complaint: "Too many log-ins at once; try again.", status: .serviceUnavailable)
      response.headers[.retryAfter] = "5"
      return response
    case .unavailable(let error): throw error
    }
  }

  /// The form of a visitor without a session: from this site, with the token that its own cookie gives.
  private func form(of request: Request) async throws -> Form {
    guard APIAccess.isOwn(request) else { throw Failure(.forbidden, "This form was sent by another site.") }
    let type = request.headers[.contentType]?.split(separator: ";").first.map { $0.lowercased() }
    guard type == "application/x-www-form-urlencoded" else {
      throw Failure(.unsupportedMediaType, "Forms are sent as application/x-www-form-urlencoded.")
    }
    let form = Form(try await Gate.text(of: request, octetsMost: Self.formOctetsMost))
    guard let secret = formCookie.value(in: request.headers).flatMap({ Secret($0) }), let token = form["csrf"],
      Gate.areEqual(token, secret.derived(for: "log-in"))
    else {
      throw Failure(
        .forbidden, "This form is out of date, or cookies are off. Load the page again and log in once more.")
    }
    return form
  }

  private func logOut(_ request: Request, _ context: StationContext) async throws -> Response {
    if let pass = try await pass(of: request) {
      try await door.logOut(pass, from: context.remote ?? .unspecified, at: clock())
    }
    return Response(
      status: .seeOther,
      headers: [
        .location: "/log-in", .setCookie: cookie.clearing, .cacheControl: "no-store", .clearSiteData: "\"cache\"",
      ])
  }

  /// The session that the gatekeeper believed a moment ago.
  func pass(of request: Request) async throws -> Pass? {
    guard let value = cookie.value(in: request.headers) else { return nil }
    return try await door.pass(cookie: value, at: clock())
  }

  static func html(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}

extension HTTPField.Name {
  static var clearSiteData: HTTPField.Name { HTTPField.Name("Clear-Site-Data") ?? .cacheControl }
}
