import Foundation
import Testing

@testable import Mothlight

@Suite struct SpoolReaderTests {
  private func segment(_ count: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try SpoolFixture.withFolder { folder in
      try SpoolFixture.write(folder, count)
      bytes = Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/00000001-sightings.sealed")))
    }
    return bytes
  }

  @Test func aSegmentCutAnywhereGivesItsWholeBlocks() throws {
    let bytes = try segment(40)
    var whole: [SpoolRecord] = []
    _ = SpoolSegment.scan(octets: bytes) { whole.append($0) }
    #expect(whole.count == 35)
    for end in 0..<bytes.count {
      var records: [SpoolRecord] = []
      let scan = SpoolSegment.scan(octets: Array(bytes[..<end])) { records.append($0) }
      #expect(records == Array(whole.prefix(records.count)))
      #expect(!scan.isSealed && scan.goodOctets <= end)
    }
  }

  @Test func noBitFlipGoesUnseen() throws {
    let bytes = try segment(24)
    let full = SpoolSegment.scan(octets: bytes)
    #expect(full.isSealed && full.isSignatureValid && full.damage == nil)
    for i in bytes.indices {
      var changed = bytes
      changed[i] ^= 1 << UInt8(i % 8)
      let scan = SpoolSegment.scan(octets: changed)
      #expect(!(scan.isSealed && scan.isSignatureValid), "octet \(i)")
    }
  }

  @Test func aMissingAndAChangedSegmentAreNamed() throws {
    try SpoolFixture.withFolder { folder in
      for _ in 0..<4 { try SpoolFixture.write(folder, 16) }
      let second = "\(folder)/00000002-sightings.sealed"
      let kept = try Data(contentsOf: URL(fileURLWithPath: second))
      try FileManager.default.removeItem(atPath: second)
      var segments = try SpoolFixture.read(folder).segments
      #expect(segments.filter { $0.damage != nil }.map { $0.damage ?? "" } == ["segments 2 to 2 are missing before it"])
      var changed = kept
      changed[kept.count / 2] ^= 1
      try changed.write(to: URL(fileURLWithPath: second))
      segments = try SpoolFixture.read(folder).segments
      var damaged = segments.filter { $0.damage != nil }
      // The signature is over the end of the chain, on which the segment behind it builds.
      #expect(damaged.count == 1 && damaged[0].damage?.contains("at byte") == true)
      // Without its end it says nothing, and the segment behind it still stands by itself.
      try kept.prefix(SpoolFormat.headerOctets + 20).write(to: URL(fileURLWithPath: second))
      damaged = try SpoolFixture.read(folder).segments.filter { $0.damage != nil }
      #expect(damaged.count == 2 && damaged[1].damage?.contains("does not follow") == true)
    }
  }

  @Test func aSegmentOfAnotherKeyIsNoticed() throws {
    try SpoolFixture.withFolder { folder in
      try SpoolFixture.write(folder, 16)
      try FileManager.default.removeItem(atPath: "\(folder)/sensor.key")
      try FileManager.default.removeItem(atPath: "\(folder)/sensor.pub")
      try SpoolFixture.write(folder, 16)
      let segments = try SpoolFixture.read(folder).segments
      #expect(segments.contains { $0.damage == "signed by another key than the segment before" })
    }
  }

  @Test func foreignFilesAreNoSpool() throws {
    try SpoolFixture.withFolder { folder in
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      #expect(!SpoolReader.recognises(folder))
      #expect(!SpoolReader.recognises("\(folder)/absent"))
      try Data("#separator".utf8).write(to: URL(fileURLWithPath: "\(folder)/conn.log"))
      #expect(!SpoolReader.recognises(folder) && !SpoolReader.recognises("\(folder)/conn.log"))
      #expect(throws: SpoolError(.notASpool, "")) { try SpoolReader(path: "\(folder)/conn.log") }
      try SpoolFixture.write("\(folder)/spool", 8)
      #expect(SpoolReader.recognises("\(folder)/spool"))
      #expect(SpoolReader.recognises("\(folder)/spool/00000001-sightings.sealed"))
    }
  }

  @Test func damageInAnOpenSegmentIsToldAndATornTailIsNot() throws {
    try SpoolFixture.withFolder { folder in
      let writer = try SpoolWriter(folder: folder, options: .init(sensor: "test"))
      for n in 0..<60 {
        writer.append(.sighting(SpoolFixture.sighting(n)))
        writer.flush(now: SpoolFixture.start.advanced(bySeconds: Double(n)))
      }
      let path = "\(folder)/00000001-sightings.open"
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      try whole.dropLast(20).write(to: URL(fileURLWithPath: path))
      #expect(try SpoolFixture.read(path).segments.map(\.damage) == [nil])
      var changed = whole
      changed[whole.count / 2] ^= 1
      try changed.write(to: URL(fileURLWithPath: path))
      let segments = try SpoolFixture.read(path).segments
      #expect(segments.count == 1 && segments[0].isOpen && segments[0].damage?.contains("at byte") == true)
    }
  }
}
