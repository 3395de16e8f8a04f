import Foundation
import Testing

@testable import Mothlight

/// Identities in the spool: they travel with their sighting, and neither old spools nor old readers mind.
@Suite struct SpoolIdentityTests {
  private func sighting(_ n: Int, identities: Int) -> Sighting {
    var sighting = SpoolFixture.sighting(n)
    sighting.identities = (0..<identities).map { IdentityCount(identity: .max - UInt64($0), count: UInt32($0 + 1)) }
    return sighting
  }

  @Test func theySurviveTheirEncoding() {
    var encoder = SpoolEncoder()
    var records: [SpoolRecord] = []
    for (n, count) in [0, 1, 3, 256, 0, 2].enumerated() {
      records.append(.sighting(sighting(n, identities: count)))
      records.append(SpoolFixture.record(n * 8 + 7))
    }
    for record in records { encoder.append(record) }
    #expect(encoder.records == records.count)
    var decoder = SpoolDecoder(encoder.octets.bytes)
    var back: [SpoolRecord] = []
    while let record = decoder.next() { back.append(record) }
    #expect(back == records && !decoder.isDamaged)
  }

  @Test func moreThanTheBoundAreCut() {
    var encoder = SpoolEncoder()
    encoder.append(.sighting(sighting(1, identities: 300)))
    var decoder = SpoolDecoder(encoder.octets.bytes)
    guard case .sighting(let back) = decoder.next() else {
      Issue.record("no sighting came back")
      return
    }
    #expect(back.identities.count == Sighting.identitiesMost && back.count == SpoolFixture.sighting(1).count)
  }

  /// A spool from before has no frame of the kind; a sighting without identities is written as it always was.
  @Test func withoutIdentitiesTheOctetsAreThoseOfBefore() {
    var encoder = SpoolEncoder()
    encoder.append(.sighting(SpoolFixture.sighting(1)))
    #expect(!kinds(encoder.octets.bytes).contains(SpoolEncoder.Kind.identities.rawValue))
    encoder.append(.sighting(sighting(2, identities: 1)))
    #expect(kinds(encoder.octets.bytes).filter { $0 == SpoolEncoder.Kind.identities.rawValue }.count == 1)
  }

  private func kinds(_ bytes: [UInt8]) -> [UInt8] {
    var cursor = SpoolCursor(bytes)
    var out: [UInt8] = []
    while let kind = cursor.take(1)?.first, let length = cursor.number(), cursor.take(Int(length)) != nil {
      out.append(kind)
    }
    return out
  }

  @Test func wrongIdentitiesAreDamage() {
    var encoder = SpoolEncoder()
    encoder.append(.sighting(sighting(1, identities: 2)))
    let good = encoder.octets.bytes
    var cursor = SpoolCursor(good)
    // Up to the frame of identities: its kind and length, then the number of them.
    var start = 0
    while let kind = cursor.take(1)?.first, kind != SpoolEncoder.Kind.identities.rawValue, let length = cursor.number()
    {
      _ = cursor.take(Int(length))
      start = cursor.at
    }
    for (offset, value) in [(2, UInt8(3)), (2, 0xff)] {
      var bad = good
      bad[start + offset] = value
      var decoder = SpoolDecoder(bad)
      #expect(decoder.next() == nil && decoder.isDamaged)
    }
    var zero = good
    for i in 0..<8 { zero[start + 3 + i] = 0 }
    var decoder = SpoolDecoder(zero)
    #expect(decoder.next() == nil && decoder.isDamaged)
  }

  @Test func theReportCountsMachinesBesideAddresses() throws {
    var tally = SinkholeTally()
    for host in 0..<4 as Range<UInt32> {
      var sighting = VictimFixture.sighting(VictimFixture.address(host), hour: 0)
      sighting.identities = [
        IdentityCount(identity: 1 + UInt64(host / 2), count: 1), IdentityCount(identity: 9, count: 1),
      ]
      tally.add(.sighting(sighting))
      sighting.visitor = .sandbox
      sighting.identities = [IdentityCount(identity: 100 + UInt64(host), count: 1)]
      tally.add(.sighting(sighting))
    }
    let botnet = tally.summed(networks: nil).botnets[0]
    #expect(botnet.identities == 3 && botnet.sources.infected == 4 && botnet.sources.addressDays == 4)
    var report = Report(version: "9.9")
    report.sinkhole = tally.summed(networks: nil)
    var text = ""
    try ExporterRoster.make("table", ExporterSettings()).export(report) { text += $0 }
    #expect(text.split(whereSeparator: \.isWhitespace).joined(separator: " ").contains("3 different machines by what"))
  }
}

extension RollupSetTests {
  /// Identities of a spool are those of the census: machines are counted by them (grade A), not by addresses.
  @Test func identitiesOfASpoolReachTheCensus() throws {
    var set = RollupSet(keys: .published)
    let sensor = try set.sensor("west")
    var sighting = VictimFixture.sighting(VictimFixture.address(1), hour: 0, count: 9)
    sighting.identities = [IdentityCount(identity: 5, count: 4), IdentityCount(identity: 6, count: 3)]
    set.add(sighting, sensor: sensor)
    set.finish()
    let rollup = try #require(set.rollups.first)
    // Two machines, and two messages that named nobody.
    #expect(rollup.rows == 3 && rollup.identities.tags.count == 2)
    let cells = rollup.hoursWithCells.flatMap { rollup.cells(ofHour: $0) }
    #expect(cells.reduce(UInt64(0)) { $0 + $1.contacts[0] } == 9)
  }

  /// From machines through their spool to the estimate: the truth lies in the interval, and grade A says by what it was counted.
  @Test(arguments: [(BotnetScenario.Identity.stable, CensusGrade.identities), (.none, .addresses)])
  func aSimulatedSpoolIsCountedByWhatItCarries(_ identity: BotnetScenario.Identity, _ grade: CensusGrade) throws {
    try SpoolFixture.withFolder { folder in
      let scenario = BotnetScenario(botnet: "Toy", seed: 4, days: 5, machines: 400, identity: identity)
      _ = try BotnetFiles(scenario).run(
        into: folder, sink: { try SpoolWriter(folder: $0, options: SpoolWriter.Options(sensor: $1)) })
      var set = RollupSet(keys: .published)
      _ = try set.read(SpoolReader(path: "\(folder)/spool-sinkhole"), sensor: "sinkhole")
      let rollup = try #require(set.rollups.first)
      let table = try #require(CensusTable(rollup, window: nil))
      let footprint = CensusEstimator(table, rules: CensusRules()).report(botnet: "Toy").footprint
      #expect(footprint.grade == grade)
      guard grade == .identities else { return }
      let truth = try String(contentsOfFile: "\(folder)/truth.csv", encoding: .utf8)
      let row = try #require(truth.split(separator: "\n").first { $0.hasPrefix("reached,window,,,") })
      let machines = try #require(Double(row.split(separator: ",").last ?? ""))
      let range = try #require(footprint.machines)
      #expect(range.low <= machines && machines <= range.high, "\(range) \(machines)")
    }
  }
}
