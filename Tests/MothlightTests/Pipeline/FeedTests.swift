import Foundation
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

  /// Rows of a conn.log: forty machines inside, a beacon among them.
  private func log(_ rows: Range<Int>) -> String {
    let fields =
      "ts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tduration\torig_bytes\tresp_bytes\tconn_state\torig_pkts\tresp_pkts"
    return rows.reduce(into: "#separator \\x09\n#path\tconn\n#fields\t\(fields)\n") { text, n in
      let peer = n % 40 == 7 ? "45.1.1.1" : "93.\(n % 7).\(n % 11).\(n % 251)"
      text +=
        "\(1_699_930_000 + n).5\t10.0.0.\(1 + n % 40)\t\(20_000 + n % 30_000)\t\(peer)\t8443\ttcp\t0.1\t900\t400\tSF\t5\t4\n"
    }
  }

  /// The home network is learned in the middle of an input, at the end of many small ones, or behind an empty one.
  @Test(arguments: [[0..<26_000], [0..<10, 10..<10, 10..<400, 400..<900], [0..<700, 700..<24_000]])
  func aHomeThatIsLearnedLosesNothing(parts: [Range<Int>]) async throws {
    try await StateFixture.withFolder { folder in
      var paths: [String] = []
      for (n, part) in parts.enumerated() {
        paths.append("\(folder)/\(n).log")
        try log(part).write(toFile: paths[n], atomically: false, encoding: .utf8)
      }
      func read(_ shards: Int, _ batch: Int, home: [Prefix] = []) async throws -> Report {
        var options = ReadOptions()
        (options.shards, options.batch, options.home) = (shards, batch, home)
        var pipeline = try ReadPipeline(options)
        return await pipeline.run(InputQueue(paths: paths), version: "test")
      }
      let one = try await read(1, Limits.batch)
      #expect(!one.homeWasGiven && one.hosts.count == min(40, parts.reduce(0) { $0 + $1.count }))
      let given = try await read(1, Limits.batch, home: [Prefix("10.0.0.0/8")].compactMap { $0 })
      #expect(one.hosts.map(\.score) == given.hosts.map(\.score))
      #expect(one.hosts.map(\.activity.flows) == given.hosts.map(\.activity.flows))
      let reference = try lines(one, threads: 1)
      for (shards, batch) in [(1, 7), (2, Limits.batch), (4, 7), (3, 100_000)] {
        #expect(
          try lines(try await read(shards, batch), threads: 1) == reference, "\(shards) shards, batches of \(batch)")
      }
    }
  }
}
