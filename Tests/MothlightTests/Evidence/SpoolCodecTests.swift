import Testing

@testable import Mothlight

@Suite struct SpoolCodecTests {
  @Test func recordsSurviveTheirEncoding() {
    var encoder = SpoolEncoder()
    let records = (0..<400).map(SpoolFixture.record)
    for record in records { encoder.append(record) }
    #expect(encoder.records == 400)
    var decoder = SpoolDecoder(encoder.octets.bytes)
    var back: [SpoolRecord] = []
    while let record = decoder.next() { back.append(record) }
    #expect(back == records)
    #expect(!decoder.isDamaged)
  }

  @Test func aSightingIsSmall() {
    var encoder = SpoolEncoder()
    for n in 1...1000 where n % 5 != 0 { encoder.append(.sighting(SpoolFixture.sighting(n))) }
    #expect(encoder.octets.bytes.count / encoder.records <= 40)
  }

  @Test func longTextsAreCutAndExtremesKept() {
    var sighting = SpoolFixture.sighting(1)
    sighting.botnet = String(repeating: "ü", count: 500)
    sighting.count = .max
    sighting.samplingFactor = .max
    var encoder = SpoolEncoder()
    encoder.append(.sighting(sighting))
    var decoder = SpoolDecoder(encoder.octets.bytes)
    guard case .sighting(let back) = decoder.next() else {
      Issue.record("no sighting came back")
      return
    }
    #expect(back.count == .max && back.samplingFactor == .max)
    #expect(back.botnet.utf8.count <= SpoolEncoder.textOctets + 2)
  }

  @Test func octetsCutAnywhereGiveNoFalseRecord() {
    var encoder = SpoolEncoder()
    let records = (0..<12).map(SpoolFixture.record)
    for record in records { encoder.append(record) }
    let bytes = encoder.octets.bytes
    for end in bytes.indices {
      var decoder = SpoolDecoder(Array(bytes[..<end]))
      var back: [SpoolRecord] = []
      while let record = decoder.next() { back.append(record) }
      #expect(back == Array(records.prefix(back.count)))
    }
  }

  @Test func anyOctetsAreRead() {
    var random = RandomSource(seed: 3)
    for _ in 0..<3000 {
      var decoder = SpoolDecoder(
        (0..<random.int(below: 80)).map { _ in UInt8(truncatingIfNeeded: random.next() & 0x8f) })
      var count = 0
      while decoder.next() != nil { count += 1 }
      #expect(count <= 40)
    }
  }
}
