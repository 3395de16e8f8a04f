import Foundation
import Testing

@testable import Mothlight

/// `mothlight registry` as a user runs it.
@Suite struct RegistryCommandTests {
  private func registry(
    _ arguments: [String], environment: [String: String] = [:], fileBlocksMost: Int? = nil,
    killedAfterMicroseconds: UInt32? = nil
  ) throws -> BuiltProgram.Outcome {
    try BuiltProgram.run(
      ["registry"] + arguments,
      environment: ["HOME": "/nonexistent", "USER": "tester"].merging(environment) { $1 },
      fileBlocksMost: fileBlocksMost, killedAfterMicroseconds: killedAfterMicroseconds)
  }

  private func withFolder(_ body: (String) throws -> Void) throws {
    try BuiltProgram.withFolder { try body($0.path) }
  }

  private func file(_ text: String, _ folder: String, _ name: String) throws -> String {
    try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    return "\(folder)/\(name)"
  }

  private func feodo(_ addresses: Range<Int>) -> String {
    "\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\",\"last_online\",\"malware\"\n"
      + addresses.map {
        "\"2026-05-01 10:00:00\",\"198.51.\($0 / 250).\($0 % 250 + 1)\",\"443\",\"online\",\"2026-05-20\",\"Alpha\"\n"
      }.joined()
  }

  @Test func aWalkThrough() throws {
    try withFolder { folder in
      let store = ["--store", folder + "/a.sqlite"]
      let feed = try file(feodo(0..<30), folder, "no-name-tells")
      let first = try registry(["import", feed] + store)
      #expect(first.status == 0)
      #expect(first.out.contains("new: 1 botnets, 30 indicators, 30 claims"))
      let again = try registry(["import", feed] + store)
      #expect(again.out.contains("nothing changed"))
      let list = try registry(["list", "--at", "2026-05-22", "--expiry", "5"] + store)
      #expect(list.out.contains("Alpha") && list.out.contains("candidate") && list.out.contains("x x x"))
      let json = try registry(["list", "--at", "2026-05-27", "--format", "json"] + store)
      let object = try JSONSerialization.jsonObject(with: Data(json.out.utf8)) as? [String: Any]
      let rows = object?["botnets"] as? [[String: Any]]
      #expect(rows?.first?["c2_claims"] as? Int == 30)
      let show = try registry(["show", "alpha"] + store)
      #expect(show.out.contains("198.51.0.1:443") && show.out.contains("[abuse.ch/feodo 2026-05-20]"))
      let match = try registry(["match", "198.51.0.7", "--fail-on-match"] + store)
      #expect(match.status == 1)
      #expect(match.out.contains("same host"))
      #expect(try registry(["match", "203.0.113.1", "--fail-on-match"] + store).status == 0)
      let note = try registry(["note", "alpha", "a note", "--reason", "because"] + store)
      #expect(note.status == 0)
      let history = try registry(["history"] + store)
      #expect(history.out.split(separator: "\n").count == 2)
      #expect(history.out.contains("tester note Alpha: note: a note (because)"))
      let count = try registry(["count", "--at", "2026-05-22"] + store)
      #expect(count.out.contains("5 d*") && count.out.contains("60 d"))
      let csv = try registry(["export", "--format", "csv"] + store)
      #expect(csv.out.split(separator: "\r\n").count == 1 + 1 + 1 + 30 + 1)
      #expect(csv.out.split(separator: "\r\n").dropFirst().allSatisfy { $0.hasSuffix(",AMBER") })
      #expect(try registry(["export", "--format", "csv", "--tlp", "red"] + store).out.contains(",RED\r\n"))
      for lower in ["green", "clear", "white"] {
        #expect(try registry(["export", "--tlp", lower] + store).status == 2)
        #expect(try registry(["list", "--tlp", lower] + store).status == 2)
      }
      let whole = try registry(["export"] + store)
      #expect(try JSONSerialization.jsonObject(with: Data(whole.out.utf8)) is [String: Any])
    }
  }

