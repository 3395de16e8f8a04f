import Crypto
import HTTPTypes
import Hummingbird
import Mothlight
import NIOCore

/// The API as a part of the server.
public struct APIRoutes: RouteGroup {
  /// Octets of a change's body: some words and a reason.
  static let bodyOctetsMost = 16_384
  /// Rows that are read from the store at a time for a stream.
  private static let streamRows = 500

  private let desk: APIDesk
  private let access: APIAccess
  private let clock: @Sendable () -> Timestamp
  private let answers = IdempotencyTable()
  private let streams: Seats

  /// - Parameter streamsMost: streams of rows at once: each holds a place in the store and a connection.
  public init(
    store: any Store, registry: (any RegistryShelf)? = nil, census: (any CensusShelf)? = nil, board: StatusBoard,
    door: Doorkeeper, version: String, streamsMost: Int = 16, privacy: StationPrivacy = .none,
    clock: (@Sendable () -> Timestamp)? = nil
  ) {
    desk = APIDesk(store: store, registry: registry, census: census, board: board, version: version, privacy: privacy)
    access = APIAccess(door)
    streams = Seats(most: streamsMost)
    self.clock = clock ?? { Clock.now() }
  }

  public func add(open: Router<StationContext>, gated: RouterGroup<StationContext>) {
    for route in APIRoute.all {
      open.on(RouterPath(route.pattern), method: route.method) { request, context in
        try await respond(to: request, by: route, from: context.remote)
      }
    }
  }

  public func owns(_ path: String) -> Bool { path == "/api" || path.hasPrefix("/api/") }

  /// Also tells a path that is there from a method that is not.
  public func reply(to failure: Failure, request: Request) -> Response {
    guard failure.status == .notFound || failure.status == .methodNotAllowed,
      request.uri.path.hasPrefix(APIRoute.prefix)
    else { return APIProblem(failure).response }
    let path = request.uri.path.dropFirst(APIRoute.prefix.count)
    let methods = Set(APIRoute.all.filter { $0.matches(path) }.map(\.method))
    guard !methods.isEmpty, !methods.contains(request.method), request.method != .head || !methods.contains(.get) else {
      return APIProblem(
        .notFound, .notFound, "There is nothing at this address; \(APIRoute.prefix)/openapi.json tells what is."
      )
      .response
    }
    let allowed = (methods.map(\.rawValue) + (methods.contains(.get) ? ["HEAD"] : [])).sorted().joined(separator: ", ")
    return APIProblem(
      .methodNotAllowed, .method, "This address takes \(allowed) only.", headers: [.allow: allowed]
    ).response
  }

  // MARK: One request

  private func respond(to request: Request, by route: APIRoute, from remote: IPAddress?) async throws -> Response {
    do {
      let time = clock()
      let pass = try await access.pass(
        of: request, from: remote, least: route.least, isChange: route.isChange, at: time)
      let format = try APIFormat(request.headers, for: route)
      let path = request.uri.path.dropFirst(APIRoute.prefix.count).split(separator: "/")
      let values = try APIQuery.values(of: route, path: path, query: request.uri.query)
      let actor = Actor(pass.name, origin: remote?.description ?? "")
      var asked = APIRequest(values: values, body: [:], actor: actor, role: pass.role, time: time)
      guard route.isChange else {
        let reply = try await route.serve(asked, desk.seen(by: pass.role))
        return try await response(reply, asked, format, request, route)
      }
      let octets = try await Self.body(of: request, by: route)
      asked.body = try Self.fields(octets, of: route)
      return try await change(asked, octets, request, route)
    } catch let problem as APIProblem {
      return problem.response
    } catch let error as StoreError {
      return APIProblem(error).response
    }
  }

  private func change(_ asked: APIRequest, _ octets: ByteBuffer, _ request: Request, _ route: APIRoute) async throws
    -> Response
  {
    guard let header = HTTPField.Name("Idempotency-Key").flatMap({ request.headers[$0] }) else {
      return try answer(await route.serve(asked, desk.seen(by: asked.role)), asked).response
    }
    guard IdempotencyTable.isKey(header) else {
      throw APIQuery.wrong("Idempotency-Key", "is not 1 to 64 letters, digits, '-' or '_'")
    }
    let key = IdempotencyTable.Key(actor: asked.actor.name, text: header)
    let whole = Array("\(request.method.rawValue) \(request.uri.path)\n".utf8) + Array(octets.readableBytesView)
    switch answers.begin(key, request: whole, at: asked.time) {
    case .known(let answer): return answer.response
    case .other:
      throw APIProblem(.unprocessableContent, .repeated, "This Idempotency-Key came with another request before.")
    case .running:
      throw APIProblem(.conflict, .conflict, "The first request with this Idempotency-Key is not answered yet.")
    case .full:
      throw APIProblem(
        .serviceUnavailable, .unavailable, "Too many keys are in use.", headers: [.retryAfter: "30"])
    case .new: break
    }
    do {
      let answer = try answer(await route.serve(asked, desk.seen(by: asked.role)), asked)
      answers.keep(key, answer)
      return answer.response
    } catch {
      answers.drop(key)
      throw error
    }
  }

