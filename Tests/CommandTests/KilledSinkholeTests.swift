import Foundation
import Glibc
import Mothlight
import Testing

/// The running sinkhole is killed at moments that nobody chose; what the sender knows is held against the spool.
@Suite(.serialized) struct KilledSinkholeTests {
  private static let join: [UInt8] = [0x61, 0x01, 0x02, 0x98, 0x89, 0x88, 0xcb]

  private func withSinkhole(_ body: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mothlight-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try """
    orders:
      - authority: { order: "1", issuer: "Court", date: 2026-01-01 }
        family: Mariposa
        start: 2026-01-02
        end: 2099-12-31
        zones: [ a.test ]

    """.write(to: folder.appending(path: "zones.yaml"), atomically: true, encoding: .utf8)
    try """
    sinkhole:
      operator: { name: "Example CERT", abuse_contact: "abuse@cert.example" }
      addresses: { ipv4: [192.0.2.80] }
      dns: { listen: ["127.0.0.1:0"], ns: [ns1.sink.example] }
      zones: zones.yaml
      spool: kept
      tally: { sources: 4096, networks_v6: 1024 }
      listeners:
        - { listen: "127.0.0.1:0", transport: udp, family: Mariposa }
        - { listen: "127.0.0.1:0", transport: tcp }

    """.write(to: folder.appending(path: "sink.yaml"), atomically: true, encoding: .utf8)
    try body(folder)
  }

  private func sightings(_ folder: URL) throws -> [Sighting] {
    var rows: [Sighting] = []
    let reports = try SpoolReader(path: folder.appending(path: "kept/listeners").path).read {
      if case .sighting(let row) = $0 { rows.append(row) }
    }
    #expect(reports.allSatisfy { $0.damage == nil })
    return rows
  }

  private func verify(_ folder: URL) throws {
    let check = try SinkholeCommandTests.Program(["evidence", "verify", "kept/listeners"], in: folder, name: "verify")
    check.process.waitUntilExit()
    #expect(check.process.terminationStatus == 0, "\(check.out)\(check.err)")
  }

  /// Each life gets check-ins from sources of its own; it is killed shortly after, and the next goes on with what it counted.
  @Test func whatWasCountedOutlivesTheProcess() throws {
    try withSinkhole { folder in
      var truth: [UInt32: UInt32] = [:]
      var random = SystemRandomNumberGenerator()
      for life in 0..<6 as Range<UInt32> {
        let program = try SinkholeCommandTests.Program(
          ["sinkhole", "--only", "listeners", "sink.yaml"], in: folder, name: "life\(life)")
        let udp = try #require(program.port("listeners: udp"), "\(program.err)")
        let tcp = try #require(program.port("listeners: tcp"))
        for source in 1...20 as ClosedRange<UInt32> {
          let bot = try #require(Loopback(udp, isStream: false, source: 0x10_0000 + source))
          for _ in 0...life { bot.send(Self.join) }
          truth[0x10_0000 + source, default: 0] += life + 1
        }
        let visitor = try #require(Loopback(tcp, isStream: true, source: 0x20_0000 + life))
        visitor.send(Array("GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n".utf8))
        #expect(visitor.readToEnd()?.isEmpty == false)
        truth[0x20_0000 + life] = 1
        // Some before anything is on a disk, some after.
        usleep(UInt32.random(in: 50_000...900_000, using: &random))
        if life == 5 {
          #expect(program.end() == 0)
        } else {
          kill(program.process.processIdentifier, SIGKILL)
          program.process.waitUntilExit()
        }
      }
      try verify(folder)
      var counted: [UInt32: UInt32] = [:]
      for row in try sightings(folder) { counted[row.source.v4 & 0xff_ffff, default: 0] += row.count }
      #expect(counted == truth)
    }
  }

  /// Nobody is left behind when the supervisor is killed, and what its parts had counted is on the disk.
  @Test func partsEndWithTheirSupervisor() throws {
    try withSinkhole { folder in
      let program = try SinkholeCommandTests.Program(["sinkhole", "sink.yaml"], in: folder)
      let udp = try #require(program.port("listeners: udp"), "\(program.err)")
      #expect(program.says("answers on 127.0.0.1:"))
      let parts = try SinkholeCommandTests.children(of: program.process.processIdentifier)
      #expect(parts.count == 2)
      let bot = try #require(Loopback(udp, isStream: false, source: 7))
      for _ in 0..<9 { bot.send(Self.join) }
      kill(program.process.processIdentifier, SIGKILL)
      program.process.waitUntilExit()
      for _ in 0..<140 where parts.contains(where: { kill($0, 0) == 0 }) { usleep(50_000) }
      #expect(parts.allSatisfy { kill($0, 0) != 0 })
      try verify(folder)
      #expect(try sightings(folder).map(\.count) == [9])
    }
  }
}
