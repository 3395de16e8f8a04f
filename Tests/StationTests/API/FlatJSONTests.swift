import Testing

@testable import MothlightStation

@Suite struct FlatJSONTests {
  private func fields(_ text: String) throws -> [String: String] { try FlatJSON(Array(text.utf8)).fields }

  @Test func stringsAreRead() throws {
    #expect(try fields("{}") == [:])
    #expect(try fields(" \t\r\n{ \"a\" : \"b\" , \"c\":\"\" } \n") == ["a": "b", "c": ""])
    #expect(try fields(#"{"a":"\"\\\/\b\f\n\r\t\u00e9\ud83d\udc1b"}"#) == ["a": "\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1f41b}"])
    #expect(try fields("{\"\u{e9}\":\"\u{1f41b}\"}") == ["\u{e9}": "\u{1f41b}"])
  }

  @Test(arguments: [
    "", " ", "{", "}", "[]", "nul", "{\"a\"}", "{\"a\":}", "{\"a\":\"b\"", "{\"a\":\"b}", "{\"a\":\"b\",}", "{,}",
    "{\"a\":1}", "{\"a\":null}", "{\"a\":{}}", "{\"a\":[\"b\"]}", "{\"a\":\"b\" \"c\":\"d\"}", "{\"a\":\"b\"}x",
    "{\"a\":\"b\"}{\"a\":\"b\"}", "{\"a\":\"b\",\"a\":\"b\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}",
    "{\"a\":\"\\u12g4\"}",
    "{\"a\":\"\\ud800\"}", "{\"a\":\"\\ud800\\u0041\"}", "{\"a\":\"\\udc00\"}", "{\"a\":\"\\", "{\"a\":\"\n\"}",
    "{\"a\":\"\u{0}\"}", "{a:\"b\"}", "\u{feff}{}",
  ])
  func allElseIsRefused(_ text: String) {
    #expect(throws: FlatJSON.Problem.self) { try fields(text) }
  }

  @Test func everyCutIsRefused() throws {
    let whole = Array(#"{"state":"cleaned","reason":"\u00e9\ud83d\udc1b"}"#.utf8)
    _ = try FlatJSON(whole)
    for end in whole.indices { #expect(throws: FlatJSON.Problem.self) { try FlatJSON(whole[..<end]) } }
  }

  @Test func octetsThatAreNoTextAreRefused() {
    for octets in [[0x7b, 0x22, 0xff, 0x22, 0x3a, 0x22, 0x22, 0x7d], [0xc0, 0x80], [0xed, 0xa0, 0x80]] as [[UInt8]] {
      #expect(throws: FlatJSON.Problem.self) { try FlatJSON(octets) }
    }
  }
}
