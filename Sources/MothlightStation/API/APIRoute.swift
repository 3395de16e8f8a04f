import HTTPTypes
import Mothlight

/// One thing that the API can be asked: the router, the roles and the OpenAPI document all come from this.
struct APIRoute: Sendable {
  enum Answer: Sendable {
    /// One object.
    case one(String)
    /// A page of objects, or a stream of them with `Accept: application/x-ndjson`.
    case rows(String)
    /// One object that was made, with its place.
    case made(String)
  }
  struct Field: Sendable {
    var name: String
    var kind: APIParameter.Kind
    var meaning: String
    var isRequired = true
  }
  typealias Handler = @Sendable (APIRequest, APIDesk) async throws -> APIReply

  var name: String
  var method: HTTPRequest.Method
  /// Below `APIRoute.prefix`, with `{name}` for parameters.
  var path: String
  var summary: String
  var least: Role
  var parameters: [APIParameter]
  /// Members of the JSON object that a change takes; all of them strings.
  var body: [Field] = []
  var answer: Answer
  /// Statuses beside those that every route can have.
  var problems: [Int] = []
  var serve: Handler

  static let prefix = "/api/v1"
  var pattern: String { Self.prefix + path }
  /// As the router shows it: without the first slash.
  var isChange: Bool { method != .get }

  /// Whether `path` could be meant for this route.
  func matches(_ path: Substring) -> Bool {
    let (ours, theirs) = (self.path.split(separator: "/"), path.split(separator: "/", omittingEmptySubsequences: false))
    guard theirs.first == "", ours.count == theirs.count - 1 else { return false }
    return zip(ours, theirs.dropFirst()).allSatisfy { $0.hasPrefix("{") ? !$1.isEmpty : $0 == $1 }
  }
}

/// A request whose parts were all found to be what the route takes.
struct APIRequest: Sendable {
  var values: [String: String]
  var body: [String: String]
  var actor: Actor
  var role: Role
  var time: Timestamp

  func text(_ name: String) -> String? { values[name] }
  func address(_ name: String) -> IPAddress? { values[name].flatMap { HostName.address($0) } }
  func prefix(_ name: String) -> Prefix? { values[name].flatMap { HostName.prefix($0, isVeiled: false) } }
  func day(_ name: String) -> Int? { values[name].flatMap { CivilDay.parse($0) } }
  func integer(_ name: String) -> Int? { values[name].flatMap { Int($0) } }
  func flag(_ name: String) -> Bool { values[name] == "true" }

  /// Days from `from` to `to`; `nil` when neither is given.
  func days(default range: ClosedRange<Int>? = nil) throws -> ClosedRange<Int>? {
    let (from, to) = (day("from"), day("to"))
    guard from != nil || to != nil else { return range }
    let today = time.day
    let last = to ?? max(today, from ?? today)
    let first = from ?? min(0, last)
    guard first <= last else { throw APIProblem(.badRequest, .parameter, "'from' is later than 'to'") }
    return first...last
  }
}

/// What a handler answers; how it goes over the wire is `APIServing`'s.
enum APIReply: Sendable {
  /// - `least`: marking of what is in it beside our machines.
  case object(least: TLP = .clear, @Sendable (inout JSONWriter) -> Void)
  /// JSON that was written elsewhere.
  case document(String)
  case made(place: String, @Sendable (inout JSONWriter) -> Void)
  case rows(APIRows)
}

/// A list that is read page by page: as one page, or all of it as a stream.
struct APIRows: Sendable {
  struct Part: Sendable {
    var rows: [@Sendable (inout JSONWriter) -> Void]
    var next: Cursor?
  }
  /// Rows after a cursor, at most so many.
  var page: @Sendable (Cursor?, Int) async throws -> Part

  init<Row: Sendable>(
    _ page: @escaping @Sendable (Cursor?, Int) async throws -> Page<Row>,
    write: @escaping @Sendable (inout JSONWriter, Row) -> Void
  ) {
    self.page = { cursor, limit in
      let part = try await page(cursor, limit)
      return Part(rows: part.rows.map { row in { write(&$0, row) } }, next: part.next)
    }
  }

  /// A list that is short enough to be had at once.
  init<Row: Sendable>(
    whole: @escaping @Sendable () async throws -> [Row], write: @escaping @Sendable (inout JSONWriter, Row) -> Void
  ) {
    page = { _, limit in
      Part(rows: try await whole().prefix(limit).map { row in { write(&$0, row) } }, next: nil)
    }
  }
}

/// What handlers read and write.
struct APIDesk: SeenByRole {
  var store: any Store
  let registry: (any RegistryShelf)?
  let census: (any CensusShelf)?
  let board: StatusBoard
  let version: String
  var privacy = StationPrivacy.none
  /// Set where addresses of ours are not shown.
  var veil: Veil?

  /// The machine that is asked for; who sees addresses may name it by its pseudonym, too.
  func host(_ name: String, _ request: APIRequest) async -> IPAddress? {
    if veil == nil, let text = request.text(name), let host = await privacy.host(text) { return host }
    return request.address(name)
  }
}