  private func answer(_ reply: APIReply, _ asked: APIRequest) throws -> IdempotencyTable.Answer {
    var json = JSONWriter()
    json.beginObject()
    var place: String?
    switch reply {
    case .object(_, let write): write(&json)
    case .made(let path, let write):
      place = path
      write(&json)
    case .document, .rows: throw APIProblem(.internalServerError, .other, "A change answers with one object.")
    }
    json.pair("tlp", desk.privacy.marking(for: asked.role).rawValue)
    json.endObject()
    json.newline()
    return IdempotencyTable.Answer(status: place == nil ? 200 : 201, place: place, body: ByteBuffer(bytes: json.bytes))
  }

  // MARK: Bodies

  private static func body(of request: Request, by route: APIRoute) async throws -> ByteBuffer {
    let tooLarge = APIProblem(
      .contentTooLarge, .tooLarge, "A change has at most \(bodyOctetsMost) octets.", headers: [.connection: "close"])
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > bodyOctetsMost { throw tooLarge }
    let octets: ByteBuffer
    do { octets = try await request.body.collect(upTo: bodyOctetsMost) } catch is NIOTooManyBytesError {
      throw tooLarge
    } catch let error where !(error is CancellationError) {
      throw APIProblem(.badRequest, .body, Failure.cutShort.message, headers: Failure.cutShort.headers)
    }
    let type = request.headers[.contentType]
    // Forms can be sent by any page; JSON cannot without asking (Fetch standard, CORS-safelisted types).
    guard octets.readableBytes == 0 && route.body.isEmpty && type == nil || type.map(isJSON) ?? false else {
      throw APIProblem(.unsupportedMediaType, .mediaType, "A change is sent as application/json.")
    }
    if let encoding = request.headers[.contentEncoding], encoding.lowercased() != "identity" {
      throw APIProblem(.unsupportedMediaType, .mediaType, "Bodies are taken as they are, not compressed.")
    }
    return octets
  }

  static func isJSON(_ type: String) -> Bool {
    let parts = type.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
    return parts.first == "application/json" && parts.dropFirst().allSatisfy { $0 == "charset=utf-8" }
  }

  private static func fields(_ octets: ByteBuffer, of route: APIRoute) throws(APIProblem) -> [String: String] {
    if octets.readableBytes == 0, route.body.isEmpty { return [:] }
    let json: FlatJSON
    do { json = try FlatJSON(octets.readableBytesView) } catch {
      throw APIProblem(.badRequest, .body, "\(error.message).")
    }
    let names = Set(route.body.map(\.name))
    if let unknown = json.fields.keys.sorted().first(where: { !names.contains($0) }) {
      let all = names.isEmpty ? "the body is empty here" : "it has \(names.sorted().joined(separator: ", "))"
      throw APIProblem(
        .badRequest, .body, "'\(VisibleText.escaped(String(unknown.prefix(40))))' is unknown in this body; \(all).")
    }
    for field in route.body {
      guard let value = json[field.name] else {
        if field.isRequired { throw APIProblem(.badRequest, .body, "'\(field.name)' is missing in the body.") }
        continue
      }
      guard field.kind.admits(value) else {
        throw APIProblem(.badRequest, .body, "'\(field.name)' is not \(field.kind.expectation).")
      }
    }
    return json.fields
  }

  // MARK: Answers

  private func response(
    _ reply: APIReply, _ asked: APIRequest, _ format: APIFormat, _ request: Request, _ route: APIRoute
  ) async throws -> Response {
    var json = JSONWriter()
    var headers: HTTPFields = [:]
    let marking = desk.privacy.marking(for: asked.role)
    switch reply {
    case .object(let least, let write):
      json.beginObject()
      write(&json)
      json.pair("tlp", max(least, marking).rawValue)
      json.endObject()
    case .made(_, let write):
      json.beginObject()
      write(&json)
      json.pair("tlp", marking.rawValue)
      json.endObject()
    case .document(let text): json.raw(text)
    case .rows(let rows):
      let cursor = asked.text("cursor").map { Cursor($0) }
      guard format == .json else {
        return try stream(rows, marking.rawValue, from: cursor, limit: asked.integer("limit"))
      }
      let part = try await Self.page(rows, cursor, asked.integer("limit") ?? APIParameter.limitDefault)
      json.beginObject()
      json.list("items", part.rows) { $1(&$0) }
      let next = part.next.map { Self.link(to: $0, from: request) }
      json.pair("next", next)
      json.pair("tlp", marking.rawValue)
      json.endObject()
      if let next { headers[.nextLink] = "<\(next)>; rel=\"next\"" }
    }
    json.newline()
    return Self.tagged(json.bytes, headers, request)
  }

