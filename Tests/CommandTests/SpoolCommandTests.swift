import Foundation
import Mothlight
import Testing

/// Spools as a user meets them: the built binary killed while it writes one, then read and verified.
@Suite struct SpoolCommandTests {
  private func program() -> URL {
    let folder =
      Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }.first {
        FileManager.default.isExecutableFile(atPath: $0.appendingPathComponent("mothlight").path)
      } ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    return folder.appendingPathComponent("mothlight")
  }

  private func mothlight(_ arguments: [String], killedAfterMicroseconds: UInt32? = nil) throws -> (
    status: Int32, out: String
  ) {
    let process = Process()
    process.executableURL = program()
    process.arguments = arguments
    let out = Pipe()
    process.standardOutput = out
    process.standardError = out
    try process.run()
    if let killedAfterMicroseconds {
      usleep(killedAfterMicroseconds)
      kill(process.processIdentifier, SIGKILL)
    }
    let text = out.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: text, as: UTF8.self))
  }

  @Test func killedWritersLeaveAPrefixOfTheirRecords() throws {
    let base = NSTemporaryDirectory() + "killed-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: base, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: base) }
    let scenario = "\(base)/botnet.yaml"
    try "botnet: Mariposa\nmachines: 400\ndays: 10\n".write(toFile: scenario, atomically: true, encoding: .utf8)
    #expect(try mothlight(["simulate", scenario, "-o", "\(base)/whole"]).status == 0)
    func sightings(_ folder: String) throws -> [Sighting] {
      var out: [Sighting] = []
      _ = try SpoolReader(path: folder).read { if case .sighting(let sighting) = $0 { out.append(sighting) } }
      return out
    }
    let whole = try sightings("\(base)/whole/spool-sinkhole")
    #expect(whole.count > 5000)
    var lengths: Set<Int> = []
    for n in 0..<12 {
      let folder = "\(base)/run\(n)"
      _ = try mothlight(["simulate", scenario, "-o", folder], killedAfterMicroseconds: 20_000 + UInt32(n) * 45_000)
      let spool = "\(folder)/spool-sinkhole"
      guard FileManager.default.fileExists(atPath: "\(spool)/sensor.pub") else { continue }
      let writer = try SpoolWriter(folder: spool, options: .init(sensor: "sinkhole"))
      writer.finish(now: Timestamp(seconds: 2_000_000_000))
      guard SpoolReader.recognises(spool) else { continue }
      let kept = try sightings(spool)
      #expect(kept == Array(whole.prefix(kept.count)))
      lengths.insert(kept.count)
      #expect(try mothlight(["evidence", "verify", spool]).status == 0)
    }
    // Some were killed in the middle, or the loop tested nothing.
    #expect(lengths.contains { $0 > 0 && $0 < whole.count })
  }

  @Test func verifyNamesWhatIsWrong() throws {
    let base = NSTemporaryDirectory() + "verify-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: base) }
    try FileManager.default.createDirectory(atPath: base, withIntermediateDirectories: true)
    try "botnet: Mariposa\nmachines: 50\ndays: 1\n".write(toFile: "\(base)/b.yaml", atomically: true, encoding: .utf8)
    #expect(try mothlight(["simulate", "\(base)/b.yaml", "-o", base]).status == 0)
    let spool = "\(base)/spool-sinkhole"
    let good = try mothlight(["evidence", "verify", spool])
    #expect(good.status == 0 && good.out.contains("nothing changed, cut or missing"))
    let first = "\(spool)/00000001-sightings.sealed"
    var bytes = try Data(contentsOf: URL(fileURLWithPath: first))
    bytes[300] ^= 1
    try bytes.write(to: URL(fileURLWithPath: first))
    let bad = try mothlight(["evidence", "verify", spool])
    #expect(bad.status == 1 && bad.out.contains("at byte"))
    let none = try mothlight(["evidence", "verify", base])
    #expect(none.status == 2 && none.out.contains("holds no spool segment"))
    let again = try mothlight(["simulate", "\(base)/b.yaml", "-o", base])
    #expect(again.status == 2 && again.out.contains("exists already"))
  }
}
