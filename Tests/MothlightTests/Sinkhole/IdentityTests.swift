import Foundation
import Testing

@testable import Mothlight

@Suite struct IdentityTests {
  private static let key = [UInt8](1...16)

  private func fixture(path: String? = nil, at second: Int64 = SinkholeFixture.start) throws -> SinkholeFixture {
    let key = try IdentityKey(Self.key)
    return try SinkholeFixture(path: path, at: second) {
      $0.identityKey = key
      $0.uniformOneIn = 1
      $0.identitiesMost = 4096
    }
  }

  private static func hello(_ id: String) -> [UInt8] { Array("lv|'|'|\(id)|'|'|ANNAS-PC|'|'|anna|'|'|[endof]".utf8) }

  private static func query(_ id: String) -> [UInt8] { Array("d1:ad2:id20:88888888\(id)e1:q4:ping1:t2:aa1:y1:qe".utf8) }

  @Test func machinesBehindOneAddressAreToldApart() throws {
    let fixture = try fixture()
    for (id, times) in [("SGFjS2VkX0FBQUE=", 3), ("SGFjS2VkX0JCQkI=", 1), ("SGFjS2VkX0NDQ0M=", 2)] {
      for _ in 0..<times { fixture.tcp(v4("192.0.2.7"), Self.hello(id), port: 1177) }
    }
    // Another message of the family that carries nothing.
    fixture.tcp(v4("192.0.2.7"), Array("P[endof]".utf8), port: 1177)
    fixture.tcp(v4("192.0.2.8"), Self.hello("SGFjS2VkX0FBQUE="), port: 1177)
    #expect(fixture.tally.flush())
    let rows = fixture.sink.sightings.sorted { $0.source < $1.source }
    #expect(rows.count == 2 && rows[0].count == 7 && rows[0].botnet == "njRAT")
    #expect(rows[0].identities.map(\.count).sorted() == [1, 2, 3])
    #expect(rows[0].identities.map(\.identity) == rows[0].identities.map(\.identity).sorted())
    // The same machine at another address.
    #expect(Set(rows[0].identities.map(\.identity)).isSuperset(of: rows[1].identities.map(\.identity)))
    #expect(fixture.tally.counters.identified == 7)
  }

  @Test func whatAnHourShowedLeavesWithItsRow() throws {
    let fixture = try fixture()
    fixture.udp(v4("192.0.2.7"), Self.query("aaaabbbbcccc"), port: 6881, family: "Mozi")
    fixture.at(3600)
    fixture.udp(v4("192.0.2.7"), Self.query("ddddeeeeffff"), port: 6881, family: "Mozi")
    #expect(fixture.tally.flush())
    #expect(fixture.tally.flush())
    #expect(fixture.sink.sightings.map { $0.identities.count } == [1, 1])
    #expect(fixture.sink.sightings[0].identities != fixture.sink.sightings[1].identities)
  }

  /// A weak row recognises in the zone of its family only, and so it identifies there only.
  @Test func whoIsNotRecognisedIsNotIdentified() throws {
    let fixture = try fixture()
    fixture.udp(v4("192.0.2.7"), Self.query("aaaabbbbcccc"), port: 6881)
    fixture.tcp(v4("192.0.2.8"), Self.hello("abc"), port: 1177)
    fixture.tcp(v4("192.0.2.9"), Self.hello("aaaaaaaa"), port: 1177)
    #expect(fixture.tally.flush())
    #expect(fixture.sink.sightings.count == 3 && fixture.sink.sightings.allSatisfy { $0.identities.isEmpty })
  }

  @Test func withoutAKeyNothingIsTaken() throws {
    let fixture = try SinkholeFixture()
    fixture.tcp(v4("192.0.2.7"), Self.hello("SGFjS2VkX0FBQUE="), port: 1177)
    #expect(fixture.tally.flush())
    #expect(fixture.tally.identities == nil && fixture.sink.sightings[0].identities.isEmpty)
  }

  @Test func anotherKeyOrFamilyGivesAnotherHash() throws {
    let key = try IdentityKey(Self.key)
    let other = try IdentityKey([UInt8](2...17))
    let value = Array("SGFjS2VkX0FBQUE=".utf8)
    #expect(key.hash(value, family: "njRAT") == key.hash(value, family: "njRAT"))
    #expect(key.hash(value, family: "njRAT") != other.hash(value, family: "njRAT"))
    #expect(key.hash(value, family: "njRAT") != key.hash(value, family: "Mozi"))
    #expect(throws: ConfigurationError.self) { try IdentityKey([1, 2, 3]) }
  }

  @Test func theFileCarriesTheHourOver() throws {
    let path = NSTemporaryDirectory() + "mothlight-identities-\(UInt64.random(in: .min ... .max))"
    defer { for end in ["", ".identities"] { try? FileManager.default.removeItem(atPath: path + end) } }
    do {
      let first = try fixture(path: path)
      for n in 0..<300 {
        first.tcp(IPAddress(v4: 0xc000_0200 + UInt32(n % 100)), Self.hello("machine-\(n)"), port: 1177)
      }
    }
    let second = try fixture(path: path, at: SinkholeFixture.start + 60)
    second.tcp(IPAddress(v4: 0xc000_0200), Self.hello("machine-0"), port: 1177)
    #expect(second.tally.flush())
    let rows = second.sink.sightings
    #expect(rows.count == 100 && rows.allSatisfy { $0.identities.count == 3 })
    #expect(rows.flatMap(\.identities).reduce(0) { $0 + Int($1.count) } == 301)
  }

