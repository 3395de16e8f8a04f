import HTTPTypes
import Hummingbird

/// A part of what the server answers: pages, the API, log-in.
public protocol RouteGroup: Sendable {
  /// - Parameters:
  ///   - open: routes here see every visitor, known or not; the group decides by itself who may.
  ///   - gated: routes here are behind the gatekeeper: `context.visitor` is set, and a POST had its form's token checked.
  func add(open: Router<StationContext>, gated: RouterGroup<StationContext>)

  /// Whether errors of this path are this group's to word, also for paths without a route.
  func owns(_ path: String) -> Bool
  /// An error in the group's own form.
  func reply(to failure: Failure, request: Request) -> Response
}

extension RouteGroup {
  public func owns(_ path: String) -> Bool { false }
  public func reply(to failure: Failure, request: Request) -> Response { failure.plain }
}

/// Why a request is not answered as hoped.
public struct Failure: Error, Sendable {
  public var status: HTTPResponse.Status
  /// One line: what, and what to do.
  public var message: String
  public var headers: HTTPFields

  public init(_ status: HTTPResponse.Status, _ message: String, headers: HTTPFields = [:]) {
    self.status = status
    self.message = message
    self.headers = headers
  }

  public static let notFound = Failure(.notFound, "There is nothing at this address.")
  /// The client went away or was cut off in the middle of its body.
  static let cutShort = Failure(.badRequest, "The request ended before its body did.", headers: [.connection: "close"])

  var plain: Response {
    var fields = headers
    fields[.contentType] = "text/plain; charset=utf-8"
    return Response(
      status: status, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(string: message + "\n")))
  }
}
