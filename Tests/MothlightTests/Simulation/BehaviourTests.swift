import Foundation
import Testing

@testable import Mothlight

/// Each bot and each look-alike alone on a machine: what its traffic looks like, not which detector likes it.
@Suite("Behaviours") struct BehaviourTests {
  static let silent = Scenario.ServiceSwitches(
    Dictionary(uniqueKeysWithValues: Scenario.Service.allCases.map { ($0, false) }))

  private func seen(_ infection: Scenario.Infection, machines: Int = 1, hours: Double = 8) throws
    -> [(observation: Observation, label: String)]
  {
    let bots = (1...machines).map { number in
      var bot = infection
      bot.host = .number(number)
      return bot
    }
    let scenario = Scenario(
      name: "x", seed: 4, hours: hours, machines: [.init(kind: .server, count: machines, services: Self.silent)],
      infections: bots)
    return try Simulator(scenario).observations()
  }

  private func seen(_ service: Scenario.Service, hours: Double = 8, cuts: [Double] = []) throws -> [Observation] {
    var services = Self.silent
    services.settings[service] = true
    let scenario = Scenario(
      name: "x", seed: 4, hours: hours,
      machines: [
        .init(kind: .office, online: 24, services: services), .init(kind: .iot, count: 2, services: Self.silent),
      ],
      powerCutHours: cuts)
    return try Simulator(scenario).observations().map(\.observation)
  }

  private func flows(_ observations: [Observation]) -> [Flow] {
    observations.compactMap { if case .flow(let flow) = $0.event { flow } else { nil } }
  }

  @Test(arguments: Scenario.InfectionKind.allCases) func everyKindSpeaksUnderItsLabel(kind: Scenario.InfectionKind)
    throws
  {
    let seen = try seen(.init(host: .number(1), kind: kind, count: 12))
    #expect(!seen.isEmpty)
    #expect(Set(seen.map(\.label)) == ["flow=From-Botnet-\(kind.rawValue)"])
  }

  @Test(arguments: Scenario.Service.allCases.filter { $0 != .iotCloud })
  func everyServiceSpeaks(service: Scenario.Service) throws {
    let flows = flows(try seen(service, hours: 24))
    #expect(!flows.isEmpty)
  }

  @Test func tunnelNamesAreNewAndFitIntoADatagram() throws {
    let seen = try seen(.init(host: .number(1), kind: .dnsTunnel, periodSeconds: 60, size: 110, count: 50))
    let lookups = seen.compactMap { if case .dns(let lookup) = $0.observation.event { lookup } else { nil } }
    #expect(lookups.count == 50)
    #expect(Set(lookups.map(\.name)).count == 50)
    #expect(lookups.allSatisfy { $0.type == 16 && $0.name.utf8.count <= 253 && $0.name.hasSuffix(".zz--relay.com") })
    #expect(lookups.allSatisfy { SyntheticDNS.isName($0.name) && $0.responseOctets <= 512 })
    #expect(lookups.allSatisfy { $0.targets.first?.hasPrefix("TXT ") == true })
  }

  @Test func fluxAnswersLieInManyNetworks() throws {
    let seen = try seen(.init(host: .number(1), kind: .fastFlux, periodSeconds: 1800))
    let lookups = seen.compactMap { if case .dns(let lookup) = $0.observation.event { lookup } else { nil } }
    let networks = Set(lookups.flatMap(\.addresses).map { $0.v4 >> 16 })
    #expect(lookups.count >= 15 && lookups.allSatisfy { $0.ttlSeconds == 120 })
    #expect(Double(networks.count) > 0.95 * Double(lookups.count * 5))
  }

  @Test func ircRegistersAndSaysNothing() throws {
    let seen = try seen(.init(host: .number(1), kind: .irc))
    let sessions = seen.compactMap { if case .irc(let session) = $0.observation.event { session } else { nil } }
    #expect(!sessions.isEmpty)
    #expect(sessions.allSatisfy { $0.hasChannelKey && $0.nick.hasPrefix("[") && $0.channels == ["#wing"] })
    let flows = flows(seen.map(\.observation))
    #expect(flows.allSatisfy { $0.sourcePayload < 20_000 && $0.destinationPort == 51_987 })
  }

