import Foundation
import Testing

@testable import Mothlight

@Suite("Simulated botnets at a sinkhole")
struct BotnetSimulationTests {
  private final class Kept: SpoolSink {
    var sightings: [Sighting] = []
    func append(_ record: SpoolRecord) { if case .sighting(let sighting) = record { sightings.append(sighting) } }
    func flush(now: Timestamp) {}
  }

  private func small(_ change: (inout BotnetScenario) -> Void = { _ in }) -> BotnetScenario {
    var scenario = BotnetScenario(days: 3, machines: 300)
    change(&scenario)
    return scenario
  }

  private func contacts(_ scenario: BotnetScenario) throws -> (
    seen: [BotnetSimulation.Contact], truth: BotnetSimulation.Truth
  ) {
    var seen: [BotnetSimulation.Contact] = []
    let truth = try BotnetSimulation(scenario).run(contact: { seen.append($0) }, ended: { _ in })
    return (seen, truth)
  }

  @Test func theSameSeedGivesTheSameBotnet() throws {
    let first = try contacts(small())
    let again = try contacts(small())
    let other = try contacts(small { $0.seed = 2 })
    #expect(first.seen.map(\.source) == again.seen.map(\.source))
    #expect(first.truth.live == again.truth.live)
    #expect(first.seen.map(\.source) != other.seen.map(\.source))
  }

  @Test func anIdentityCountsTheMachinesExactly() throws {
    let (seen, truth) = try contacts(small { $0.identity = .stable })
    let machines = Set(seen.filter { $0.visitor == nil }.map(\.identity))
    #expect(!machines.contains(0))
    #expect(machines.count == truth.reached.reduce(0, +))
  }

  @Test func identitiesMadeAtEachStartAreMoreThanMachines() throws {
    let (seen, truth) = try contacts(small { $0.identity = .perStart })
    let identities = Set(seen.filter { $0.visitor == nil }.map(\.identity))
    #expect(identities.count > truth.footprint.reduce(0, +) * 3 / 2)
  }

  @Test func addressesInflateWhereTheyChangeAndDeflateWhereTheyAreShared() throws {
    let scenario = small {
      $0.machines = 600
      $0.days = 7
    }
    let (_, truth) = try contacts(scenario)
    func ratio(_ policy: BotnetScenario.Policy) -> Double {
      let n = scenario.networks.firstIndex { $0.policy == policy } ?? 0
      return Double(truth.addresses[n]) / Double(max(1, truth.footprint[n]))
    }
    #expect(ratio(.daily) > 1.7)
    #expect(ratio(.reconnect) > 1.7)
    #expect(ratio(.fixed) < 1)
    #expect(ratio(.cgn) < 0.2)
    #expect(ratio(.weekly) > ratio(.fixed) && ratio(.weekly) < ratio(.daily))
  }

  @Test func truthIsConsistent() throws {
    let (seen, truth) = try contacts(small { $0.halfLifeDays = 2 })
    let footprint = truth.footprint.reduce(0, +)
    #expect(truth.active.allSatisfy { $0 > 0 && $0 <= footprint })
    #expect(zip(truth.reached, truth.footprint).allSatisfy { $0 > 0 && $0 <= $1 })
    for hour in truth.live.indices where hour % 24 == 23 { #expect(truth.live[hour] <= truth.stock[hour / 24]) }
    #expect(truth.stock[2] < truth.stock[0])
    let firstHour = try small().firstHour()
    #expect(
      seen.allSatisfy { $0.hour >= firstHour && $0.hour < firstHour + 72 && $0.first <= $0.last && $0.last < 3600 })
  }

  @Test func noAddressBelongsToAnybody() throws {
    let (seen, _) = try contacts(small())
    #expect(seen.allSatisfy { $0.source.isReserved })
  }

