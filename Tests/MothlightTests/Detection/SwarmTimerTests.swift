import Testing

@testable import Mothlight

private typealias F = PipelineFixture

/// A timer on a peer-to-peer host: the swarm's own, or something else's.
@Suite struct SwarmTimerTests {
  private static let host = F.ours(7)
  private static let server = F.outside(5000)

  /// A person's machine that shares files: strangers on odd ports, once or twice each.
  private static func sharer(hours: Double = 20) -> PipelineFixture {
    var f = PipelineFixture()
    f.browsing(host, hours: hours)
    for n in 0..<120 as Range<UInt32> {
      let second = Double(n) / 120 * hours * 3600
      f.flow(
        second, host, F.outside(6000 + n), port: 20_000 + UInt16(n) * 7, transport: n % 3 == 0 ? .tcp : .udp,
        state: n % 2 == 0 ? .closed : .unanswered, octets: (UInt64(200 + n * 31), UInt64(400 + n * 977)))
    }
    return f
  }

  private static func call(
    _ f: inout PipelineFixture, _ peer: IPAddress, every period: Double, count: Int, port: UInt16 = 4460,
    transport: Transport = .tcp, state: ConnectionState = .closed,
    octets: (Int) -> (UInt64, UInt64) = { _ in (320, 480) }
  ) {
    for n in 0..<count {
      let drift = Double((n * 37) % 11 - 5) / 100 * period
      f.flow(
        60 + Double(n) * period + drift, host, peer, port: port, transport: transport, state: state, octets: octets(n))
    }
  }

  private static func timer(_ f: PipelineFixture, to peer: IPAddress) throws -> Finding {
    let report = f.report()
    let all = report.hosts.flatMap(\.findings) + report.hidden.map(\.finding)
    return try #require(all.first { $0.detector == "beacon" && $0.peer == peer })
  }

  @Test func aLoneTimerIsNotTheSwarms() throws {
    var f = Self.sharer()
    Self.call(&f, Self.server, every: 1800, count: 40)
    let row = try #require(f.verdict(of: Self.host))
    #expect(row.roles.contains(.peerToPeer))
    #expect(row.verdict == .suspicious)
    #expect(try Self.timer(f, to: Self.server).suppressions.isEmpty)
  }

  @Test(arguments: [1, 2, 3, 6] as [UInt32]) func peersAskedAlikeTakeItOff(others: UInt32) throws {
    var f = Self.sharer()
    Self.call(&f, Self.server, every: 1800, count: 40, port: 4460, transport: .udp)
    for n in 0..<others {
      Self.call(
        &f, F.outside(7000 + n), every: 900, count: 80, port: 30_000 + UInt16(n), transport: .udp,
        octets: { _ in (300, 300) })
    }
    let timer = try Self.timer(f, to: Self.server)
    #expect(timer.suppressions.map(\.kind) == [.role])
    #expect(timer.suppressions.first?.nats == min(3, Double(others)))
  }

  /// Messages of another kind, another transport: another program.
  @Test func otherTimersOfTheSwarmSayNothingAboutIt() throws {
    var f = Self.sharer()
    Self.call(&f, Self.server, every: 1800, count: 40)
    for n in 0..<4 as Range<UInt32> {
      Self.call(&f, F.outside(7000 + n), every: 900, count: 80, port: 30_000 + UInt16(n), transport: .udp)
      Self.call(
        &f, F.outside(7100 + n), every: 900, count: 80, port: 31_000 + UInt16(n), octets: { _ in (5_000, 90_000) })
    }
    #expect(try Self.timer(f, to: Self.server).suppressions.isEmpty)
  }

  enum Swarmlike: CaseIterable { case dead, transfer, minutes, usualPort }

  @Test(arguments: Swarmlike.allCases) func whatSwarmsDoStaysTheirs(_ kind: Swarmlike) throws {
    var f = Self.sharer(hours: kind == .minutes ? 0.5 : 20)
    switch kind {
    case .dead: Self.call(&f, Self.server, every: 1800, count: 40, state: .unanswered)
    case .transfer:
      Self.call(
        &f, Self.server, every: 1800, count: 40, octets: { n in (UInt64(300 + n * n * 90), UInt64(9_000 + n * 7_777)) })
    case .minutes: Self.call(&f, Self.server, every: 10, count: 90)
    case .usualPort: Self.call(&f, Self.server, every: 1800, count: 40, port: 6881)
    }
    let timer = try Self.timer(f, to: Self.server)
    let role = try #require(timer.suppressions.first { $0.kind == .role })
    #expect(role.nats == 3 || timer.logOdds == 0)
  }

  /// Among many nameless services one looks regular by chance, so a doubtful timer says less there; a clear one does not.
  @Test func aDoubtfulTimerAmongManyLooksSaysLess() {
    #expect(BeaconDetector.bareTimer(8, looks: 1) > BeaconDetector.bareTimer(8, looks: 20) + 2)
    #expect(abs(BeaconDetector.bareTimer(40, looks: 1) - BeaconDetector.bareTimer(40, looks: 200)) < 0.01)
    #expect(BeaconDetector.bareTimer(200, looks: 1) <= 5)
    #expect(BeaconDetector.bareTimer(8, looks: .max) >= 0)
    var last = -1.0
    for score in stride(from: 8.0, through: 60, by: 1) {
      let weight = BeaconDetector.bareTimer(score, looks: 10)
      #expect(weight >= last)
      last = weight
    }
  }
}
