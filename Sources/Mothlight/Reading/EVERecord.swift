/// One line of Suricata's EVE log, its members found in one pass and nested objects on demand.
///
/// Format: Suricata User Guide, "EVE JSON Format".
struct EVERecord {
  private let base: UnsafeRawPointer
  private let members: JSONMembers

  /// `nil` when the line is no complete JSON object.
  init?(_ line: UnsafeRawBufferPointer) {
    guard let base = line.baseAddress, let members = JSONMembers(base: base, start: 0, end: line.count) else {
      return nil
    }
    self.base = base
    self.members = members
  }

  init?(_ value: JSONScanner.Value, in record: EVERecord) {
    guard value.kind == .object,
      let members = JSONMembers(base: record.base, start: value.start, end: value.end)
    else { return nil }
    base = record.base
    self.members = members
  }

  func value(_ key: StaticString) -> JSONScanner.Value? {
    members.value(key, base).flatMap { $0.kind == .null ? nil : $0 }
  }

  func object(_ key: StaticString) -> EVERecord? { value(key).flatMap { EVERecord($0, in: self) } }

  func bytes(_ key: StaticString) -> UnsafeRawBufferPointer? { value(key).map(slice) }

  func slice(_ value: JSONScanner.Value) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base + value.start, count: value.end - value.start)
  }

  func text(_ key: StaticString, limit: Int = Limits.textOctets) -> String? {
    guard let value = value(key), value.kind == .string || value.kind == .escapedString else { return nil }
    let text = LogText.json(slice(value), escaped: value.kind == .escapedString, limit: limit)
    return text.isEmpty ? nil : text
  }

  func domain(_ key: StaticString) -> String? {
    guard let value = value(key) else { return nil }
    return value.kind == .escapedString
      ? LogText.jsonBytes(slice(value)).withUnsafeBytes { LogText.domain($0) }
      : value.kind == .string ? LogText.domain(slice(value)) : nil
  }

  func count(_ key: StaticString) -> UInt64? { bytes(key).flatMap { ASCIINumber.count($0) } }
  func port(_ key: StaticString) -> UInt16 { bytes(key).flatMap { ASCIINumber.port($0) } ?? 0 }
  func address(_ key: StaticString) -> IPAddress? { bytes(key).flatMap { IPAddress(ascii: $0) } }
  func time(_ key: StaticString) -> Timestamp? { bytes(key).flatMap { ASCIINumber.iso8601($0) } }

  /// Elements of an array, or the value itself when it is none; at most `limit`.
  func forEach(_ key: StaticString, limit: Int, _ body: (JSONScanner.Value) -> Void) {
    guard let value = value(key) else { return }
    guard value.kind == .array else { return body(value) }
    var scanner = JSONScanner(base: base, start: value.start, end: value.end)
    guard scanner.enter(0x5b) else { return }
    var element = JSONScanner.Value.absent
    var given = 0
    while given < limit, scanner.nextElement(&element) == .member {
      body(element)
      given += 1
    }
  }
}

/// The members of one JSON object, at most 96 of them, compared by bytes.
struct JSONMembers {
  private static let maximum = 96
  private var keys: [(start: Int, end: Int)] = []
  private var values: [JSONScanner.Value] = []

  init?(base: UnsafeRawPointer, start: Int, end: Int) {
    var scanner = JSONScanner(base: base, start: start, end: end)
    guard scanner.enter(0x7b) else { return nil }
    keys.reserveCapacity(24)
    values.reserveCapacity(24)
    var keyStart = 0
    var keyEnd = 0
    var value = JSONScanner.Value.absent
    while true {
      switch scanner.nextMember(&keyStart, &keyEnd, &value) {
      case .damaged: return nil
      case .end: return
      case .member:
        guard keys.count < Self.maximum else { continue }
        keys.append((keyStart, keyEnd))
        values.append(value)
      }
    }
  }

  func value(_ key: StaticString, _ base: UnsafeRawPointer) -> JSONScanner.Value? {
    let wanted = UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
    for i in keys.indices where keys[i].end - keys[i].start == wanted.count {
      if UnsafeRawBufferPointer(start: base + keys[i].start, count: wanted.count).elementsEqual(wanted) {
        return values[i]
      }
    }
    return nil
  }
}