  /// What identifies a machine is nowhere in the octets of a spool, nor in the tally's files: not as it came, not decoded.
  @Test func theIdentityItselfReachesNoDisk() throws {
    let path = NSTemporaryDirectory() + "mothlight-privacy-\(UInt64.random(in: .min ... .max))"
    defer { for end in ["", ".identities"] { try? FileManager.default.removeItem(atPath: path + end) } }
    try SpoolFixture.withFolder { folder in
      let node: [UInt8] = [0xf1, 0x02, 0xe3, 0x04, 0xd5, 0x06, 0xc7, 0x08, 0xb9, 0x0a, 0xab, 0x0c]
      let fixture = try fixture(path: path)
      for _ in 0..<5 {
        fixture.tcp(v4("192.0.2.7"), Self.hello("SGFjS2VkX0FBQUE="), port: 1177)
        fixture.tcp(v4("192.0.2.7"), Array("174\0ll|'|'|SGFjS2VkX0FBQUE=|'|'|ANNAS-PC".utf8), port: 1177)
        let query = Array("d1:ad2:id20:88888888".utf8) + node + Array("e1:q4:ping1:t2:aa1:y1:qe".utf8)
        fixture.udp(v4("192.0.2.8"), query, port: 6881, family: "Mozi")
      }
      #expect(fixture.tally.flush())
      #expect(fixture.sink.sightings.count { !$0.identities.isEmpty } == 2 && fixture.sink.samples.count > 5)
      let writer = try SpoolWriter(folder: folder, options: .init(sensor: "test"))
      for record in fixture.sink.records { writer.append(record) }
      writer.finish(now: Timestamp(seconds: SinkholeFixture.start + 60))
      let files = try FileManager.default.contentsOfDirectory(atPath: folder).map { "\(folder)/\($0)" }
      let secrets = [
        Array("SGFjS2VkX0FBQUE".utf8), Array("HacKed_AAAA".utf8), node, Array(node.prefix(4)), Array("ANNAS-PC".utf8),
        Array("anna".utf8),
      ]
      #expect(files.count >= 4)
      for file in files + [path, path + ".identities"] {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        #expect(!bytes.isEmpty || file.hasSuffix("lock"))
        for secret in secrets { #expect(bytes.range(of: Data(secret)) == nil, "\(file)") }
      }
    }
  }
}

@Suite struct IdentityTableTests {
  private func table(_ slots: Int = 1024) throws -> IdentityTable {
    try IdentityTable(slots: slots, path: nil, seed: 5, baseHour: 1)
  }

  /// Against a dictionary, with sources that meet in the table.
  @Test func itCountsAsADictionaryDoes() throws {
    let table = try table(2048)
    var truth: [UInt64: [UInt64: UInt32]] = [:]
    var random = RandomSource(seed: 2)
    for step in 0..<20_000 {
      let key = UInt64(random.int(below: 60))
      if step % 7 == 0 {
        let rows = table.take(key, isV4: true, botnet: 3, hour: 9)
        #expect(Dictionary(uniqueKeysWithValues: rows.map { ($0.identity, $0.count) }) == truth[key] ?? [:])
        truth[key] = nil
      } else {
        let identity = UInt64(random.int(below: 20) + 1)
        table.note(identity, of: key, isV4: true, botnet: 3, hour: 9)
        truth[key, default: [:]][identity, default: 0] += 1
      }
    }
    #expect(table.refused == 0 && table.count == truth.values.reduce(0) { $0 + $1.count })
  }

  @Test func botnetsHoursAndFamiliesOfAddressesAreApart() throws {
    let table = try table()
    table.note(7, of: 1, isV4: true, botnet: 3, hour: 9)
    table.note(7, of: 1, isV4: false, botnet: 3, hour: 9)
    table.note(7, of: 1, isV4: true, botnet: 4, hour: 9)
    table.note(7, of: 1, isV4: true, botnet: 3, hour: 10)
    #expect(table.take(1, isV4: true, botnet: 3, hour: 9) == [IdentityCount(identity: 7, count: 1)])
    #expect(table.count == 3)
    // What an earlier hour left goes with a later one.
    table.note(8, of: 1, isV4: true, botnet: 4, hour: 10)
    #expect(table.take(1, isV4: true, botnet: 4, hour: 10) == [IdentityCount(identity: 8, count: 1)])
    #expect(table.count == 2)
  }

  @Test func nobodyFillsIt() throws {
    let table = try table()
    for identity in 1...2000 as ClosedRange<UInt64> { table.note(identity, of: 1, isV4: true, botnet: 1, hour: 1) }
    #expect(table.count == Sighting.identitiesMost && table.refused == 2000 - UInt64(Sighting.identitiesMost))
    for key in 2...2000 as ClosedRange<UInt64> { table.note(1, of: key, isV4: true, botnet: 1, hour: 1) }
    #expect(table.count == 896)
    #expect(table.take(1, isV4: true, botnet: 1, hour: 1).count == Sighting.identitiesMost)
  }
}
