import Foundation
import Testing

@testable import Mothlight

@Suite struct SpoolWriterTests {
  private let start = SpoolFixture.start

  @Test func whatIsWrittenIsRead() throws {
    try SpoolFixture.withFolder { folder in
      try SpoolFixture.write(folder, 200)
      let (records, segments) = try SpoolFixture.read(folder)
      let sent = (0..<200).map(SpoolFixture.record)
      #expect(records == sent.filter { !$0.expires } + sent.filter(\.expires))
      #expect(segments.count == 2 && segments.allSatisfy { $0.isVerified && $0.sensor == "test" })
      let mode = try FileManager.default.attributesOfItem(atPath: "\(folder)/sensor.key")[.posixPermissions] as? Int
      #expect(mode == 0o600)
    }
  }

  @Test func aRecordIsDurableWithinTenSeconds() throws {
    try SpoolFixture.withFolder { folder in
      let writer = try SpoolWriter(folder: folder, options: .init(sensor: "test"))
      writer.flush(now: start)
      writer.append(SpoolFixture.record(1))
      var waited = 0
      while (try? SpoolFixture.read(folder).records.count) ?? 0 == 0, waited < 20 {
        waited += 1
        writer.flush(now: start.advanced(bySeconds: Double(waited)))
      }
      #expect(waited <= 10)
      // The writer is alive: its segment is open, and that is no damage.
      #expect(try SpoolFixture.read(folder).segments.allSatisfy { $0.isOpen && $0.damage == nil })
    }
  }

  @Test func segmentsTurnByAgeAndSizeAndStayOneChain() throws {
    try SpoolFixture.withFolder { folder in
      var options = SpoolWriter.Options(sensor: "test")
      options.segmentSecondsMost = 60
      let writer = try SpoolWriter(folder: folder, options: options)
      for n in 0..<600 {
        writer.append(.sighting(SpoolFixture.sighting(n)))
        writer.flush(now: start.advanced(bySeconds: Double(n)))
      }
      writer.finish(now: start.advanced(bySeconds: 600))
      let (records, segments) = try SpoolFixture.read(folder)
      #expect(records.count == 600)
      #expect(segments.count >= 9 && segments.allSatisfy(\.isVerified))
    }
  }

  @Test func aLaterRunGoesOnWithTheChain() throws {
    try SpoolFixture.withFolder { folder in
      for _ in 0..<3 { try SpoolFixture.write(folder, 40) }
      let (records, segments) = try SpoolFixture.read(folder)
      #expect(records.count == 120)
      #expect(segments.count == 6 && segments.allSatisfy(\.isVerified))
    }
  }

  @Test func aTornTailIsPutAsideAndTheRestSealed() throws {
    try SpoolFixture.withFolder { folder in
      do {
        let writer = try SpoolWriter(folder: folder, options: .init(sensor: "test"))
        for n in 0..<60 {
          writer.append(.sighting(SpoolFixture.sighting(n)))
          writer.flush(now: start.advanced(bySeconds: Double(n)))
        }
      }
      let open = "\(folder)/00000001-sightings.open"
      let before = try SpoolFixture.read(folder).records
      #expect(before.count >= 50)
      let handle = try #require(FileHandle(forWritingAtPath: open))
      handle.seekToEndOfFile()
      handle.write(Data("Bhalf a block".utf8))
      try handle.close()
      let writer = try SpoolWriter(folder: folder, options: .init(sensor: "test"))
      #expect(writer.repairs.count == 1 && writer.repairs[0].contains("quarantine"))
      writer.append(.sighting(SpoolFixture.sighting(1000)))
      writer.finish(now: start.advanced(bySeconds: 100))
      let (records, segments) = try SpoolFixture.read(folder)
      #expect(records == before + [.sighting(SpoolFixture.sighting(1000))])
      #expect(segments.count == 2 && segments.allSatisfy(\.isVerified))
      #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/quarantine").count == 1)
    }
  }

  @Test func aFullDiskIsSurvivedAndTold() throws {
    try SpoolFixture.withFolder { folder in
      let disk = TroubledDisk()
      let writer = try SpoolWriter(folder: folder, options: .init(sensor: "test"), storage: disk)
      var clock = 0.0
      func tick(_ seconds: Int, _ n: Int) {
        for second in 0..<seconds {
          clock += 1
          writer.append(.sighting(SpoolFixture.sighting(n + second)))
          writer.flush(now: start.advanced(bySeconds: clock))
        }
      }
      tick(30, 0)
      // The next block gets in half.
      disk.octetsLeft = 50
      tick(20, 100)
      #expect(writer.state.trouble?.contains("no space") == true)
      // While it is full, what does not fit into the waiting block is counted.
      let flood = 20_000
      for n in 0..<flood { writer.append(.sighting(SpoolFixture.sighting(n))) }
      #expect(writer.state.lost > 0)
      disk.isFull = false
      disk.octetsLeft = .max
      tick(90, 300)
      #expect(writer.state.trouble == nil)
      writer.finish(now: start.advanced(bySeconds: clock))
      let (records, segments) = try SpoolFixture.read(folder)
      #expect(segments.allSatisfy { $0.isVerified })
      let told = records.reduce(UInt64(0)) {
        if case .notice(let notice) = $1, case .lost(let loss) = notice.event { return $0 + loss.total }
        return $0
      }
      #expect(told == writer.state.lost)
      let sightings = records.count { if case .sighting = $0 { true } else { false } }
      #expect(UInt64(sightings) + told == 140 + UInt64(flood))
    }
  }

