import Foundation
import Mothlight
import Testing

/// Censuses made and judged with the built binary.
@Suite struct CensusCommandTests {
  private func mothlight(_ arguments: [String]) throws -> (status: Int32, out: String) {
    let folder =
      Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }.first {
        FileManager.default.isExecutableFile(atPath: $0.appendingPathComponent("mothlight").path)
      } ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    let process = Process()
    process.executableURL = folder.appendingPathComponent("mothlight")
    process.arguments = arguments
    let out = Pipe()
    process.standardOutput = out
    process.standardError = out
    try process.run()
    let text = out.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: text, as: UTF8.self))
  }

  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "mothlight-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  @Test func aScenarioIsMadeByNameAndByFile() throws {
    try withFolder { folder in
      let named = try mothlight([
        "simulate", "--census", "short_36h", "--machines", "80", "--seed", "3", "-o", "\(folder)/named",
      ])
      #expect(named.status == 0 && named.out.split(separator: "\n").count == 3)
      try "census: short_36h\nmachines: 80\nseed: 3\n".write(
        toFile: "\(folder)/c.yaml", atomically: true, encoding: .utf8)
      #expect(try mothlight(["simulate", "\(folder)/c.yaml", "-o", "\(folder)/file"]).status == 0)
      for name in ["sightings.csv", "truth.csv", "networks.csv"] {
        let rows = try String(contentsOfFile: "\(folder)/named/\(name)", encoding: .utf8)
        #expect(try String(contentsOfFile: "\(folder)/file/\(name)", encoding: .utf8) == rows && rows.count > 1000)
      }
      try "census: short_36h\nmachines: 80\nseed: 3\nloss: 0.4\npolicies: {cgn: 1}\nidentity: none\n".write(
        toFile: "\(folder)/d.yaml", atomically: true, encoding: .utf8)
      #expect(try mothlight(["simulate", "\(folder)/d.yaml", "-o", "\(folder)/other"]).status == 0)
      let networks = try String(contentsOfFile: "\(folder)/other/networks.csv", encoding: .utf8)
      #expect(networks.contains(",provider,cgn,") && !networks.contains(",provider,daily,"))
    }
  }

  @Test func aCensusIsJudged() throws {
    try withFolder { folder in
      let page = "\(folder)/page.md"
      try "# Page\n".write(toFile: page, atomically: true, encoding: .utf8)
      let judged = try mothlight([
        "evaluate", "--census", "--only", "short_36h,only_ips", "--seeds", "1", "--machines", "60", "--write", page,
        "--jobs", "2", "--strict",
      ])
      #expect(judged.out.contains("Seeds 1 to 1, each with a mix of its own") && judged.out.contains("only_ips"))
      #expect(judged.status == (judged.out.contains("Targets missed") ? 1 : 0))
      let written = try String(contentsOfFile: page, encoding: .utf8)
      #expect(written.hasPrefix("# Page\n") && written.contains("| short_36h | addresses |"))
      let json = try mothlight([
        "evaluate", "--census", "--only", "short_36h", "--seeds", "1", "--machines", "60", "--format", "json",
        "--tuning",
      ])
      #expect(json.status == 0 && json.out.contains("\"purpose\":\"tuning\""))
    }
  }

  @Test func wrongArgumentsSayWhatIsMeant() throws {
    for (arguments, words) in [
      (["simulate", "--census", "nothing"], "there are baseline"), (["simulate", "--varied"], "--census"),
      (["simulate", "--census", "baseline", "--machines", "0"], "machines: 1 to"),
      (["evaluate", "--census", "--only", "nothing"], "there are baseline"),
      (["evaluate", "--census", "--seeds", "0"], "--seeds"), (["evaluate", "--census", "truth.csv"], "no files"),
      (["evaluate", "--census", "--tuning", "--write", "x"], "not for reporting"),
    ] {
      let outcome = try mothlight(arguments)
      #expect(outcome.status == 2 && outcome.out.contains(words), "\(arguments): \(outcome.out)")
    }
  }

  /// A botnet of known size through the CSV door, kept, counted again, and published.
  @Test func aTableIsCountedKeptAndCountedAgain() throws {
    try withFolder { folder in
      #expect(
        try mothlight(["simulate", "--census", "baseline", "--machines", "300", "--seed", "4", "-o", folder]).status
          == 0)
      let table = "\(folder)/sightings.csv"
      let first = try mothlight(["census", "--from", table, "-f", "json", "--keep", "\(folder)/kept"])
      #expect(first.status == 0)
      let report = try #require(
        JSONSerialization.jsonObject(with: Data(first.out.utf8)) as? [String: Any])
      let footprint = try #require(report["footprint"] as? [String: Any])
      let machines = try #require(footprint["machines"] as? [String: Double])
      let truth = try String(contentsOfFile: "\(folder)/truth.csv", encoding: .utf8)
      let line = try #require(truth.split(separator: "\n").first { $0.hasPrefix("footprint,window,,,") })
      let known = try #require(Double(line.split(separator: ",").last ?? ""))
      #expect(try #require(machines["low"]) <= known && known <= #require(machines["high"]))
      #expect(try #require(footprint["addresses"] as? Double) > 2 * known)
      // From the kept rollup the same comes out, without the rows.
      let again = try mothlight(["census", "\(folder)/kept", "-f", "json"])
      #expect(again.out == first.out)
      #expect(try mothlight(["census", table, "--keep", "\(folder)/kept"]).status == 2)
      for format in ["table", "html", "csv"] {
        let text = try mothlight(["census", "\(folder)/kept", "-f", format, "--public"])
        #expect(text.status == 0 && text.out.count > 500, "\(format)")
      }
    }
  }

  @Test func whatIsNoTableIsSaidInOneLine() throws {
    try withFolder { folder in
      for (name, text) in [("empty", ""), ("foreign", "a,b\n1,2\n"), ("head", "hour,ip\n"), ("bad", "hour,ip\nx,y\n")] {
        try text.write(toFile: "\(folder)/\(name).csv", atomically: true, encoding: .utf8)
        let answer = try mothlight(["census", "\(folder)/\(name).csv"])
        #expect(answer.status == 2 && answer.out.contains("\(name).csv"), "\(name): \(answer.out)")
      }
      #expect(try mothlight(["census", "\(folder)/absent.csv"]).status == 2)
      #expect(try mothlight(["census"]).status == 2)
      try "hour,ip\n7,10.0.0.1\n".write(toFile: "\(folder)/one.csv", atomically: true, encoding: .utf8)
      let one = try mothlight(["census", "\(folder)/one.csv", "--first", "2026-13-01"])
      #expect(one.status == 2)
      #expect(try mothlight(["census", "\(folder)/one.csv"]).status == 0)
    }
  }
}