  @Test func whatIsWrongIsOneLine() throws {
    try withFolder { folder in
      let store = ["--store", folder + "/a.sqlite"]
      let foreign = try file("just text\n", folder, "text")
      let good = try file(feodo(0..<3), folder, "good")
      let absent = try registry(["list"] + store)
      #expect(absent.status == 2)
      #expect(absent.err.contains("there is no store"))
      let bad = try registry(["import", foreign] + store)
      #expect(bad.status == 2)
      #expect(bad.err.hasPrefix("mothlight: \(foreign):1: none of the known formats"))
      #expect(!FileManager.default.fileExists(atPath: folder + "/a.sqlite"))
      let both = try registry(["import", foreign, good] + store)
      #expect(both.status == 0)
      #expect(both.out.contains("new: 1 botnets"))
      let expected = try registry(["import", good, "--expect", "urlhaus"] + store)
      #expect(expected.status == 2)
      #expect(expected.err == "mothlight: \(good): is feodo, not urlhaus\n")
      for arguments in [["show", "nobody"], ["match", "no indicator"], ["note", "alpha", "--reason", "x"]] {
        let outcome = try registry(arguments + store)
        #expect(outcome.status == 2)
        #expect(outcome.err.hasPrefix("mothlight: ") || outcome.err.hasPrefix("Error: "))
      }
      #expect(try registry(["list", "--status", "happy"] + store).err.contains("candidate, confirmed, dormant"))
      try Data("not a database, but long enough to be one\n".utf8).write(to: URL(fileURLWithPath: folder + "/a.sqlite"))
      let damaged = try registry(["list"] + store)
      #expect(damaged.status == 2)
      #expect(damaged.err.split(separator: "\n").count == 1)
      #expect(damaged.err.contains("is damaged"))
    }
  }

  /// A script that names a file wrongly must not hear that nothing matches.
  @Test func aFileThatIsMissingIsNoValue() throws {
    try withFolder { folder in
      let store = ["--store", folder + "/a.sqlite"]
      let feed = try file(
        """
        {"1": [{"ioc_value": "evil.txt", "ioc_type": "domain", "threat_type": "botnet_cc", "malware": "win.alpha",
          "malware_printable": "Alpha", "first_seen_utc": "2026-05-01 10:00:00"}]}
        """, folder, "feed")
      #expect(try registry(["import", feed] + store).status == 0)
      for gone in ["nofile.txt", "\(folder)/gone", "lists/bad", "feed.csv"] {
        let outcome = try registry(["match", gone, "--fail-on-match"] + store)
        #expect(outcome.status == 2 && outcome.err.contains("\(gone): no such file"), "\(outcome.err)")
        #expect(outcome.out == "")
      }
      // What else was asked is answered, and the file is not forgotten.
      let some = try registry(["match", "evil.txt", "nofile.txt", "--fail-on-match"] + store)
      #expect(some.status == 2 && some.out.contains("Alpha") && some.err.contains("nofile.txt: no such file"))
      // A name that the ledger knows is a name, and so is one that is called so.
      #expect(try registry(["match", "evil.txt", "--fail-on-match"] + store).status == 1)
      for known in [["nofile.txt", "--literal"], ["domain:nofile.txt"], ["192.0.2.0/24"], ["good.example"]] {
        let outcome = try registry(["match"] + known + ["--fail-on-match"] + store)
        #expect(outcome.status == 0 && outcome.out.contains("not in the registry"), "\(outcome.out) \(outcome.err)")
      }
      let inside = try registry(["match", folder + "/", "--fail-on-match"] + store)
      #expect(inside.status == 2 && inside.err.contains("is a folder"))
    }
  }

