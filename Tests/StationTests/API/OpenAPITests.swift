import Foundation
import Mothlight
import Testing

@testable import MothlightStation

/// The document says what the server does: structure, routes, and the members of every answer.
@Suite struct OpenAPITests {
  private func document() throws -> [String: Any] {
    let text = OpenAPIDocument(version: "1.2.3").text
    return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  @Test func isAnOpenAPIDocument() throws {
    let document = try document()
    #expect(document["openapi"] as? String == "3.1.0")
    let info = try #require(document["info"] as? [String: Any])
    #expect(info["title"] is String && info["version"] as? String == "1.2.3")
    #expect((document["servers"] as? [[String: Any]])?.first?["url"] as? String == "/api/v1")
    let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
    for (path, operations) in paths {
      for (method, operation) in operations {
        #expect(operation["operationId"] is String && operation["summary"] is String, "\(method) \(path)")
        let responses = try #require(operation["responses"] as? [String: Any])
        #expect(responses.keys.allSatisfy { Int($0).map { (200...599).contains($0) } ?? false })
        let parameters = try #require(operation["parameters"] as? [[String: Any]])
        let inPath = Set(parameters.filter { $0["in"] as? String == "path" }.compactMap { $0["name"] as? String })
        let named = Set(
          path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) })
        #expect(inPath == named, "\(path): parameters of the path")
        for parameter in parameters {
          #expect(parameter["schema"] is [String: Any] && parameter["description"] is String)
          #expect(parameter["in"] as? String != "path" || parameter["required"] as? Bool == true)
        }
      }
    }
  }

  @Test func everyRouteIsInItAndTheReverse() throws {
    let paths = try #require(try document()["paths"] as? [String: [String: Any]])
    let told = Set(paths.flatMap { path, operations in operations.keys.map { "\($0.uppercased()) /api/v1\(path)" } })
    let store = MemoryStore()
    let door = Doorkeeper(AccessSettings(), book: MemoryAccessBook()) { _ in }
    let board = StatusBoard(at: LiveStation.now)
    let server = DashboardServer(
      settings: DashboardSettings(), store: store, board: board,
      groups: [APIRoutes(store: store, board: board, door: door, version: "0")])
    let served = Set(server.routeNames.filter { $0.contains(" /api/") })
    #expect(told == served)
    #expect(told.count > 18)
  }

  @Test func referencesLeadSomewhere() throws {
    let text = OpenAPIDocument(version: "0").text
    let components = try #require(try document()["components"] as? [String: [String: Any]])
    let references = text.components(separatedBy: "\"$ref\":\"#/components/").dropFirst().map {
      $0.prefix { $0 != "\"" }
    }
    #expect(references.count > 20)
    for reference in Set(references) {
      let parts = reference.split(separator: "/").map(String.init)
      #expect(components[parts[0]]?[parts[1]] != nil, "\(reference)")
    }
    let used = Set(references.filter { $0.hasPrefix("schemas/") }.map { String($0.dropFirst(8)) })
    #expect(Set(APISchema.components.map(\.name)).subtracting(used) == [], "schemas that nothing uses")
  }

  @Test func isServed() async throws {
    try await LiveStation.run { station async throws in
      let reply = try await station.get("/api/v1/openapi.json")
      #expect(
        reply.status == 200 && reply.body == OpenAPIDocument(version: "1.2.3").text + "\n"
          || reply.body == OpenAPIDocument(version: "1.2.3").text)
    }
  }

  /// Every answer has the members that the document tells, all of them, and no others.
  @Test func answersAreAsTold() async throws {
    let document = try document()
    let schemas = try #require((document["components"] as? [String: Any])?["schemas"] as? [String: Any])
    let check = SchemaCheck(schemas)
    try await LiveStation.run { station async throws in
      let finding = LiveStation.finding(LiveStation.bot, botnet: "Sality", subject: "198.51.100.7:6667").id
      _ = try await station.send(
        "POST", "/api/v1/cases/1/state", as: .analyst, json: #"{"state":"false_alarm","reason":"ours"}"#)
      _ = try await station.send(
        "POST", "/api/v1/allow-rules", as: .analyst, json: #"{"rule":"name:a.example","reason":"x"}"#)
      let targets = [
        "overview": "Overview", "hosts/192.0.2.10": "HostHistory",
        "hosts/192.0.2.10/days/\(Timestamp.describe(day: LiveStation.today))": "HostDay",
        "findings/\(finding)": "StoredFinding",
        "botnets/Sality": "Botnet", "cases/1": "CaseRecord", "case-statistics": "CaseStatistics",
        "sensors": "StationHealth",
      ]
      for (target, name) in targets {
        let reply = try await station.get("/api/v1/\(target)")
        #expect(reply.status == 200, "\(target)")
        var json = try reply.json()
        #expect((json.removeValue(forKey: "tlp") as? String).flatMap { TLP($0) } == .amber, "\(target)")
        #expect(check.complaints(json, name) == [], "\(target)")
      }
      for (target, name) in [
        "hosts": "HostRow", "findings": "StoredFinding", "botnets": "BotnetActivity", "cases": "Case",
        "allow-rules": "AllowRule", "audit": "AuditEntry", "search?q=Sality": "SearchHit",
      ] {
        let items = try #require(try await station.get("/api/v1/\(target)", as: .admin).json()["items"] as? [Any])
        #expect(!items.isEmpty, "\(target)")
        for item in items { #expect(check.complaints(item, name) == [], "\(target)") }
      }
      let problem = try await station.get("/api/v1/nothing")
      #expect(check.complaints(try problem.json(), "Problem") == [])
    }
  }

  @Test func theCheckCanFail() throws {
    let check = SchemaCheck(
      ["A": ["type": "object", "properties": ["n": ["type": "integer"]], "required": ["n"]] as [String: Any]])
    #expect(check.complaints(["n": 1], "A") == [])
    #expect(check.complaints(["n": "1"], "A").count == 1)
    #expect(check.complaints(["n": 1, "m": 2], "A").count == 1)
    #expect(check.complaints([String: Any](), "A").count == 1)
    #expect(check.complaints([1], "A").count == 1)
  }
}

/// As much of JSON Schema as the document uses; members that it does not tell are a fault here.
struct SchemaCheck: @unchecked Sendable {  // Never changed after it was made.
  private let schemas: [String: Any]
  init(_ schemas: [String: Any]) { self.schemas = schemas }

  func complaints(_ value: Any, _ name: String) -> [String] { look(value, ["$ref": "x/\(name)"], name) }

  private func look(_ value: Any, _ schema: [String: Any], _ place: String) -> [String] {
    if let reference = schema["$ref"] as? String {
      let name = String(reference.split(separator: "/").last ?? "")
      guard let target = schemas[name] as? [String: Any] else { return ["\(place): no schema \(name)"] }
      return look(value, target, place)
    }
    if let options = schema["anyOf"] as? [[String: Any]] {
      return options.contains { look(value, $0, place).isEmpty } ? [] : ["\(place): fits none of \(options.count)"]
    }
    switch schema["type"] as? String {
    case "null": return value is NSNull ? [] : ["\(place): not null"]
    case "boolean": return isBoolean(value) ? [] : ["\(place): no boolean"]
    case "integer":
      guard let number = value as? NSNumber, !isBoolean(value), number.doubleValue == number.doubleValue.rounded()
      else {
        return ["\(place): no integer"]
      }
      return []
    case "number": return value is NSNumber && !isBoolean(value) ? [] : ["\(place): no number"]
    case "string": return text(value, schema, place)
    case "array":
      guard let list = value as? [Any], let items = schema["items"] as? [String: Any] else {
        return ["\(place): no array"]
      }
      return list.flatMap { look($0, items, place + "[]") }
    case "object": return object(value, schema, place)
    default: return ["\(place): schema without a type"]
    }
  }

  private func isBoolean(_ value: Any) -> Bool {
    guard let number = value as? NSNumber else { return false }
    return String(cString: number.objCType) == "c"
  }
  private func text(_ value: Any, _ schema: [String: Any], _ place: String) -> [String] {
    guard let text = value as? String else { return ["\(place): no string"] }
    if let words = schema["enum"] as? [String], !words.contains(text) {
      return ["\(place): '\(text)' is no word of it"]
    }
    switch schema["format"] as? String {
    case "date-time": return text.hasSuffix("Z") && text.count == 27 ? [] : ["\(place): '\(text)' is no time"]
    case "date": return CivilDay.parse(text) == nil ? ["\(place): '\(text)' is no day"] : []
    default: return []
    }
  }

  private func object(_ value: Any, _ schema: [String: Any], _ place: String) -> [String] {
    guard let object = value as? [String: Any] else { return ["\(place): no object"] }
    if let values = schema["additionalProperties"] as? [String: Any] {
      return object.flatMap { look($1, values, "\(place).\($0)") }
    }
    guard let properties = schema["properties"] as? [String: [String: Any]] else { return [] }
    let required = Set(schema["required"] as? [String] ?? [])
    let missing = required.subtracting(object.keys).map { "\(place).\($0) is missing" }
    let unknown = object.keys.filter { properties[$0] == nil }.map { "\(place).\($0) is not told" }
    return missing + unknown
      + object.flatMap { name, value in properties[name].map { look(value, $0, "\(place).\(name)") } ?? [] }
  }
}
