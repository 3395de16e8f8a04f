import Crypto
import Testing

@testable import Mothlight

@Suite struct StateFormatTests {
  private func sealed(_ body: some Collection<UInt8>) -> [UInt8] {
    Array(body) + Array(SHA256.hash(data: Array(body)))
  }

  @Test func whatIsWrittenIsRead() throws {
    let state = StateFixture.state()
    let bytes = StateFixture.bytes(state)
    #expect(UInt64(bytes.count) == state.octets)
    let (read, generation) = try RollingState.decode(bytes)
    #expect(generation == 1)
    #expect(read.hosts == state.hosts)
    #expect(read.names == state.names)
    #expect(read.destinations == state.destinations)
    #expect(read.pairs == state.pairs)
    #expect(read.times == state.times)
    #expect(read.inputs == state.inputs)
    #expect(read.evicted == state.evicted)
    #expect(StateFixture.bytes(read) == bytes)
  }

  /// The promise of docs/state.md.
  @Test func aPairTakesAtMostHalfAKibibyte() {
    #expect(StateFormat.pairOctets + StateFormat.timeOctets * RollingState.startsKept <= 512)
    #expect(MemoryLayout<RememberedPair>.stride + 4 * RollingState.startsKept <= 512)
    var one = RollingState()
    one.hosts = [RememberedHost(IPAddress(v4: 1))]
    let without = one.octets
    one.pairs = [RememberedPair(host: 0, peer: IPAddress(v4: 2), port: 3, transport: 6)]
    #expect(one.octets - without == UInt64(StateFormat.pairOctets))
  }

  /// Sizes out and in are of the same conversations; where one of them tells nothing, neither does.
  @Test func sizesThatContradictEachOtherTellNothing() throws {
    var state = StateFixture.state()
    var odd = 0
    for i in state.pairs.indices where i % 2 == 0 {
      state.pairs[i].counts.sizesIn = Pair.Moments(count: 2, mean: 90, m2: .infinity)
      odd += 1
    }
    #expect(odd > 0)
    let read = try RollingState.decode(StateFixture.bytes(state)).state
    #expect(read.pairs.count == state.pairs.count)
    for (i, pair) in read.pairs.enumerated() {
      let counts = state.pairs[i].counts
      #expect(pair.counts.sizesOut == (i % 2 == 0 ? Pair.Moments() : counts.sizesOut))
      #expect(pair.counts.sizesIn == (i % 2 == 0 ? Pair.Moments() : counts.sizesIn))
    }
  }

  @Test func everyCutIsRefused() {
    let bytes = StateFixture.bytes(StateFixture.state())
    for length in 0..<bytes.count {
      let cut = Array(bytes.prefix(length))
      #expect(throws: StateDefect.self) { try RollingState.decode(cut) }
    }
  }

  /// A checksum keeps accidents away, not enemies: with a right one, every cut and every changed octet must still do no harm.
  @Test func hostileFilesDoNotCrash() {
    let bytes = StateFixture.bytes(StateFixture.state())
    let body = Array(bytes.dropLast(32))
    var refused = 0
    for length in 0..<body.count {
      var cut = Array(body.prefix(length))
      // The length field agrees, too.
      if length >= 32 { for i in 0..<8 { cut[24 + i] = UInt8(truncatingIfNeeded: (length + 32) >> (8 * i)) } }
      if (try? RollingState.decode(sealed(cut))) == nil { refused += 1 }
    }
    #expect(refused == body.count)
    var random = SeededGenerator(99)
    var accepted = 0
    for position in body.indices {
      var changed = body
      changed[position] = [0, 0x7f, 0x80, 0xff, UInt8(truncatingIfNeeded: random.next())][Int(random.next() % 5)]
      guard let (state, _) = try? RollingState.decode(sealed(changed)) else { continue }
      accepted += 1
      _ = StateFixture.bytes(state)
    }
    #expect(accepted > 100)
  }

  /// What such a file says goes through a whole run as well.
  @Test func hostileStatesDoNotCrashARun() async throws {
    let body = Array(StateFixture.bytes(StateFixture.state()).dropLast(32))
    try await StateFixture.withFolder { folder in
      let log = "\(folder)/conn.log"
      var rows = StateFixture.calls(every: 600, from: 9 * 86_400, to: 9 * 86_400 + 7200)
      for i in rows.indices {
        rows[i].host = "192.168.10.\(1 + i % 4)"
        rows[i].peer = "198.51.100.\(i % 6)"
        rows[i].port = 443
      }
      try StateFixture.write(StateFixture.log(rows), log)
      var random = SeededGenerator(7)
      for round in 0..<150 {
        var changed = body
        for _ in 0..<(1 + round % 40) {
          let position = 32 + Int(random.next() % UInt64(body.count - 32))
          changed[position] = [0, 0xff, 0x80, UInt8(truncatingIfNeeded: random.next())][Int(random.next() % 4)]
        }
        guard let (state, _) = try? RollingState.decode(sealed(changed)) else { continue }
        let (report, next) = try await StateFixture.run([log], state)
        #expect(report.state != nil)
        if let next { _ = try RollingState.decode(StateFixture.bytes(next)) }
      }
    }
  }

  @Test func noiseIsRefused() {
    var random = SeededGenerator(5)
    for length in [0, 1, 7, 8, 31, 120, 151, 152, 153, 1000, 70_000] {
      let noise = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      #expect(throws: StateDefect.self) { try RollingState.decode(noise) }
      #expect(throws: StateDefect.self) { try RollingState.decode(sealed(noise)) }
    }
    #expect(throws: StateDefect.foreign) { try RollingState.decode(sealed([UInt8](repeating: 7, count: 200))) }
  }

  @Test func newerVersionsAreNamed() {
    var body = Array(StateFixture.bytes(StateFixture.state()).dropLast(32))
    body[8] = 2
    #expect(throws: StateDefect.newer(2)) { try RollingState.decode(sealed(body)) }
  }

  /// Tables that claim more than the file holds are refused before room is made for them.
  @Test func countsAreCheckedAgainstTheFile() {
    for field in 0..<6 {
      var body = Array(StateFixture.bytes(StateFixture.state()).dropLast(32))
      for i in 0..<4 { body[48 + field * 4 + i] = 0xff }
      #expect(throws: StateDefect.self) { try RollingState.decode(sealed(body)) }
    }
  }
}