  private static func page(_ rows: APIRows, _ cursor: Cursor?, _ limit: Int) async throws -> APIRows.Part {
    do { return try await rows.page(cursor, limit) } catch let error as StoreError {
      guard cursor != nil, error.code == .refused || error.code == .unknown || error.code == .absent else {
        throw error
      }
      throw APIQuery.wrong("cursor", "is none that was given out here")
    }
  }

  /// The same request with another cursor.
  private static func link(to cursor: Cursor, from request: Request) -> String {
    let kept = (request.uri.query ?? "").split(separator: "&").filter { !$0.hasPrefix("cursor=") }
    let parts = kept.map(String.init) + ["cursor=\(Form.encoded(cursor.text))"]
    return "\(request.uri.path)?\(parts.joined(separator: "&"))"
  }

  /// With a strong validator: the same octets have the same tag (RFC 9110 section 8.8.3).
  private static func tagged(_ octets: [UInt8], _ more: HTTPFields, _ request: Request) -> Response {
    let tag = "\"\(Hex.encode(Array(SHA256.hash(data: octets).prefix(16))))\""
    var headers = more
    headers[.eTag] = tag
    headers[.cacheControl] = "private, no-cache"
    headers[.vary] = "Accept, Authorization, Cookie"
    let known = request.headers[values: .ifNoneMatch].flatMap { $0.split(separator: ",") }
      .map { $0.filter { $0 != " " }.replacing("W/", with: "") }
    if known.contains(tag) || known == ["*"] { return Response(status: .notModified, headers: headers) }
    headers[.contentType] = "application/json"
    return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: octets)))
  }

  /// One object a line. A page is read when the one before was taken by the client, so memory stays flat however many rows
  /// there are. An error on the way ends the stream without its proper end, so that no client takes a part for the whole.
  private func stream(_ rows: APIRows, _ marking: String, from cursor: Cursor?, limit: Int?) throws -> Response {
    guard let seat = streams.take() else {
      throw APIProblem(
        .serviceUnavailable, .busy, "Too many streams at once; try again or read pages.", headers: [.retryAfter: "10"])
    }
    let body = ResponseBody { writer in
      // Held until the last row is sent.
      defer { withExtendedLifetime(seat) {} }
      var cursor = cursor
      var left = limit ?? .max
      repeat {
        let part = try await Self.page(rows, cursor, min(left, Self.streamRows))
        var json = JSONWriter()
        for row in part.rows {
          json.beginObject()
          row(&json)
          json.pair("tlp", marking)
          json.endObject()
          json.newline()
        }
        if !part.rows.isEmpty { try await writer.write(ByteBuffer(bytes: json.bytes)) }
        left -= part.rows.count
        cursor = part.rows.isEmpty ? nil : part.next
      } while cursor != nil && left > 0
      try await writer.finish(nil)
    }
    return Response(
      status: .ok, headers: [.contentType: "application/x-ndjson", .cacheControl: "no-store"], body: body)
  }
}

extension IdempotencyTable.Answer {
  var response: Response {
    var headers: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]
    headers[.location] = place
    return Response(
      status: HTTPResponse.Status(code: status), headers: headers, body: ResponseBody(byteBuffer: body))
  }
}

/// How an answer is to be written (RFC 9110 section 12.5.1; quality beyond none is not weighed).
enum APIFormat: Sendable {
  case json, lines

  /// - Throws: `APIProblem` 406.
  init(_ headers: HTTPFields, for route: APIRoute) throws(APIProblem) {
    let wanted = headers[values: .accept].flatMap { $0.split(separator: ",") }.compactMap { part -> String? in
      let words = part.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
      guard let type = words.first, !words.contains("q=0"), !words.contains("q=0.0") else { return nil }
      return type
    }
    let hasLines: Bool
    if case .rows = route.answer { hasLines = true } else { hasLines = false }
    for type in wanted {
      if ["application/json", "application/*", "*/*"].contains(type) {
        self = .json
        return
      }
      if hasLines, type == "application/x-ndjson" || type == "application/ndjson" {
        self = .lines
        return
      }
    }
    guard headers[.accept] == nil || wanted.contains("application/problem+json") else {
      let all = hasLines ? "application/json and application/x-ndjson are" : "application/json is"
      throw APIProblem(.notAcceptable, .accept, "Of the formats that this address has, \(all) there.")
    }
    self = .json
  }
}

extension HTTPField.Name {
  /// RFC 8288.
  static var nextLink: HTTPField.Name { HTTPField.Name("Link") ?? .location }
}
