import Foundation
import Testing

/// `read --state` as a user runs it: the built binary, its exit status, its folder.
@Suite struct StateCommandTests {
  private func mothlight(
    _ arguments: [String], fileBlocksMost: Int? = nil, killedAfterMicroseconds: UInt32? = nil
  ) throws -> BuiltProgram.Outcome {
    try BuiltProgram.run(
      arguments, fileBlocksMost: fileBlocksMost, killedAfterMicroseconds: killedAfterMicroseconds)
  }

  private func withFolder(_ body: (URL) throws -> Void) throws { try BuiltProgram.withFolder(body) }

  private func hourLog(_ hour: Int) -> String {
    let fields =
      "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\torig_pkts\tresp_pkts"
    let rows = (0..<40).map { n in
      let peer = n == 7 ? "198.51.100.9\t8081" : "203.0.113.\(n)\t443"
      return
        "\(1_772_409_600 + hour * 3600 + n * 80).5\tC\(hour)n\(n)\t192.168.10.7\t\(40_000 + hour * 40 + n)\t\(peer)\ttcp\t-\t1.0\t500\t900\tSF\t5\t5"
    }
    return "#separator \\x09\n#path\tconn\n\(fields)\n" + rows.joined(separator: "\n") + "\n"
  }

  private func write(_ text: String, _ file: URL) throws -> String {
    try Data(text.utf8).write(to: file)
    return file.path
  }

  /// The report comes first, names what is kept, and comes even when that cannot be saved.
  @Test func stateIsKeptBetweenRuns() throws {
    try withFolder { folder in
      let state = folder.appendingPathComponent("state").path
      var last = ""
      for hour in 0..<12 {
        let log = try write(hourLog(hour), folder.appendingPathComponent("\(hour).log"))
        let outcome = try mothlight(["read", log, "--state", state])
        #expect(outcome.status == 0 && outcome.err == "", "\(outcome.err)")
        last = outcome.out
      }
      #expect(last.contains("1 day, 40 pairs of 1 host"))
      #expect(last.contains("198.51.100.9"))
      let again = try mothlight(
        ["read", folder.appendingPathComponent("11.log").path, "--state", state, "--format", "json"])
      #expect(again.out.contains("\"repeated_inputs\":1"))
      let without = try mothlight(["read", folder.appendingPathComponent("11.log").path, "--format", "json"])
      #expect(without.out.contains("\"state\":null"))

      let file = try write("x", folder.appendingPathComponent("file"))
      let refused = try mothlight(["read", folder.appendingPathComponent("11.log").path, "--state", file])
      #expect(refused.status == 2 && refused.out == "")
      #expect(refused.err.split(separator: "\n").count == 1 && refused.err.contains("is no folder"))
    }
  }

  /// A limit on file sizes is as good as a full disk: the report is there, the old state too, and the exit status is 2.
  @Test func aFullDiskKeepsTheOldState() throws {
    try withFolder { folder in
      let state = folder.appendingPathComponent("state").path
      let first = try write(hourLog(0), folder.appendingPathComponent("0.log"))
      let second = try write(hourLog(1), folder.appendingPathComponent("1.log"))
      #expect(try mothlight(["read", first, "--state", state]).status == 0)
      let before = try FileManager.default.contentsOfDirectory(atPath: state).sorted()
      let full = try mothlight(["read", second, "--state", state, "--format", "json"], fileBlocksMost: 4)
      #expect(full.status == 2)
      #expect(full.err.contains("the state could not be saved") && full.err.contains("the old one is still there"))
      #expect(full.out.contains("host_days"))
      #expect(try FileManager.default.contentsOfDirectory(atPath: state).sorted() == before)
    }
  }

  /// Killed at any moment, however often, the next run finds a whole state and says nothing about it.
  @Test func killedRunsLeaveAState() throws {
    try withFolder { folder in
      let state = folder.appendingPathComponent("state").path
      var random = SystemRandomNumberGenerator()
      for hour in 0..<25 {
        let log = try write(hourLog(hour), folder.appendingPathComponent("\(hour).log"))
        _ = try mothlight(
          ["read", log, "--state", state], killedAfterMicroseconds: UInt32.random(in: 0..<150_000, using: &random))
        let outcome = try mothlight(["read", log, "--state", state, "--format", "json"])
        #expect(outcome.status == 0 && outcome.err == "", "\(outcome.err)")
        #expect(outcome.out.contains("\"runs\":\(hour + 1),"))
        #expect(!outcome.out.contains("was not used"))
      }
    }
  }
}
