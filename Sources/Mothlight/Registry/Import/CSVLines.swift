/// Lines of comma-separated values (RFC 4180) as feeds publish them: `#` lines are remarks, and one of them names the columns;
/// blanks before a quotation mark are passed over. A field never spans lines, so that a lost quotation mark costs one line.
struct CSVLines {
  private enum Bound {
    static let lineOctets = 65_536
    static let fields = 64
  }

  enum Line {
    case fields([String], line: Int)
    /// Without the `#`.
    case remark(String, line: Int)
    case damaged(TextDamage)
  }

  private let bytes: [UInt8]
  private var at = 0
  private var line = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func next() -> Line? {
    while at < bytes.count {
      let end = bytes[at...].firstIndex(of: 0x0a) ?? bytes.count
      var content = bytes[at..<end]
      at = min(bytes.count, end + 1)
      line += 1
      while let last = content.last, last == 0x0d || last == 0x20 { content.removeLast() }
      while let first = content.first, first == 0x20 || first == 0x09 { content.removeFirst() }
      guard let first = content.first else { continue }
      guard content.count <= Bound.lineOctets else {
        return .damaged(TextDamage(line: line, what: "longer than \(Bound.lineOctets) octets"))
      }
      if first == 0x23 { return .remark(String(decoding: content.dropFirst(), as: UTF8.self), line: line) }
      guard !content.contains(0) else { return .damaged(TextDamage(line: line, what: "not text")) }
      guard let fields = Self.fields(content) else {
        return .damaged(
          TextDamage(line: line, what: "a quotation mark is missing or there are over \(Bound.fields) fields"))
      }
      return .fields(fields, line: line)
    }
    return nil
  }

  /// Fields of one line; `nil` when a quotation mark is not closed.
  static func fields(_ line: ArraySlice<UInt8>) -> [String]? {
    var fields: [String] = []
    var at = line.startIndex
    while true {
      guard fields.count < Bound.fields else { return nil }
      while at < line.endIndex, line[at] == 0x20 { at += 1 }
      var field: [UInt8] = []
      if at < line.endIndex, line[at] == 0x22 {
        guard quoted(line, &at, &field) else { return nil }
        while at < line.endIndex, line[at] == 0x20 { at += 1 }
        guard at == line.endIndex || line[at] == 0x2c else { return nil }
      } else {
        let end = line[at...].firstIndex(of: 0x2c) ?? line.endIndex
        field = Array(line[at..<end])
        while field.last == 0x20 { field.removeLast() }
        at = end
      }
      fields.append(String(decoding: field, as: UTF8.self))
      guard at < line.endIndex else { return fields }
      at += 1
    }
  }

  /// At a quotation mark; a doubled one stands for itself.
  private static func quoted(_ line: ArraySlice<UInt8>, _ at: inout Int, _ field: inout [UInt8]) -> Bool {
    at += 1
    while at < line.endIndex {
      if line[at] != 0x22 {
        field.append(line[at])
        at += 1
      } else if at + 1 < line.endIndex, line[at + 1] == 0x22 {
        field.append(0x22)
        at += 2
      } else {
        at += 1
        return true
      }
    }
    return false
  }
}
