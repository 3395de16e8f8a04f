import Foundation
import Synchronization
import Testing

@testable import Mothlight

@Suite struct NetworkDirectoryTests {
  private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

  private static func system(_ number: UInt32, _ name: String) -> MaxMindFixture.Value {
    .map([("autonomous_system_number", .number(number)), ("autonomous_system_organization", .text(name))])
  }

  private static func systems(wide: Bool = true) -> MaxMindFixture {
    var file = MaxMindFixture()
    file.isWide = wide
    file.add("192.0.2.0/24", system(64_500, "Example Net"))
    file.add("198.51.100.128/25", system(64_501, "Other Net"))
    if wide { file.add("2001:db8::/32", system(64_502, "Wide Net")) }
    return file
  }

  @Test(arguments: [true, false]) func systemsOfAMaxMindFile(wide: Bool) throws {
    try MaxMindFixture.withFile(Self.systems(wide: wide).octets) { path in
      let directory = try NetworkFiles.open(path)
      #expect(directory.origin == "test.mmdb of 2024-05-06")
      let found = directory.records(
        of: [try address("192.0.2.77"), try address("198.51.100.1"), try address("198.51.100.200")])
      try #require(found.count == 3)
      let prefix = Prefix(try address("192.0.2.0"), length: 24)
      #expect(found[0] == NetworkRecord(prefix: prefix, system: 64_500, systemName: "Example Net"))
      #expect(found[1] == nil)
      #expect(found[2]?.prefix.description == "198.51.100.128/25")
      let six = directory.records(of: [try address("2001:db8:1::5")])
      #expect(six.count == 1 && six[0]?.system == (wide ? 64_502 : nil))
    }
  }

  /// One file knows systems, the other countries; each gives what it has.
  @Test func twoFilesAreJoined() throws {
    var countries = MaxMindFixture()
    countries.add("192.0.2.0/25", .map([("country", .map([("iso_code", .text("LT"))]))]))
    countries.add("203.0.113.0/24", .map([("asn", .text("AS64510")), ("country_code", .text("NZ"))]))
    try MaxMindFixture.withFile(Self.systems().octets) { one in
      try MaxMindFixture.withFile(countries.octets) { two in
        let joined = try #require(try NetworkFiles.open([one, two]))
        let found = joined.records(of: [try address("192.0.2.7"), try address("203.0.113.9"), try address("10.0.0.1")])
        #expect(found.map { $0?.country } == ["LT", "NZ", nil])
        #expect(found.map { $0?.system } == [64_500, 64_510, nil])
        #expect(found[0]?.prefix.description == "192.0.2.0/25")
      }
    }
  }

  @Test func noFileIsNoDirectory() throws {
    let none = try NetworkFiles.open([String]())
    #expect(none == nil)
  }

  /// Text, a cut file, a file of nothing but the marker: one line each that names the file.
  @Test func otherFilesAreRefused() throws {
    let good = Self.systems().octets
    let marker: [UInt8] = [0xab, 0xcd, 0xef] + Array("MaxMind.com".utf8)
    for octets in [Array("no database".utf8), [], Array(good.prefix(40)), marker, Array("LOCDBXX\u{1}short".utf8)] {
      try MaxMindFixture.withFile(octets) { path in
        let error = #expect(throws: ConfigurationError.self) { _ = try NetworkFiles.open(path) }
        #expect(error?.message.contains(path) == true && error?.message.contains("\n") == false)
      }
    }
    #expect(throws: ConfigurationError.self) { _ = try NetworkFiles.open("missing/file.mmdb") }
  }

  /// Damage behind a good head gives no answers rather than wrong ones or a crash.
  @Test func damageIsSurvived() throws {
    let good = Self.systems().octets
    var random = SeededGenerator(7)
    for _ in 0..<200 {
      var bad = good
      for _ in 0..<4 { bad[Int(random.next() % UInt64(bad.count))] = UInt8(truncatingIfNeeded: random.next()) }
      try MaxMindFixture.withFile(bad) { path in
        guard let directory = try? NetworkFiles.open(path) else { return }
        let asked = [try address("192.0.2.77"), try address("2001:db8::1")]
        #expect(directory.records(of: asked).count == 2)
      }
    }
  }

  private final class Counting: NetworkDirectory {
    let origin = "counting"
    let asked = Mutex(0)
    func records(of addresses: [IPAddress]) -> [NetworkRecord?] {
      asked.withLock { $0 += addresses.count }
      return addresses.map { $0.v4 % 2 == 0 ? NetworkRecord(prefix: Prefix($0, length: 24), system: $0.v4) : nil }
    }
  }

  @Test func cacheAsksOnceAndStaysSmall() {
    let counting = Counting()
    let cached = CachedNetworks(counting, limit: 100)
    let addresses = (0..<60 as Range<UInt32>).map { IPAddress(v4: 0x2d00_0000 + $0) }
    let first = cached.records(of: addresses + addresses)
    #expect(first.count == 120 && first[0]?.system == 0x2d00_0000 && first[1] == nil)
    #expect(cached.records(of: addresses) == Array(first.prefix(60)))
    #expect(counting.asked.withLock { $0 } == 60)
    _ = cached.records(of: (0..<90 as Range<UInt32>).map { IPAddress(v4: 0x2e00_0000 + $0) })
    #expect(cached.forgotten == 60)
    #expect(cached.records(of: addresses) == Array(first.prefix(60)))
  }

  /// Debian's database, where it is installed; it is no part of the project.
  @Test(
    .enabled(
      if: NetworkFiles.standardPaths.contains { FileManager.default.isReadableFile(atPath: $0) },
      "libloc-database is not installed"))
  func debiansDatabase() throws {
    let directory = try NetworkFiles.open(NetworkFiles.standardWord)
    let found = directory.records(
      of: [try address("147.32.84.165"), try address("2001:718:2::1"), try address("10.1.2.3"), try address("8.8.8.8")])
    try #require(found.count == 4)
    // CESNET holds both; private space belongs to nobody.
    #expect(found[0]?.system == 2852 && found[0]?.country == "CZ" && found[0]?.systemName?.isEmpty == false)
    #expect(found[0].map { $0.prefix.address.isV4 && (8...24).contains($0.prefix.length) } == true)
    #expect(found[1]?.system == 2852)
    #expect(found[2]?.system == nil)
    #expect(found[3]?.system == 15_169)
  }

  @Test(
    .enabled(
      if: NetworkFiles.standardPaths.contains { FileManager.default.isReadableFile(atPath: $0) },
      "libloc-database is not installed"))
  func debiansDatabaseFromManyTasks() async throws {
    let directory = try NetworkFiles.open(NetworkFiles.standardWord)
    let addresses = (0..<500 as Range<UInt32>).map { IPAddress(v4: $0 &* 8_589_935) }
    let expected = directory.records(of: addresses)
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<4 { group.addTask { directory.records(of: addresses) == expected } }
      for await same in group { #expect(same) }
    }
  }
}
