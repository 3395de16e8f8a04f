import Foundation
import Testing

@testable import Mothlight

@Suite struct RollupFolderTests {
  private typealias Fixture = RollupFixture

  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mothlight-rollup-\(UUID().uuidString)")
      .path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  /// Written hour by hour with little in memory, read back as if it had never left.
  @Test func writtenInPartsIsWhole() throws {
    let rows = Fixture.rows(seed: 3, count: 3000).sorted { $0.hour < $1.hour }
    try withFolder { path in
      var folder = try RollupFolder(path)
      #expect(!folder.isWritten)
      var rollup = try Fixture.rollup([])
      for (number, row) in rows.enumerated() {
        rollup.add(row, minute: UInt8(row.address.v4 % 60))
        if number % 400 == 399 {
          try folder.write(&rollup, closingBefore: row.hour - 1)
          #expect(rollup.hours.closedOctets == 0 && rollup.hours.open.count <= 3)
        }
      }
      // A late row comes when its hour is on disk.
      rollup.add(rows[0])
      try folder.write(&rollup)
      #expect(
        folder.isWritten && rollup.hours.closedOctets + rollup.days.closedOctets + rollup.minutes.closedOctets == 0)
      let back = try RollupFolder(path).read()
      var whole = try Fixture.rollup(rows)
      whole.add(rows[0])
      #expect(Fixture.View(back) == Fixture.View(whole))
      let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
      #expect(names.contains("hours-2025-11-25.cells") && names.contains("days-2025-11.cells"), "\(names)")
      // To go on writing, cells need not be read.
      let state = try folder.read(keys: .published, withCells: false)
      #expect(state.hoursWithCells.isEmpty && state.tags == whole.tags && state.rows == whole.rows)
    }
  }

  @Test func tornEndsAndDamageCostThemselves() throws {
    let rows = Fixture.rows(seed: 3, count: 600, hours: 6)
    try withFolder { path in
      var rollup = try Fixture.rollup(rows)
      var folder = try RollupFolder(path)
      try folder.write(&rollup)
      let name = "\(path)/hours-2025-11-25.cells"
      let octets = try Data(contentsOf: URL(fileURLWithPath: name))
      try (octets + octets.prefix(50)).write(to: URL(fileURLWithPath: name))
      var told: [String] = []
      let torn = try folder.read { told.append($0) }
      #expect(told.count == 1 && told[0].hasPrefix(name) && torn.hoursWithCells.count == 6)
      // Another process goes on: the torn end goes, what follows is found.
      var next = try RollupFolder(path)
      rollup.add(CensusSighting(hour: Fixture.firstHour, address: IPAddress(v4: 0x0b00_ffff)))
      try next.write(&rollup)
      told = []
      let whole = try next.read { told.append($0) }
      #expect(told == [] && whole.rows == 601)
      var changed = octets
      changed[40] ^= 1
      try changed.write(to: URL(fileURLWithPath: name))
      #expect(try next.read { told.append($0) }.hoursWithCells.count == 5)
      #expect(told.count == 1)
    }
  }

  @Test func oldFilesAreDeleted() throws {
    try withFolder { path in
      var rollup = try Fixture.rollup([])
      var folder = try RollupFolder(path)
      for hour in [490_008, 490_008 + 24 * 120] as [UInt32] {
        for number in 0..<50 as Range<UInt32> {
          rollup.add(CensusSighting(hour: hour, address: IPAddress(v4: 0x0b00_0000 | number)), minute: 3)
        }
        try folder.write(&rollup)
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
      #expect(
        names == [
          "days-2025-11.cells", "days-2026-03.cells", "hours-2026-03-25.cells", "minutes-2026-03-25.cells",
          "state.rollup",
        ])
    }
  }

  /// A day that was written hour by hour is one part when its month is over, and reads the same.
  @Test func pastMonthsArePutTogether() throws {
    try withFolder { path in
      var rollup = try Fixture.rollup([])
      var folder = try RollupFolder(path)
      func write(_ hours: ClosedRange<UInt32>) throws {
        for hour in hours {
          for number in 0..<40 as Range<UInt32> {
            rollup.add(CensusSighting(hour: hour, address: IPAddress(v4: 0x0b00_0000 | number | hour << 8)))
          }
          try folder.write(&rollup)
        }
      }
      func octets() throws -> Int { try Data(contentsOf: URL(fileURLWithPath: "\(path)/days-2025-11.cells")).count }
      try write(490_008...490_020)
      let (parts, cells) = (try octets(), try folder.read().cells(ofDay: 20_417))
      try write(490_500...490_500)
      #expect(try octets() < parts)
      let back = try folder.read()
      #expect(back.cells(ofDay: 20_417) == cells && cells.map(\.rows) == [[13 * 40, 0]])
    }
  }

  @Test func absentAndUnwritableFoldersAreToldInOneLine() throws {
    try withFolder { path in
      #expect(throws: SketchError.self) { try RollupFolder("\(path)/no/such") }
      let folder = try RollupFolder(path)
      do throws(SketchError) {
        _ = try folder.read()
        Issue.record("an empty folder was read")
      } catch {
        #expect(error.description.hasPrefix("\(path)/state.rollup: ") && !error.description.contains("\n"))
      }
    }
  }
}