  /// A reader that stops reading is no fault of the store.
  @Test func anExportIntoAClosedPipeIsQuiet() throws {
    try withFolder { folder in
      let store = folder + "/a.sqlite"
      #expect(try registry(["import", try file(feodo(0..<3000), folder, "feed"), "--store", store]).status == 0)
      for format in ["json", "csv"] {
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = [
          "-c", "{ \"$0\" registry export --format \(format) --store \"$1\"; echo status $? >&2; } | head -c 50",
          BuiltProgram.path, store,
        ]
        let (out, err) = (Pipe(), Pipe())
        shell.standardOutput = out
        shell.standardError = err
        try shell.run()
        let text = out.fileHandleForReading.readDataToEndOfFile()
        let complaint = err.fileHandleForReading.readDataToEndOfFile()
        shell.waitUntilExit()
        #expect(text.count == 50)
        #expect(String(decoding: complaint, as: UTF8.self) == "status 0\n")
      }
    }
  }

  @Test func theStoreHasASensiblePlace() throws {
    try withFolder { folder in
      let feed = try file(feodo(0..<2), folder, "feed")
      #expect(try registry(["import", feed], environment: ["XDG_DATA_HOME": folder + "/xdg"]).status == 0)
      #expect(FileManager.default.fileExists(atPath: folder + "/xdg/mothlight/mothlight.sqlite"))
      #expect(try registry(["import", feed], environment: ["HOME": folder + "/home"]).status == 0)
      #expect(FileManager.default.fileExists(atPath: folder + "/home/.local/share/mothlight/mothlight.sqlite"))
      #expect(try registry(["import", feed], environment: ["MOTHLIGHT_STORE": folder + "/mine"]).status == 0)
      #expect(FileManager.default.fileExists(atPath: folder + "/mine"))
    }
  }

  /// Killed at many moments, the import was there or was not; never a part of it.
  @Test func aKilledImportIsAllOrNothing() throws {
    try withFolder { folder in
      let store = ["--store", folder + "/a.sqlite"]
      #expect(try registry(["import", try file(feodo(0..<100), folder, "first")] + store).status == 0)
      let second = try file(feodo(0..<4000), folder, "second")
      let started = ContinuousClock.now
      #expect(try registry(["import", second, "--store", folder + "/whole.sqlite"]).status == 0)
      let whole = started.duration(to: .now)
      let microseconds = UInt32(
        clamping: whole.components.seconds * 1_000_000 + whole.components.attoseconds / 1_000_000_000_000)
      var cut = 0
      for n in 1...12 {
        let outcome = try registry(
          ["import", second] + store, killedAfterMicroseconds: max(1000, microseconds / 12 * UInt32(n)))
        let list = try registry(["list", "--format", "json"] + store)
        #expect(list.status == 0, "\(list.err)")
        let object = try JSONSerialization.jsonObject(with: Data(list.out.utf8)) as? [String: Any]
        let claims = (object?["botnets"] as? [[String: Any]])?.first?["c2_claims"] as? Int
        #expect(claims == 100 || claims == 4000)
        if outcome.status != 0 { cut += 1 }
        if claims == 4000 { break }
      }
      #expect(cut > 0, "no import was cut")
      #expect(try registry(["import", second] + store).status == 0)
      #expect(try registry(["show", "alpha", "--format", "json"] + store).out.contains("198.51.15.250"))
    }
  }

  /// A file that may not grow stands for a disk that is full.
  @Test func aFullDiskIsOneLine() throws {
    try withFolder { folder in
      let store = ["--store", folder + "/a.sqlite"]
      #expect(try registry(["import", try file(feodo(0..<100), folder, "first")] + store).status == 0)
      let full = try registry(["import", try file(feodo(0..<4000), folder, "second")] + store, fileBlocksMost: 400)
      #expect(full.status == 2)
      #expect(full.err.split(separator: "\n").count == 1)
      #expect(full.err.contains("nothing of this was written"))
      #expect(try registry(["list", "--format", "json"] + store).out.contains("\"c2_claims\":100"))
    }
  }
}
