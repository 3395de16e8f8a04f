import Foundation
import Testing

@testable import Mothlight

@Suite struct RollingRunTests {
  private typealias Row = StateFixture.Row

  private func hourly(_ rows: [Row], in folder: String) throws -> [String] {
    try Dictionary(grouping: rows) { Int($0.time / 3600) }.sorted { $0.key < $1.key }.map { hour, rows in
      let path = "\(folder)/\(hour).log"
      try StateFixture.write(StateFixture.log(rows), path)
      return path
    }
  }

  /// Reads each path in a run of its own.
  private func read(_ paths: [String], from state: RollingState = RollingState()) async throws -> (
    reports: [Report], state: RollingState
  ) {
    var state = state
    var reports: [Report] = []
    for path in paths {
      let (report, next) = try await StateFixture.run([path], state)
      reports.append(report)
      state = try #require(next)
    }
    return (reports, state)
  }

  private func beacons(_ report: Report) -> [Finding] {
    report.hosts.flatMap(\.findings).filter { $0.detector == "beacon" && $0.logOdds >= Judge.bar }
  }

  /// Three days in 72 runs: two calls of two hours' distance become a beacon after the eighth; nobody else is accused.
  @Test func slowBeaconShowsOverHourlyRuns() async throws {
    var scenario = Scenario(
      name: "slow", seed: 11, hours: 72, formats: [.zeek],
      machines: [
        .init(kind: .office, count: 3),
        .init(group: "desk", kind: .office, count: 1, online: 24, services: .init([.rss: true, .monitoring: true])),
        .init(kind: .iot, count: 2), .init(kind: .server, services: .init([.mailServer: true])),
      ])
    scenario.infections = [
      .init(host: .group("iot", 1), kind: .beacon, periodSeconds: 7200, jitter: 0.2, port: 8081, transport: .tcp)
    ]
    try await StateFixture.withFolder { folder in
      let hours = try StateFixture.hours(scenario, in: folder)
      #expect(hours.count == 72)
      let bot = "192.168.10.14"
      var state = RollingState()
      var found: [Int] = []
      var last: Report?
      for (n, hour) in hours.enumerated() {
        let (report, next) = try await StateFixture.run([hour], state)
        state = try #require(next)
        last = report
        let flagged = report.hosts.filter { $0.verdict >= .suspicious }
        #expect(flagged.allSatisfy { $0.host.description == bot }, "hour \(n): \(flagged.map(\.host.description))")
        if beacons(report).contains(where: { $0.host.description == bot && $0.subject.hasSuffix("tcp/8081") }) {
          found.append(n)
        }
        #expect(report.state?.runs == UInt64(n + 1))
      }
      // Eight calls take some 14 hours; from then on each run shows it, whether it called in that hour or not, but for the
      // first hours of a day on which it has not called yet.
      let first = try #require(found.first)
      #expect(first >= 11 && first <= 24)
      #expect((first..<72).filter { !found.contains($0) }.allSatisfy { $0 % 24 < 3 })
      // Other kinds of evidence gather as well: at the end the verdict is that of one run over all days.
      let whole = try await StateFixture.run(["\(folder)/whole/zeek"], nil).report
      #expect(whole.hosts.first?.verdict == .infected)
      #expect(last?.hosts.first?.verdict == .infected)
      #expect(beacons(whole).contains { $0.host.description == bot && $0.subject.hasSuffix("tcp/8081") })
      #expect(state.daysWithRecords == 3)
    }
  }

  @Test func equalRunsGiveEqualOctetsWhateverTheShards() async throws {
    var scenario = Scenario(
      name: "equal", seed: 4, hours: 6, formats: [.zeek],
      machines: [.init(kind: .office, count: 3, online: 24), .init(kind: .iot)])
    scenario.infections = [.init(host: .group("iot", 1), kind: .scan, periodSeconds: 2, port: 23, count: 800)]
    try await StateFixture.withFolder { folder in
      let hours = try StateFixture.hours(scenario, in: folder)
      var reference: [(String, [UInt8])] = []
      for shards in [1, 1, 2, 8] {
        var state = RollingState()
        var outcome: [(String, [UInt8])] = []
        // The last one twice: what is heard again is the same, too.
        for hour in hours + hours.suffix(1) {
          let (report, next) = try await StateFixture.run([hour], state, shards: shards)
          state = try #require(next)
          outcome.append((try StateFixture.json(report), StateFixture.bytes(state)))
        }
        if reference.isEmpty { reference = outcome }
        #expect(outcome.map(\.0) == reference.map(\.0))
        #expect(outcome.map(\.1) == reference.map(\.1))
      }
      #expect(reference.count == hours.count + 1)
    }
  }

