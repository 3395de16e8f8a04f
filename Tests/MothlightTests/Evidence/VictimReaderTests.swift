import Foundation
import Testing

@testable import Mothlight

/// A spool of some days in which it is known who is a victim.
enum VictimFixture {
  static let start = SpoolFixture.start
  static func address(_ host: UInt32) -> IPAddress { IPAddress(v4: 0xcb00_7100 + host) }

  static func sighting(
    _ source: IPAddress, hour: Int, level: EvidenceLevel = .recognised, visitor: VisitorClass? = nil,
    transport: Transport = .tcp, of botnet: String = "Sality", count: UInt32 = 2
  ) -> Sighting {
    Sighting(
      source: source, sourcePort: UInt16(40_000 + hour), botnet: botnet, hour: UInt32(start.hour + hour),
      firstSecond: 60,
      lastSecond: 3000, count: count, ports: [80], transport: transport, level: level, visitor: visitor, ruleVersion: 77
    )
  }

  static func sample(
    _ source: IPAddress, second: Double, level: EvidenceLevel = .recognised, application: ApplicationShape = .raw,
    transport: Transport = .tcp, of botnet: String = "Sality"
  ) -> CheckIn {
    CheckIn(
      time: start.advanced(bySeconds: second), source: source, sourcePort: 55_555,
      destination: IPAddress(v4: 0xc000_0250),
      destinationPort: 8080, transport: transport, family: botnet, rule: "sality-rnd-id", level: level,
      application: application)
  }

  static let http = ApplicationShape.http(
    HTTPShapeSeen(
      method: "GET", host: "seized.example", target: "/?rnd=&id=", userAgent: "=HYPERLINK(\"x\")\u{202e}", bodyOctets: 0
    ))

  /// Hosts 1 to 3 are victims (1 on two days, 3 over HTTP), 4 a scanner in its second hour, 5 not recognised, 6 a victim over UDP; one
  /// IPv6 network.
  static let records: [SpoolRecord] = [
    .sighting(sighting(address(1), hour: 0)), .sighting(sighting(address(1), hour: 3, level: .repeated)),
    .sighting(sighting(address(2), hour: 1)), .sighting(sighting(address(4), hour: 1)),
    .sample(sample(address(3), second: 4 * 3600 + 17, application: http), .firstOfDay),
    .sample(sample(address(3), second: 4 * 3600 + 99, level: .shaped), .uniform),
    .sample(sample(v6, second: 5 * 3600 + 1), .firstOfDay),
    .sighting(sighting(address(4), hour: 2, visitor: .scanner)), .sighting(sighting(address(3), hour: 4)),
    .sighting(sighting(address(5), hour: 4, level: .shaped)),
    .sighting(sighting(IPAddress(high: v6.high, low: 0), hour: 5)),
    .sighting(sighting(address(6), hour: 5, transport: .udp, of: "Mariposa")),
    .sighting(sighting(address(1), hour: 26)),
  ]
  static let v6 = IPAddress(high: 0x2001_0db8_0001_0002, low: 0x0000_0000_0000_00aa)

  static func write(_ records: [SpoolRecord], to folder: String) throws {
    let writer = try SpoolWriter(folder: folder, options: .init(sensor: "test"))
    // Sightings are written in the hour after theirs.
    for record in records.sorted(by: { ($0.time ?? start) < ($1.time ?? start) }) {
      if let time = record.time { writer.flush(now: time.advanced(bySeconds: 900)) }
      writer.append(record)
    }
    writer.finish(now: start.advanced(bySeconds: 28 * 3600))
  }

  static func withSpool(_ records: [SpoolRecord] = VictimFixture.records, _ body: (String) throws -> Void) throws {
    try SpoolFixture.withFolder { folder in
      try write(records, to: folder)
      try body(folder)
    }
  }

  static func read(_ folder: String, _ choice: VictimChoice = VictimChoice(), networks: (any NetworkDirectory)? = nil)
    throws -> (victims: [Victim], counts: VictimReader.Counts)
  {
    var victims: [Victim] = []
    let counts = try VictimReader(spools: [folder], networks: networks).read(choice) { victims += $0 }
    return (victims, counts)
  }

  /// The first 128 addresses of the documentation network belong to one system, the rest to another.
  struct TwoSystems: NetworkDirectory {
    var origin: String { "a test" }
    func records(of addresses: [IPAddress]) -> [NetworkRecord?] {
      addresses.map { address in
        guard address.isV4 else { return nil }
        let isFirst = address.v4 & 0xff < 3
        return NetworkRecord(
          prefix: Prefix(address, length: 25), system: isFirst ? 64_500 : 64_501, systemName: "Net, \"one\"",
          country: "ES")
      }
    }
  }

  static func report(_ folder: String, networks: (any NetworkDirectory)? = nil) -> Report {
    var report = Report(version: "9.9")
    var tally = SinkholeTally()
    _ = try? SpoolReader(path: folder).read { tally.add($0) }
    report.sinkhole = tally.summed(networks: networks)
    report.victims = VictimReader(spools: [folder], networks: networks)
    return report
  }
}

