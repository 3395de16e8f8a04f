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
}