  /// The same file again, under another name or beside a new one, adds nothing.
  @Test func repeatedInputsCountOnce() async throws {
    try await StateFixture.withFolder { folder in
      let day = hourlyRows()
      let paths = try hourly(day, in: folder)
      let (reports, state) = try await read(paths)
      #expect(reports.allSatisfy { $0.state?.repeatedInputs == 0 })
      let copy = "\(folder)/copy.log"
      try FileManager.default.copyItem(atPath: paths[23], toPath: copy)
      let (again, after) = try await StateFixture.run([copy], state)
      #expect(again.state?.repeatedInputs == 1)
      #expect(again.warnings.contains { $0.contains("was read before") })
      let kept = try #require(after)
      #expect(kept.pairs.map(\.counts) == state.pairs.map(\.counts))
      #expect(kept.times == state.times)
      #expect(kept.hosts.map(\.outboundFlows) == state.hosts.map(\.outboundFlows))
      // The verdict is the one of the first time.
      #expect(!beacons(again).isEmpty)
      #expect(beacons(again).map(\.summary) == beacons(reports[23]).map(\.summary))

      let new = "\(folder)/new.log"
      try StateFixture.write(StateFixture.log([Row(time: 90_000), Row(time: 90_500)]), new)
      let (both, mixed) = try await StateFixture.run([paths[5], new], state)
      let (alone, only) = try await StateFixture.run([new], state)
      #expect(both.state?.repeatedInputs == 1 && alone.state?.repeatedInputs == 0)
      #expect(mixed?.pairs.map(\.counts.starts) == only?.pairs.map(\.counts.starts))
      #expect(mixed?.times == only?.times)
    }
  }

  private func hourlyRows() -> [Row] {
    StateFixture.calls(every: 1800, from: 60, to: 86_400)
      + (0..<480).map { n in
        Row(time: Double(n) * 180 + Double(n * n % 170), peer: "203.0.113.\(n % 50)", port: 443)
      }
  }

  /// A log that is still written to: only its new rows are added.
  @Test func aGrownLogAddsItsTail() async throws {
    try await StateFixture.withFolder { folder in
      let rows = hourlyRows().sorted { $0.time < $1.time }
      let log = "\(folder)/conn.log"
      try StateFixture.write(StateFixture.log(Array(rows.prefix(200))), log)
      let (_, first) = try await StateFixture.run([log], RollingState())
      try StateFixture.write(StateFixture.log(rows), log)
      let (report, grown) = try await StateFixture.run([log], first)
      #expect(report.warnings.contains { $0.contains("has grown since it was read") })
      let (_, whole) = try await StateFixture.run([log], RollingState())
      #expect(grown?.pairs.map(\.counts.starts) == whole?.pairs.map(\.counts.starts))
      #expect(grown?.pairs.map(\.counts.octetsIn) == whole?.pairs.map(\.counts.octetsIn))
      #expect(grown?.times == whole?.times)
    }
  }

  /// Hours in any order leave the same pairs, starts and days.
  @Test func lateHoursLandRightly() async throws {
    try await StateFixture.withFolder { folder in
      let paths = try hourly(hourlyRows(), in: folder)
      let inOrder = try await read(paths).state
      var order = paths
      order.swapAt(4, 20)
      order.append(order.remove(at: 10))
      let late = try await read(order).state
      #expect(late.times == inOrder.times)
      #expect(late.pairs.map(\.first) == inOrder.pairs.map(\.first))
      #expect(late.pairs.map(\.last) == inOrder.pairs.map(\.last))
      #expect(late.pairs.map(\.days) == inOrder.pairs.map(\.days))
      #expect(late.pairs.map(\.counts.starts) == inOrder.pairs.map(\.counts.starts))
      #expect(late.hosts.map(\.hours) == inOrder.hosts.map(\.hours))
      #expect(late.destinations == inOrder.destinations)
    }
  }

  /// An exporter cuts one long connection into records; that each hour's file has some is no hourly beacon.
  @Test func oneLongConnectionIsNoHourlyBeacon() async throws {
    try await StateFixture.withFolder { folder in
      var paths: [String] = []
      for hour in 0..<30 {
        let flows = (0..<20).map { n in
          let begins = StateFixture.start + Int64(hour * 3600 + n * 180)
          let time = Timestamp(seconds: begins).description.replacing("T", with: " ").prefix(26).replacing(
            "-", with: "/")
          return "\(time),179.9,tcp,192.168.10.7,50123,   ->,198.51.100.9,8081,CON,0,0,10,900,400,flow=x"
        }
        let path = "\(folder)/\(hour).binetflow"
        let head = "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,Label"
        try StateFixture.write(([head] + flows).joined(separator: "\n") + "\n", path)
        paths.append(path)
      }
      let (reports, state) = try await read(paths)
      let pair = try #require(state.pairs.first)
      #expect(pair.counts.starts == 1)
      #expect(reports.allSatisfy { beacons($0).isEmpty })
      // Its whole length is known though no file holds it.
      let quiet = try #require(reports.last).hosts.flatMap(\.findings).first { $0.detector == "quiet-channel" }
      let longest = try #require(quiet?.measures.first { $0.name == "longest" }?.value)
      #expect(longest > 29 * 3600 && longest <= 30 * 3600)
    }
  }

