import Testing

@testable import Mothlight

@Suite struct CensusRollupTests {
  private typealias Fixture = RollupFixture

  /// Cells beside books kept in plain sets.
  @Test func cellsHoldWhatRowsSay() throws {
    let rows = Fixture.rows(seed: 1, count: 4000)
    let rollup = try Fixture.rollup(rows)
    let invalid = rows.count { !$0.isValid }
    #expect(rollup.rows == 4000 && rollup.dropped == [.invalid: UInt64(invalid)])
    let valid = rows.filter(\.isValid)
    struct Place: Hashable { var period, system: UInt32 }
    for isDay in [false, true] {
      let books = Dictionary(grouping: valid) { Place(period: $0.hour / (isDay ? 24 : 1), system: $0.system) }
      var seen = 0
      for period in isDay ? rollup.daysWithCells : rollup.hoursWithCells {
        let cells = isDay ? rollup.cells(ofDay: period) : rollup.cells(ofHour: period)
        for system in Set(cells.map(\.system)) {
          let own = cells.filter { $0.system == system }
          let book = try #require(books[Place(period: period, system: system)])
          seen += 1
          let addresses = Set(book.map { TagKeys.published.unit(of: $0.address) })
          var union = HyperLogLog(precision: 12, keyID: TagKeys.published.id)
          for cell in own { union.formUnion(cell.sketch) }
          var expected = HyperLogLog(precision: 12, keyID: TagKeys.published.id)
          expected.insert(contentsOf: addresses)
          #expect(union == expected)
          for sensor in 0..<2 {
            let of = book.filter { $0.sensor == sensor }
            let contacts = of.reduce(UInt64(0)) { $0 + UInt64($1.contacts) }
            #expect(own.map { $0.rows[sensor] }.reduce(0, +) == UInt64(of.count))
            #expect(own.map { $0.contacts[sensor] }.reduce(0, +) == contacts)
          }
        }
      }
      #expect(seen == books.count)
    }
    let addresses = Set(valid.map(\.address)).count
    #expect(abs(rollup.total.estimate / Double(addresses) - 1) < 0.04)
    let tags = Set(valid.map { [UInt64($0.address.v4), $0.fingerprint] })
    #expect(rollup.tags.count == tags.count)
    let identities = Set(valid.filter { $0.identity != 0 }.map { [$0.identity, $0.fingerprint] })
    #expect(rollup.identities.count == identities.count)
  }

  /// Late rows land in their hour; closing in between changes nothing that can be read.
  @Test(arguments: 0..<3)
  func orderAndClosingLeaveNoTrace(_ seed: UInt64) throws {
    var random = RandomSource(seed: seed)
    let rows = Fixture.rows(seed: seed, count: 3000)
    let once = Fixture.View(try Fixture.rollup(rows))
    let shuffled = rows.shuffled(using: &random)
    #expect(try Fixture.View(Fixture.rollup(shuffled)) == once)
    // More parts of an hour than are kept apart.
    #expect(try Fixture.View(Fixture.rollup(shuffled, closingEvery: 211)) == once)
    var closed = try Fixture.rollup(rows)
    closed.close()
    #expect(Fixture.View(closed) == once)
    #expect(closed.hours.open.isEmpty && closed.days.open.isEmpty)
    #expect(closed.hours.closed.values.allSatisfy { $0.count <= CellStore.partsMost })
  }

  /// Little memory for open periods closes them early; what is read stays the same.
  @Test func littleMemoryForOpenPeriods() throws {
    var limits = RollupLimits()
    limits.openOctetsMost = 50_000
    let rows = Fixture.rows(seed: 4, count: 4000)
    let inOrder = try Fixture.rollup(rows.sorted { $0.hour < $1.hour }, limits: limits)
    #expect(inOrder.hours.open.count < 40 && inOrder.hours.closed.count > 5)
    #expect(inOrder.hours.openOctets + inOrder.minutes.openOctets < 2 * limits.openOctetsMost)
    let whole = try Fixture.View(Fixture.rollup(rows))
    #expect(Fixture.View(inOrder) == whole)
    #expect(try Fixture.View(Fixture.rollup(rows, limits: limits)) == whole)
  }

  @Test func windowsAreUnionsOfHours() throws {
    let rows = Fixture.rows(seed: 5, count: 3000)
    let rollup = try Fixture.rollup(rows, closingEvery: 1000)
    let window = (Fixture.firstHour + 7)...(Fixture.firstHour + 31)
    let wanted = rows.filter { $0.isValid && window.contains($0.hour) && $0.country == CountryCode("KR") }
    var expected = HyperLogLog(precision: 12, keyID: TagKeys.published.id)
    expected.insert(contentsOf: wanted.map { TagKeys.published.unit(of: $0.address) })
    #expect(rollup.addresses(hours: window) { country, _ in country == CountryCode("KR") } == expected)
  }