  @Test(arguments: [BotnetScenario.Policy.fixed, .long, .weekly, .daily])
  func leasesNeverGiveOneAddressToTwoSites(policy: BotnetScenario.Policy) {
    let network = BotnetScenario.Network(asn: 64_500, country: "ES", policy: policy, share: 1, room: 1.1)
    let plan = AddressPlan(network, sites: 500, firstAddress: 240 << 24, seed: 9)
    // Long and weekly leases end at another time for each site, so only those of one moment can be held to it.
    for hour in policy == .fixed || policy == .daily ? [0, 30, 1000, 40_000] : [] {
      let given = Set((0..<500).map { plan.address(of: $0, hour: hour, connections: 0) })
      #expect(given.count == 500)
    }
    let stay = (0..<500).count {
      plan.address(of: $0, hour: 100, connections: 0) == plan.address(of: $0, hour: 103, connections: 0)
    }
    #expect(stay >= 400)
  }

  @Test func oneSightingForEachSourceAndHour() throws {
    let folder = NSTemporaryDirectory() + "botnet-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let kept = Kept()
    let files = try BotnetFiles(small()).run(into: folder, sink: { _, _ in kept })
    #expect(files.contains("\(folder)/truth.csv"))
    struct Key: Hashable {
      var source: IPAddress
      var hour: UInt32
    }
    let keys = kept.sightings.map { Key(source: $0.source, hour: $0.hour) }
    #expect(!keys.isEmpty && Set(keys).count == keys.count)
    #expect(kept.sightings.allSatisfy { $0.first <= $0.last && $0.first.hour == Int($0.hour) && $0.count > 0 })
    #expect(Set(kept.sightings.compactMap(\.visitor)) == Set(VisitorClass.allCases))
    let rows = try String(contentsOfFile: "\(folder)/sightings.csv", encoding: .utf8).split(separator: "\n")
    #expect(rows[0] == "hour,sensor,ip,asn,cc,tz,fp,id,contacts,valid")
    #expect(rows.count > keys.count)
    let counted = rows.dropFirst().reduce(UInt64(0)) {
      $0 + (UInt64($1.split(separator: ",", omittingEmptySubsequences: false)[8]) ?? 0)
    }
    #expect(counted == kept.sightings.reduce(UInt64(0)) { $0 + UInt64($1.count) })
    // A second run must not replace the first unasked.
    #expect(throws: SimulationError(.alreadyExists, "")) { try BotnetFiles(small()).run(into: folder, sink: nil) }
  }

  @Test func sensorsSeeDifferentPartsOfTheSameBotnet() throws {
    let (seen, _) = try contacts(
      small {
        $0.sensors = [.init(name: "a", visibility: 0.02), .init(name: "b", visibility: 0.02)]
        $0.identity = .stable
      })
    let a = Set(seen.filter { $0.sensor == 0 && $0.visitor == nil }.map(\.identity))
    let b = Set(seen.filter { $0.sensor == 1 && $0.visitor == nil }.map(\.identity))
    #expect(!a.isEmpty && !b.isEmpty && a != b && !a.intersection(b).isEmpty)
  }

  @Test func mostLossHidesMachinesButNotFromTheTruth() throws {
    let (_, truth) = try contacts(
      small {
        $0.loss = 0.95
        $0.checkInSeconds = 14_400
      })
    let reached: Int = truth.reached.reduce(0, +)
    let footprint: Int = truth.footprint.reduce(0, +)
    #expect(reached * 4 < footprint * 3)
    let plain = try contacts(small()).truth.footprint
    #expect(truth.footprint == plain)
  }

  @Test func aKnobOutOfRangeIsNamed() {
    let changes: [(String, (inout BotnetScenario) -> Void)] = [
      ("days", { $0.days = 0 }), ("machines", { $0.machines = 0 }), ("networks", { $0.networks = [] }),
      ("start", { $0.start = "tomorrow" }), ("sensors", { $0.sensors = [.init(name: "x", visibility: 2)] }),
      ("half_life_days", { $0.halfLifeDays = .nan }), ("loss", { $0.loss = 1 }),
    ]
    for (knob, change) in changes {
      let scenario = small(change)
      do throws(SimulationError) {
        _ = try BotnetSimulation(scenario)
        Issue.record("\(knob) was accepted")
      } catch {
        #expect(error.message.hasPrefix(knob))
      }
    }
  }
}
