import Mothlight

/// The shape of an answer, as far as JSON Schema 2020-12 needs to say it (OpenAPI 3.1).
indirect enum APISchema: Sendable {
  case text(format: String?, pattern: String?)
  case word([String])
  case integer, number, boolean
  case bounded(ClosedRange<Int>)
  case list(APISchema)
  /// An object with these members, all always there.
  case object([Member])
  /// An object whose keys are words of their own.
  case map(APISchema)
  case orNull(APISchema)
  case either([APISchema])
  case reference(String)
  /// A named object that stands alone, with its marking beside its members.
  case marked(String)
  /// Any object: its members are told elsewhere.
  case document

  struct Member: Sendable {
    var name: String
    var schema: APISchema
    init(_ name: String, _ schema: APISchema) {
      self.name = name
      self.schema = schema
    }
  }

  static let address = APISchema.either([
    .text(format: "ipv4", pattern: nil), .text(format: "ipv6", pattern: nil),
    .text(format: nil, pattern: "^(host|net)-[0-9A-HJKMNP-TV-Z]{8}$"),
  ])
  static let tlp = word(TLP.allCases.map(\.rawValue))
  static let string = APISchema.text(format: nil, pattern: nil)
  static let time = APISchema.text(format: "date-time", pattern: nil)
  static let day = APISchema.text(format: "date", pattern: nil)

  func write(_ json: inout JSONWriter) {
    json.beginObject()
    members(&json)
    json.endObject()
  }

  private func members(_ json: inout JSONWriter) {
    switch self {
    case .text(let format, let pattern):
      type("string", &json)
      if let format { json.pair("format", format) }
      if let pattern { json.pair("pattern", pattern) }
    case .word(let words):
      type("string", &json)
      json.key("enum")
      json.strings(words)
    case .integer: type("integer", &json)
    case .number: type("number", &json)
    case .boolean: type("boolean", &json)
    case .bounded(let range):
      type("integer", &json)
      json.key("minimum")
      json.value(range.lowerBound)
      json.key("maximum")
      json.value(range.upperBound)
    case .list(let item):
      type("array", &json)
      json.key("items")
      item.write(&json)
    case .map(let value):
      type("object", &json)
      json.key("additionalProperties")
      value.write(&json)
    case .object(let members): object(members, &json)
    case .orNull(let schema):
      json.key("anyOf")
      json.beginArray()
      schema.write(&json)
      json.beginObject()
      type("null", &json)
      json.endObject()
      json.endArray()
    case .either(let schemas):
      json.key("anyOf")
      json.beginArray()
      for schema in schemas { schema.write(&json) }
      json.endArray()
    case .reference(let name): json.pair("$ref", "#/components/schemas/\(name)")
    case .marked(let name):
      json.key("allOf")
      json.beginArray()
      for part in [.reference(name), APISchema.object([.init("tlp", .tlp)])] { part.write(&json) }
      json.endArray()
    case .document: type("object", &json)
    }
  }

  private func type(_ name: String, _ json: inout JSONWriter) { json.pair("type", name) }

  private func object(_ members: [Member], _ json: inout JSONWriter) {
    type("object", &json)
    json.key("properties")
    json.beginObject()
    for member in members {
      json.key(text: member.name)
      member.schema.write(&json)
    }
    json.endObject()
    json.key("required")
    json.strings(members.map(\.name))
  }
}

extension JSONWriter {
  mutating func pair(_ name: StaticString, _ text: String?) {
    key(name)
    value(text)
  }
  mutating func pair(_ name: StaticString, _ number: Int) {
    key(name)
    value(number)
  }
  mutating func pair(_ name: StaticString, _ number: UInt64) {
    key(name)
    value(number)
  }
  mutating func pair(_ name: StaticString, _ number: Double?) {
    key(name)
    value(number)
  }
  mutating func pair(_ name: StaticString, _ flag: Bool) {
    key(name)
    value(flag)
  }
  mutating func pair(_ name: StaticString, _ time: Timestamp?) {
    key(name)
    value(time)
  }
  mutating func pair(_ name: StaticString, _ address: IPAddress) {
    key(name)
    value(address)
  }
  mutating func list(_ name: StaticString, _ texts: [String]) {
    key(name)
    strings(texts)
  }
  mutating func list<Row>(_ name: StaticString, _ rows: [Row], _ write: (inout JSONWriter, Row) -> Void) {
    key(name)
    beginArray()
    for row in rows {
      beginObject()
      write(&self, row)
      endObject()
    }
    endArray()
  }
}
