import Testing

@testable import Mothlight

/// What a line says does not depend on the lines before it, though their keys are remembered.
@Suite struct ZeekJSONParserTests {
  private static let keys =
    ZeekField.allCases.map(\.name) + [
      "uid", "a", "id.orig_x", "history", "a_key_of_more_than_sixteen", "dur\\u0061tion", "",
    ]
  private static let values = [
    "1", "-0.5e3", "true", "false", "null", "\"\"", "\"S0\"", "\"a\\\"b,\\\"c\\\":1\"", "[\"x\",\"y\"]",
    "{\"id.orig_h\":1}", "1772409606.633662",
  ]

  private func line(_ random: inout SeededGenerator, _ order: [String]) -> String {
    var keys = order
    // Most lines of a log are alike; some lack a member, have one twice or in another place, or come from another writer.
    switch random.next() % 8 {
    case 0: keys.remove(at: Int(random.next() % UInt64(keys.count)))
    case 1: keys.insert(Self.keys[Int(random.next() % UInt64(Self.keys.count))], at: 0)
    case 2: keys.shuffle(using: &random)
    case 3: keys += keys.prefix(2)
    default: break
    }
    let gap = random.next() % 8 == 0 ? " " : ""
    let members = keys.map { key in
      "\(gap)\"\(key)\"\(gap):\(gap)\(Self.values[Int(random.next() % UInt64(Self.values.count))])"
    }
    let text = "{\(members.joined(separator: "\(gap),"))\(gap)}"
    // Cut anywhere, as the last line of a log.
    return random.next() % 16 == 0 ? String(text.prefix(Int(random.next() % UInt64(text.count)))) : text
  }

  private func read(_ line: String, with parser: ZeekJSONParser) -> [String]? {
    let padded = Array(line.utf8) + [UInt8](repeating: 0x22, count: ByteWindow.paddingOctets)
    return padded.withUnsafeBytes { bytes in
      guard let row = parser.parse(UnsafeRawBufferPointer(rebasing: bytes[..<line.utf8.count])) else { return nil }
      return ZeekField.allCases.map { field in
        let text = row.bytes(field).map { String(decoding: $0, as: UTF8.self) } ?? "absent"
        return "\(text) \(row.string(field, limit: 99) ?? "no string") \(row.flag(field).map(String.init) ?? "no flag")"
      }
    }
  }

  @Test(arguments: 1...4) func linesDoNotDependOnEachOther(seed: UInt64) {
    var random = SeededGenerator(seed)
    let parser = ZeekJSONParser()
    var order = Array(Self.keys.shuffled(using: &random).prefix(20))
    var whole = 0
    for n in 0..<2000 {
      if n % 500 == 499 { order = Array(Self.keys.shuffled(using: &random).prefix(80)) }
      let line = line(&random, order)
      let alone = read(line, with: ZeekJSONParser())
      #expect(read(line, with: parser) == alone, "line \(n): \(line)")
      if alone != nil { whole += 1 }
    }
    #expect(whole > 1500)
  }

  /// Keys of one length that differ in one octet, wherever it stands.
  @Test func likeKeysAreToldApart() {
    let parser = ZeekJSONParser()
    #expect(read("{\"orig_bytes\":1,\"resp_bytes\":2}", with: parser)?.contains { $0.hasPrefix("1 ") } == true)
    for i in 0..<10 {
      var key = Array("orig_bytes".utf8)
      key[i] ^= 1
      let line = "{\"\(String(decoding: key, as: UTF8.self))\":7,\"resp_bytes\":2}"
      #expect(read(line, with: parser) == read(line, with: ZeekJSONParser()))
      #expect(read(line, with: parser)?.contains { $0.hasPrefix("7 ") } == false)
      _ = read("{\"orig_bytes\":1,\"resp_bytes\":2}", with: parser)
    }
  }
}
