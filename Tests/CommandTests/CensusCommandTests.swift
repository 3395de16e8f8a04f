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

  /// One table by what was asked, in place of the report.
  @Test func aTableByWhatIsAsked() throws {
    try withFolder { folder in
      #expect(
        try mothlight(["simulate", "--census", "short_36h", "--machines", "200", "--seed", "5", "-o", folder]).status
          == 0)
      let table = "\(folder)/sightings.csv"
      #expect(try mothlight(["census", table, "--botnet", "one", "--keep", "\(folder)/one"]).status == 0)
      #expect(try mothlight(["census", table, "--botnet", "two", "--keep", "\(folder)/two"]).status == 0)
      let botnets = try mothlight(["census", "\(folder)/one", "\(folder)/two", "--by", "botnet"])
      #expect(botnets.status == 0 && botnets.out.contains("BOTNET"))
      for name in ["one", "two"] { #expect(botnets.out.contains("\n  \(name) ")) }
      let lines = try Set(
        ["country", "network", "hour", "day"].map { what in
          let answer = try mothlight(["census", table, "--by", what])
          #expect(answer.status == 0 && answer.out.contains(what.uppercased()), "\(answer.out)")
          return answer.out.split(separator: "\n").count
        })
      #expect(lines.count > 2)
      let hours = try mothlight(["census", table, "--by", "hour"]).out
      #expect(hours.split(separator: "\n").count { $0.contains(":00Z") && $0.contains(" live ") } == 36)
      for wrong in [["--by", "week"], ["--by", "hour", "--format", "json"]] {
        let answer = try mothlight(["census", table] + wrong)
        #expect(answer.status == 2 && answer.out.contains("--by"))
      }
      // Two botnets of the same machines: a suggestion that they are one, from what was kept.
      let suggestion = try mothlight(["registry", "suggest", "\(folder)/one", "\(folder)/two"])
      #expect(suggestion.status == 0 && suggestion.out.contains("one") && suggestion.out.contains("two"))
      #expect(suggestion.out.contains("100"), "\(suggestion.out)")
    }
  }

  /// A secret of one's own: it must be one, be hidden, and be the same for all.
  @Test func addressesAreSampledUnderASecret() throws {
    try withFolder { folder in
      let (table, key) = ("\(folder)/t.csv", "\(folder)/census.key")
      try ("hour,ip,id\n" + (0..<40).map { "\(500_000 + $0 % 8),10.0.0.\($0),\($0)\n" }.joined()).write(
        toFile: table, atomically: true, encoding: .utf8)
      #expect(try mothlight(["census", table, "--key-file", key]).status == 2)
      for (text, mode, words) in [
        ("00112233445566778899aabbccddeeff", 0o644, "others may read"), ("0011", 0o600, "32 hexadecimal"),
        ("zz112233445566778899aabbccddeeff", 0o600, "32 hexadecimal"),
        (String(repeating: "0", count: 32), 0o600, "not all the same"),
      ] {
        try text.write(toFile: key, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: key)
        let answer = try mothlight(["census", table, "--key-file", key])
        #expect(answer.status == 2 && answer.out.contains(words), "\(answer.out)")
        #expect(!answer.out.contains("8899aa"))
      }
      try "00112233445566778899aabbccddeeff\n".write(toFile: key, atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: key)
      let kept = "\(folder)/kept"
      #expect(try mothlight(["census", table, "--key-file", key, "--keep", kept]).status == 0)
      #expect(try mothlight(["census", kept, "--key-file", key]).status == 0)
      let foreign = try mothlight(["census", kept])
      #expect(foreign.status == 2 && foreign.out.contains("different secrets"))
      #expect(try mothlight(["census", table, "--keep", "\(folder)/plain"]).status == 0)
      let mixed = try mothlight(["registry", "suggest", kept, "\(folder)/plain"])
      #expect(mixed.status == 2 && mixed.out.contains("different secrets"))
    }
  }

  /// Learned from a botnet with identities, given to one without.
  @Test func churnIsLearnedAndUsed() throws {
    try withFolder { folder in
      #expect(
        try mothlight(["simulate", "--census", "baseline", "--machines", "300", "--seed", "6", "-o", folder]).status
          == 0)
      let (table, churn) = ("\(folder)/sightings.csv", "\(folder)/churn.csv")
      #expect(try mothlight(["census", table, "--learn-churn", churn]).status == 0)
      let text = try String(contentsOfFile: churn, encoding: .utf8)
      #expect(text.hasPrefix("# mothlight churn 1\n# from: ") && text.split(separator: "\n").count > 20)
      let twice = try mothlight(["census", table, "--learn-churn", churn])
      #expect(twice.status == 2 && twice.out.contains("already"))
      #expect(try String(contentsOfFile: churn, encoding: .utf8) == text)
      #expect(try mothlight(["census", table, "--churn", churn]).status == 0)
      try "asn\n".write(toFile: churn, atomically: true, encoding: .utf8)
      let damaged = try mothlight(["census", table, "--churn", churn])
      #expect(damaged.status == 2 && damaged.out.contains("churn.csv:1"))
      try "hour,ip\n7,10.0.0.1\n".write(toFile: "\(folder)/one.csv", atomically: true, encoding: .utf8)
      let nothing = try mothlight(["census", "\(folder)/one.csv", "--learn-churn", "\(folder)/new.csv"])
      #expect(nothing.status == 2 && nothing.out.contains("no identities"))
    }
  }

  /// Inputs of different names are not joined, and that is said.
  @Test func whatIsNotJoinedIsSaid() throws {
    try withFolder { folder in
      let (table, kept) = ("\(folder)/t.csv", "\(folder)/kept")
      try ("hour,ip,id\n" + (0..<40).map { "\(500_000 + $0 % 8),10.0.0.\($0),\($0)\n" }.joined()).write(
        toFile: table, atomically: true, encoding: .utf8)
      #expect(try mothlight(["census", table, "--botnet", "one", "--keep", kept]).status == 0)
      let both = try mothlight(["census", kept, table])
      #expect(both.status == 0 && both.out.contains("t.csv: a table holds no botnet's name"), "\(both.out)")
      #expect(both.out.contains("counted apart from one; --botnet 'one' joins it"))
      let other = try mothlight(["census", kept, table, "--botnet", "Foo"])
      #expect(other.status == 0 && other.out.contains("kept: left out, not of 'Foo' but of one"), "\(other.out)")
      for joined in [["census", kept, table, "--botnet", "one"], ["census", table], ["census", kept]] {
        let answer = try mothlight(joined)
        #expect(answer.status == 0 && answer.out.hasPrefix("Mothlight "), "\(answer.out)")
      }
      for window in [["--first", "2030-01-01"], ["--last", "2020-01-01"]] {
        let empty = try mothlight(["census", table] + window)
        #expect(
          empty.status == 2
            && empty.out.contains("no rows in that window; there are rows from 2027-01-15 to 2027-01-15"),
          "\(empty.out)")
      }
      let turned = try mothlight(["census", table, "--first", "2030-01-02", "--last", "2030-01-01"])
      #expect(turned.status == 2 && turned.out.contains("--first is after --last"))
      #expect(try mothlight(["census", table, "--first", "2027-01-15"]).status == 0)
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
