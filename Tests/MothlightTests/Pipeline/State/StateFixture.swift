import Foundation

@testable import Mothlight

/// Folders, logs and states for tests of what is kept between runs.
enum StateFixture {
  static let start: Int64 = 1_772_409_600  // 2026-03-02

  static func withFolder<T>(_ body: (String) async throws -> T) async throws -> T {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mothlight-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
  }

  /// One connection as a row of conn.log.
  struct Row {
    var time: Double
    var host = "192.168.10.7"
    var peer = "198.51.100.9"
    var port = 8081
    var sourcePort = 40_000
    var seconds = 1.0
    var state = "SF"
    var octets = (500, 900)
  }

  static func log(_ rows: [Row]) -> String {
    var text = """
      #separator \\x09
      #set_separator\t,
      #empty_field\t(empty)
      #unset_field\t-
      #path\tconn
      #fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\torig_pkts\tresp_pkts
      #types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tcount\tcount

      """
    for (n, row) in rows.enumerated() {
      let answered = row.state != "S0"
      let fields = [
        String(format: "%.6f", Double(start) + row.time), "C\(n)", row.host, "\(row.sourcePort + n % 20_000)",
        row.peer, "\(row.port)", "tcp", "-", "\(row.seconds)", "\(row.octets.0)", answered ? "\(row.octets.1)" : "0",
        row.state, "5", answered ? "5" : "0",
      ]
      text += fields.joined(separator: "\t") + "\n"
    }
    return text
  }

  /// Calls of one host, and enough else that it is seen.
  static func calls(every period: Double, from first: Double, to last: Double, state: String = "SF") -> [Row] {
    stride(from: first, to: last, by: period).map { Row(time: $0, state: state) }
  }

  static func write(_ text: String, _ path: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  /// One run, and what it leaves for the next.
  static func run(
    _ paths: [String], _ state: RollingState?, shards: Int = 1, bounds: RollingState.Bounds? = nil
  ) async throws -> (report: Report, state: RollingState?) {
    var options = ReadOptions()
    options.home = [Prefix("192.168.0.0/16")].compactMap { $0 }
    options.shards = shards
    options.state = state
    if let bounds { options.state?.bounds = bounds }
    var pipeline = try ReadPipeline(options)
    let report = await pipeline.run(InputQueue(paths: paths), version: "test")
    return (report, pipeline.stateToSave ?? options.state)
  }

  static func bytes(_ state: RollingState) -> [UInt8] {
    var all: [UInt8] = []
    state.encode(generation: 1) { all += $0 }
    return all
  }

  static func json(_ report: Report) throws -> String {
    var text = ""
    try ExporterRoster.make("json", ExporterSettings()).export(report) { text += $0 }
    return text
  }

  /// Logs of a simulated network, cut into an hour each: paths of the folders in order.
  static func hours(_ scenario: Scenario, in folder: String) throws -> [String] {
    _ = try Simulator(scenario).run(into: "\(folder)/whole")
    var byHour: [Int: [String: [Substring]]] = [:]
    var heads: [String: [Substring]] = [:]
    for name in ["conn", "dns", "http", "ssl"] {
      let text = try String(contentsOfFile: "\(folder)/whole/zeek/\(name).log", encoding: .utf8)
      for line in text.split(separator: "\n") {
        if line.hasPrefix("#") {
          if !line.hasPrefix("#close") { heads[name, default: []].append(line) }
        } else if let time = line.split(separator: "\t").first.flatMap({ Double($0) }) {
          byHour[Int(time / 3600), default: [:]][name, default: []].append(line)
        }
      }
    }
    return try byHour.keys.sorted().map { hour in
      let path = "\(folder)/hour-\(hour)"
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      for (name, rows) in byHour[hour] ?? [:] {
        try write(((heads[name] ?? []) + rows).joined(separator: "\n") + "\n", "\(path)/\(name).log")
      }
      return path
    }
  }

  /// A small state with something in every table.
  static func state(seed: UInt64 = 3) -> RollingState {
    var random = SeededGenerator(seed)
    func number(_ below: UInt64) -> UInt32 { UInt32(random.next() % below) }
    var state = RollingState()
    state.runs = 5
    state.first = UInt32(start)
    state.last = UInt32(start) + 9 * 86_400
    state.days = 0x3ff
    state.evicted = Evictions(pairs: 1, hosts: 2, destinations: 3, names: 4, expiredPairs: 5)
    state.hosts = (1...4).map { n in
      var host = RememberedHost(IPAddress(v4: 0xc0a8_0a00 + UInt32(n)))
      host.first = UInt32(start)
      host.last = state.last
      host.days = random.next()
      host.newestHour = state.last / 3600
      host.hours = random.next()
      host.outboundFlows = 1234
      host.lookups = 77
      host.mailReceived = 3
      return host
    }
    state.names = ["a.example", "b.example", "ß.example"].map {
      RememberedName(text: $0, seen: Acquaintance(first: 1, last: state.last, days: 7, users: 2, accused: 9))
    }
    state.destinations = (0..<5).map { n in
      RememberedDestination(
        address: IPAddress(v4: 0xc633_6400 + UInt32(n)),
        seen: Acquaintance(first: state.first, last: state.last, days: 1, users: 1, accused: 0))
    }
    for host in 0..<4 as Range<UInt32> {
      for n in 0..<6 as Range<UInt32> {
        var pair = RememberedPair(host: host, peer: IPAddress(v4: 0xc633_6400 + n), port: 443, transport: 6)
        pair.name = n < 3 ? n : RememberedPair.noName
        pair.first = UInt32(start)
        pair.last = state.last
        pair.counts.starts = 3 + n
        pair.counts.sizesOut.add(512)
        pair.counts.sizesIn.add(90)
        pair.recent[0] = KeptConversation(began: 10, last: 20, port: 30, hasEnded: false)
        pair.timesAt = UInt32(state.times.count)
        pair.timesCount = n * 3
        state.times += (0..<(n * 3)).map { _ in UInt32(start) + number(86_400) }.sorted()
        state.pairs.append(pair)
      }
    }
    state.inputs = [
      KnownInput(head: 1, octets: 2, print: InputPrint(high: 3, low: 4), records: 5, day: 6),
      KnownInput(head: 11, octets: 12, print: InputPrint(high: 13, low: 14), records: 15, day: 5),
    ]
    return state
  }
}
