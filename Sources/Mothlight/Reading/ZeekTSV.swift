/// The `#` lines of a Zeek log: separators, placeholders, columns (Zeek documentation, "Log Format").
struct ZeekHeader: Sendable, Equatable {
  private(set) var separator: UInt8 = 0x09
  private(set) var setSeparator: UInt8 = 0x2c
  private(set) var unset: [UInt8] = [0x2d]
  private(set) var empty: [UInt8] = Array("(empty)".utf8)
  private(set) var path: String?
  private(set) var fields: [String] = []
  /// Columns as separated by `separator`; less than `fields` when label columns are glued to the last one.
  private(set) var columnCount = 0
  /// Some labelling tools glue their columns with three spaces to the last column.
  private(set) var lastIsGlued = false

  /// Octet by octet where the path is told: equal characters may be written in two ways.
  static func == (a: ZeekHeader, b: ZeekHeader) -> Bool {
    a.separator == b.separator && a.setSeparator == b.setSeparator && a.unset == b.unset && a.empty == b.empty
      && a.path.map { Array($0.utf8) } == b.path.map { Array($0.utf8) } && a.fields == b.fields
      && a.columnCount == b.columnCount && a.lastIsGlued == b.lastIsGlued
  }

  var kind: ZeekLogKind { ZeekLogKind(path: path, fields: Set(fields)) }

  /// The line without a byte order mark or blanks in front of its `#`; both are seen in edited logs.
  static func withoutLead(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var from = line.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    while from < line.count, line[from] == 0x20 || line[from] == 0x09 { from += 1 }
    return from < line.count && line[from] == 0x23 ? UnsafeRawBufferPointer(rebasing: line[from...]) : line
  }

  /// Takes one `#` line; unknown ones are ignored.
  mutating func read(_ line: UnsafeRawBufferPointer) {
    let words = line.split(
      maxSplits: 1, omittingEmptySubsequences: false, whereSeparator: { $0 == separator || $0 == 0x20 })
    guard let word = words.first else { return }
    let rest = words.count > 1 ? Array(words[1]) : []
    switch String(decoding: word, as: UTF8.self) {
    case "#separator":
      rest.withUnsafeBytes { if let first = LogText.zeekBytes($0).first { separator = first } }
    case "#set_separator":
      rest.withUnsafeBytes { if let first = LogText.zeekBytes($0).first { setSeparator = first } }
    case "#unset_field": unset = rest
    case "#empty_field": empty = rest
    case "#path": path = String(decoding: rest.prefix(64), as: UTF8.self)
    case "#fields": readFields(rest)
    default: break
    }
  }

  private mutating func readFields(_ rest: [UInt8]) {
    fields = rest.split(separator: separator, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    columnCount = fields.count
    lastIsGlued = false
    guard let last = fields.last, let gap = last.utf8.firstRange(of: Array("   ".utf8)) else { return }
    lastIsGlued = true
    fields[fields.count - 1] = String(last[..<gap.lowerBound])
  }
}

/// What stands for "nothing" in a log, as plain memory: a row is made per line and must not count references.
struct ZeekPlaceholders {
  private(set) var empty = UnsafeRawBufferPointer(start: nil, count: 0)
  /// The unset mark when it is longer than one byte.
  private(set) var longUnset = UnsafeRawBufferPointer(start: nil, count: 0)

  mutating func set(_ header: ZeekHeader) {
    deallocate()
    empty = Self.copy(header.empty)
    longUnset = Self.copy(header.unset.count == 1 ? [] : header.unset)
  }

  private static func copy(_ bytes: [UInt8]) -> UnsafeRawBufferPointer {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
    memory.copyBytes(from: bytes)
    return UnsafeRawBufferPointer(memory)
  }

  /// The owner's duty.
  func deallocate() {
    empty.deallocate()
    longUnset.deallocate()
  }
}

/// One row of a tab-separated log, seen through the header's columns.
struct ZeekTSVRow: ZeekRow {
  let line: UnsafeRawBufferPointer
  let columns: UnsafePointer<Int16>
  let table: UnsafePointer<UInt32>
  let unset: UInt8
  let placeholders: ZeekPlaceholders
  let setSeparator: UInt8

  @inline(__always)
  func bytes(_ field: ZeekField) -> UnsafeRawBufferPointer? {
    let column = Int(columns[Int(field.rawValue)])
    guard column >= 0, let base = line.baseAddress else { return nil }
    let from = Int(table[column])
    let count = Int(table[column &+ 1]) &- 1 &- from
    if count == 1, base.load(fromByteOffset: from, as: UInt8.self) == unset { return nil }
    let value = UnsafeRawBufferPointer(start: base + from, count: count)
    if placeholders.longUnset.count > 0, value.elementsEqual(placeholders.longUnset) { return nil }
    return value
  }

  func string(_ field: ZeekField, limit: Int) -> String? {
    guard let text = bytes(field) else { return nil }
    return text.elementsEqual(placeholders.empty) ? "" : LogText.zeek(text, limit: limit)
  }

  func withText<R>(_ field: ZeekField, _ body: (UnsafeRawBufferPointer) -> R) -> R? {
    guard let text = bytes(field), !text.elementsEqual(placeholders.empty) else { return nil }
    return text.contains(0x5c) ? LogText.zeekBytes(text).withUnsafeBytes(body) : body(text)
  }

  func flag(_ field: ZeekField) -> Bool? {
    guard let text = bytes(field), text.count == 1 else { return nil }
    return text[0] == 0x54 ? true : text[0] == 0x46 ? false : nil
  }

  func forEach(_ field: ZeekField, limit: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
    guard let text = bytes(field), !text.elementsEqual(placeholders.empty) else { return }
    var start = 0
    var given = 0
    while start <= text.count, given < limit {
      var end = start
      while end < text.count, text[end] != setSeparator { end &+= 1 }
      let element = UnsafeRawBufferPointer(rebasing: text[start..<end])
      if element.contains(0x5c) { LogText.zeekBytes(element).withUnsafeBytes(body) } else { body(element) }
      given &+= 1
      start = end &+ 1
    }
  }
}
