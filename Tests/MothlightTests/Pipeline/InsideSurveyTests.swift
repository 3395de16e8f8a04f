import Testing

@testable import Mothlight

private typealias F = PipelineFixture

/// An authorised search for weak points inside, and what only looks like one.
@Suite struct InsideSurveyTests {
  private static let host = F.ours(9)
  private static let services: [UInt16] = [
    21, 22, 25, 80, 110, 135, 139, 443, 445, 873, 1433, 3306, 3389, 5432, 5900, 6379, 8080, 9200,
  ]

  private static func survey(machines: UInt32 = 40, services: Int = 18, hours: Double = 2) -> PipelineFixture {
    var f = PipelineFixture()
    for n in 0..<30 { f.flow(Double(n) * 200, host, F.outside(UInt32(n % 5)), port: 443) }
    let count = Double(machines) * Double(services)
    var tried = 0.0
    for machine in 0..<machines {
      for service in Self.services.prefix(services) {
        f.flow(
          tried / count * hours * 3600, host, F.ours(20 + machine), port: service,
          state: Int(tried) % 14 == 0 ? .closed : .refused, octets: (60, 60), packets: (1, 1))
        tried += 1
      }
    }
    return f
  }

  @Test func aSurveyIsAHintWithItsReason() throws {
    let f = Self.survey()
    let row = try #require(f.verdict(of: Self.host))
    #expect(row.roles.contains(.scanner))
    #expect(row.verdict == .noSign)
    let scan = try #require(row.findings.first { $0.detector == "scan-out" })
    #expect(scan.suppressions.map(\.kind) == [.role])
    #expect(scan.logOdds > 0)
    let undone = try #require(f.report(undone: [.role]).hosts.first { $0.host == Self.host })
    #expect(undone.verdict == .suspicious)
  }

  /// A worm's few ports, a port scan within minutes, a handful of machines.
  @Test(arguments: [(40, 4, 2.0), (40, 18, 0.2), (16, 18, 2.0)] as [(UInt32, Int, Double)])
  func whatOnlyLooksLikeOneStaysASign(machines: UInt32, services: Int, hours: Double) throws {
    let row = try #require(Self.survey(machines: machines, services: services, hours: hours).verdict(of: Self.host))
    #expect(!row.roles.contains(.scanner))
    #expect(row.verdict == .suspicious)
  }

  /// A person's machine that does the same, and meets many others later, is not a scanner by trade.
  @Test func aPersonsMachineHasNoSuchTrade() throws {
    var f = Self.survey()
    for n in 0..<90 as Range<UInt32> { f.flow(8000 + Double(n) * 70, Self.host, F.outside(900 + n), port: 443) }
    let row = try #require(f.verdict(of: Self.host))
    #expect(!row.roles.contains(.scanner))
    #expect(row.verdict == .suspicious)
  }

  /// The role speaks for what is inside; strangers outside are another matter.
  @Test func aScanOfStrangersIsNotSetAside() throws {
    var f = Self.survey()
    for n in 0..<40 as Range<UInt32> {
      f.flow(Double(n) * 90 + 5, Self.host, F.outside(3000 + n), port: 445, state: .unanswered, packets: (1, 0))
    }
    let row = try #require(f.verdict(of: Self.host))
    #expect(row.verdict >= .suspicious)
  }
}
