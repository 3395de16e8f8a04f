/// Finds the known members of a Zeek JSON line: one pass, keys in any order, one hash look-up per key.
final class ZeekJSONParser {
  /// A key by its length, first eight and last eight bytes: unique among the known keys.
  private struct Entry {
    var low: UInt64 = 0
    var high: UInt64 = 0
    var length: Int = -1
    var field: UInt8 = 0
  }

  private static let slots = 1024
  private let entries: UnsafeMutablePointer<Entry>
  private let values: UnsafeMutablePointer<JSONScanner.Value>

  init() {
    entries = .allocate(capacity: Self.slots)
    entries.initialize(repeating: Entry(), count: Self.slots)
    values = .allocate(capacity: ZeekField.count)
    values.initialize(repeating: .absent, count: ZeekField.count)
    for field in ZeekField.allCases {
      var name = Array(field.name.utf8)
      let length = name.count
      name += [UInt8](repeating: 0, count: 16)
      name.withUnsafeBytes { bytes in
        guard let base = bytes.baseAddress else { return }
        let (low, high) = Self.words(base, length)
        var slot = Self.hash(low, high, length)
        while entries[slot].length >= 0 { slot = (slot &+ 1) & (Self.slots &- 1) }
        entries[slot] = Entry(low: low, high: high, length: length, field: field.rawValue)
      }
    }
  }

  deinit {
    entries.deallocate()
    values.deallocate()
  }

  @inline(__always)
  private static func words(_ key: UnsafeRawPointer, _ length: Int) -> (UInt64, UInt64) {
    let low = key.loadUnaligned(as: UInt64.self)
    if length >= 8 { return (low, key.loadUnaligned(fromByteOffset: length &- 8, as: UInt64.self)) }
    return (low & ((1 << UInt64(truncatingIfNeeded: length &* 8)) &- 1), 0)
  }

  @inline(__always)
  private static func hash(_ low: UInt64, _ high: UInt64, _ length: Int) -> Int {
    let mixed = (low ^ (high &* 0x9e37_79b9_7f4a_7c15) ^ UInt64(truncatingIfNeeded: length)) &* 0xbf58_476d_1ce4_e5b9
    return Int(truncatingIfNeeded: mixed >> 54)
  }

  /// Parses one line; `nil` when it is no complete JSON object. The row is valid until the next call.
  @inline(__always)
  func parse(_ line: UnsafeRawBufferPointer) -> ZeekJSONRow? {
    guard var scanner = JSONScanner(line), scanner.enter(0x7b), let base = line.baseAddress else { return nil }
    for i in 0..<ZeekField.count { values[i].kind = .absent }
    var keyStart = 0
    var keyEnd = 0
    var value = JSONScanner.Value.absent
    while true {
      switch scanner.nextMember(&keyStart, &keyEnd, &value) {
      case .damaged: return nil
      case .end: return ZeekJSONRow(base: base, values: UnsafePointer(values))
      case .member: break
      }
      let length = keyEnd &- keyStart
      let (low, high) = Self.words(base + keyStart, length)
      var slot = Self.hash(low, high, length)
      while entries[slot].length >= 0 {
        let entry = entries[slot]
        if entry.low == low, entry.high == high, entry.length == length {
          values[Int(entry.field)] = value
          break
        }
        slot = (slot &+ 1) & (Self.slots &- 1)
      }
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
