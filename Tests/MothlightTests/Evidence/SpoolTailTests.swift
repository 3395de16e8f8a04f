import Foundation
import Testing

@testable import Mothlight

/// A spool read while its sensor writes it.
@Suite struct SpoolTailTests {
  private static let start = SpoolFixture.start

  private func writer(_ folder: String, segmentOctets: Int = 64 << 20) throws -> SpoolWriter {
    var options = SpoolWriter.Options(sensor: "test")
    options.segmentOctetsMost = segmentOctets
    return try SpoolWriter(folder: folder, options: options)
  }

  private func sightings(_ count: Int) -> [SpoolRecord] {
    (0..<count).map { SpoolFixture.record($0) }.filter { if case .sample = $0 { false } else { true } }
  }

  /// Follows a writer step by step, over many segments; a second reader that stops and goes on sees the same.
  @Test func everyRecordOnce() throws {
    try SpoolFixture.withFolder { folder in
      let writer = try writer(folder, segmentOctets: 3000)
      var tail = SpoolTail(folder: folder)
      var seen: [SpoolRecord] = []
      var resumed: [SpoolRecord] = []
      var place = SpoolTail.Place()
      for n in 0..<600 {
        writer.append(SpoolFixture.record(n))
        writer.flush(now: Self.start.advanced(bySeconds: Double(n)))
        if n % 3 == 0 { while tail.read({ seen.append($0) }) {} }
        if n % 17 == 0 {
          var again = SpoolTail(folder: folder, from: place)
          while again.read({ resumed.append($0) }) {}
          place = again.place
          #expect(again.troubles == [])
        }
      }
      writer.finish(now: Self.start.advanced(bySeconds: 700))
      while tail.read({ seen.append($0) }) {}
      var again = SpoolTail(folder: folder, from: place)
      while again.read({ resumed.append($0) }) {}
      let expected = sightings(600)
      #expect(seen == expected)
      #expect(resumed == expected)
      #expect(tail.troubles == [] && tail.sensor == "test")
      #expect(SpoolFolderCount.sealed(folder) > 5)
      #expect(try tail.octetsRead == SpoolFolderCount.octets(folder))
    }
  }

  private enum SpoolFolderCount {
    static func sealed(_ folder: String) -> Int {
      SpoolReader.segments(folder).count { $0.hasSuffix(".sealed") && $0.contains("sightings") }
    }
    static func octets(_ folder: String) throws -> UInt64 {
      var octets: UInt64 = 0
      for name in SpoolReader.segments(folder) where name.contains("sightings") {
        octets += UInt64(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")).count)
      }
      return octets
    }
  }

  @Test func samplesHaveAChainOfTheirOwn() throws {
    try SpoolFixture.withFolder { folder in
      try SpoolFixture.write(folder, 160)
      var tail = SpoolTail(folder: folder, samples: true)
      var seen: [SpoolRecord] = []
      while tail.read({ seen.append($0) }) {}
      #expect(seen == (0..<160).map { SpoolFixture.record($0) }.filter { if case .sample = $0 { true } else { false } })
    }
  }

  /// A sensor that was killed leaves half a block; its next start seals what was whole, and the reader goes on behind it.
  @Test func aKilledSensorCostsNothingThatWasWhole() throws {
    try SpoolFixture.withFolder { folder in
      var first: SpoolWriter? = try writer(folder)
      for n in 0..<100 {
        first?.append(SpoolFixture.record(n))
        first?.flush(now: Self.start.advanced(bySeconds: Double(n)))
      }
      var tail = SpoolTail(folder: folder)
      var seen: [SpoolRecord] = []
      while tail.read({ seen.append($0) }) {}
      let before = seen.count
      // Killed while it wrote: nothing of the open block, and a torn one behind it.
      first = nil
      let name = try #require(SpoolReader.segments(folder).first { $0.hasSuffix("sightings.open") })
      let handle = try #require(FileHandle(forUpdatingAtPath: "\(folder)/\(name)"))
      try handle.seekToEnd()
      handle.write(Data([SpoolFormat.blockMark, 200, 0, 0, 0]))
      try handle.close()
      while tail.read({ seen.append($0) }) {}
      #expect(seen.count == before && tail.troubles == [])
      let second = try writer(folder)
      for n in 100..<200 {
        second.append(SpoolFixture.record(n))
        second.flush(now: Self.start.advanced(bySeconds: Double(n)))
      }
      second.finish(now: Self.start.advanced(bySeconds: 300))
      while tail.read({ seen.append($0) }) {}
      let (all, _) = try SpoolFixture.read(folder)
      #expect(seen == all.filter { if case .sample = $0 { false } else { true } })
      #expect(tail.troubles == [])
    }
  }

  /// What was changed is said and passed over; what the seal vouches for behind it is read.
  @Test func damageIsSaid() throws {
    try SpoolFixture.withFolder { folder in
      try SpoolFixture.write(folder, 400)
      let name = try #require(SpoolReader.segments(folder).first { $0.hasSuffix("sightings.sealed") })
      var octets = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))
      octets[octets.count / 2] ^= 0x40
      try octets.write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
      var tail = SpoolTail(folder: folder)
      var seen: [SpoolRecord] = []
      while tail.read({ seen.append($0) }) {}
      let (all, _) = try SpoolFixture.read(folder)
      #expect(seen == all.filter { if case .sample = $0 { false } else { true } })
      #expect(seen.count > 100 && seen.count < sightings(400).count)
      #expect(tail.troubles.count == 1 && tail.troublesSaid == 1)
      #expect(tail.troubles.first?.contains("records are lost") == true, "\(tail.troubles)")
    }
  }

  /// A segment that was taken away is missed; the chain goes on.
  @Test func aGapIsSaid() throws {
    try SpoolFixture.withFolder { folder in
      let writer = try writer(folder, segmentOctets: 3000)
      for n in 0..<400 {
        writer.append(SpoolFixture.record(n))
        writer.flush(now: Self.start.advanced(bySeconds: Double(n)))
      }
      writer.finish(now: Self.start.advanced(bySeconds: 500))
      let names = SpoolReader.segments(folder).filter { $0.contains("sightings") }.sorted()
      #expect(names.count > 4)
      unlink("\(folder)/\(names[2])")
      var tail = SpoolTail(folder: folder)
      while tail.read({ _ in }) {}
      #expect(tail.troubles.count == 1 && tail.troubles[0].contains("are missing"), "\(tail.troubles)")
    }
  }

  @Test func nothingThereYet() throws {
    #expect(SpoolTail.spools(at: "/nonexistent").isEmpty)
    var tail = SpoolTail(folder: "/nonexistent")
    #expect(!tail.read { _ in })
    #expect(tail.place == SpoolTail.Place())
  }
}
