import Foundation
import Testing

@testable import Mothlight

@Suite("Simulator") struct SimulatorTests {
  static let tiny = Scenario(
    name: "tiny", seed: 9, start: "2026-03-02T10:00:00Z", hours: 0.5, formats: [.pcap, .zeek, .zeekJSON, .binetflow],
    machines: [.init(kind: .office, count: 2), .init(kind: .iot)],
    infections: [.init(host: .number(1), kind: .beacon, periodSeconds: 60)])

  @Test func sameSeedSameBytes() throws {
    let folders = [ScratchFolder(), ScratchFolder(), ScratchFolder()]
    var other = Self.tiny
    other.seed = 10
    for (folder, scenario) in zip(folders, [Self.tiny, Self.tiny, other]) {
      _ = try Simulator(scenario).run(into: folder.path)
    }
    for name in ["tiny.pcap", "tiny.binetflow", "zeek/conn.log", "zeek/dns.log", "zeek-json/ssl.log", "truth.csv"] {
      #expect(try folders[0].bytes(name) == folders[1].bytes(name), "\(name)")
      if name != "truth.csv" { #expect(try folders[0].bytes(name) != folders[2].bytes(name), "\(name)") }
    }
  }

  /// One more machine at the end changes nothing about the others.
  @Test func machinesAreIndependent() throws {
    var larger = Self.tiny
    larger.machines.append(.init(group: "late", kind: .iot))
    func own(_ scenario: Scenario) throws -> [Flow] {
      try Simulator(scenario).flows().map(\.flow).filter { $0.source.description == "192.168.10.10" }
    }
    #expect(try own(Self.tiny) == own(larger))
  }

  @Test func existingFilesAreKept() throws {
    let folder = ScratchFolder()
    let files = try Simulator(Self.tiny).run(into: folder.path)
    #expect(files.count == 1 + 1 + 5 + 5 + 1)
    #expect(files.allSatisfy { FileManager.default.fileExists(atPath: $0) })
    #expect(throws: SimulationError(.alreadyExists, "")) { _ = try Simulator(Self.tiny).run(into: folder.path) }
    #expect(throws: Never.self) { _ = try Simulator(Self.tiny).run(into: folder.path, overwrite: true) }
  }

  @Test func onlyRegularFilesAreWritten() throws {
    let folder = ScratchFolder()
    try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/tiny.pcap", withDestinationPath: "/dev/null")
    #expect(throws: SimulationError(.notARegularFile, "")) {
      _ = try Simulator(Self.tiny).run(into: folder.path, overwrite: true)
    }
    #expect(throws: SimulationError(.unwritable, "")) { _ = try Simulator(Self.tiny).run(into: "/proc/no-such-place") }
  }

  @Test func progressRises() throws {
    let folder = ScratchFolder()
    var seen: [Double] = []
    _ = try Simulator(Self.tiny).run(into: folder.path) { seen.append($0) }
    #expect(seen.count > 20)
    #expect(seen == seen.sorted())
    #expect(seen.last == 1)
  }

  @Test func invalidScenarioWritesNothing() throws {
    let folder = ScratchFolder()
    var bad = Self.tiny
    bad.hours = -1
    #expect(throws: SimulationError(.invalidScenario, "")) { _ = try Simulator(bad).run(into: folder.path) }
    #expect(!FileManager.default.fileExists(atPath: folder.path))
  }

  /// Times of the bot's connections in a scenario that holds nothing else.
  private func beats(_ infection: Scenario.Infection, hours: Double = 240) throws -> [Double] {
    let services = Scenario.ServiceSwitches(
      Dictionary(uniqueKeysWithValues: Scenario.Service.allCases.map { ($0, false) }))
    let scenario = Scenario(
      name: "x", hours: hours, machines: [.init(kind: .server, services: services)], infections: [infection])
    return try Simulator(scenario).flows().filter { $0.flow.destinationPort == 443 }.map { $0.flow.first.seconds }
  }

  @Test func jitterIsAsAsked() throws {
    let times = try beats(.init(host: .number(1), kind: .beacon, periodSeconds: 600, jitter: 0.3))
    let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
    #expect(abs(times.count - 1440) < 30)
    #expect((gaps.min() ?? 0) > 419 && (gaps.max() ?? 0) < 781)
    let mean = gaps.reduce(0, +) / Double(gaps.count)
    #expect(abs(mean - 600) < 12)
    // Uniform ± 30 %: standard deviation 0.3 * 600 / √3 = 103.9 s.
    let deviation = (gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)).squareRoot()
    #expect(abs(deviation - 103.9) < 5)
  }

  @Test func missAndExtraAreAsAsked() throws {
    let missed = try beats(.init(host: .number(1), kind: .beacon, periodSeconds: 600, miss: 0.4))
    // 1440 beats kept with 0.6: 864, standard deviation 18.6.
    #expect(abs(missed.count - 864) < 75)
    let gaps = zip(missed, missed.dropFirst()).map { ($1 - $0) / 600 }
    #expect(gaps.allSatisfy { abs($0 - $0.rounded()) < 0.001 })
    let noisy = try beats(.init(host: .number(1), kind: .beacon, periodSeconds: 600, extra: 0.5))
    // 1440 and a Poisson number with mean 720.
    #expect(abs(noisy.count - 2160) < 110)
  }

  @Test func botHoursAndOffsetHold() throws {
    let limited = try beats(
      .init(host: .number(1), kind: .beacon, periodSeconds: 300, online: 6, startOffsetSeconds: 3600), hours: 48)
    let start = 1_772_409_600.0
    #expect(
      limited.allSatisfy { time in
        let second = (time - start).truncatingRemainder(dividingBy: 86_400)
        return second < 6 * 3600 + 1 && time - start >= 3600
      })
    #expect(limited.count > 110 && limited.count <= 12 * 11)
    #expect(try beats(.init(host: .number(1), kind: .beacon, periodSeconds: 60, count: 17)).count == 17)
  }

  @Test func officeMachinesKeepOfficeHours() throws {
    let scenario = Scenario(name: "x", hours: 48, machines: [.init(kind: .office, count: 3)])
    for (flow, _) in try Simulator(scenario).flows() {
      let hour = (flow.first.seconds - 1_772_409_600).truncatingRemainder(dividingBy: 86_400) / 3600
      #expect(hour > 7 && hour < 18.5)
    }
  }

  /// Boot delays longer than a short day move programs to the next day; this once looped on a rounded-down moment.
  @Test(.timeLimit(.minutes(1))) func shortDaysEnd() throws {
    let scenario = Scenario(
      name: "x", hours: 24 * 14, machines: [.init(kind: .office, count: 12, online: 0.5)],
      infections: (1...7).map { .init(host: .number($0), kind: Scenario.InfectionKind.allCases[$0 - 1], count: 50) })
    let flows = try Simulator(scenario).flows()
    #expect(Set(flows.map(\.flow.first.day)).count == 14)
  }

  @Test func observationsCarryNames() throws {
    let seen = try Simulator(.small).observations().map(\.observation)
    #expect(zip(seen, seen.dropFirst()).allSatisfy { $0.time <= $1.time })
    var names = Set<String>()
    for observation in seen {
      switch observation.event {
      case .dns(let lookup): names.insert(lookup.name)
      case .tls(let hello): if let name = hello.serverName { #expect(names.contains(name)) }
      case .http(let request): if let host = request.host { #expect(names.contains(host)) }
      default: break
      }
    }
    #expect(names.count > 50)
  }
}
