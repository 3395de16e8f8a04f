import Foundation
import Testing

@testable import Mothlight

@Suite struct SinkholeTallyTests {
  private func sighting(
    _ source: String, _ level: EvidenceLevel, _ visitor: VisitorClass? = nil, of botnet: String = "Mariposa"
  ) -> SpoolRecord {
    let start = SpoolFixture.start
    return .sighting(
      Sighting(
        source: IPAddress(source) ?? .unspecified, sourcePort: 1024, botnet: botnet, hour: UInt32(start.hour),
        firstSecond: 0, lastSecond: 60, count: 2, ports: [3431], transport: .udp, level: level, visitor: visitor))
  }

  @Test func sourcesAreCountedOnceByTheirHighestLevel() {
    var tally = SinkholeTally()
    for level in [EvidenceLevel.connected, .recognised, .shaped] { tally.add(sighting("240.0.0.1", level)) }
    tally.add(sighting("240.0.0.2", .repeated))
    tally.add(sighting("240.0.9.2", .connected))
    tally.add(sighting("240.0.9.3", .recognised, of: "Butterfly"))
    let s = tally.summed(networks: nil)
    #expect(s.botnets.map(\.name) == ["Mariposa", "Butterfly"])
    #expect(s.botnets[0].sources.byLevel == [1, 0, 1, 1])
    #expect(s.botnets[0].sources.infected == 2 && s.botnets[0].networks == 1)
    #expect(s.rows.first?.prefix.description == "240.0.0.0/24")
    #expect(s.rows.first?.sources.messages == 8)
  }

  @Test func visitorsAreKeptApartUntilAMachineIsSeenBehindThem() {
    var tally = SinkholeTally()
    tally.add(sighting("240.0.0.1", .recognised, .sandbox))
    tally.add(sighting("240.0.0.2", .connected, .scanner))
    tally.add(sighting("240.0.0.2", .recognised))
    let counts = tally.summed(networks: nil).botnets[0].sources
    #expect(counts.visitors == [.sandbox: 1])
    #expect(counts.infected == 1)
  }

  @Test func severalSensorsAreJoinedBySource() throws {
    var a = SinkholeTally()
    var b = SinkholeTally()
    b.add(sighting("240.0.0.9", .shaped, of: "Butterfly"))
    for tally in 0..<2 {
      let record = sighting("240.0.0.1", tally == 0 ? .shaped : .recognised)
      if tally == 0 { a.add(record) } else { b.add(record) }
    }
    let joined = try #require(SinkholeTally.joined([a, b])).summed(networks: nil)
    #expect(joined.botnets.first { $0.name == "Mariposa" }?.sources.byLevel == [0, 0, 1, 0])
    #expect(joined.records == 3)
  }

  @Test func whatASensorLostIsAdded() {
    var tally = SinkholeTally()
    var loss = SpoolLoss(from: SpoolFixture.start, to: SpoolFixture.start, code: 28)
    loss.sightings = 3
    loss.dnsCounts = 2
    tally.add(.notice(Notice(time: SpoolFixture.start, event: .kernelDrops(7))))
    tally.add(.notice(Notice(time: SpoolFixture.start, event: .lost(loss))))
    let s = tally.summed(networks: nil)
    #expect(s.kernelDrops == 7 && s.recordsLost == 5)
  }

  /// Who reads a spool while it is written is told why the running hour is not in it.
  @Test(arguments: ["table", "html"])
  func aSpoolThatIsStillWrittenSaysWhatItLacks(_ format: String) throws {
    for isOpen in [true, false] {
      var tally = SinkholeTally()
      tally.add([
        SpoolReader.SegmentReport(
          path: "s", sensor: "s", records: 0, isVerified: !isOpen, isOpen: isOpen, damage: nil, octets: 1,
          goodOctets: 1)
      ])
      var report = Report(version: "9.9")
      report.sinkhole = tally.summed(networks: nil)
      let text = try exported(format, report) { $0.width = 200 }
      let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      #expect(words.contains("lacks the running hour") == isOpen)
      #expect(words.contains("No source is in it yet.") == (format == "table"))
    }
  }

  private struct TwoNetworks: NetworkDirectory {
    var origin: String { "a test" }
    func records(of addresses: [IPAddress]) -> [NetworkRecord?] {
      addresses.map {
        $0.isV4 && $0.v4 < 0xf000_8000
          ? Prefix("240.0.0.0/17").map { NetworkRecord(prefix: $0, system: 64_512, systemName: "One", country: "ES") }
          : nil
      }
    }
  }

  @Test func networksAreNamedWhereTheyAreKnown() {
    var tally = SinkholeTally()
    for n in 0..<300 { tally.add(sighting("240.0.\(n % 100).\(n % 200 + 1)", .recognised)) }
    tally.add(sighting("240.0.200.1", .recognised))
    tally.add(sighting("2001:db8:1:2::", .recognised))
    let rows = tally.summed(networks: TwoNetworks()).rows
    #expect(rows.count == 3)
    #expect(rows[0].system == 64_512 && rows[0].country == "ES" && rows[0].sources.infected == 200)
    #expect(Set(rows.dropFirst().map(\.prefix.description)) == ["240.0.200.0/24", "2001:db8:1::/48"])
  }
}
