import Mothlight
import Testing

@testable import MothlightStation

@Suite struct QueryCountsTests {
  @Test func rowsPerResolverSubnetNameAndType() throws {
    var sink = try Sink()
    let ecs = WireQuery("a.seized00.test", 1, edns: 0).with { $0.options = [(8, [0, 1, 24, 0, 192, 0, 2])] }
    for _ in 0..<3 { _ = sink.octets(WireQuery("A.seized00.TEST", 1).octets) }
    _ = sink.octets(ecs.octets)
    _ = sink.octets(WireQuery("a.seized00.test", 28).octets)
    sink.context.source = IPAddress(v4: 1)
    sink.context.transport = .tcp
    _ = sink.octets(WireQuery("a.seized00.test", 1).octets)
    _ = sink.octets(WireQuery("outside.test", 1).octets)
    let hour = Int(SinkFixture.second / 3600)
    func row(_ resolver: IPAddress, _ subnet: ClientSubnet?, _ type: UInt16, _ count: UInt64, _ verified: UInt64)
      -> QueryCount
    {
      QueryCount(
        hour: hour, resolver: resolver, subnet: subnet, name: "a.seized00.test", type: type, family: "Mariposa",
        count: count, verified: verified)
    }
    let subnet = ClientSubnet(address: IPAddress(v4: 0xc000_0200), bits: 24)
    #expect(
      Set(sink.counts()) == [
        row(SinkFixture.source, nil, 1, 3, 0), row(SinkFixture.source, subnet, 1, 1, 0),
        row(SinkFixture.source, nil, 28, 1, 0), row(IPAddress(v4: 1), nil, 1, 1, 1),
      ])
    #expect(sink.counts() == [], "taken rows are gone")
  }

  @Test func longNamesCountForTheirZone() throws {
    var sink = try Sink()
    let long = String(repeating: "x", count: 63) + "." + String(repeating: "y", count: 40) + ".seized00.test"
    _ = sink.octets(WireQuery(long, 1).octets)
    #expect(sink.counts().map(\.name) == ["seized00.test"])
  }

  @Test func zonesAloneWhenAskedFor() throws {
    var sink = try Sink { $0.observes = .zones }
    for name in ["a.seized00.test", "b.seized00.test", "x.y.dga.test"] { _ = sink.octets(WireQuery(name, 1).octets) }
    #expect(Set(sink.counts().map { "\($0.name) \($0.count)" }) == ["seized00.test 2", "y.dga.test 1"])
  }

  /// More names than rows: first zones, then orders alone; the sum is exact all the same.
  @Test func fullTableLosesNoQuery() throws {
    var sink = try Sink()
    for i in 0..<10_000 {
      sink.context.source = IPAddress(v4: UInt32(0x0a00_0000 + i))
      _ = sink.octets(WireQuery("n\(i).seized00.test", 1).octets)
    }
    let rows = sink.counts()
    #expect(rows.reduce(0) { $0 + $1.count } == 10_000)
    #expect(rows.count < 1 << 12)
    #expect(rows.contains { $0.name == "seized00.test" })
    let last = try #require(rows.first { $0.resolver == .unspecified })
    #expect(last.family == "Mariposa" && last.name == "" && last.count > 6000)
    #expect(sink.answerer.counters.uncounted == last.count && sink.answerer.counters.coarselyCounted > last.count)
  }
}
