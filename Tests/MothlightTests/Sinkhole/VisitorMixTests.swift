import Testing

@testable import Mothlight

/// A day at a seized domain as published: more than 99 % of the addresses are no victims (Rezaeirad et al., USENIX
/// Security 2018). Truth is known, so what is called a victim can be counted.
@Suite struct VisitorMixTests {
  private struct Visit {
    var second: Int64
    var source: IPAddress
    var act: (SinkholeFixture, IPAddress) -> Void
  }

  private struct Mix {
    var visits: [Visit] = []
    var victims: Set<IPAddress> = []
    var sources: Set<IPAddress> = []
    private var random = RandomSource(seed: 2018)
    private var next: UInt32 = 0x1400_0000

    /// Another machine somewhere.
    mutating func source(in network: UInt32? = nil) -> IPAddress {
      next &+= UInt32.random(in: 1...97, using: &random)
      let address = IPAddress(v4: network.map { $0 | next & 0xffff } ?? next)
      sources.insert(address)
      return address
    }

    mutating func second(_ range: Range<Int64>) -> Int64 { Int64.random(in: range, using: &random) }
    mutating func pick<Value>(_ values: [Value]) -> Value { values[Int.random(in: values.indices, using: &random)] }

    mutating func add(_ second: Int64, _ source: IPAddress, _ act: @escaping (SinkholeFixture, IPAddress) -> Void) {
      visits.append(Visit(second: second, source: source, act: act))
    }

    /// A bot of the seized botnet: joins, then a keep-alive every four minutes or so while its machine is on.
    mutating func victim() {
      let source = source()
      victims.insert(source)
      var now = second(0..<60_000)
      let end = now + second(1800..<20_000)
      add(now, source) { $0.udp($1, family: "Mariposa") }
      while now < end {
        now += 240 + second(-12..<12)
        if second(0..<10) > 0 { add(now, source) { $0.udp($1, [1, 2, 3], family: "Mariposa") } }
      }
    }

    /// A bot with an HTTP channel, every twenty minutes.
    mutating func httpVictim() {
      let source = source()
      victims.insert(source)
      var now = second(0..<40_000)
      for _ in 0..<Int(second(6..<40)) {
        add(now, source) { $0.tcp($1, SinkholeFixture.get("/i/logo.gif?1a2b3c=-42&id=7"), family: "Sality") }
        now += 1200 + second(-60..<60)
      }
    }

    mutating func knocker() {
      add(second(0..<86_000), source()) { $0.tcp($1, [], family: "Mariposa") }
    }

    mutating func webScanner() {
      let (source, now) = (source(), second(0..<86_000))
      let agent = pick(["Mozilla/5.0 zgrab/0.x", "masscan/1.3", "curl/8.4.0", "python-requests/2.31"])
      add(now, source) { $0.tcp($1, SinkholeFixture.get("/", ["User-Agent: \(agent)"]), family: "Sality") }
    }

    /// Sends what it finds to every port, bot's words among it.
    mutating func portScanner() {
      let (source, now) = (source(), second(0..<80_000))
      for port in 0..<40 as Range<UInt16> {
        add(now + Int64(port), source) { $0.udp($1, SinkholeFixture.join, port: 1000 &+ port &* 131) }
      }
    }

    mutating func crawler() {
      let (source, start) = (source(), second(0..<50_000))
      for visit in 0..<6 as Range<Int64> {
        let target = visit == 0 ? "/robots.txt" : "/i/logo.gif?1a2b3c=-42&id=7"
        add(start + visit * 1200, source) {
          $0.tcp(
            $1, SinkholeFixture.get(target, ["User-Agent: Mozilla/5.0 (compatible; bingbot/2.0)"]), family: "Sality")
        }
      }
    }

    mutating func personFromPage() {
      let (source, now) = (source(), second(0..<86_000))
      let fields = ["User-Agent: Mozilla/5.0 (Windows NT 10.0)", "Accept: */*", "Referer: http://shop.example/"]
      add(now, source) { $0.tcp($1, SinkholeFixture.get("/js/count.php?1a2b3c=4", fields), family: "Sality") }
    }

    /// Runs samples of several botnets for some minutes each.
    mutating func sandbox() {
      let (source, start) = (source(), second(0..<80_000))
      for (step, family) in ["Mariposa", "Ramnit", "Virut", "Necurs", "Kelihos"].enumerated() {
        let now = start + Int64(step) * 100
        add(now, source) { fixture, source in
          if family == "Mariposa" {
            fixture.udp(source, family: family)
          } else {
            fixture.tcp(source, [], family: family)
          }
        }
      }
    }

    /// Real samples in a cloud, for hours.
    mutating func hostedSandbox() {
      let (source, start) = (source(in: 0x0d00_0000), second(0..<60_000))
      for step in 0..<20 as Range<Int64> { add(start + step * 240, source) { $0.udp($1, family: "Mariposa") } }
    }

    mutating func researcher() {
      let (source, start) = (source(in: 0xc058_0000), second(0..<60_000))
      for step in 0..<8 as Range<Int64> { add(start + step * 240, source) { $0.udp($1, family: "Mariposa") } }
    }
  }

  private func mix() -> Mix {
    var mix = Mix()
    for _ in 0..<45 { mix.victim() }
    for _ in 0..<15 { mix.httpVictim() }
    for _ in 0..<5000 { mix.knocker() }
    for _ in 0..<1500 { mix.webScanner() }
    for _ in 0..<40 { mix.portScanner() }
    for _ in 0..<120 { mix.crawler() }
    for _ in 0..<500 { mix.personFromPage() }
    for _ in 0..<40 { mix.sandbox() }
    for _ in 0..<25 { mix.hostedSandbox() }
    for _ in 0..<10 { mix.researcher() }
    return mix
  }

  @Test func victimsAreToldFromVisitors() throws {
    let mix = mix()
    #expect(Double(mix.victims.count) / Double(mix.sources.count) < 0.01)
    let networks = VisitorNetworks(
      researchers: [try #require(Prefix("192.88.0.0/16"))], hosting: [try #require(Prefix("13.0.0.0/16"))])
    let fixture = try SinkholeFixture(networks: networks)
    for visit in mix.visits.sorted(by: { $0.second < $1.second }) {
      fixture.at(visit.second)
      visit.act(fixture, visit.source)
    }
    #expect(fixture.tally.flush())
    var called: Set<IPAddress> = []
    var repeated: Set<IPAddress> = []
    var seen: Set<IPAddress> = []
    for row in fixture.sink.sightings {
      seen.insert(row.source)
      if VisitorJudgement.isVictim(row.visitor, level: row.level) { called.insert(row.source) }
      if row.visitor == nil, row.level == .repeated { repeated.insert(row.source) }
    }
    #expect(seen == mix.sources, "nobody is dropped")
    let right = called.intersection(mix.victims).count
    let (precision, recall) = (Double(right) / Double(called.count), Double(right) / Double(mix.victims.count))
    #expect(precision >= 0.95, "\(precision)")
    #expect(recall >= 0.98, "\(recall)")
    // The highest level alone is surer and loses little.
    #expect(repeated.isSubset(of: mix.victims))
    #expect(Double(repeated.count) / Double(mix.victims.count) >= 0.9)
  }
}
