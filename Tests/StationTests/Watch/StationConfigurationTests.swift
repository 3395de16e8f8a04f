import Foundation
import Mothlight
import Testing

@testable import MothlightStation

@Suite struct StationConfigurationTests {
  private static func read(_ text: String) throws -> StationConfiguration {
    try StationConfiguration.read(Array(text.utf8), path: "conf/station.yaml")
  }

  private static func problem(_ text: String) -> String {
    do {
      _ = try read(text)
      return ""
    } catch { return "\(error)" }
  }

  @Test func theExampleIsRead() throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../Examples/station.yaml")
    let configuration = try StationConfiguration.read(path.path)
    #expect(configuration.sources == [.init(name: "demo", place: .demo)])
    #expect(configuration.serving == StationConfiguration.Serving())
    #expect(configuration.keepDays == 30)
  }

  @Test func everyKeyIsRead() throws {
    let configuration = try Self.read(
      """
      station:
        data: /var/lib/mothlight
        sources:
          - { interface: eth0, filter: "not port 22", promiscuous: true }
          - { flows: "192.0.2.1:2055" }
          - { flows: "[::1]:4739", exporters: [ 192.0.2.0/24 ], sampling: [ { exporters: 192.0.2.7, one_in: 1000 } ],
              trust_exporter_clock: true, receive_buffer_mib: 8, exporters_shown: 5 }
          - { logs: zeek/current }
          - { captures: /srv/captures, name: drop }
          - { spool: ../spool }
        home: [ 192.0.2.0/24, "2001:db8::/32" ]
        lists: [ list.csv ]
        networks: [ default, own.mmdb ]
        cases: { from: suspicious, owners: [ { name: Chemistry, networks: [ 192.0.2.0/26 ] } ] }
        keep_days: 7
        judge_every_s: 5
        serve: { listen: "192.0.2.1:8443", tls: own, names: [ moth.example.org ] }
        privacy: { pseudonyms: everybody, key: p.key, tlp: amber+strict }
        user: mothlight
        log: json
      """)
    #expect(configuration.sources.map(\.name) == ["eth0", "flows-2055", "flows-4739", "current", "drop", "spool"])
    var reception = StationConfiguration.Reception()
    reception.exporters = ["192.0.2.0/24"].compactMap { Prefix($0) }
    reception.sampling = [.init(exporters: try #require(Prefix("192.0.2.7")), oneIn: 1000)]
    reception.trustsExporterClock = true
    reception.receiveBufferOctets = 8 << 20
    reception.exportersShown = 5
    #expect(configuration.sources[2].place == .flows(try #require(ListenAddress("[::1]:4739")), reception))
    #expect(configuration.privacy.readers == .everybody && configuration.privacy.key == "conf/p.key")
    #expect(configuration.privacy.tlp == .amberStrict)
    #expect(configuration.sources[0].place == .interface("eth0", filter: "not port 22", promiscuous: true))
    #expect(configuration.sources[3].place == .logs("conf/zeek/current"))
    #expect(configuration.sources[4].place == .captures("/srv/captures"))
    #expect(configuration.home.count == 2)
    #expect(configuration.lists == ["conf/list.csv"])
    #expect(configuration.networks == ["default", "conf/own.mmdb"])
    #expect(configuration.cases.verdictLeast == .suspicious)
    #expect(configuration.cases.owners.map(\.name) == ["Chemistry"])
    #expect(configuration.serving?.encryption == .own)
    #expect(configuration.serving?.names == ["moth.example.org"])
    #expect(configuration.log == .json)
    #expect(configuration.user == "mothlight")
  }

  @Test(arguments: [
    ("station:\n  data: d\n  sources:\n    - { interfce: eth0 }\n", "station.yaml:4"),
    ("station:\n  data: d\n  sources:\n    - { logs: a, flows: \"[::1]:1\" }\n", "this one has: 'flows', 'logs'"),
    ("station:\n  data: d\n  sources:\n    - { interfce: eth0, name: a }\n", "this one has: 'interfce', 'name'"),
    ("station:\n  data: d\n  sorces:\n    - demo: true\n", "station.yaml:3: 'station' lacks 'sources'; is 'sorces'"),
    (
      "station:\n  data: d\n  sources:\n    - { flows: \"127.0.0.1:1\" }\n    - { flows: \"127.0.0.1:1\", name: b }\n",
      "two sources listen on 127.0.0.1:1"
    ),
    ("station:\n  data: d\n  sources:\n    - { flows: localhost }\n", "no address with a port"),
    ("station:\n  data: d\n  sources:\n    - { logs: a }\n    - { captures: b/a }\n", "two sources are called 'a'"),
    ("station:\n  sources:\n    - { demo: true }\n", "lacks 'data'"),
    ("station:\n  data: d\n", "lacks 'sources'"),
    ("station:\n  data: d\n  sources:\n    - { demo: true }\n  keepdays: 3\n", "knows no key 'keepdays'"),
    (
      "station:\n  data: d\n  sources:\n    - { demo: true }\n  serve: { listen: \"0.0.0.0:80\" }\n",
      "outside of loopback pages need"
    ),
    ("station:\n  data: d\n  sources:\n    - { demo: true }\n  serve: { tls: yes }\n", "'tls' is 'own'"),
    (
      "station:\n  data: d\n  sources:\n    - { interface: eth0,\n        filter: \"port 22 adn\" }\n",
      "station.yaml:5: filter, column"
    ),
    ("station:\n  data: d\n  sources:\n    - { flows: \"127.0.0.1:1\", exporters: [ x ] }\n", "'x' is no prefix"),
    (
      "station:\n  data: d\n  sources:\n    - flows: \"127.0.0.1:1\"\n      sampling:\n        - { exporters: 10.0.0.0/8 }\n",
      "station.yaml:6: a rate of 'sampling' lacks 'one_in'"
    ),
    (
      "station:\n  data: d\n  sources:\n    - { flows: \"127.0.0.1:1\", receive_buffer_mib: 0 }\n",
      "'receive_buffer_mib' is not a number from 1 to 1024"
    ),
    ("station:\n  data: d\n  sources:\n    - { logs: a, exporters: [ 10.0.0.0/8 ] }\n", "knows no key 'exporters'"),
    (
      "station:\n  data: d\n  sources:\n    - { demo: true }\n  privacy: { pseudonyms: all }\n",
      "is one of: nobody, viewers"
    ),
    (
      "station:\n  data: d\n  sources:\n    - { demo: true }\n  privacy:\n    tlp: green\n",
      "station.yaml:6: machines that may be infected are TLP:AMBER at least, not TLP:GREEN"
    ),
    ("station:\n  data: d\n  sources:\n    - { demo: true }\n  privacy: { tlp: white }\n", "'tlp' is one of"),
    ("station:\n  data: d\n  sources:\n    - { demo: true }\n  home: [ 300.1.2.3 ]\n", "no prefix"),
  ])
  func mistakesAreNamedWithTheirLine(_ text: String, _ expected: String) {
    let problem = Self.problem(text)
    #expect(problem.contains(expected), "\(problem)")
    #expect(problem.contains("station.yaml:"), "\(problem)")
  }

  @Test func thePageCanBeSwitchedOff() throws {
    let configuration = try Self.read("station:\n  data: d\n  sources:\n    - { demo: true }\n  serve: { off: true }\n")
    #expect(configuration.serving == nil)
  }
}
