import Foundation
import Testing

@testable import Mothlight

@Suite("JSON writer")
struct JSONWriterTests {
  private func text(_ write: (inout JSONWriter) -> Void) -> String {
    var json = JSONWriter()
    write(&json)
    return json.drain()
  }

  @Test(
    "numbers are short, rounded to six decimals and never NaN",
    arguments: [
      (0.0, "0"), (-0.0, "0"), (1, "1"), (-2.5, "-2.5"), (0.1 + 0.2, "0.3"), (1.0 / 3, "0.333333"), (0.000_000_4, "0"),
      (-0.000_000_4, "0"), (0.000_001, "0.000001"), (999_999_999.999_999_9, "1000000000"), (1e9, "1000000000"),
      (1_234_567_890.123_456, "1234567890.123"), (1e15, "1000000000000000"), (.nan, "null"), (.infinity, "null"),
      (-.infinity, "null"), (20.05, "20.05"), (-6.907_755_278_982_137, "-6.907755"),
    ] as [(Double, String)])
  func numbers(value: Double, expected: String) {
    #expect(text { $0.value(value) } == expected)
  }

  @Test("integers keep every digit")
  func integers() {
    #expect(text { $0.value(UInt64.max) } == "18446744073709551615")
    #expect(text { $0.value(Int.min) } == "-9223372036854775808")
    #expect(text { $0.value(UInt64(0)) } == "0")
  }

  @Test("every length of a number is written as Swift writes it, alone and in arrays")
  func lengths() {
    var power: UInt64 = 1
    while true {
      for number in [power - 1, power, power + 1] {
        #expect(text { $0.value(number) } == number.description)
        if let number = Int(exactly: number) { #expect(text { $0.value(-number) } == (-number).description) }
      }
      let (next, isOver) = power.multipliedReportingOverflow(by: 10)
      if isOver { break }
      power = next
    }
    let numbers: [UInt32] = [0, 9, 10, 99, 100, 65_535, 999_999_999, 1_000_000_000, .max]
    let list = "[" + numbers.map(\.description).joined(separator: ",") + "]"
    #expect(text { $0.array(numbers) } == list)
    #expect(text { $0.array([]) } == "[]")
    let twice = text {
      $0.beginArray()
      $0.array(numbers)
      $0.array(numbers)
      $0.endArray()
    }
    #expect(twice == "[\(list),\(list)]")
  }

  @Test("what is drained in pieces is what is drained at once, whatever the room")
  func pieces() {
    func write(_ json: inout JSONWriter, _ n: Int) {
      json.beginObject()
      json.key(text: String(repeating: "k", count: n))
      json.value(String(repeating: "ü\n", count: n % 97))
      json.key("n")
      json.value(Double(n) / 7)
      json.key("a")
      json.value(IPAddress(v4: UInt32(truncatingIfNeeded: n &* 2_654_435_761)))
      json.endObject()
      json.newline()
    }
    var whole = JSONWriter()
    var parts = JSONWriter()
    var text = ""
    for n in 0..<1500 {
      write(&whole, n)
      write(&parts, n)
      #expect(parts.count == parts.bytes.count)
      if n % 5 == 0 { text += parts.drain() }
    }
    #expect(text + parts.drain() == whole.drain())
    #expect(parts.count == 0 && parts.drain().isEmpty)
  }

  @Test("large doubles read back as themselves", arguments: [1e16, 1.5e300, -2e20, 4_503_599_627_370_497])
  func largeDoubles(value: Double) throws {
    let parsed = try JSONSerialization.jsonObject(with: Data(text { $0.value(value) }.utf8), options: .fragmentsAllowed)
    #expect((parsed as? NSNumber)?.doubleValue == value)
  }

  @Test("strings escape what breaks a parser, a terminal or a line")
  func strings() {
    let escaped = text { $0.value("a\"\\\n\u{0}\u{1b}\u{7f}\u{9b}\u{2028}\u{2029}\u{202e}\u{feff}ü漢😀\u{e0001}") }
    #expect(
      escaped == #""a\"\\\n\u0000\u001b\u007f\u009b\u2028\u2029\u202e\ufeffü漢😀\udb40\udc01""#)
  }

  @Test("containers get their commas, and lines where asked")
  func structure() {
    func write(_ json: inout JSONWriter) {
      json.beginObject()
      json.key("a")
      json.beginArray()
      json.value(1)
      json.null()
      json.beginObject()
      json.endObject()
      json.endArray()
      json.key(text: "b\"")
      json.value(true)
      json.endObject()
    }
    #expect(text(write) == #"{"a":[1,null,{}],"b\"":true}"#)
    var broken = JSONWriter(lineDepth: 1)
    write(&broken)
    #expect(broken.drain() == "{\n \"a\":[1,null,{}],\n \"b\\\"\":true\n}")
  }

  @Test("a time that was never set is null")
  func times() {
    #expect(text { $0.value(Timestamp.distantFuture) } == "null")
    #expect(text { $0.value(Timestamp.distantPast) } == "null")
    #expect(text { $0.value(Timestamp(seconds: 1_267_617_600)) } == "\"2010-03-03T12:00:00.000000Z\"")
    // The first day of the range: the multiplication wraps and must still give the right rest.
    #expect(Timestamp(nanoseconds: .min + 1).description.hasPrefix("1677-09-21T00:12:43"))
  }
}
