import Foundation
import Testing

@testable import Mothlight

@Suite struct CheckInTallyTests {
  @Test func oneRowPerSourceBotnetAndHour() throws {
    let fixture = try SinkholeFixture()
    for second in [0, 240, 480, 3590] as [Int64] {
      fixture.at(second)
      fixture.udp(v4("198.51.100.7"))
    }
    fixture.udp(v4("198.51.100.8"))
    fixture.at(3605)
    fixture.udp(v4("198.51.100.7"))
    #expect(fixture.sink.sightings.count == 1)
    let row = try #require(fixture.sink.sightings.first)
    #expect(row.source == v4("198.51.100.7") && row.botnet == "Mariposa" && row.count == 4)
    #expect(
      row.first.seconds == Double(SinkholeFixture.start) && row.last.seconds == Double(SinkholeFixture.start + 3590))
    #expect(row.level == .repeated)
    while !fixture.tally.sweep(slots: 1000) {}
    #expect(fixture.sink.sightings.count == 2)
    #expect(fixture.tally.flush())
    #expect(fixture.sink.sightings.count == 3)
    #expect(fixture.sink.sightings.reduce(0) { $0 + $1.count } == 6)
    #expect(fixture.tally.flush())
    #expect(fixture.sink.sightings.count == 3)
  }

  @Test func botnetsOfOneSourceAreKeptApart() throws {
    let fixture = try SinkholeFixture()
    fixture.udp(v4("198.51.100.7"))
    fixture.tcp(v4("198.51.100.7"), Array("P[endof]".utf8), port: 1177)
    #expect(fixture.tally.flush())
    #expect(Set(fixture.sink.sightings.map(\.botnet)) == ["Mariposa", "njRAT"])
  }

  @Test func iPv6IsCountedByNetwork() throws {
    let fixture = try SinkholeFixture()
    for host in ["2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"] { fixture.udp(v4(host)) }
    #expect(fixture.tally.sources == 2)
    #expect(fixture.tally.flush())
    #expect(fixture.sink.sightings.map(\.source.description).sorted() == ["2001:db8:1:2::", "2001:db8:1:3::"])
  }

  /// Zone's or listener's family × payload rule.
  @Test func levelsComeFromPayloadAndFamily() throws {
    let fixture = try SinkholeFixture(families: ["a.dga.example": "conficker", "seized.example": "Sality"])
    let keepalive: [UInt8] = [1, 2, 3]
    fixture.udp(v4("198.51.100.1"), keepalive)
    fixture.udp(v4("198.51.100.2"), keepalive, family: "mariposa")
    fixture.udp(v4("198.51.100.3"), [9, 9], family: "Mariposa")
    fixture.udp(v4("198.51.100.4"), SinkholeFixture.join, family: "Ramnit")
    fixture.tcp(v4("198.51.100.5"), [], family: "Ramnit")
    fixture.tcp(v4("198.51.100.6"), SinkholeFixture.get("/search?q=7", host: "192.0.2.1"), family: "Conficker")
    fixture.tcp(v4("198.51.100.7"), SinkholeFixture.get("/x.png", host: "a.dga.example"))
    fixture.tcp(v4("198.51.100.8"), SinkholeFixture.get("/i/logo.gif?1a2b3c=-42&id=7"))
    #expect(fixture.tally.flush())
    let rows = Dictionary(uniqueKeysWithValues: fixture.sink.sightings.map { ($0.source.v4 & 255, $0) })
    #expect(rows[1]?.level == .shaped && rows[1]?.botnet == "")
    #expect(rows[2]?.level == .recognised && rows[2]?.botnet == "Mariposa")
    #expect(rows[3]?.level == .connected && rows[3]?.botnet == "Mariposa")
    #expect(rows[4]?.level == .recognised && rows[4]?.botnet == "Mariposa")
    #expect(rows[5]?.level == .connected && rows[5]?.botnet == "Ramnit")
    #expect(rows[6]?.level == .recognised && rows[6]?.botnet == "Conficker")
    #expect(rows[7]?.level == .shaped && rows[7]?.botnet == "Conficker")
    #expect(rows[8]?.level == .recognised && rows[8]?.botnet == "Sality")
  }

  @Test func firstSamplesOfADayAreKept() throws {
    let fixture = try SinkholeFixture()
    for step in 0..<10 {
      fixture.at(Int64(step) * 100)
      fixture.udp(v4("198.51.100.7"))
    }
    #expect(fixture.sink.samples.count == 3)
    fixture.at(24 * 3600)
    fixture.udp(v4("198.51.100.7"))
    #expect(fixture.sink.samples.count == 4)
  }

  @Test func samplesOfASecondAreBounded() throws {
    let fixture = try SinkholeFixture { $0.samplesPerSecond = 5 }
    for host in 0..<20 { fixture.udp(IPAddress(v4: 0xc633_6400 + UInt32(host))) }
    #expect(fixture.sink.samples.count == 5)
    #expect(fixture.tally.counters.samplesDeferred == 15)
    fixture.at(1)
    for host in 0..<20 { fixture.udp(IPAddress(v4: 0xc633_6400 + UInt32(host))) }
    #expect(fixture.sink.samples.count == 10)
  }

  @Test func aUniformSampleHasItsShare() throws {
    let fixture = try SinkholeFixture {
      $0.samplesPerDay = 0
      $0.uniformOneIn = 100
      $0.samplesPerSecond = .max
    }
    for _ in 0..<20_000 { fixture.udp(v4("198.51.100.7")) }
    // 200 expected, standard deviation 14.
    #expect((130...270).contains(fixture.sink.samples.count))
  }

  @Test func theClockDoesNotGoBack() throws {
    let fixture = try SinkholeFixture()
    fixture.at(100)
    fixture.udp(v4("198.51.100.7"))
    fixture.at(-5000)
    fixture.udp(v4("198.51.100.7"))
    #expect(fixture.tally.flush())
    let row = try #require(fixture.sink.sightings.first)
    #expect(fixture.sink.sightings.count == 1 && row.count == 2)
    #expect(row.last.seconds == Double(SinkholeFixture.start + 100))
    #expect(fixture.tally.counters.clockStepsBack == 1)
  }

  @Test func idleSourcesAreForgotten() throws {
    let fixture = try SinkholeFixture { $0.idleHours = 2 }
    fixture.udp(v4("198.51.100.7"))
    for hour in 1...3 {
      fixture.at(Int64(hour) * 3600)
      fixture.tally.restartSweep()
      while !fixture.tally.sweep(slots: 4096) {}
    }
    #expect(fixture.tally.sources == 0 && fixture.tally.counters.forgotten == 1)
    #expect(fixture.sink.sightings.count == 1)
  }

  /// The hour under way survives a process that ends without a word.
  @Test func theFileCarriesTheHourOver() throws {
    let path = NSTemporaryDirectory() + "mothlight-tally-\(UInt64.random(in: .min ... .max))"
    defer { try? FileManager.default.removeItem(atPath: path) }
    do {
      let first = try SinkholeFixture(path: path)
      for host in 0..<500 { first.udp(IPAddress(v4: 0xc633_6400 + UInt32(host))) }
      #expect(throws: ConfigurationError.self) { try SinkholeFixture(path: path) }
    }
    let second = try SinkholeFixture(path: path, at: SinkholeFixture.start + 60)
    #expect(second.tally.inherited == 500)
    second.udp(IPAddress(v4: 0xc633_6400))
    #expect(second.tally.flush())
    #expect(second.sink.sightings.count == 500)
    #expect(second.sink.sightings.reduce(0) { $0 + $1.count } == 501)
    #expect(second.sink.sightings.allSatisfy { $0.botnet == "Mariposa" && $0.level == .recognised })
  }

  @Test func aDamagedFileIsPutAside() throws {
    let path = NSTemporaryDirectory() + "mothlight-tally-\(UInt64.random(in: .min ... .max))"
    defer { for end in ["", ".damaged"] { try? FileManager.default.removeItem(atPath: path + end) } }
    do { _ = try SinkholeFixture(path: path) }
    let handle = try #require(FileHandle(forWritingAtPath: path))
    handle.write(Data(repeating: 0xff, count: 64))
    try handle.close()
    let fixture = try SinkholeFixture(path: path)
    #expect(fixture.tally.quarantined == path + ".damaged")
    #expect(fixture.tally.inherited == 0)
    fixture.udp(v4("198.51.100.7"))
    #expect(fixture.tally.sources == 1)
  }
}
