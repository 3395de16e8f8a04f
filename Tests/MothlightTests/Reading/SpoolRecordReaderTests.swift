import Foundation
import Testing

@testable import Mothlight

@Suite struct SpoolRecordReaderTests {
  private func report(_ paths: [String]) async throws -> Report {
    var pipeline = try ReadPipeline(ReadOptions())
    return await pipeline.run(InputQueue(paths: paths), version: "test")
  }

  @Test func aSpoolGivesSourcesAndNoHosts() async throws {
    let folder = NSTemporaryDirectory() + "spool-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try SpoolFixture.write(folder, 160)
    let report = try await report([folder])
    #expect(report.hosts.isEmpty && !report.isAboutHosts)
    #expect(report.inputs.map(\.format) == ["sinkhole-spool"] && report.inputs[0].used == 160)
    let sinkhole = try #require(report.sinkhole)
    #expect(sinkhole.segmentsVerified == 2 && sinkhole.records == 160)
    for format in ["table", "json", "ndjson", "html"] {
      var text = ""
      try ExporterRoster.make(format, ExporterSettings()).export(report) { text += $0 }
      #expect(text.contains("Mariposa"), "\(format)")
      #expect(!text.contains("No machine of the home network"), "\(format)")
    }
  }

  @Test func aDamagedSpoolIsReadAsFarAsItIsWhole() async throws {
    let folder = NSTemporaryDirectory() + "spool-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try SpoolFixture.write(folder, 160)
    let path = "\(folder)/00000001-sightings.sealed"
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes[bytes.count / 2] ^= 4
    try bytes.write(to: URL(fileURLWithPath: path))
    let report = try await report([folder])
    #expect(report.inputs[0].used > 20 && report.inputs[0].used < 160)
    #expect(report.inputs[0].warnings.contains { $0.contains("chain hash") && $0.contains("at byte") })
  }
}