  /// What the decoder of captures reads is what the logs and observations say.
  @Test func ircInTheCaptureReadsTheSame() throws {
    var random = RandomSource(seed: 8)
    let chat = SyntheticIRC(nick: SyntheticIRC.kitNick(&random), user: "x1234", channel: "#wing", key: "k")
    var reader = IRCConversation(at: .distantPast)
    reader.feed((chat.registration + chat.join).span.bytes, fromClient: true, at: .distantPast)
    let ends = Endpoints(
      client: IPAddress(v4: 1), server: IPAddress(v4: 2), clientPort: 1, serverPort: 2, transport: .tcp)
    let read = try #require(reader.session(ends)).event
    let told = chat.session(ends)
    #expect(read.nick == told.nick && read.userShape == told.userShape)
    #expect(read.channels == told.channels && read.hasChannelKey == told.hasChannelKey)
  }

  @Test func crowdActsTogether() throws {
    let seen = try seen(
      .init(host: .number(1), kind: .crowd, periodSeconds: 1200, transport: .tcp, name: "c.example"), machines: 3,
      hours: 24)
    let starts = Dictionary(
      grouping: flows(seen.map(\.observation)).filter { $0.destinationPort == 8081 }, by: \.source
    )
    .mapValues { $0.map(\.first.seconds) }
    let series = starts.values.sorted { $0.count < $1.count }
    #expect(series.count == 3)
    let shortest = try #require(series.first)
    #expect(shortest.count > 20)
    for other in series {
      #expect(shortest.filter { moment in other.contains { abs($0 - moment) < 6 } }.count == shortest.count)
    }
    let gaps = zip(shortest, shortest.dropFirst()).map { $1 - $0 }
    let mean = gaps.reduce(0, +) / Double(gaps.count)
    let deviation = (gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)).squareRoot()
    #expect(deviation > 0.5 * mean)
  }

  @Test func peersKeepTheirPortsAndMostAreSilent() throws {
    let flows = flows(try seen(.init(host: .number(1), kind: .peerToPeer)).map(\.observation))
    let byPeer = Dictionary(grouping: flows, by: \.destination)
    #expect(byPeer.count > 300)
    #expect(byPeer.values.allSatisfy { Set($0.map(\.destinationPort)).count == 1 })
    let silent = byPeer.values.count { $0.allSatisfy { $0.destinationPackets == 0 } }
    #expect(Double(silent) > 0.55 * Double(byPeer.count))
  }

  @Test func proxiedBeaconNamesItsServerToTheProxyAlone() throws {
    let seen = try seen(.init(host: .number(1), kind: .proxiedBeacon, name: "c2.example")).map(\.observation)
    #expect(flows(seen).allSatisfy { $0.destination.description == "192.168.10.1" && $0.destinationPort == 3128 })
    let requests = seen.compactMap { if case .http(let request) = $0.event { request } else { nil } }
    #expect(requests.count > 80)
    #expect(requests.allSatisfy { $0.method == "CONNECT" && $0.target == "c2.example:443" })
  }

  @Test func deadServersNeverAnswer() throws {
    for flow in flows(try seen(.init(host: .number(1), kind: .deadRendezvous)).map(\.observation)) {
      #expect(flow.destinationPackets == 0 && flow.sourcePackets == 3)
    }
    #expect(
      flows(try seen(.movedServer)).filter { $0.destinationPort == 27_000 }.allSatisfy { $0.destinationPackets == 0 })
  }

  @Test func powerCutsStopAndStartAll() throws {
    let starts = flows(try seen(.dhcp, hours: 6, cuts: [3])).map { $0.first.seconds - 1_772_409_600 }
    #expect(!starts.contains { $0 > 3 * 3600 && $0 < 3 * 3600 + Scenario.powerCutSeconds })
    #expect(starts.contains { $0 >= 3 * 3600 + 240 && $0 < 3 * 3600 + 300 })
  }

  @Test func onlineHoursWithoutCuts() {
    let hours = OnlineHours(intervals: [0...100, 200...300])
    #expect(hours.without([]).intervals == [0...100, 200...300])
    #expect(hours.without([50...60]).intervals == [0...50, 60...100, 200...300])
    #expect(hours.without([90...210]).intervals == [0...90, 210...300])
    #expect(hours.without([0...400]).intervals == [])
  }

  @Test func scannerStaysInside() throws {
    let flows = flows(try seen(.insideScanner, hours: 24))
    #expect(Set(flows.map(\.destination)).count == 2)
    #expect(Set(flows.map(\.destinationPort)) == Set(InsideScanner.ports))
  }
}