@Suite struct VictimReaderTests {
  @Test func oneRowForEachSourceBotnetAndDay() throws {
    try VictimFixture.withSpool { folder in
      let (victims, counts) = try VictimFixture.read(folder)
      let day = VictimFixture.start.day
      #expect(victims.map(\.day) == [day, day, day, day, day, day + 1])
      #expect(
        victims.map(\.source) == [1, 2, 3, 6].map { VictimFixture.address($0) } + [
          VictimFixture.v6, VictimFixture.address(1),
        ])
      #expect(counts == VictimReader.Counts(rows: 6, visitors: 1, belowLevel: 1))
      #expect(victims[0].count == 4 && victims[0].level == .repeated)
      // The last check-in of the day: its port belongs to its time.
      #expect(
        victims[0].sourcePort == 40_003 && victims[0].time == VictimFixture.start.advanced(bySeconds: 3 * 3600 + 3000))
      #expect(victims[0].first == VictimFixture.start.advanced(bySeconds: 60))
      #expect(victims.allSatisfy { $0.sourcePort > 0 })
    }
  }

  @Test func aCheckInThatWasKeptWholeGivesAllItsParts() throws {
    try VictimFixture.withSpool { folder in
      let victim = try #require(try VictimFixture.read(folder).victims.first { $0.source == VictimFixture.address(3) })
      #expect(victim.time == VictimFixture.start.advanced(bySeconds: 4 * 3600 + 17) && victim.sourcePort == 55_555)
      #expect(victim.destination == IPAddress(v4: 0xc000_0250) && victim.destinationPort == 8080)
      #expect(victim.application == VictimFixture.http && victim.rule == "sality-rnd-id" && victim.count == 2)
    }
  }

  @Test func theOperatorChoosesLevelAndRecipient() throws {
    try VictimFixture.withSpool { folder in
      #expect(try VictimFixture.read(folder, VictimChoice(leastLevel: .repeated)).victims.count == 1)
      #expect(try VictimFixture.read(folder, VictimChoice(leastLevel: .shaped)).counts.rows == 7)
      // Who only connected is never told of.
      #expect(try VictimFixture.read(folder, VictimChoice(leastLevel: .connected)).counts.rows == 7)
      let system = VictimChoice(recipient: .init(systems: [64_501]))
      let (victims, counts) = try VictimFixture.read(folder, system, networks: VictimFixture.TwoSystems())
      #expect(victims.map(\.source) == [VictimFixture.address(3), VictimFixture.address(6)] && counts.elsewhere == 4)
    }
  }

  /// No row goes to a recipient whose networks do not cover it, whatever they are.
  @Test func noRowGoesToAnotherNetwork() throws {
    var random = RandomSource(seed: 11)
    var records: [SpoolRecord] = []
    for hour in 0..<48 {
      for _ in 0..<20 {
        let source = IPAddress(v4: 0xcb00_0000 | UInt32(truncatingIfNeeded: random.next()) & 0xffff)
        records.append(.sighting(VictimFixture.sighting(source, hour: hour)))
      }
    }
    try VictimFixture.withSpool(records) { folder in
      let all = try VictimFixture.read(folder).counts.rows
      for _ in 0..<20 {
        let prefixes = (0..<3).map { _ in
          Prefix(
            IPAddress(v4: 0xcb00_0000 | UInt32(truncatingIfNeeded: random.next()) & 0xffff),
            length: 18 + random.int(below: 8))
        }
        let (victims, counts) = try VictimFixture.read(folder, VictimChoice(recipient: .init(prefixes: prefixes)))
        #expect(victims.allSatisfy { victim in prefixes.contains { $0.contains(victim.source) } })
        #expect(counts.rows + counts.elsewhere == all)
      }
    }
  }

  @Test func withoutRoomNothingIsLost() throws {
    let records: [SpoolRecord] = (0..<400).map { n in
      .sighting(VictimFixture.sighting(VictimFixture.address(UInt32(n % 200)), hour: n / 10))
    }
    try VictimFixture.withSpool(records) { folder in
      var whole: [Victim] = []
      var parts: [Victim] = []
      _ = try VictimReader(spools: [folder], networks: nil).read(VictimChoice()) { whole += $0 }
      let counts = try VictimReader(spools: [folder], networks: nil, rowsMost: 30).read(VictimChoice()) { parts += $0 }
      #expect(counts.early > 0 && parts.count >= whole.count)
      #expect(Set(parts.map(\.source)) == Set(whole.map(\.source)))
      #expect(parts.reduce(0) { $0 + $1.count } == whole.reduce(0) { $0 + $1.count })
    }
  }

  @Test func severalSpoolsAreOne() throws {
    try VictimFixture.withSpool(Array(VictimFixture.records.prefix(4))) { one in
      try VictimFixture.withSpool(Array(VictimFixture.records.dropFirst(4))) { other in
        var victims: [Victim] = []
        let counts = try VictimReader(spools: [one, other], networks: nil).read(VictimChoice()) { victims += $0 }
        #expect(counts == VictimReader.Counts(rows: 6, visitors: 1, belowLevel: 1))
      }
    }
  }
}
