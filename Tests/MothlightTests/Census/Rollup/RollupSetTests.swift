import Testing

@testable import Mothlight

@Suite struct RollupSetTests {
  private struct TwoNetworks: NetworkDirectory {
    var origin: String { "test" }
    func records(of addresses: [IPAddress]) -> [NetworkRecord?] {
      addresses.map {
        $0.isV4 ? NetworkRecord(prefix: Prefix($0, length: 24), system: 64_500 + $0.v4 % 2, country: "KR") : nil
      }
    }
  }

  @Test func sightingsBecomeRows() throws {
    var set = RollupSet(keys: .published, networks: TwoNetworks())
    let sensor = try set.sensor("west")
    let sightings = (0..<3000).map(SpoolFixture.sighting)
    for sighting in sightings { set.add(.sighting(sighting), sensor: sensor) }
    set.finish()
    #expect(set.rollups.map(\.botnet).sorted() == ["Butterfly", "Mariposa"] && set.refused == 0)
    for rollup in set.rollups {
      let own = sightings.filter { $0.botnet == rollup.botnet }
      let victims = own.filter { $0.visitor == nil && $0.level >= .recognised }
      #expect(rollup.rows == UInt64(own.count) && rollup.sensors == ["west"])
      #expect(rollup.samplingFactor == own.map(\.samplingFactor).max())
      let dropped = rollup.dropped.values.reduce(0, +)
      #expect(dropped == UInt64(own.count - victims.count))
      for visitor in VisitorClass.allCases {
        let reason = try #require(RollupDrop(rawValue: visitor.name))
        #expect(rollup.dropped[reason] ?? 0 == UInt64(own.count { $0.visitor == visitor }))
      }
      let cells = rollup.hoursWithCells.flatMap { rollup.cells(ofHour: $0) }
      let contacts = cells.reduce(UInt64(0)) { $0 + $1.contacts[0] }
      #expect(contacts == victims.reduce(0) { $0 + UInt64($1.count) * UInt64($1.samplingFactor) })
      let systems = Set(cells.map(\.system))
      #expect(systems.subtracting([0]) == Set(victims.filter { $0.source.isV4 }.map { 64_500 + $0.source.v4 % 2 }))
      #expect(rollup.tags.tags.allSatisfy { $0.place.system == 0 || $0.place.timeZone == 9 })
      // What one source did is not multiplied.
      #expect(rollup.tags.tags.map(\.peakContacts).max() == victims.map(\.count).max())
    }
  }

  @Test func aSpoolIsRead() throws {
    try SpoolFixture.withFolder { folder in
      try SpoolFixture.write(folder, 400)
      var set = RollupSet(keys: .published)
      let reports = try set.read(SpoolReader(path: folder), sensor: "west")
      #expect(!reports.isEmpty && reports.allSatisfy { $0.damage == nil })
      let sightings = (0..<400).count { if case .sighting = SpoolFixture.record($0) { true } else { false } }
      #expect(set.rollups.reduce(0) { $0 + $1.rows } == UInt64(sightings))
      #expect(set.clockSteps.count == 1 && (set.recordsLost.first ?? 0) > 0)
    }
  }

  @Test func contactsAsTheyHappenCountInTheirMinute() throws {
    var set = RollupSet(keys: .published)
    let sensor = try set.sensor("west")
    let time = Timestamp(seconds: 490_000 * 3600 + 17 * 60 + 5)
    let checkIn = CheckIn(
      time: time, source: IPAddress(v4: 0x0b00_0001), sourcePort: 1, destination: .unspecified, destinationPort: 80,
      transport: .udp, family: "Mariposa", level: .repeated)
    set.add(checkIn, sensor: sensor)
    var stranger = checkIn
    stranger.level = .shaped
    set.add(stranger, sensor: sensor)
    stranger.time = Timestamp(seconds: -5)
    set.add(stranger, sensor: sensor)
    set.finish()
    #expect(set.refused == 1 && set.rollups.map(\.rows) == [2])
    #expect(set.rollups[0].minutes(ofHour: 490_000).map(\.minute) == [490_000 * 60 + 17])
    #expect(set.rollups[0].dropped == [.invalid: 1])
  }

  @Test func findingsOfNamedBotnetsAreRows() throws {
    var set = RollupSet(keys: .published)
    let sensor = try set.sensor("home")
    func finding(_ botnet: String?) -> Finding {
      Finding(
        card: PayloadRuleDetector.card, host: IPAddress(v4: 0x0a00_0005), subject: "x", summary: "x",
        first: Timestamp(seconds: 490_000 * 3600), last: Timestamp(seconds: 490_003 * 3600 + 9), logOdds: 9,
        measures: [],
        evidence: [], refutedBy: "x", botnet: botnet)
    }
    set.add(finding("Mariposa"), sensor: sensor)
    set.add(finding(nil), sensor: sensor)
    set.finish()
    #expect(set.refused == 1 && set.rollups.map(\.hoursWithCells) == [[490_000, 490_003]])
  }

  @Test func sensorsAndBotnetsAreBounded() throws {
    var set = RollupSet(keys: .published)
    for n in 0..<16 { #expect(try set.sensor("s\(n)") == n) }
    #expect(try set.sensor("s3") == 3)
    #expect(throws: SketchError.tooManySensors(17)) { try set.sensor("s16") }
    var sighting = SpoolFixture.sighting(1)
    for n in 0..<(RollupSet.botnetsMost + 5) {
      sighting.botnet = "b\(n)"
      set.add(sighting, sensor: 0)
    }
    sighting.botnet = ""
    set.add(sighting, sensor: 0)
    set.finish()
    #expect(set.rollups.count == RollupSet.botnetsMost && set.refused == 6)
  }

  /// A sensor that joins later has a place in the rollups that are there.
  @Test func laterSensorsJoin() throws {
    var set = RollupSet(keys: .published)
    let west = try set.sensor("west")
    var sighting = SpoolFixture.sighting(2)
    sighting.level = .recognised
    sighting.visitor = nil
    set.add(sighting, sensor: west)
    set.finish()
    set.add(sighting, sensor: try set.sensor("east"))
    set.finish()
    #expect(set.rollups.map(\.sensors) == [["west", "east"]])
    #expect(set.rollups[0].cells(ofHour: sighting.hour).map(\.rows) == [[1, 1]])
  }
}
