import Foundation
import Mothlight
import Synchronization
import Testing

@testable import MothlightStation

/// Files that are put into a folder: each once, when it is whole.
@Suite struct CaptureFolderTests {
  private final class Bench {
    let scratch: ScratchFolder
    let folder: String
    var source: CaptureFolderSource?
    var sink = CollectingSink()
    private var task: Task<SourceError?, Never>?

    init() throws {
      scratch = try ScratchFolder()
      folder = scratch.path + "/drop"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    func start(settle: Double = 0.1, positions: String = "drop.positions", callsMost: Int = .max) {
      var settings = FolderSettings.captures(
        name: "drop", path: folder, positionsPath: scratch.path + "/" + positions)
      settings.pollSeconds = 0.01
      settings.settleSeconds = settle
      source = nil
      let source = CaptureFolderSource(settings)
      self.source = source
      sink = CollectingSink(callsMost: callsMost)
      let sink = sink
      task = Task { () -> SourceError? in
        do throws(SourceError) {
          try await source.run(into: sink)
          return nil
        } catch { return error }
      }
    }

    func stop() async {
      task?.cancel()
      _ = await task?.value
      task = nil
      source = nil
    }

    func put(_ name: String, _ octets: [UInt8]) throws {
      try Data(octets).write(to: URL(fileURLWithPath: folder + "/" + name))
    }
    var health: SourceHealth? { source?.meter.health }
    func reads(_ files: Int) async -> Bool { await eventually { self.health?.details["files read"] == String(files) } }
  }

  private static func capture(_ from: Int, _ count: Int) -> [UInt8] {
    SmallTraffic.capture(Array(SmallTraffic.frames(from + count).suffix(count)))
  }

  /// A file that grows is read when it has come to rest, once; another name changes nothing.
  @Test func readOnceWhenWhole() async throws {
    let octets = Self.capture(0, 200)
    for _ in 1...5 {
      let bench = try Bench()
      bench.start(settle: 2)
      #expect(await eventually { bench.health?.state == .running })
      let began = ContinuousClock.now
      try bench.put("a.pcap", Array(octets.prefix(1000)))
      try await Task.sleep(for: .milliseconds(150))
      let isLeftAlone = bench.sink.observations.isEmpty
      try bench.put("a.pcap", octets)
      // A machine that stood still for as long as the file has to rest shows nothing.
      guard ContinuousClock.now - began < .seconds(1.5) else {
        await bench.stop()
        continue
      }
      #expect(isLeftAlone)
      #expect(await bench.reads(1))
      let count = bench.sink.observations.count
      #expect(count > 40)
      #expect(bench.health?.used == UInt64(count) && bench.health?.records == 200)
      try FileManager.default.moveItem(atPath: bench.folder + "/a.pcap", toPath: bench.folder + "/b.pcap")
      try bench.put("c.pcap", octets)
      try await Task.sleep(for: .milliseconds(2500))
      #expect(bench.sink.observations.count == count)
      await bench.stop()
      bench.start()
      try await Task.sleep(for: .milliseconds(300))
      #expect(bench.sink.observations.isEmpty && bench.health?.details["files waiting"] == "0")
      await bench.stop()
      return
    }
    Issue.record("this machine stood still for seconds, five times")
  }

  /// Renamed into place: it has come whole and needs no rest.
  @Test func renamedIntoPlace() async throws {
    let bench = try Bench()
    bench.start(settle: 30)
    #expect(await eventually { bench.health?.state == .running })
    try bench.put("a.pcap.tmp", Self.capture(0, 100))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -120)], ofItemAtPath: bench.folder + "/a.pcap.tmp")
    try await Task.sleep(for: .milliseconds(100))
    #expect(bench.sink.observations.isEmpty, "an unfinished name")
    try FileManager.default.moveItem(atPath: bench.folder + "/a.pcap.tmp", toPath: bench.folder + "/a.pcap")
    #expect(await bench.reads(1))
    #expect(!bench.sink.observations.isEmpty)
    await bench.stop()
  }

  /// A damaged file is said and passed over; what was whole of it was read, and the next one is.
  @Test func damageStopsNothing() async throws {
    let bench = try Bench()
    var damaged = Self.capture(0, 100)
    // The length of a record in the middle.
    let at = 24 + damaged[24...].count / 2
    for n in 0..<400 where at + n < damaged.count { damaged[at + n] = 0xff }
    try bench.put("1.pcap", damaged)
    try bench.put("2.pcap", Array("neither capture nor log\n".utf8))
    try bench.put("3.pcap", Self.capture(500, 100))
    try bench.put("nfcapd.current.99", [1, 2, 3])
    bench.start()
    #expect(await bench.reads(3))
    let health = try #require(bench.health)
    #expect(health.skipped["files: could not be read"] == 1)
    #expect(health.records > 120 && health.records < 200)
    #expect(health.trouble?.contains("pcap") == true)
    await bench.stop()
  }

  /// Killed inside the n-th hand-over of a file: the rest of it comes, and nothing twice.
  @Test(arguments: [0, 1, 2])
  func killedInTheMiddle(_ calls: Int) async throws {
    let bench = try Bench()
    let octets = Self.capture(0, 8000)
    try bench.put("a.pcap", octets)
    bench.start()
    #expect(await bench.reads(1))
    let whole = SmallTraffic.words(bench.sink.observations)
    await bench.stop()
    bench.start(positions: "second.positions", callsMost: calls)
    #expect(await eventually { bench.sink.isStuck })
    let before = bench.sink.observations
    #expect(before.count < whole.count)
    try FileManager.default.copyItem(
      atPath: bench.scratch.path + "/second.positions", toPath: bench.scratch.path + "/killed.positions")
    let stuck = bench.sink
    await bench.stop()
    bench.start(positions: "killed.positions")
    #expect(await bench.reads(1))
    #expect(SmallTraffic.words(stuck.observations + bench.sink.observations) == whole)
    await bench.stop()
  }
}

