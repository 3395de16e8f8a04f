import Foundation
import Testing
import Yams

@testable import Mothlight

/// The built binary, run as a user would. It stands beside the test bundle.
@Suite struct CommandTests {
  private func mothlight(_ arguments: [String], input: Data? = nil) throws -> BuiltProgram.Outcome {
    try BuiltProgram.run(arguments, input: input ?? Data())
  }

  private func withFolder<T>(_ body: (URL) throws -> T) throws -> T { try BuiltProgram.withFolder(body) }

  /// A small worm scenario, quick in a debug build.
  private let scenario = """
    name: small
    seed: 7
    start: "2026-03-02"
    hours: 2
    formats: [pcap, zeek, zeek-json, binetflow]
    home: 192.168.10.0/24
    machines:
      - {group: office, kind: office, count: 2, online: 24}
      - {group: iot, kind: iot, count: 2}
    infections:
      - {host: iot/1, kind: scan, period_s: 2, jitter: 0.5, port: 23, count: 800, family: WormLike}
    """

  @Test func simulatedWormIsFoundInEveryFormatAndNobodyElse() throws {
    try withFolder { folder in
      let yaml = folder.appendingPathComponent("s.yaml")
      try Data(scenario.utf8).write(to: yaml)
      let out = folder.appendingPathComponent("demo").path
      let made = try mothlight(["simulate", yaml.path, "--output", out])
      #expect(made.status == 0, "\(made.err)")
      for input in ["small.pcap", "zeek", "zeek-json", "small.binetflow"] {
        let read = try mothlight(["read", "\(out)/\(input)", "--format", "json", "--fail-on", "infected"])
        #expect(read.status == 1, "\(input): \(read.err)")
        let report = try #require(try JSONSerialization.jsonObject(with: Data(read.out.utf8)) as? [String: Any])
        let days = try #require(report["host_days"] as? [[String: Any]])
        let infected = days.filter { $0["verdict"] as? String == "infected" }.compactMap { $0["host"] as? String }
        #expect(infected == ["192.168.10.12"], "\(input)")
      }
      let again = try mothlight(["simulate", yaml.path, "--output", out])
      #expect(again.status != 0 && again.err.contains("small.pcap") && again.err.contains("--overwrite"))
    }
  }

  @Test func shardsDoNotChangeABeatOfTheJSON() throws {
    try withFolder { folder in
      let yaml = folder.appendingPathComponent("s.yaml")
      try Data(scenario.utf8).write(to: yaml)
      _ = try mothlight(["simulate", yaml.path, "--output", folder.path])
      let capture = folder.appendingPathComponent("small.pcap").path
      let one = try mothlight(["read", capture, "--format", "json"])
      for shards in ["2", "8"] {
        #expect(try mothlight(["read", capture, "--format", "json", "--shards", shards]).out == one.out)
      }
      #expect(one.out.count > 1000)
      let html = folder.appendingPathComponent("r.html").path
      #expect(try mothlight(["read", capture, "--format", "html", "--output", html]).status == 0)
      #expect(try String(contentsOfFile: html, encoding: .utf8).contains("192.168.10.12"))
      let fromPipe = try mothlight(
        ["read", "-", "--format", "ndjson"], input: try Data(contentsOf: URL(fileURLWithPath: capture)))
      #expect(fromPipe.status == 0 && fromPipe.out.contains("\"infected\""))
    }
  }

  /// Nothing usable: exit 2, one line on standard error, and no "clean" anywhere.
  @Test func badInputGetsOneClearLine() throws {
    try withFolder { folder in
      let empty = folder.appendingPathComponent("empty.pcap")
      try Data().write(to: empty)
      let text = folder.appendingPathComponent("notes.txt")
      try Data("Lorem ipsum dolor sit amet\n".utf8).write(to: text)
      let hollow = folder.appendingPathComponent("hollow")
      try FileManager.default.createDirectory(at: hollow, withIntermediateDirectories: true)
      for path in [empty.path, text.path, hollow.path, folder.appendingPathComponent("absent").path] {
        let outcome = try mothlight(["read", path])
        #expect(outcome.status == 2)
        #expect(outcome.err.split(separator: "\n").count == 1, "\(outcome.err)")
        #expect(outcome.err.contains(path))
        #expect(!outcome.out.lowercased().contains("clean"))
      }
    }
  }