  @Test func aRealFullDiskIsSurvived() throws {
    guard getuid() == 0 else {
      print("aRealFullDiskIsSurvived: needs root to mount a small tmpfs; skipped")
      return
    }
    try SpoolFixture.withFolder { folder in
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      func run(_ words: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
      }
      guard try run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder]) == 0 else {
        print("aRealFullDiskIsSurvived: no tmpfs may be mounted here; skipped")
        return
      }
      defer { _ = try? run(["umount", "-l", folder]) }
      let writer = try SpoolWriter(folder: "\(folder)/spool", options: .init(sensor: "test"))
      let ballast = "\(folder)/ballast"
      try Data(repeating: 1, count: 150_000).write(to: URL(fileURLWithPath: ballast))
      var clock = 0.0
      for n in 0..<20_000 where writer.state.trouble == nil {
        clock += 1
        writer.append(.sample(SpoolFixture.sample(128 + n % 1), .firstOfDay))
        writer.flush(now: start.advanced(bySeconds: clock))
      }
      #expect(writer.state.trouble != nil)
      try FileManager.default.removeItem(atPath: ballast)
      for n in 0..<90 {
        clock += 1
        writer.append(.sighting(SpoolFixture.sighting(n)))
        writer.flush(now: start.advanced(bySeconds: clock))
      }
      #expect(writer.state.trouble == nil)
      writer.finish(now: start.advanced(bySeconds: clock))
      let (records, segments) = try SpoolFixture.read("\(folder)/spool")
      #expect(segments.allSatisfy { $0.isVerified })
      #expect(records.count { if case .sighting = $0 { true } else { false } } == 90)
    }
  }

  @Test func aClockThatGoesBackIsToldAndHoldsNothingUp() throws {
    try SpoolFixture.withFolder { folder in
      let writer = try SpoolWriter(folder: folder, options: .init(sensor: "test"))
      writer.flush(now: start)
      writer.append(.sighting(SpoolFixture.sighting(1)))
      writer.flush(now: start.advanced(bySeconds: 1))
      writer.flush(now: start.advanced(bySeconds: -7200))
      for second in 0..<6 { writer.flush(now: start.advanced(bySeconds: -7200 + Double(second))) }
      let records = try SpoolFixture.read(folder).records
      #expect(records.contains(.sighting(SpoolFixture.sighting(1))))
      #expect(
        records.contains {
          if case .notice(let n) = $0 { n.event == .clockStep(nanoseconds: 7_201_000_000_000) } else { false }
        })
    }
  }

  @Test func twoWritersDoNotShareAFolder() throws {
    try SpoolFixture.withFolder { folder in
      let first = try SpoolWriter(folder: folder, options: .init(sensor: "a"))
      #expect(throws: SpoolError(.inUse, "")) { try SpoolWriter(folder: folder, options: .init(sensor: "b")) }
      first.finish(now: start)
    }
  }

  @Test func aSpoiltKeyIsRefusedNotReplaced() throws {
    try SpoolFixture.withFolder { folder in
      try SpoolFixture.write(folder, 10)
      try Data("nonsense".utf8).write(to: URL(fileURLWithPath: "\(folder)/sensor.key"))
      #expect(throws: SpoolError(.badKey, "")) { try SpoolWriter(folder: folder, options: .init(sensor: "a")) }
    }
  }

  @Test func samplesExpireAndSightingsStayVerified() throws {
    try SpoolFixture.withFolder { folder in
      try SpoolFixture.write(folder, 80)
      let writer = try SpoolWriter(folder: folder, options: .init(sensor: "test"))
      let later = start.advanced(bySeconds: 31 * 86_400)
      writer.flush(now: later)
      writer.append(SpoolFixture.record(6))
      writer.finish(now: later)
      let (records, segments) = try SpoolFixture.read(folder)
      #expect(records.count(where: \.expires) == 1)
      #expect(records.count == 71)
      #expect(segments.allSatisfy { $0.isVerified })
    }
  }
}
