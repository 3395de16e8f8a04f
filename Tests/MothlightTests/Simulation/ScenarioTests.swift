import Foundation
import Testing

@testable import Mothlight

@Suite("Scenario") struct ScenarioTests {
  static func decode(_ json: String) throws -> Scenario {
    try JSONDecoder().decode(Scenario.self, from: Data(json.utf8))
  }

  @Test func leftOutKnobsTakeDefaults() throws {
    let scenario = try Self.decode(
      #"{"name":"x","machines":[{"kind":"office"},{"kind":"iot","count":2}],"infections":[{"host":"iot/2","kind":"scan"}]}"#
    )
    #expect(scenario.seed == 1)
    #expect(scenario.formats == [.pcap])
    #expect(scenario.machines[0].online == 8)
    #expect(scenario.machines[1].online == 24)
    #expect(scenario.machines[1].group == "iot")
    #expect(scenario.infections[0].effectivePort == 23)
    #expect(try scenario.machineIndex(scenario.infections[0].host, "") == 2)
    try scenario.validate()
  }

  @Test(arguments: [
    (#"{"name":"x","machines":[],"sead":1}"#, "sead"),
    (#"{"name":"x","machines":[{"kind":"iot","cuont":3}]}"#, "cuont"),
    (#"{"name":"x","machines":[{"kind":"iot","services":{"browsin":true}}]}"#, "browsin"),
    (#"{"name":"x","machines":[{"kind":"iot"}],"infections":[{"host":1,"kind":"beacon","period":5}]}"#, "period"),
    (#"{"name":"x","machines":[{"kind":"iot"}],"power_cuts":[3]}"#, "power_cuts"),
  ]) func unknownKeyIsNamed(json: String, key: String) {
    #expect {
      _ = try Self.decode(json)
    } throws: { error in
      guard case DecodingError.dataCorrupted(let context) = error else { return false }
      return context.debugDescription.contains("unknown key '\(key)'") && context.codingPath.last?.stringValue == key
    }
  }

  @Test func powerCutsBlendsAndLookAlikesAreRead() throws {
    let scenario = try Self.decode(
      #"{"name":"x","power_cuts_h":[3],"machines":[{"kind":"iot","services":{"bare_mqtt":true,"vpn":true}}],"#
        + #""infections":[{"host":1,"kind":"http_call_home","blends":true}]}"#)
    #expect(scenario.powerCutHours == [3])
    #expect(scenario.machines[0].running.isSuperset(of: [.bareMQTT, .tunnelClient]))
    #expect(scenario.infections[0].blends)
    #expect(scenario.infections[0].note == "http_call_home period_s=600 blends http/80 no name")
    try scenario.validate()
  }

  /// `simulate` documents these words; a scenario that uses them must not break.
  @Test func wordsOfKindsAndServices() {
    #expect(
      Set(Scenario.InfectionKind.allCases.map(\.rawValue)) == [
        "beacon", "scan", "spam", "bfbot", "ddos", "nxdomain_burst", "brute_force", "dns_tunnel", "fast_flux", "irc",
        "http_call_home", "device_attack", "crowd", "p2p", "dead_rendezvous", "quiet_channel", "proxied_beacon",
        "program_download", "same_request", "click_fraud",
      ])
    #expect(
      Set(Scenario.Service.allCases.map(\.rawValue)).isSuperset(of: [
        "dhcp", "resolver", "game", "chat", "cron", "updater_post", "hash_scan", "content_network", "secure_shell",
        "vpn", "inside_scanner", "name_noise", "failing_sites", "moved_server", "home_script", "proxied_web",
        "bare_mqtt",
      ]))
  }

  @Test func hostReferences() throws {
    func host(_ json: String) throws -> Scenario.HostReference {
      try JSONDecoder().decode([Scenario.HostReference].self, from: Data("[\(json)]".utf8))[0]
    }
    #expect(try host("3") == .number(3))
    #expect(try host("\"iot\"") == .group("iot", 1))
    #expect(try host("\"iot/4\"") == .group("iot", 4))
    #expect(throws: DecodingError.self) { _ = try host("\"iot/x\"") }
    #expect(throws: DecodingError.self) { _ = try host("\"a/b/c\"") }
  }

  @Test func builtinSurvivesEncoding() throws {
    let again = try JSONDecoder().decode(Scenario.self, from: JSONEncoder().encode(Scenario.builtin))
    #expect(again == Scenario.builtin)
    try again.validate()
  }

  /// RFC 3339 section 5.8 gives the first two as examples; seconds checked with `date -d … +%s`.
  @Test(
    arguments: [
      ("1985-04-12T23:20:50.52Z", 482_196_050), ("1996-12-19T16:39:57-08:00", 851_042_397),
      ("2026-03-02", 1_772_409_600),
      ("2026-03-02T08:00:00+01:00", 1_772_434_800), ("2024-02-29", 1_709_164_800),
    ] as [(String, Int64)]) func startTimes(text: String, seconds: Int64)
  {
    #expect(Scenario.seconds(rfc3339: text) == seconds)
  }

  @Test(arguments: [
    "", "2026", "2026-13-01", "2026-02-29", "2026-03-02T", "2026-03-02T25:00:00Z", "2026-03-02T08:00:00", "2026/03/02",
    "2026-03-02T08:00:00+1:00", "2026-03-02T08:00:00Zx", "yesterday",
  ]) func badStartTimes(text: String) {
    #expect(Scenario.seconds(rfc3339: text) == nil)
  }

  static let changes: [(String, @Sendable (inout Scenario) -> Void)] = [
    ("name", { $0.name = "" }), ("name", { $0.name = "../x" }), ("name", { $0.name = ".x" }),
    ("start", { $0.start = "soon" }),
    ("power_cuts_h", { $0.powerCutHours = [25] }), ("hours", { $0.hours = 0 }), ("hours", { $0.hours = .nan }),
    ("hours", { $0.hours = 1e9 }),
    ("formats", { $0.formats = [] }),
    ("formats", { $0.formats = [.zeek, .zeek] }), ("machines", { $0.machines = [] }),
    ("count", { $0.machines[0].count = 0 }),
    ("online", { $0.machines[0].online = 25 }), ("two groups", { $0.machines.append($0.machines[0]) }),
    ("home", { $0.home = "8.8.8.0/24" }), ("home", { $0.home = "192.168.1.0/28" }), ("home", { $0.home = "fd00::/8" }),
    ("home", { $0.home = "192.168.1.0/32" }), ("host", { $0.infections[0].host = .number(99) }),
    ("host", { $0.infections[0].host = .number(0) }), ("host", { $0.infections[0].host = .group("office", 12) }),
    ("host", { $0.infections[0].host = .group("none", 1) }), ("jitter", { $0.infections[0].jitter = 0.95 }),
    ("jitter", { $0.infections[0].jitter = .nan }), ("miss", { $0.infections[0].miss = 0.7 }),
    ("extra", { $0.infections[0].extra = -0.1 }), ("period_s", { $0.infections[0].periodSeconds = 0 }),
    ("period_s", { $0.infections[0].periodSeconds = .infinity }), ("port", { $0.infections[0].port = 0 }),
    ("size", { $0.infections[0].size = -1 }), ("start_offset_s", { $0.infections[0].startOffsetSeconds = 1e7 }),
    ("name", { $0.infections[0].name = "no spaces here" }), ("count", { $0.infections[0].count = -5 }),
  ]

  @Test(arguments: changes.indices) func outOfRange(index: Int) {
    var scenario = Scenario(
      name: "x", machines: [.init(kind: .office, count: 11)], infections: [.init(host: .number(1), kind: .beacon)])
    #expect(throws: Never.self) { try scenario.validate() }
    Self.changes[index].1(&scenario)
    #expect {
      try scenario.validate()
    } throws: { error in
      guard let error = error as? SimulationError else { return false }
      return error.code == .invalidScenario && error.message.contains(Self.changes[index].0)
    }
  }
}