/// The spool of a sinkhole, followed for the census.
@Suite struct SpoolSourceTests {
  private final class Consumer: SpoolConsumer {
    private let state = Mutex<[(SpoolRecord, String)]>([])
    func take(_ records: [SpoolRecord], spool: String, sensor: String) async {
      state.withLock { $0 += records.map { ($0, sensor) } }
    }
    var sources: [UInt32] {
      state.withLock { $0 }.compactMap {
        if case .sighting(let s) = $0.0 { UInt32(truncatingIfNeeded: s.source.low) } else { nil }
      }
    }
    var sensors: Set<String> { Set(state.withLock { $0 }.map(\.1)) }
  }

  private static func sighting(_ n: Int) -> SpoolRecord {
    .sighting(
      Sighting(
        source: IPAddress(v4: UInt32(n)), sourcePort: 1, botnet: "Mariposa", hour: 490_000, firstSecond: 1,
        lastSecond: 2,
        count: 1, ports: [80], hasMorePorts: false, transport: .udp, level: .recognised, visitor: nil, ruleVersion: 1,
        samplingFactor: 1))
  }

  private func run(_ source: SpoolSource) -> Task<SourceError?, Never> {
    Task { () -> SourceError? in
      do throws(SourceError) {
        try await source.run(into: CollectingSink())
        return nil
      } catch { return error }
    }
  }

  private func settings(_ scratch: ScratchFolder) -> SpoolSettings {
    var settings = SpoolSettings(
      name: "sink", path: scratch.path + "/spool", positionsPath: scratch.path + "/positions")
    settings.pollSeconds = 0.01
    return settings
  }

  @Test func followsASensor() async throws {
    let scratch = try ScratchFolder()
    var options = SpoolWriter.Options(sensor: "alpha")
    options.segmentOctetsMost = 2000
    options.blockSecondsMost = 0
    let writer = try SpoolWriter(folder: scratch.path + "/spool", options: options)
    let start = Timestamp(seconds: 1_764_000_000)
    func write(_ range: Range<Int>) {
      for n in range {
        writer.append(Self.sighting(n))
        writer.flush(now: start.advanced(bySeconds: Double(n)))
      }
    }
    write(0..<100)
    let consumer = Consumer()
    var source: SpoolSource? = SpoolSource(settings(scratch), consumer: consumer)
    let meter = try #require(source?.meter)
    let task = run(try #require(source))
    #expect(await eventually { consumer.sources.count == 100 })
    write(100..<200)
    #expect(await eventually { consumer.sources.count == 200 })
    source?.commit()
    write(200..<250)
    #expect(await eventually { consumer.sources.count == 250 })
    #expect(consumer.sources == Array(0..<250).map { UInt32($0) })
    #expect(consumer.sensors == ["alpha"])
    task.cancel()
    #expect(await task.value == nil)
    #expect(meter.health.records == 250 && meter.health.trouble == nil)
    // Segments that were over before they were looked at count, too.
    let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/spool")
      .filter { $0.contains("sightings") }
    #expect(names.count > 2)
    #expect(meter.health.octets > UInt64(names.count - 1) * UInt64(options.segmentOctetsMost) / 2)
    // What was not said to be safe comes again.
    source = nil
    let again = Consumer()
    let next = SpoolSource(settings(scratch), consumer: again)
    let second = run(next)
    #expect(await eventually { again.sources.count == 50 })
    write(250..<260)
    #expect(await eventually { again.sources.count == 60 })
    #expect(again.sources == (200..<260).map { UInt32($0) })
    second.cancel()
    #expect(await second.value == nil)
  }

  @Test func noSpoolYet() async throws {
    let scratch = try ScratchFolder()
    let error = await run(SpoolSource(settings(scratch), consumer: Consumer())).value
    #expect(error?.code == .notFound && error?.message.contains("holds no spool yet") == true)
  }
}
