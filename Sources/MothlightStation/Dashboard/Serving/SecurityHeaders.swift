import HTTPTypes
import Hummingbird

/// What every reply carries so that a browser shows nothing but ours, to nobody but its user.
struct SecurityHeaders: RouterMiddleware {
  static let policy =
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    + "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

  private static let fixed: [(name: HTTPField.Name?, value: String)] = [
    (.contentSecurityPolicy, policy), (.xContentTypeOptions, "nosniff"),
    // With `no-referrer` browsers would hide the origin of our own forms from us (Fetch standard, section 3.2).
    (HTTPField.Name("Referrer-Policy"), "same-origin"),
    (HTTPField.Name("X-Frame-Options"), "DENY"), (HTTPField.Name("Cross-Origin-Opener-Policy"), "same-origin"),
    (HTTPField.Name("Cross-Origin-Resource-Policy"), "same-origin"),
    (HTTPField.Name("Permissions-Policy"), "camera=(), geolocation=(), microphone=()"),
  ]

  func handle(
    _ request: Request, context: StationContext, next: (Request, StationContext) async throws -> Response
  ) async throws -> Response {
    var response = try await next(request, context)
    for case (let name?, let value) in Self.fixed { response.headers[name] = value }
    if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
    return response
  }
}
