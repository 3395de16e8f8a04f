import Foundation
import Testing

@testable import Mothlight

/// Rows between the table and the disk, when the process ends without a word.
@Suite struct RowsInFlightTests {
  private static func path() -> String { NSTemporaryDirectory() + "mothlight-rows-\(UInt64.random(in: .min ... .max))" }

  /// The hour turns, all rows leave the tables for a queue, the process is killed, the spool has got some of them.
  @Test func rowsOnTheirWayAreFoundAgain() throws {
    let path = Self.path()
    defer { try? FileManager.default.removeItem(atPath: path) }
    var sent: [Sighting] = []
    do {
      let first = try SinkholeFixture(path: path)
      for host in 0..<400 { first.udp(IPAddress(v4: 0xc633_6400 + UInt32(host))) }
      first.udp(try #require(IPAddress("2001:db8:1:2::3")))
      first.at(3600)
      first.tally.restartSweep()
      while !first.tally.sweep(slots: 4096) {}
      sent = first.sink.sightings
    }
    #expect(sent.count == 401)
    let second = try SinkholeFixture(path: path, at: SinkholeFixture.start + 3605)
    #expect(Set(second.tally.rowsInFlight()) == Set(sent))
    let kept = Set(sent.prefix(150))
    #expect(second.tally.writeAgain(unless: { kept.contains($0) }) == 251)
    #expect(Set(second.sink.sightings) == Set(sent).subtracting(kept))
    // Those are on their way now; the others are settled.
    #expect(Set(second.tally.rowsInFlight()) == Set(sent).subtracting(kept))
    #expect(second.tally.writeAgain(unless: { _ in true }) == 0)
    #expect(second.tally.rowsInFlight().isEmpty)
  }

  @Test func oldRowsAreNotAskedAbout() throws {
    let path = Self.path()
    defer { try? FileManager.default.removeItem(atPath: path) }
    do {
      let first = try SinkholeFixture(path: path)
      first.udp(v4("198.51.100.7"))
      #expect(first.tally.flush() && first.tally.rowsInFlight().count == 1)
      first.at(Int64(RowsInFlight.secondsMost) + 1)
    }
    let second = try SinkholeFixture(path: path, at: SinkholeFixture.start + 4000)
    #expect(second.tally.rowsInFlight().isEmpty)
  }

  @Test func theNewestRowsAreKeptWhenThereAreTooMany() {
    let memory = UnsafeMutableRawPointer.allocate(byteCount: RowsInFlight.octets, alignment: 8)
    defer { memory.deallocate() }
    memset(memory, 0, RowsInFlight.octets)
    let rows = RowsInFlight(memory)
    rows.isAlive(second: 100)
    for number in 0..<RowsInFlight.rows + 10 { rows.note(.init(key: UInt64(number), second: 100)) }
    let found = rows.unsettled()
    #expect(found.count == RowsInFlight.rows && found.first?.key == 10)
    #expect(found.last?.key == UInt64(RowsInFlight.rows + 9))
  }

  @Test func withoutRoomForAFileThatMayBeMissingItGoesOnInMemory() throws {
    let nowhere = Self.path() + "/none/tally"
    #expect(throws: ConfigurationError.self) { try SinkholeFixture(path: nowhere) }
    let fixture = try SinkholeFixture(path: nowhere) { $0.isPathOptional = true }
    #expect(fixture.tally.unkept?.contains("No such file or directory") == true)
    fixture.udp(v4("198.51.100.7"))
    #expect(fixture.tally.flush() && fixture.sink.sightings.count == 1)
    #expect(fixture.tally.rowsInFlight().isEmpty)
  }
}
