import Testing

@testable import Mothlight

/// What comes out of files does not depend on how many tasks work on them.
@Suite struct FeedTests {
  /// An hour of 140 machines: look-ups, hellos and requests beside flows, a bot in each twelfth.
  private var scenario: Scenario {
    var scenario = Scenario(
      name: "feed", seed: 9, hours: 1, formats: [.zeek],
      machines: [.init(kind: .office, count: 90, online: 24), .init(kind: .iot, count: 50)])
    scenario.infections = (1...12).map { n in
      n % 2 == 0
        ? .init(host: .group("iot", n), kind: .scan, periodSeconds: 5, port: 23, count: 400)
        : .init(host: .group("office", n), kind: .beacon, periodSeconds: 60, jitter: 0.1, port: 8081, transport: .tcp)
    }
    return scenario
  }

  private func report(_ folder: String, shards: Int, batch: Int) async throws -> Report {
    var options = ReadOptions()
    options.home = [Prefix("192.168.0.0/16"), Prefix("10.0.0.0/8")].compactMap { $0 }
    options.shards = shards
    options.batch = batch
    var pipeline = try ReadPipeline(options)
    return await pipeline.run(InputQueue(paths: [folder]), version: "test")
  }

  private func lines(_ report: Report, threads: Int) throws -> String {
    var settings = ExporterSettings()
    settings.showAll = true
    settings.showHidden = true
    settings.threads = threads
    var text = ""
    try ExporterRoster.make("ndjson", settings).export(report) { text += $0 }
    return text
  }

  @Test func reportsAreByteEqualForAnyNumberOfShardsThreadsAndAnyBatch() async throws {
    try await StateFixture.withFolder { folder in
      _ = try Simulator(scenario).run(into: folder)
      let one = try await report("\(folder)/zeek", shards: 1, batch: Limits.batch)
      let reference = try lines(one, threads: 1)
      #expect(one.hosts.count > 128, "more than one turn of a thread")
      #expect(one.hosts.count { $0.verdict == .infected } >= 3)
      #expect(one.inputs.reduce(0) { $0 + $1.records } > 4000)
      for (shards, batch) in [(2, Limits.batch), (3, 7), (4, 100_000)] {
        let other = try await report("\(folder)/zeek", shards: shards, batch: batch)
        #expect(try lines(other, threads: shards) == reference, "\(shards) shards, batches of \(batch)")
      }
      #expect(try lines(one, threads: 3) == reference, "three threads")
    }
  }
}
