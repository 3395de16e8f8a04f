/// Finds the known members of a Zeek JSON line: one pass, keys in any order. A key is compared with that of the line before at the same
/// place, and looked up by its hash where it is another.
final class ZeekJSONParser {
  /// A key by its length, first eight and last eight bytes: unique among the known keys.
  private struct Entry {
    var key: JSONScanner.Key?
    var field: UInt8 = 0
  }
  /// What stood at one place of the line before.
  private struct Expected {
    var key: JSONScanner.Key?
    /// `noField` for a key that is not one of ours.
    var field: UInt8
  }

  private static let slots = 1024
  private static let expectedMost = 64
  private static let noField = UInt8.max
  private let values: UnsafeMutablePointer<JSONScanner.Value>
  private let expected: UnsafeMutablePointer<Expected>
  /// Fields that the line before had: few of all.
  private let present: UnsafeMutablePointer<UInt8>
  private var presentCount = 0

  init() {
    values = .allocate(capacity: ZeekField.count)
    values.initialize(repeating: .absent, count: ZeekField.count)
    expected = .allocate(capacity: Self.expectedMost)
    expected.initialize(repeating: Expected(field: Self.noField), count: Self.expectedMost)
    present = .allocate(capacity: ZeekField.count)
    present.initialize(repeating: 0, count: ZeekField.count)
  }

  /// Made once, since many parsers may be at work on parts of one log.
  private static let entries: [Entry] = {
    var entries = [Entry](repeating: Entry(), count: slots)
    for field in ZeekField.allCases {
      var name = Array(field.name.utf8)
      let length = name.count
      name += [UInt8](repeating: 0, count: 16)
      name.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        let key = JSONScanner.Key(base, length)
        var place = slot(of: key)
        while entries[place].key != nil { place = (place &+ 1) & (slots &- 1) }
        entries[place] = Entry(key: key, field: field.rawValue)
      }
    }
    return entries
  }()

  deinit {
    values.deallocate()
    expected.deallocate()
    present.deallocate()
  }

  @inline(__always)
  private static func slot(of key: JSONScanner.Key) -> Int {
    let mixed =
      (key.low ^ (key.high &* 0x9e37_79b9_7f4a_7c15) ^ UInt64(truncatingIfNeeded: key.length)) &* 0xbf58_476d_1ce4_e5b9
    return Int(truncatingIfNeeded: mixed >> 54)
  }

  private func field(of key: JSONScanner.Key) -> UInt8 {
    let entries = Self.entries
    var slot = Self.slot(of: key)
    while let known = entries[slot].key {
      if known == key { return entries[slot].field }
      slot = (slot &+ 1) & (Self.slots &- 1)
    }
    return Self.noField
  }

  /// Parses one line; `nil` when it is no complete JSON object. The row is valid until the next call.
  @inline(__always)
  func parse(_ line: UnsafeRawBufferPointer) -> ZeekJSONRow? {
    guard var scanner = JSONScanner(line), scanner.enter(0x7b), let base = line.baseAddress else { return nil }
    for i in 0..<presentCount { values[Int(present[i])].kind = .absent }
    presentCount = 0
    var value = JSONScanner.Value.absent
    var place = 0
    while true {
      let field: UInt8
      if place < Self.expectedMost, let key = expected[place].key,
        let step = scanner.nextMember(expecting: key, &value)
      {
        guard step == .member else { return nil }
        field = expected[place].field
      } else {
        var keyStart = 0
        var keyEnd = 0
        switch scanner.nextMember(&keyStart, &keyEnd, &value) {
        case .damaged: return nil
        case .end: return ZeekJSONRow(base: base, values: UnsafePointer(values))
        case .member: break
        }
        let key = JSONScanner.Key(base + keyStart, keyEnd &- keyStart)
        field = self.field(of: key)
        if place < Self.expectedMost {
          expected[place] = Expected(key: key.length <= JSONScanner.Key.octetsMost ? key : nil, field: field)
        }
      }
      place &+= 1
      guard field != Self.noField else { continue }
      if values[Int(field)].kind == .absent, presentCount < ZeekField.count {
        present[presentCount] = field
        presentCount &+= 1
      }
      values[Int(field)] = value
    }
  }
}

/// One JSON record, seen through the members that were found.
struct ZeekJSONRow: ZeekRow {
  let base: UnsafeRawPointer
  let values: UnsafePointer<JSONScanner.Value>

  @inline(__always)
  private func slice(_ value: JSONScanner.Value) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: base + value.start, count: value.end &- value.start)
  }

  @inline(__always)
  func bytes(_ field: ZeekField) -> UnsafeRawBufferPointer? {
    let value = values[Int(field.rawValue)]
    if value.kind == .absent || value.kind == .null { return nil }
    return slice(value)
  }

  func string(_ field: ZeekField, limit: Int) -> String? {
    let value = values[Int(field.rawValue)]
    guard value.kind == .string || value.kind == .escapedString else { return nil }
    return LogText.json(slice(value), escaped: value.kind == .escapedString, limit: limit)
  }

  func withText<R>(_ field: ZeekField, _ body: (UnsafeRawBufferPointer) -> R) -> R? {
    let value = values[Int(field.rawValue)]
    if value.kind == .string { return body(slice(value)) }
    return value.kind == .escapedString ? LogText.jsonBytes(slice(value)).withUnsafeBytes(body) : nil
  }

  func flag(_ field: ZeekField) -> Bool? {
    switch values[Int(field.rawValue)].kind {
    case .yes: true
    case .no: false
    default: nil
    }
  }

  func forEach(_ field: ZeekField, limit: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
    let value = values[Int(field.rawValue)]
    if value.kind != .array {
      _ = withText(field, body)
      return
    }
    var scanner = JSONScanner(base: base, start: value.start, end: value.end)
    guard scanner.enter(0x5b) else { return }
    var element = JSONScanner.Value.absent
    var given = 0
    while given < limit, scanner.nextElement(&element) == .member {
      if element.kind == .escapedString {
        LogText.jsonBytes(slice(element)).withUnsafeBytes(body)
      } else {
        body(slice(element))
      }
      given &+= 1
    }
  }
}