  /// A report replaces neither its own evidence nor anything that is not a file, and keeps a file's permissions.
  @Test func outputReplacesOnlyFiles() throws {
    try withFolder { folder in
      let yaml = folder.appendingPathComponent("s.yaml")
      try Data(scenario.utf8).write(to: yaml)
      _ = try mothlight(["simulate", yaml.path, "--output", folder.path])
      let flows = folder.appendingPathComponent("small.binetflow").path
      let before = try Data(contentsOf: URL(fileURLWithPath: flows))
      #expect(try mothlight(["read", flows, "--output", flows]).status == 2)
      #expect(try Data(contentsOf: URL(fileURLWithPath: flows)) == before)
      #expect(try mothlight(["read", flows, "--output", folder.path]).err.contains("is a folder"))
      let target = folder.appendingPathComponent("real.txt").path
      let link = folder.appendingPathComponent("link.txt").path
      #expect(FileManager.default.createFile(atPath: target, contents: nil, attributes: [.posixPermissions: 0o640]))
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
      #expect(try mothlight(["read", flows, "--output", link]).status == 0)
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == target)
      let attributes = try FileManager.default.attributesOfItem(atPath: target)
      #expect(attributes[.posixPermissions] as? Int == 0o640)
      #expect((attributes[.size] as? Int ?? 0) > 200)
    }
  }

  @Test func wrongArgumentsSayWhatIsMeant() throws {
    for (arguments, words) in [
      (["read", "x", "--home", "ten"], "prefix"), (["read", "x", "--set", "beacon"], "KNOB"),
      (["read", "x", "--set", "beacon.nothing=1"], "no knob"),
      (["read", "x", "--set", "bacon.starts_least=1"], "no detector"),
      (["read", "x", "--set", "beacon.starts_least=-5"], "must not be negative"),
      (["read", "x", "--format", "pdf"], "table"), (["read", "x", "--fail-on", "rain"], "suspicious"),
      (["detectors", "none"], "there are"), (["simulate", "/nonexistent.yaml"], "no such file"),
    ] {
      let outcome = try mothlight(arguments)
      #expect(outcome.status == 2 && outcome.err.contains(words), "\(arguments): \(outcome.err)")
    }
  }

  /// A wrong value that only the run finds ends with the usage of its own command.
  @Test func wrongValuesNameTheirCommand() throws {
    for (arguments, command) in [
      (["read", "x", "--home", "ten"], "read"), (["detectors", "none"], "detectors"),
      (["registry", "list", "--expiry", "0"], "registry list"), (["users", "role", "a", "b"], "users role"),
      (["watch", "demo", "--judge-every", "0"], "watch"),
    ] {
      let outcome = try mothlight(arguments)
      #expect(outcome.status == 2 && outcome.err.contains("\nUsage: mothlight \(command) "), "\(outcome.err)")
      #expect(outcome.err.contains("See 'mothlight \(command) --help'"), "\(outcome.err)")
    }
  }

  @Test func aFileThatIsNotThereIsCalledThat() throws {
    try withFolder { folder in
      let gone = folder.appendingPathComponent("gone.txt").path
      let rows = folder.appendingPathComponent("rows.csv")
      try Data("hour,ip\n494018,192.0.2.1\n".utf8).write(to: rows)
      for arguments in [
        ["simulate", gone], ["evaluate", gone], ["config", "check", gone], ["read", "x", "--allow", gone],
        ["read", "x", "--allow", "gone.txt"], ["census", rows.path, "--hosting", gone],
        ["census", rows.path, "--churn", gone], ["census", rows.path, "--uplinks", gone],
      ] {
        let outcome = try mothlight(arguments)
        #expect(outcome.status == 2 && outcome.err.contains("gone.txt: no such file"), "\(arguments): \(outcome.err)")
      }
      let text = folder.appendingPathComponent("text.txt")
      try Data("some words\n".utf8).write(to: text)
      let simulated = try mothlight(["simulate", text.path])
      #expect(simulated.status == 2 && simulated.err.contains("text.txt: is no map of keys"), "\(simulated.err)")
    }
  }

  @Test func detectorsExplainThemselves() throws {
    let list = try mothlight(["detectors"])
    #expect(list.status == 0 && list.out.split(separator: "\n").count >= 14)
    let one = try mothlight(["detectors", "beacon"])
    #expect(one.out.contains("beacon.timer_least") && one.out.contains("known false positive"))
  }

  // MARK: Signatures

  private let toySignatures = """
    format: mothlight-signatures
    language: 1
    date: 2026-02-01
    signatures:
      - id: toy-dns
        family: Toy
        transport: udp
        evidence: weak
        confidence: unverified
        source: this test
        match: {length: 3, bytes: [{at: 0, hex: "01"}]}
        tests: {match: [{hex: 01 02 03}], no_match: [{hex: 02 02 03}]}

    """

  @Test func signaturesAreCheckedAndRead() throws {
    let builtin = try mothlight(["detectors", "--check-signatures"])
    #expect(builtin.status == 0 && builtin.out.contains("bfbot-join ") && builtin.out.contains(" 0 failed"))
    try withFolder { folder in
      let own = folder.appendingPathComponent("own.yaml")
      try Data(toySignatures.utf8).write(to: own)
      let checked = try mothlight(["detectors", "--check-signatures", "--signatures", own.path])
      #expect(checked.status == 0 && checked.out.contains("1 signatures, 2 tests, 0 failed"), "\(checked.err)")
      try Data(toySignatures.replacing("hex: 02 02 03", with: "hex: 01 05 06").utf8).write(to: own)
      for arguments in [["detectors", "--check-signatures"], ["read", folder.path]] {
        let failed = try mothlight(arguments + ["--signatures", own.path])
        #expect(failed.status == 2 && failed.err.contains("own.yaml:12: toy-dns matches what it should not"))
      }
      try Data(toySignatures.replacing("evidence:", with: "evidense:").utf8).write(to: own)
      let typo = try mothlight(["read", folder.path, "--signatures", own.path])
      #expect(typo.status == 2 && typo.err.contains("own.yaml:8:"), "\(typo.err)")
      #expect(typo.err.split(separator: "\n").count == 1)
      let absent = try mothlight(["read", folder.path, "--signatures", folder.path + "/none.yaml"])
      #expect(absent.status == 2 && absent.err.contains("none.yaml: cannot be read"))
    }
  }

  /// The library reads a part of YAML by itself; what it accepts must mean the same to a whole parser.
  @Test func signatureFileIsYAMLToOtherParsers() throws {
    let ours = try StrictYAML.read(SignatureFile.builtinText)
    let theirs = try #require(try Yams.compose(yaml: String(decoding: SignatureFile.builtinText, as: UTF8.self)))
    #expect(Self.same(ours, theirs))
  }

  private static func same(_ ours: YAMLNode, _ theirs: Node) -> Bool {
    switch (ours.value, theirs) {
    case (.text(let text), .scalar(let scalar)): text == scalar.string
    case (.nothing, .scalar(let scalar)): scalar.string.isEmpty
    case (.list(let items), .sequence(let nodes)):
      items.count == nodes.count && zip(items, nodes).allSatisfy { same($0, $1) }
    case (.map(let entries), .mapping(let pairs)):
      entries.count == pairs.count
        && zip(entries, pairs).allSatisfy { $0.key == $1.key.string && same($0.node, $1.value) }
    default: false
    }
  }
}
