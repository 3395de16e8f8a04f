import Testing

@testable import Mothlight

/// Whoever makes a spool by hand can write any number into it; a report of nonsense is right then, a crash never.
@Suite struct HostileSpoolTests {
  @Test func sumsOfAnySizeDoNotTrap() {
    var a = SinkholeTally()
    let now = Timestamp(seconds: 1_772_409_600)
    for n: UInt32 in 0..<3 {
      a.add(
        .sighting(
          Sighting(
            source: IPAddress(v4: 0xc000_0200 + n), sourcePort: 1, botnet: "Mariposa", hour: .max, firstSecond: 0,
            lastSecond: 0, count: .max, ports: [], transport: .udp, level: .recognised)))
      var loss = SpoolLoss(from: now, to: now, code: 0)
      loss.sightings = .max
      a.add(.notice(Notice(time: now, event: .kernelDrops(.max))))
      a.add(.notice(Notice(time: now, event: .lost(loss))))
      a.add(
        .dnsCount(
          ResolverCount(resolver: IPAddress(v4: n), name: "a.example", type: 1, botnet: "", hour: .max, count: .max)))
    }
    let joined = SinkholeTally.joined([a, a])?.summed(networks: nil)
    #expect(joined?.records == 24)
    #expect(joined?.rows.map(\.sources.infected) == [3])
  }

  /// Names of files are an enemy's as well.
  @Test func numbersOutOfRangeAreNoSegments() {
    #expect(SpoolFolder.parse("18446744073709551615-sightings.sealed", .sightings) == nil)
    #expect(SpoolFolder.parse("9999999999-sightings.sealed", .sightings)?.sequence == 9_999_999_999)
  }
}