  @Test func minutesKnowTheirCountry() throws {
    let rows = Fixture.rows(seed: 6, count: 900, hours: 5)
    let rollup = try Fixture.rollup(rows, closingEvery: 400)
    let hour = Fixture.firstHour + 2
    let minutes = rollup.minutes(ofHour: hour)
    let own = rows.filter { $0.isValid && $0.hour == hour }
    let keys = own.map { [UInt32($0.address.v4 % 60), UInt32($0.country.raw)] }
    #expect(minutes.count == Set(keys).count)
    for minute in minutes {
      let number = UInt32(minute.minute - UInt64(hour) * 60)
      let of = own.filter { $0.address.v4 % 60 == number && $0.country == minute.country }
      let contacts = of.reduce(UInt64(0)) { $0 + UInt64($1.contacts) }
      #expect(minute.contacts.reduce(0, +) == contacts)
      let addresses = Double(Set(of.map(\.address)).count)
      #expect(abs(minute.sketch.estimate - addresses) < 1.5)
    }
  }

  @Test func rowsThatCannotBeAreCounted() throws {
    var rollup = try CensusRollup(botnet: "test", sensors: ["a"], keys: .published)
    let address = IPAddress(v4: 0x0b00_0001)
    rollup.add(CensusSighting(hour: 1, address: address))
    rollup.add(CensusSighting(hour: .max, address: address))
    rollup.add(CensusSighting(hour: 490_000, sensor: 3, address: address))
    rollup.add(CensusSighting(hour: 490_000, address: address), drop: .hosting)
    rollup.add(CensusSighting(hour: 490_000, address: address), minute: 255, drop: nil)
    #expect(rollup.rows == 5 && rollup.dropped == [.hour: 2, .sensor: 1, .hosting: 1])
    #expect(rollup.minutes(ofHour: 490_000).map(\.minute) == [490_000 * 60 + 59])
    #expect(rollup.rows(ofSensor: 0).given == 4 && rollup.rows(ofSensor: 0).dropped == [.hour: 2, .hosting: 1])
    #expect(rollup.rows(ofSensor: 7).given == 0)
    #expect(throws: SketchError.tooManySensors(17)) {
      try CensusRollup(botnet: "x", sensors: (0..<17).map(String.init), keys: .published)
    }
  }

  @Test func fullTablesAreCountedAndTheRestGoesOn() throws {
    var limits = RollupLimits()
    limits.cellsMost = 3
    limits.closedOctetsMost = 1
    var rollup = try CensusRollup(botnet: "test", sensors: ["a"], keys: .published, limits: limits)
    for system in 0..<10 as Range<UInt32> {
      rollup.add(CensusSighting(hour: 490_000, address: IPAddress(v4: 0x0b00_0000 | system), system: system))
    }
    #expect(rollup.cells(ofHour: 490_000).count == 3 && rollup.dropped == [.cells: 7])
    #expect(rollup.tags.count == 10)
    rollup.close()
    for system in 0..<3 as Range<UInt32> {
      rollup.add(CensusSighting(hour: 490_001, address: IPAddress(v4: 0x0b00_0000 | system), system: system))
    }
    rollup.close()
    #expect(rollup.hoursWithCells == [490_000] && (rollup.dropped[.memory] ?? 0) >= 3)
  }

  @Test func oldHoursExpireAndTheirDaysStay() throws {
    var rollup = try CensusRollup(botnet: "test", sensors: ["a"], keys: .published)
    func come(_ hour: UInt32, _ times: Int) {
      for number in 0..<times {
        rollup.add(CensusSighting(hour: hour, address: IPAddress(v4: 0x0b00_0000 | UInt32(number))), minute: 5)
      }
      rollup.close()
    }
    come(490_000, 40)
    come(490_000 + 49, 40)
    #expect(rollup.hoursWithCells == [490_000, 490_049])
    #expect(rollup.minutes(ofHour: 490_000).isEmpty && !rollup.minutes(ofHour: 490_049).isEmpty)
    // One row with a clock of next year moves nothing; many do.
    come(490_000 + 8760, 1)
    #expect(rollup.hoursWithCells == [490_000, 490_049, 498_760])
    come(490_000 + 8760, 40)
    #expect(rollup.hoursWithCells == [498_760])
    // A late row is in its day, though its hour is gone.
    come(490_001, 1)
    #expect(rollup.hoursWithCells == [498_760])
    #expect(rollup.daysWithCells == [20_416, 20_418, 20_781])
    #expect(rollup.cells(ofDay: 20_416).map(\.rows) == [[41]])
    rollup.expire(asOf: 600_000)
    #expect(rollup.hoursWithCells == [])
  }
}
