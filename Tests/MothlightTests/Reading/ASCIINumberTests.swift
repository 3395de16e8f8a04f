import Testing

@testable import Mothlight

@Suite struct ASCIINumberTests {
  static func with<R>(_ text: String, _ body: (UnsafeRawBufferPointer) -> R) -> R {
    Array(text.utf8).withUnsafeBytes(body)
  }

  @Test(arguments: [
    ("0", 0), ("1517336042.090842", 1_517_336_042_090_842_000), ("13.18", 13_180_000_000), ("0.000000001", 1),
    ("1.5e9", 1_500_000_000_000_000_000), ("-2.5", -2_500_000_000), ("0.23780393600463868", 237_803_936),
    ("1517336042500", 1_517_336_042_500_000_000),
  ])
  func secondsBecomeNanoseconds(text: String, expected: Int64) {
    #expect(Self.with(text, ASCIINumber.nanoseconds) == expected)
  }

  @Test(arguments: [
    "", "-", "x", "1.2.3", "1e999", "nan", "inf", "0x10", "1 ", "99999999999999999999999999999999999999999999999999",
  ])
  func whatIsNoTimeIsNone(text: String) { #expect(Self.with(text, ASCIINumber.nanoseconds) == nil) }

  @Test(arguments: [
    ("2021-06-06T15:59:46.457984+0200", 1_622_987_986_457_984_000),
    ("2021-06-06T13:59:46.457984Z", 1_622_987_986_457_984_000),
    ("2021-06-06T08:29:46.457984-05:30", 1_622_987_986_457_984_000), ("2020-03-19T09:44:08", 1_584_611_048_000_000_000),
  ])
  func readsISO8601(text: String, expected: Int64) {
    #expect(Self.with(text, ASCIINumber.iso8601)?.nanoseconds == expected)
  }

  @Test func everyPrefixOfADateIsReadOrRefused() {
    let text = "2021-06-06T15:59:46.457984+02:00"
    for count in 0...text.utf8.count {
      let time = Self.with(String(text.prefix(count)), ASCIINumber.iso8601)
      #expect((time != nil) == (count >= 19 && (count <= 26 || count == 32)))
    }
  }

  @Test func portsAndCountsKeepTheirRange() {
    #expect(Self.with("65535", ASCIINumber.port) == 65535)
    #expect(Self.with("65536", ASCIINumber.port) == nil)
    #expect(Self.with("0x01bb", ASCIINumber.port) == 443)
    #expect(Self.with("0x", ASCIINumber.port) == nil)
    #expect(Self.with("12.0", ASCIINumber.count) == 12)
    #expect(Self.with("-1", ASCIINumber.count) == nil)
    #expect(Self.with("999999999999999999", ASCIINumber.unsigned) == 999_999_999_999_999_999)
    #expect(Self.with("9999999999999999999", ASCIINumber.unsigned) == nil)
  }
}
