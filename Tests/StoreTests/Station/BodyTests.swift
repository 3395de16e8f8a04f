import Mothlight
import Testing

@testable import MothlightStore

@Suite struct BodyTests {
  private let finding = StationFixture.finding(
    StationFixture.address("10.0.0.5"), day: StationFixture.today, botnet: "Mariposa")

  @Test func numbersComeBack() throws {
    let whole: [UInt64] = [0, 1, 127, 128, 300, 1 << 32, .max]
    let signed: [Int64] = [0, -1, 1, 63, -64, 64, .min, .max]
    let real: [Double] = [
      0, -0.0, 1, -1, 0.1, 1e14, 1e15, 1e16, -3, 144, .infinity, -.infinity, .leastNonzeroMagnitude,
      .greatestFiniteMagnitude,
    ]
    var out = BodyWriter()
    for value in whole { out.put(count: value) }
    for value in signed { out.put(signed: value) }
    for value in real { out.put(value) }
    out.put(Double.nan)
    try out.bytes.withUnsafeBytes { bytes in
      var input = BodyReader(bytes)
      let wholeAgain = try whole.map { _ in try input.count() }
      let signedAgain = try signed.map { _ in try input.signed() }
      let realAgain = try real.map { _ in try input.double().bitPattern }
      let last = try input.double()
      #expect(wholeAgain == whole)
      #expect(signedAgain == signed)
      #expect(realAgain == real.map(\.bitPattern))
      #expect(last.isNaN)
      #expect(input.isAtEnd)
    }
  }

  @Test func aFindingComesBackWhole() throws {
    #expect(try FindingBody.decode(FindingBody.encode(finding)) == finding)
    var bare = finding
    bare.peer = nil
    bare.peerName = nil
    bare.botnet = nil
    bare.evidence = []
    bare.measures = []
    bare.series = []
    bare.suppressions = []
    bare.subject = ""
    bare.isConclusive = true
    bare.first = .distantPast
    bare.last = .distantFuture
    bare.version = .min
    #expect(try FindingBody.decode(FindingBody.encode(bare)) == bare)
  }

  @Test func aHostDayComesBackWhole() throws {
    let day = StationFixture.hostDay("2001:db8::9", day: -3, findings: [finding])
    let again = try HostDayBody.decode(HostDayBody.encode(day), findings: [finding])
    #expect(StationFixture.text(again) == StationFixture.text(day))
  }

  /// Damage ends in an error, at every length and for every changed octet, never in a trap.
  @Test func damagedOctetsAreRefusedOrRead() {
    let whole = FindingBody.encode(finding)
    for length in whole.indices { #expect(throws: BodyDefect.self) { try FindingBody.decode(Array(whole[..<length])) } }
    let day = HostDayBody.encode(StationFixture.hostDay("10.0.0.5", day: 1))
    for length in day.indices {
      #expect(throws: BodyDefect.self) { try HostDayBody.decode(Array(day[..<length]), findings: []) }
    }
    var read = 0
    for place in whole.indices {
      for bit in [0x01, 0x80, 0xff] as [UInt8] {
        var copy = whole
        copy[place] ^= bit
        if (try? FindingBody.decode(copy)) != nil { read += 1 }
      }
    }
    // A changed letter of a sentence is still a sentence.
    #expect(read > 0)
  }

  @Test func addressesSortAsNumbers() {
    let all = ["::1", "0.0.0.0", "9.255.255.255", "10.0.0.0", "255.255.255.255", "2001:db8::", "ff02::1"]
    let octets = all.map { StationFixture.address($0).octets }
    for (a, b) in zip(octets, octets.dropFirst()) { #expect(a.lexicographicallyPrecedes(b)) }
    for (text, bytes) in zip(all, octets) {
      #expect(bytes.withUnsafeBytes { IPAddress(octets: $0) } == StationFixture.address(text))
    }
  }

  @Test func aPrefixIsARange() throws {
    for (text, first, last) in [
      ("10.1.0.0/16", "10.1.0.0", "10.1.255.255"), ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
      ("0.0.0.0/0", "0.0.0.0", "255.255.255.255"),
      ("2001:db8::/33", "2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"),
      ("::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ] {
      let range = try #require(Prefix(text)).range
      #expect(range == StationFixture.address(first)...StationFixture.address(last), "\(text)")
    }
  }

  @Test func daysAreBits() {
    var days = DayBits(lastDay: 100, bits: 1)
    days = days.adding(103).adding(99).adding(101)
    #expect(days == DayBits(lastDay: 103, bits: 0b11101))
    #expect(days.removing(103) == DayBits(lastDay: 101, bits: 0b111))
    #expect(days.removing(100) == DayBits(lastDay: 103, bits: 0b10101))
    #expect(DayBits(lastDay: 5, bits: 1).removing(5) == nil)
    #expect(days.adding(1000) == DayBits(lastDay: 1000, bits: 1))
    #expect(days.adding(1) == days)
    #expect(DayBits(lastDay: 61, bits: 1).adding(0).bits == 1 | 1 << 61)
    #expect(DayBits(lastDay: 0, bits: 1).adding(61).bits == 1 | 1 << 61)
    #expect(DayBits(lastDay: 0, bits: 1).adding(62).bits == 1)
  }
}