  /// Of a quick caller five hours of starts are kept; that it has called for days is known all the same.
  @Test func quickBeaconsArePersistent() async throws {
    try await StateFixture.withFolder { folder in
      let rows =
        StateFixture.calls(every: 300, from: 7, to: 40 * 3600)
        + (0..<800).map { Row(time: Double($0) * 180, peer: "203.0.113.\($0 % 20)", port: 443) }
      let reports = try await read(try hourly(rows, in: folder)).reports
      let share = reports.map { report in
        beacons(report).first?.measures.first { $0.name == "share_of_time_online" }?.value ?? 0
      }
      #expect(share[1...].allSatisfy { $0 > 0.9 }, "\(share)")
      #expect(beacons(try #require(reports.last)).first?.summary.contains("one every 5 min ± 0 %") == true)
    }
  }

  /// One attempt an hour at an address that is gone.
  @Test func deadRendezvousShowsOverRuns() async throws {
    try await StateFixture.withFolder { folder in
      let rows =
        StateFixture.calls(every: 3600, from: 100, to: 30 * 3600, state: "S0")
        + (0..<600).map { Row(time: Double($0) * 180, peer: "203.0.113.\($0 % 20)", port: 443) }
      let reports = try await read(try hourly(rows, in: folder)).reports
      let found = reports.map { $0.hosts.contains { $0.findings.contains { $0.detector == "dead-rendezvous" } } }
      #expect(found.firstIndex(of: true) == 19)
      #expect(found[19...].allSatisfy { $0 })
    }
  }

  @Test func boundsPushOutTheLeastRecentlySeen() async throws {
    try await StateFixture.withFolder { folder in
      let scan = (0..<300).map { Row(time: 7000 + Double($0), peer: "203.0.113.\($0 % 250)", port: 23, state: "S0") }
      let paths = try hourly(StateFixture.calls(every: 600, from: 0, to: 3000) + scan, in: folder)
      var bounds = RollingState.Bounds()
      bounds.pairsPerHost = 10
      bounds.destinations = 2
      let (_, first) = try await StateFixture.run([paths[0]], RollingState(), bounds: bounds)
      let (report, state) = try await StateFixture.run([paths[1]], first, bounds: bounds)
      let kept = try #require(state)
      // What was answered stays, though it is older than all attempts of the scan.
      #expect(kept.pairs.count == 10)
      #expect(kept.pairs.contains { $0.port == 8081 && $0.counts.starts == 5 })
      #expect(report.state?.evicted["pairs"] == 191)
      #expect(try StateFixture.json(report).contains("\"pairs\":191"))
      var narrow = bounds
      narrow.pairs = 3
      narrow.hosts = 1
      let other = "\(folder)/other.log"
      try StateFixture.write(StateFixture.log([Row(time: 9000, host: "192.168.10.8")]), other)
      let (_, last) = try await StateFixture.run([other], kept, bounds: narrow)
      #expect(last?.hosts.map(\.address.description) == ["192.168.10.8"])
      #expect(last?.pairs.count == 1)
      #expect(last?.evicted.hosts == 1)
    }
  }

  /// A record with a clock of the next century, or an input of last year, changes nothing that is kept.
  @Test func wrongClocksDoNotEmptyTheState() async throws {
    try await StateFixture.withFolder { folder in
      let (_, state) = try await read(try hourly(hourlyRows(), in: folder))
      let stray = "\(folder)/stray.log"
      var rows = (0..<3000).map { Row(time: 90_000 + Double($0), port: 443) }
      rows.append(Row(time: 2.4e9, peer: "203.0.113.99"))
      try StateFixture.write(StateFixture.log(rows), stray)
      let (report, kept) = try await StateFixture.run([stray], state)
      #expect(
        report.warnings.contains { $0.hasPrefix("state: 2 hosts or pairs") || $0.contains("far from all others") })
      #expect(try #require(kept).newestDay == state.newestDay + 1)
      #expect(try #require(kept).pairs.count == state.pairs.count + 1)
      for (time, word) in [(200.0 * 86_400, "days ahead"), (-200.0 * 86_400, "days older")] {
        let path = "\(folder)/\(word).log"
        try StateFixture.write(StateFixture.log([Row(time: time), Row(time: time + 60)]), path)
        let (report, after) = try await StateFixture.run([path], state)
        #expect(report.warnings.contains { $0.contains(word) })
        #expect(report.state?.isUpdated == false)
        #expect(StateFixture.bytes(try #require(after)) == StateFixture.bytes(state))
      }
    }
  }

  @Test func pairsAreForgottenAfterSixtyFourDays() async throws {
    try await StateFixture.withFolder { folder in
      var paths: [String] = []
      for day in [0, 40, 64] {
        let path = "\(folder)/\(day).log"
        try StateFixture.write(
          StateFixture.log([Row(time: Double(day) * 86_400, peer: "203.0.113.\(day)")]), path)
        paths.append(path)
      }
      let state = try await read(paths).state
      #expect(state.pairs.map(\.peer.description) == ["203.0.113.40", "203.0.113.64"])
      #expect(state.evicted.expiredPairs == 1)
      #expect(state.daysWithRecords == 2)
    }
  }
}
