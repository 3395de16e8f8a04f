import Foundation
import Mothlight
import Testing

/// What is given away, with the built binary: files of a folder, markings, recipients, pseudonyms.
@Suite struct ShareCommandTests {
  private func mothlight(_ arguments: [String]) throws -> (status: Int32, out: String, err: String) {
    let folder =
      Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }.first {
        FileManager.default.isExecutableFile(atPath: $0.appendingPathComponent("mothlight").path)
      } ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    let process = Process()
    process.executableURL = folder.appendingPathComponent("mothlight")
    process.arguments = arguments
    let err = NSTemporaryDirectory() + "err-\(UUID().uuidString)"
    _ = FileManager.default.createFile(atPath: err, contents: nil)
    defer { try? FileManager.default.removeItem(atPath: err) }
    let out = Pipe()
    process.standardOutput = out
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: err))
    try process.run()
    let text = out.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (
      process.terminationStatus, String(decoding: text, as: UTF8.self),
      try String(contentsOfFile: err, encoding: .utf8)
    )
  }

  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "mothlight-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  private func withSpool(_ body: (_ spool: String, _ folder: String) throws -> Void) throws {
    try withFolder { folder in
      try "botnet: Toy\nmachines: 40\ndays: 2\nidentity: stable\n".write(
        toFile: "\(folder)/b.yaml", atomically: true, encoding: .utf8)
      #expect(try mothlight(["simulate", "\(folder)/b.yaml", "-o", folder]).status == 0)
      try body("\(folder)/spool-sinkhole", folder)
    }
  }

  @Test func aFolderGetsAFileForEachDayAndReport() throws {
    try withSpool { spool, folder in
      let out = "\(folder)/reports"
      try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
      let made = try mothlight(["read", spool, "--format", "shadowserver", "-o", out])
      #expect(made.status == 0 && made.out.isEmpty, "\(made.err)")
      #expect(made.err.contains("visitors left out") && made.err.contains("give a network its own only"))
      let names = try FileManager.default.contentsOfDirectory(atPath: out).sorted()
      #expect(names == ["2026-03-02-event4_sinkhole-mothlight.csv", "2026-03-03-event4_sinkhole-mothlight.csv"])
      for name in names {
        let rows = try String(contentsOfFile: "\(out)/\(name)", encoding: .utf8).split(separator: "\n")
        #expect(rows.count > 5 && rows.dropFirst().allSatisfy { $0.hasPrefix("\"\(name.prefix(10)) ") })
      }
      // Again is the same, and nothing half done is left.
      #expect(try mothlight(["read", spool, "--format", "shadowserver", "-o", out]).status == 0)
      #expect(try FileManager.default.contentsOfDirectory(atPath: out).sorted() == names)
      // A name that ends with / is made as a folder; a refused report leaves none behind.
      let new = try mothlight(["read", spool, "--format", "shadowserver", "-o", "\(folder)/new/"])
      #expect(new.status == 0, "\(new.err)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/new").sorted() == names)
      let refused = try mothlight(["read", spool, "--format", "shadowserver", "--tlp", "clear", "-o", "\(folder)/no/"])
      #expect(refused.status == 2 && !FileManager.default.fileExists(atPath: "\(folder)/no"))
      let nowhere = try mothlight(["read", spool, "--format", "shadowserver", "-o", "\(folder)/no/no/"])
      #expect(nowhere.status == 2 && nowhere.err.contains("does its folder exist"))
    }
  }

  @Test func theMarkingIsKept() throws {
    try withSpool { spool, folder in
      for format in ["table", "json", "ndjson", "html", "shadowserver", "intelmq"] {
        let refused = try mothlight(["read", spool, "--format", format, "--tlp", "clear", "-o", "\(folder)/x"])
        #expect(refused.status == 2 && refused.err.contains("TLP:CLEAR was asked for"), "\(format): \(refused.err)")
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/x"))
      }
      let red = try mothlight(["read", spool, "--format", "json", "--tlp", "red"])
      #expect(red.status == 0 && red.out.contains("\"tlp\":\"RED\""))
      #expect(try mothlight(["read", spool, "--tlp", "white"]).err.contains("--tlp takes clear, green, amber"))
      let census = try mothlight(["census", spool, "--format", "json"])
      #expect(census.out.contains("\"tlp\":\"AMBER\"") && census.out.contains("\"grade\":\"A\""))
      #expect(try mothlight(["census", spool, "--format", "json", "--tlp", "green"]).status == 2)
      #expect(try mothlight(["census", spool, "--format", "json", "--public"]).out.contains("\"tlp\":\"CLEAR\""))
    }
  }

  @Test func aRecipientGetsItsOwn() throws {
    try withSpool { spool, _ in
      let all = try mothlight(["read", spool, "--format", "intelmq"]).out.split(separator: "\n")
      let address = try #require(
        all.first?.components(separatedBy: "\"source.ip\":\"").last?.split(separator: "\"").first)
      let one = try mothlight(["read", spool, "--format", "intelmq", "--recipient", "\(address)/32"])
      let rows = one.out.split(separator: "\n")
      #expect(
        !rows.isEmpty && rows.count < all.count && rows.allSatisfy { $0.contains("\"source.ip\":\"\(address)\"") })
      #expect(one.err.contains("in others' networks left out"))
      #expect(try mothlight(["read", spool, "--recipient", "somewhere"]).err.contains("neither a prefix"))
      #expect(try mothlight(["read", spool, "--format", "xarf"]).err.contains("--reporter"))
      #expect(try mothlight(["read", spool, "--least-level", "connected"]).status == 2)
      for choice in [
        ["--recipient", "192.0.2.0/24"], ["--reporter", "CERT Example <abuse@cert.example>"],
        ["--least-level", "repeated"],
      ] {
        let unheeded = try mothlight(["read", spool, "--format", "json"] + choice)
        #expect(unheeded.status == 2 && unheeded.out.isEmpty)
        #expect(unheeded.err.contains("\(choice[0]): nothing in --format json heeds it"), "\(unheeded.err)")
      }
      // Only where Debian's database is not installed does nothing tell which addresses a system has.
      if !NetworkFiles.standardPaths.contains(where: { FileManager.default.isReadableFile(atPath: $0) }) {
        let system = try mothlight(["read", spool, "--format", "intelmq", "--recipient", "AS64500"])
        #expect(system.status == 2 && system.out.isEmpty)
        #expect(
          system.err.hasPrefix("mothlight: --recipient AS64500: ") && system.err.split(separator: "\n").count == 1)
      }
    }
  }

  @Test func pseudonymsAreStableUnderTheirKey() throws {
    try withFolder { folder in
      let log = "\(folder)/conn.log"
      var text =
        "#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration"
        + "\torig_bytes\tresp_bytes\tconn_state\n#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\n"
      for n in 0..<40 {
        text +=
          "\(1_772_445_600 + n * 60).5\tC\(n)\t10.20.30.40\t\(40_000 + n)\t198.51.100.9\t443\ttcp\tssl\t1.0\t500\t900\tSF\n"
      }
      try text.write(toFile: log, atomically: true, encoding: .utf8)
      let key = "\(folder)/names.key"
      let arguments = ["read", log, "--format", "json", "--all", "--anonymise", "pseudonyms"]
      #expect(try mothlight(arguments).err.contains("needs --key-file"))
      let first = try mothlight(arguments + ["--key-file", key])
      #expect(first.status == 0 && first.err.contains("a new key was made"), "\(first.err)")
      #expect(!first.out.contains("10.20.30.40") && first.out.contains("\"host\":\"host-"))
      #expect(first.out.contains("198.51.100.9") && first.out.contains("\"tlp\":\"GREEN\""))
      let second = try mothlight(arguments + ["--key-file", key])
      #expect(second.out == first.out && second.err.isEmpty)
      let other = try mothlight(arguments + ["--key-file", key + "2"])
      #expect(other.out != first.out)
      chmod(key, 0o644)
      #expect(try mothlight(arguments + ["--key-file", key]).err.contains("others may read this key"))
      let plain = try mothlight(["read", log, "--format", "json", "--all"])
      #expect(plain.out.contains("10.20.30.40") && plain.out.contains("\"tlp\":\"AMBER\""))
    }
  }
}
