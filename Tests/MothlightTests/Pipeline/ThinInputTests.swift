import Testing

@testable import Mothlight

private typealias F = PipelineFixture

/// Too little, or from one side: the report says what cannot be known, whatever the verdict.
@Suite struct ThinInputTests {
  private func caveats(_ f: PipelineFixture, of host: IPAddress) throws -> String {
    try #require(f.verdict(of: host)).caveats.joined(separator: " ")
  }

  @Test func fiveMinutesCannotShowASlowCallHome() throws {
    var f = PipelineFixture()
    f.browsing(F.ours(5), hours: 0.15, visitsPerHour: 600)
    #expect(try caveats(f, of: F.ours(5)).contains("slow call-home cannot show"))
    var long = PipelineFixture()
    long.browsing(F.ours(5), hours: 6)
    #expect(try caveats(long, of: F.ours(5)).isEmpty)
  }

  @Test func onlyLookupsSayNothingOfConnections() throws {
    var f = PipelineFixture()
    for n in 0..<60 { f.lookup(Double(n) * 60, F.ours(5), "site\(n % 7).example.org", F.outside(9)) }
    let row = try #require(f.verdict(of: F.ours(5)))
    #expect(row.verdict == .notEnoughData)
    #expect(row.reason.contains("60 DNS look-ups"))
    #expect(row.caveats.contains { $0.contains("whom it then talked to") })
  }

  @Test func flowsWithoutLookupsHaveNoNames() throws {
    var f = PipelineFixture()
    for n in 0..<60 { f.flow(Double(n * n), F.ours(5), F.outside(UInt32(n % 9)), port: 443) }
    #expect(try caveats(f, of: F.ours(5)).contains("look-ups were not seen"))
  }

  @Test func oneDirectionAndSamplingAreSaid() throws {
    var oneSided = PipelineFixture()
    for n in 0..<60 { oneSided.flow(Double(n * n), F.ours(5), F.outside(UInt32(n % 9)), port: 443, state: .unanswered) }
    #expect(try caveats(oneSided, of: F.ours(5)).contains("own packets"))
    var sampled = PipelineFixture()
    sampled.isSampled = true
    sampled.browsing(F.ours(5), hours: 2)
    let row = try #require(sampled.verdict(of: F.ours(5)))
    #expect(row.verdict == .notEnoughData)
    #expect(row.caveats.contains { $0.contains("sampled") })
  }

  /// One address for a whole office: the verdict is about the address, and the report says so.
  @Test func aGatewayStandsForMany() throws {
    var f = PipelineFixture()
    f.browsing(F.ours(5), hours: 2)
    let systems = [
      "(Windows NT 10.0)", "(Macintosh; Intel Mac OS X)", "(iPhone; CPU iPhone OS)", "(X11; Linux x86_64)",
    ]
    for (n, system) in systems.enumerated() {
      let ends = Endpoints(
        client: F.ours(5), server: F.outside(80), clientPort: 4000, serverPort: 80, transport: .tcp)
      f.observations.append(
        Observation(
          time: f.start.advanced(bySeconds: Double(n) * 60),
          event: .http(
            HTTPExchange(ends: ends, method: "GET", host: "a.example", target: "/", userAgent: "Mozilla/5.0 \(system)"))
        ))
    }
    let row = try #require(f.verdict(of: F.ours(5)))
    #expect(row.roles == [.natGateway])
    #expect(row.caveats.contains { $0.contains("share this address") })
  }
}
