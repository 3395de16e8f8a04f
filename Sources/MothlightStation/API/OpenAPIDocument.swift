import HTTPTypes
import Mothlight

/// The API told in OpenAPI 3.1, from the same table that the router is made of: they cannot differ.
public struct OpenAPIDocument: Sendable {
  /// Statuses that every request can have.
  private static let always = [400, 401, 403, 406, 429, 503]
  /// And every change.
  private static let ofChanges = [413, 415, 422]
  private let version: String

  public init(version: String) { self.version = version }

  public var text: String {
    var json = JSONWriter(lineDepth: 4)
    json.beginObject()
    json.pair("openapi", "3.1.0")
    json.key("info")
    json.beginObject()
    json.pair("title", "Mothlight station")
    json.pair("version", version)
    json.pair(
      "description",
      "What a station found: hosts, findings, botnets, cases. Times are UTC; every member is always there, null when unknown."
    )
    json.key("license")
    json.beginObject()
    json.pair("name", "Apache-2.0")
    json.endObject()
    json.endObject()
    json.key("servers")
    json.beginArray()
    json.beginObject()
    json.pair("url", APIRoute.prefix)
    json.endObject()
    json.endArray()
    json.key("paths")
    paths(&json)
    json.key("components")
    components(&json)
    json.endObject()
    json.newline()
    return json.drain()
  }

  private func paths(_ json: inout JSONWriter) {
    json.beginObject()
    var seen: Set<String> = []
    for route in APIRoute.all where seen.insert(route.path).inserted {
      json.key(text: route.path)
      json.beginObject()
      for same in APIRoute.all where same.path == route.path {
        json.key(text: same.method.rawValue.lowercased())
        operation(same, &json)
      }
      json.endObject()
    }
    json.endObject()
  }

  private func operation(_ route: APIRoute, _ json: inout JSONWriter) {
    json.beginObject()
    json.pair("operationId", route.name)
    json.pair("summary", route.summary)
    json.pair("description", "Needs the role \(route.least.rawValue).")
    json.key("security")
    json.beginArray()
    for scheme in route.isChange ? ["token"] : ["token", "session"] {
      json.beginObject()
      json.key(text: scheme)
      json.beginArray()
      json.endArray()
      json.endObject()
    }
    json.endArray()
    json.key("parameters")
    json.beginArray()
    for parameter in route.parameters { self.parameter(parameter, &json) }
    if route.isChange { idempotency(&json) }
    json.endArray()
    if !route.body.isEmpty { body(route, &json) }
    json.key("responses")
    responses(route, &json)
    json.endObject()
  }

  private func parameter(_ parameter: APIParameter, _ json: inout JSONWriter) {
    json.beginObject()
    json.pair("name", parameter.name)
    json.pair("in", parameter.place.rawValue)
    json.pair("description", parameter.meaning)
    json.pair("required", parameter.isRequired)
    json.key("schema")
    parameter.kind.schema.write(&json)
    json.endObject()
  }

  private func idempotency(_ json: inout JSONWriter) {
    json.beginObject()
    json.pair("name", "Idempotency-Key")
    json.pair("in", "header")
    json.pair("description", "Sent again with the same request, the first answer comes back and nothing is done twice.")
    json.pair("required", false)
    json.key("schema")
    APISchema.text(format: nil, pattern: "^[A-Za-z0-9_-]{1,64}$").write(&json)
    json.endObject()
  }

  private func body(_ route: APIRoute, _ json: inout JSONWriter) {
    json.key("requestBody")
    json.beginObject()
    json.pair("required", true)
    json.key("content")
    json.beginObject()
    json.key("application/json")
    json.beginObject()
    json.key("schema")
    json.beginObject()
    json.pair("type", "object")
    json.key("properties")
    json.beginObject()
    for field in route.body {
      json.key(text: field.name)
      field.kind.schema.write(&json)
    }
    json.endObject()
    json.list("required", route.body.filter(\.isRequired).map(\.name))
    json.pair("additionalProperties", false)
    json.endObject()
    json.endObject()
    json.endObject()
    json.endObject()
  }

  private func responses(_ route: APIRoute, _ json: inout JSONWriter) {
    json.beginObject()
    switch route.answer {
    case .one(let name):
      // These are written elsewhere; a census has its marking among its own members.
      let schema = ["Document", "Census"].contains(name) ? APISchema.reference(name) : .marked(name)
      answer("200", "Found.", [("application/json", schema)], &json)
    case .made(let name): answer("201", "Made.", [("application/json", .marked(name))], &json)
    case .rows(let name):
      let page = APISchema.object([
        .init("items", .list(.reference(name))), .init("next", .orNull(.string)), .init("tlp", .tlp),
      ])
      answer(
        "200", "A page, or a stream of its objects, one a line.",
        [("application/json", page), ("application/x-ndjson", .string)], &json)
    }
    if !route.isChange {
      json.key("304")
      json.beginObject()
      json.pair("description", "As the sender knows it already (If-None-Match).")
      json.endObject()
    }
    for status in Set(Self.always + route.problems + (route.isChange ? Self.ofChanges : [])).sorted() {
      json.key(text: String(status))
      json.beginObject()
      json.pair("$ref", "#/components/responses/Problem")
      json.endObject()
    }
    json.endObject()
  }

  private func answer(
    _ status: String, _ meaning: String, _ kinds: [(type: String, schema: APISchema)], _ json: inout JSONWriter
  ) {
    json.key(text: status)
    json.beginObject()
    json.pair("description", meaning)
    content(kinds, &json)
    json.endObject()
  }

  private func content(_ kinds: [(type: String, schema: APISchema)], _ json: inout JSONWriter) {
    json.key("content")
    json.beginObject()
    for kind in kinds {
      json.key(text: kind.type)
      json.beginObject()
      json.key("schema")
      kind.schema.write(&json)
      json.endObject()
    }
    json.endObject()
  }

  private func components(_ json: inout JSONWriter) {
    json.beginObject()
    json.key("schemas")
    json.beginObject()
    for component in APISchema.components {
      json.key(text: component.name)
      component.schema.write(&json)
    }
    json.endObject()
    json.key("responses")
    json.beginObject()
    json.key("Problem")
    json.beginObject()
    json.pair("description", "Why not, as RFC 9457 tells it.")
    content([("application/problem+json", .reference("Problem"))], &json)
    json.endObject()
    json.endObject()
    json.key("securitySchemes")
    json.beginObject()
    json.key("token")
    json.beginObject()
    json.pair("type", "http")
    json.pair("scheme", "bearer")
    json.endObject()
    json.key("session")
    json.beginObject()
    json.pair("type", "apiKey")
    json.pair("in", "cookie")
    json.pair("name", "__Host-mothlight")
    json.endObject()
    json.endObject()
    json.endObject()
  }
}
