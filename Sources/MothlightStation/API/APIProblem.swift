import HTTPTypes
import Hummingbird
import Mothlight
import NIOCore

/// An error as RFC 9457 tells it.
struct APIProblem: Error, Sendable {
  /// What kind of problem it is, for programs.
  enum Kind: String, Sendable, CaseIterable {
    case unauthorised, forbidden
    case notFound = "not-found"
    case method = "method-not-allowed"
    case accept = "not-acceptable"
    case tooLarge = "too-large"
    case mediaType = "unsupported-media-type"
    case parameter = "invalid-parameter"
    case body = "invalid-body"
    case conflict
    case repeated = "idempotency-key-reused"
    case busy
    case unavailable, other

    var title: String {
      switch self {
      case .unauthorised: "Nobody is known by this request"
      case .forbidden: "Not allowed"
      case .notFound: "Nothing is here"
      case .method: "Method not allowed"
      case .accept: "Not available in this format"
      case .tooLarge: "Too large"
      case .mediaType: "Unsupported media type"
      case .parameter: "A parameter is wrong"
      case .body: "The body is wrong"
      case .conflict: "Refused as things stand"
      case .repeated: "The idempotency key was used for something else"
      case .busy: "Too many requests"
      case .unavailable: "Not possible right now"
      case .other: "Not done"
      }
    }
  }

  var status: HTTPResponse.Status
  var kind: Kind
  /// One line: what, and what to do.
  var detail: String
  var headers: HTTPFields

  init(_ status: HTTPResponse.Status, _ kind: Kind, _ detail: String, headers: HTTPFields = [:]) {
    self.status = status
    self.kind = kind
    self.detail = detail
    self.headers = headers
  }

  static func missing(_ what: String) -> APIProblem { APIProblem(.notFound, .notFound, "There is no \(what).") }

  /// What the store says, as a status.
  init(_ error: StoreError) {
    switch error.code {
    case .absent: self.init(.notFound, .notFound, error.message)
    case .refused: self.init(.conflict, .conflict, error.message)
    case .busy, .full, .unwritable:
      self.init(.serviceUnavailable, .unavailable, error.message, headers: [.retryAfter: "30"])
    case .damaged, .newer, .foreign: self.init(.serviceUnavailable, .unavailable, error.message)
    // An unforeseen error may name files and SQL: that is for the log.
    case .unknown: self.init(.internalServerError, .other, "The store failed; the log of the station has more.")
    }
  }

  init(_ failure: Failure) {
    let kind: Kind =
      switch failure.status.code {
      case 401: .unauthorised
      case 403: .forbidden
      case 404: .notFound
      case 405: .method
      case 406: .accept
      case 413, 414, 431: .tooLarge
      case 415: .mediaType
      case 400: .other
      case 409: .conflict
      case 429: .busy
      case 503: .unavailable
      default: .other
      }
    self.init(failure.status, kind, failure.message, headers: failure.headers)
  }

  func write(_ json: inout JSONWriter) {
    json.beginObject()
    json.pair("type", "urn:mothlight:problem:\(kind.rawValue)")
    json.pair("title", kind.title)
    json.pair("status", status.code)
    json.pair("detail", detail)
    json.endObject()
  }

  var response: Response {
    var json = JSONWriter()
    write(&json)
    json.newline()
    var fields = headers
    fields[.contentType] = "application/problem+json"
    fields[.cacheControl] = "no-store"
    return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
  }
}
