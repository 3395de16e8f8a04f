import Foundation
import Testing

@testable import Mothlight

@Suite("Simulated censuses in files")
struct CensusFilesTests {
  @Test(arguments: ["baseline", "ipv6", "missing", "only_ips"])
  func rowsAreWrittenAsTheyWere(name: String) throws {
    let folder = NSTemporaryDirectory() + "mothlight-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let scenario = try CensusSimulationTests.small(name, machines: 80, days: 2)
    let (rows, truth, _) = try CensusSimulationTests.run(scenario)
    let paths = try CensusFiles(scenario).run(into: folder)
    #expect(paths.map { $0.split(separator: "/").last ?? "" } == ["sightings.csv", "networks.csv", "truth.csv"])
    let lines = try String(contentsOfFile: paths[0], encoding: .utf8).split(separator: "\n")
    #expect(lines[0] == "hour,sensor,ip,asn,cc,tz,fp,id,contacts,valid" && lines.count == rows.count + 1)
    for (line, labelled) in zip(lines.dropFirst(), rows) {
      let fields = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      let row = labelled.row
      #expect(
        fields == [
          "\(row.hour)", scenario.sensors[Int(row.sensor)].name, "\(row.address)", "\(row.system)", "\(row.country)",
          "\(row.timeZone)", row.fingerprint == 0 ? "" : String(row.fingerprint, radix: 16),
          row.identity == 0 ? "" : String(row.identity, radix: 16), "\(row.contacts)", row.isValid ? "1" : "0",
        ])
    }
    let told = try String(contentsOfFile: paths[2], encoding: .utf8).split(separator: "\n")
    #expect(
      told.contains("footprint,window,,,\(truth.footprint)") && told.contains("reached,window,,,\(truth.reached)"))
    #expect(told.contains("live,\(scenario.firstHour + 5),,,\(truth.live[5])"))
    let networks = try String(contentsOfFile: paths[1], encoding: .utf8).split(separator: "\n")
    #expect(networks.count == 1 + scenario.networks + 4)
    // A second run must not replace the first unasked.
    #expect(throws: SimulationError(.alreadyExists, "")) { try CensusFiles(scenario).run(into: folder) }
  }

  @Test func theLongestNumbersFit() {
    var text = CensusRowText(sensors: [String(repeating: "s", count: 40)], capacity: 1)
    #expect(!text.isFull)
    text.append(
      CensusSighting(
        hour: .max, address: IPAddress(high: .max, low: .max), system: .max, country: CountryCode("ZZ"),
        timeZone: .min, fingerprint: .max, identity: .max, contacts: .max, isValid: false))
    var written: [UInt8] = []
    try? text.drain { (octets) throws(SimulationError) in written = Array(octets) }
    #expect(
      String(decoding: written, as: UTF8.self)
        == "4294967295,\(String(repeating: "s", count: 32)),ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,4294967295,ZZ,-128,"
        + "ffffffffffffffff,ffffffffffffffff,4294967295,0\n")
    #expect(text.count == 0)
  }
}
