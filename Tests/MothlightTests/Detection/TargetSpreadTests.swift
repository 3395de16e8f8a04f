import Testing

@testable import Mothlight

@Suite struct TargetSpreadTests {
  private static let day: Int64 = 86_400_000_000_000

  private typealias Met = (nanoseconds: Int64, network: UInt32)

  private func densest(_ targets: [Met]) -> TargetSpread.Densest {
    var spread = TargetSpread()
    for (i, target) in targets.enumerated() {
      var pair = Pair(host: 0, peer: IPAddress(v4: target.network << 16), port: 23, transport: .tcp, isInside: false)
      pair.first = Timestamp(nanoseconds: 1_700_000_000_000_000_000 + target.nanoseconds)
      spread.add(pair, at: i)
    }
    return spread.densestDay()
  }

  @Test func nothingMetIsNothing() {
    #expect(densest([]).networks == 0 && densest([]).targets.isEmpty)
  }

  @Test func aDayHoldsItsLastMoment() {
    let both = densest([(0, 1), (Self.day, 2)])
    #expect(both.networks == 2 && both.targets.count == 2)
    let apart = densest([(0, 1), (Self.day + 1_000_000, 2)])
    #expect(apart.networks == 1 && apart.targets.map(\.network) == [1])
  }

  @Test func oneDayAndALongerTimeAreCountedAlike() {
    let met: [Met] = (0..<900).map { n in Met(Int64(n % 7) * 1_000_000_000, UInt32(n * 37 % 500)) }
    let short = densest(met)
    #expect(short.networks == 500 && short.targets.count == 900)
    let long = densest(met + [Met(3 * Self.day, 1)])
    #expect(long.networks == short.networks)
    #expect(long.targets.map(\.pair) == short.targets.map(\.pair))
  }

  @Test(arguments: [10, 600]) func networksOfBothProtocolsAreDifferent(count: UInt32) throws {
    let six = try #require(IPAddress("2001:db8::1"))
    var networks: [UInt32] = [0xffff, 0, six.network16, six.network16, IPAddress(v4: 0xffff_ffff).network16]
    for network in 0..<count { networks += [network, network] }
    #expect(DistinctNetworks.count(networks) == Int(count) + 2)
  }
}
