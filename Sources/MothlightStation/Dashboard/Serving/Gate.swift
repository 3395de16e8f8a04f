import Crypto
import HTTPTypes
import Hummingbird
import NIOCore

/// Asks the gatekeeper, and holds every form against the visitor's token before anything sees it.
struct Gate: RouterMiddleware {
  let keeper: any Gatekeeper
  let settings: DashboardSettings

  func handle(
    _ request: Request, context: StationContext, next: (Request, StationContext) async throws -> Response
  ) async throws -> Response {
    let knock = Knock(
      method: request.method, target: request.head.path ?? "/", route: context.endpointPath ?? "",
      headers: request.headers, remote: context.remote, isTLS: settings.tls != nil)
    switch await keeper.admit(knock) {
    case .redirect(let path):
      return Response(status: .seeOther, headers: [.location: path, .cacheControl: "no-store"])
    case .refusal(let status, let message): throw Failure(status, message)
    case .visitor(let visitor):
      var context = context
      context.visitor = visitor
      if request.method != .get, request.method != .head {
        context.form = try await form(of: request, context, visitor)
      }
      return try await next(request, context)
    }
  }

  private func form(of request: Request, _ context: StationContext, _ visitor: Visitor) async throws -> Form {
    guard request.method == .post else { throw Failure(.methodNotAllowed, "Only GET and POST are known here.") }
    // Browsers say where a form comes from; a token that leaked is then still of no use to another site.
    if let site = request.headers[.secFetchSite], site != "same-origin", site != "none" {
      throw Failure(.forbidden, "This form was sent by another site.")
    }
    let type = request.headers[.contentType]?.split(separator: ";").first.map { $0.lowercased() }
    guard type == "application/x-www-form-urlencoded" else {
      throw Failure(.unsupportedMediaType, "Forms are sent as application/x-www-form-urlencoded.")
    }
    let form = Form(try await Self.text(of: request, octetsMost: settings.bodyOctetsMost))
    guard let token = form["csrf"], Self.areEqual(token, visitor.csrfToken) else {
      throw Failure(.forbidden, "This form is out of date. Go back, load the page again and send it once more.")
    }
    return form
  }

  /// The whole body as text.
  /// - Throws: `Failure` with status 413 beyond `octetsMost`.
  static func text(of request: Request, octetsMost: Int) async throws -> String {
    let tooLarge = Failure(.contentTooLarge, "At most \(octetsMost) octets are taken.", headers: [.connection: "close"])
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > octetsMost { throw tooLarge }
    do {
      return String(buffer: try await request.body.collect(upTo: octetsMost))
    } catch is NIOTooManyBytesError {
      throw tooLarge
    } catch let error where !(error is CancellationError) {
      throw Failure.cutShort
    }
  }

  /// In a time that tells nothing of where they differ.
  static func areEqual(_ a: String, _ b: String) -> Bool {
    SHA256.hash(data: Array(a.utf8)) == SHA256.hash(data: Array(b.utf8))
  }
}

extension HTTPField.Name {
  /// Same origin or another site's, as the browser sees it (W3C Fetch Metadata).
  static var secFetchSite: HTTPField.Name { HTTPField.Name("Sec-Fetch-Site") ?? .origin }
}
