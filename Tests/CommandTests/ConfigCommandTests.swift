import Foundation
import Testing

/// `mothlight config check` and `mothlight doctor` as an operator runs them.
@Suite struct ConfigCommandTests {
  private func withFile(_ text: String, _ body: (String) throws -> Void) throws {
    try BuiltProgram.withFolder { folder in
      let file = folder.appendingPathComponent("station.yaml")
      try text.write(to: file, atomically: true, encoding: .utf8)
      try body(file.path)
    }
  }

  private func check(_ files: String...) throws -> BuiltProgram.Outcome {
    try BuiltProgram.run(["config", "check"] + files)
  }

  private static func example(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Examples/\(name)").path
  }

  @Test func whatIsRightIsSummedUp() throws {
    let station = try check(Self.example("station.yaml"))
    #expect(station.status == 0 && station.err == "")
    #expect(station.out.hasSuffix("station.yaml: a station with one source, pages at 127.0.0.1:8420\n"))
    let sinkhole = try check(Self.example("sinkhole.yaml"))
    #expect(sinkhole.status == 0 && sinkhole.out.hasSuffix("a sinkhole with 4 listeners\n"), "\(sinkhole.err)")
  }

  @Test(arguments: [
    (
      "station:\n  data: d\n  sources: [ { demo: true } ]\n  keepdays: 3\n",
      "station.yaml:4: 'station' knows no key 'keepdays'"
    ),
    (
      "station:\n  data: d\n  sources:\n    - { interface: eth0, filter: \"prot 22\" }\n",
      "station.yaml:4: filter, column 1"
    ),
    (
      "station:\n  data: d\n  sources: [ { demo: true } ]\n  serve: { listen: \"192.0.2.1:80\" }\n",
      "station.yaml:4: outside of loopback"
    ),
    (
      "station:\n  data: d\n  sources: [ { demo: true } ]\n  privacy: { pseudonyms: some }\n",
      "station.yaml:4: 'pseudonyms' is one of"
    ),
    ("station: [\n", "station.yaml:"), ("", "station.yaml:"),
    ("station:\n  data: d\n  sources: [ { demo: true } ]\n  lists: [ absent.csv ]\n", "absent.csv"),
    ("station:\n  data: d\n  sources: [ { demo: true } ]\n  allow: [ absent.txt ]\n", "absent.txt: no such file"),
    (
      "station:\n  data: d\n  sources: [ { demo: true } ]\n  user: no-such-user\n",
      "station.yaml: user: no user 'no-such-user'"
    ),
    (
      "station:\n  data: d\n  sources: [ { demo: true } ]\n  serve: { tls: { certificate: c.pem, key: k.pem } }\n",
      "c.pem: No such file or directory"
    ),
  ])
  func whatIsWrongIsOneLineWithItsPlace(_ text: String, _ expected: String) throws {
    try withFile(text) { file in
      let outcome = try check(file)
      #expect(outcome.status == 2 && outcome.out == "")
      #expect(outcome.err.contains(expected), "\(outcome.err)")
      #expect(outcome.err.split(separator: "\n").count == 1, "\(outcome.err)")
    }
  }

  @Test func allFilesAreTold() throws {
    try withFile("station:\n  data: d\n  sources: [ { demo: true } ]\n") { good in
      let outcome = try check("/nonexistent/a.yaml", good, "/nonexistent/b.yaml")
      #expect(outcome.status == 2 && outcome.out.contains("a station with one source"))
      #expect(
        outcome.err.contains("/nonexistent/a.yaml: no such file") && outcome.err.contains("b.yaml: no such file"))
      #expect(try BuiltProgram.run(["config", "check"]).status == 2)
    }
  }

  @Test func theDoctorSaysWhatIsMissing() throws {
    try BuiltProgram.withFolder { folder in
      let data = folder.appendingPathComponent("data").path
      let file = folder.appendingPathComponent("station.yaml")
      let text =
        "station:\n  data: \(data)\n  sources:\n    - { demo: true }\n    - { logs: \(folder.path)/absent }\n"
        + "  serve: { listen: \"127.0.0.1:0\" }\n"
      try text.write(to: file, atomically: true, encoding: .utf8)
      let fair = try BuiltProgram.run(["doctor", "--config", file.path])
      #expect(fair.status == 0, "\(fair.err)")
      #expect(fair.out.contains("ok       data folder: \(data): will be made"), "\(fair.out)")
      #expect(fair.out.contains("lacking  source absent: ") && fair.out.contains("want attention"))
      // It looks, and makes nothing.
      #expect(!FileManager.default.fileExists(atPath: data))
      let bad = text.replacing(data, with: "/proc/nowhere/data").replacing(
        "{ demo: true }", with: "{ interface: nope0 }")
      try bad.write(to: file, atomically: true, encoding: .utf8)
      let broken = try BuiltProgram.run(["doctor", "--config", file.path])
      #expect(broken.status == 2 && broken.out.contains("the station will not work as it is"), "\(broken.out)")
      #expect(broken.out.contains("broken   source nope0: there is no interface nope0"))
    }
    #expect(try BuiltProgram.run(["doctor"]).out.contains("clock"))
    let absent = try BuiltProgram.run(["doctor", "--config", "/nonexistent/a.yaml"])
    #expect(absent.status == 2 && absent.err.contains("/nonexistent/a.yaml"))
  }
}
