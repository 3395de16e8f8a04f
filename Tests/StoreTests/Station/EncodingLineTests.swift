import Mothlight
import Testing

@testable import MothlightStore

@Suite struct EncodingLineTests {
  private let names = NameHash(key: (1, 2))

  private func days(_ count: Int) -> [HostDay] {
    (0..<count).map { StationFixture.plain("10.0.\($0 / 250).\($0 % 250)", day: StationFixture.today) }
  }

  @Test(arguments: [0, 1, 128, 129, 1024, 3000])
  func everyDayComesOnceInOrder(_ count: Int) throws {
    let days = days(count)
    var hosts: [IPAddress] = []
    try EncodingLine(days, names).each { day in
      #expect(day.findings.count == day.day.findings.count)
      hosts.append(day.day.host)
    }
    #expect(hosts == days.map(\.host))
  }

  private struct Enough: Error {}

  /// The encoder stops when the writer has failed, wherever that is, and nothing waits for ever.
  @Test func anEarlyEndIsAnEnd() {
    let days = days(3000)
    for stop in [1, 127, 128, 1500, 2999] {
      var taken = 0
      #expect(throws: Enough.self) {
        try EncodingLine(days, names).each { _ in
          taken += 1
          if taken == stop { throw Enough() }
        }
      }
      #expect(taken == stop)
    }
  }

  /// The first four and the last of the reference implementation's vectors (vectors.h): octets 0, 1, 2... under the key 00, 01 ... 0f.
  @Test func theHashIsSipHash() {
    let hash = NameHash(key: (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908))
    let expected: [(Int, UInt64)] = [
      (0, 0x726f_db47_dd0e_0e31), (1, 0x74f8_39c5_93dc_67fd), (2, 0x0d6c_8009_d9a9_4f5a), (3, 0x8567_6696_d7fb_7e2d),
      (15, 0xa129_ca61_49be_45e5), (63, 0x958a_324c_eb06_4572),
    ]
    for (count, value) in expected {
      #expect((0..<count).map { UInt8($0) }.withUnsafeBytes { hash.hash($0) } == value, "\(count)")
    }
    #expect(hash.hash("ab", "c") != hash.hash("a", "bc"))
  }

  /// Two openings do not share a key.
  @Test func eachOpeningHasAKeyOfItsOwn() async throws {
    let hashes = try await [
      StationFixture.withStore { store, _ in store.file.names.hash("a", "b") },
      StationFixture.withStore { store, _ in store.file.names.hash("a", "b") },
    ]
    #expect(hashes[0] != hashes[1])
  }

  /// A writer that begins anew knows what the store holds: no subject stands twice.
  @Test func subjectsStandOnce() async throws {
    try await StationFixture.withFolder { folder in
      let path = folder + "/store.sqlite"
      for n in 0..<3 {
        let store = try StationStore.open(path, at: StationFixture.now)
        try await store.keep(days(300), run: "\(n)", at: StationFixture.now)
        let subjects = try store.file.read { try Prepared($0, "SELECT COUNT(*) FROM about").integer() }
        #expect(subjects == 1)
        store.close()
      }
    }
  }

  @Test func theMemoryForgetsTheOldest() {
    var memory = AboutMemory()
    for n in 0..<(1 << 21) as Range<UInt64> {
      memory.put(n, .init(id: Int64(n), lastDay: 1))
      if n % 1000 == 0 { #expect(memory.find(7)?.id == 7 || n < 7, "what is asked for stays") }
    }
    #expect(memory.find(8) == nil)
    #expect(memory.find((1 << 21) - 1)?.id == Int64(1 << 21) - 1)
  }
}
