import Foundation
import Testing

@testable import Mothlight

extension Scenario {
  /// Two hours of all kinds of traffic, small enough for debug builds.
  static let small = Scenario(
    name: "small", seed: 3, start: "2026-03-02T09:30:00Z", hours: 2, formats: [.pcap, .zeek, .zeekJSON, .binetflow],
    machines: [
      .init(kind: .office, count: 2, services: .init([.videoCalls: false])),
      .init(kind: .server, services: .init([.monitoring: true, .mailServer: true])), .init(kind: .iot),
      .init(group: "guest", kind: .office, services: .init([.bittorrent: true, .rss: true, .videoCalls: false])),
    ],
    infections: [
      .init(host: .number(1), kind: .bfbot, name: "wing.butterfly.example"),
      .init(
        host: .number(2), kind: .nxdomainBurst, periodSeconds: 1800, transport: .http, name: "found.moth.example",
        count: 20),
      .init(host: .group("iot", 1), kind: .scan, periodSeconds: 2, count: 200, family: "Mirai-like"),
      .init(host: .group("iot", 1), kind: .bruteForce, periodSeconds: 20, count: 30),
      .init(host: .group("guest", 1), kind: .irc, port: 6667),
      .init(host: .group("guest", 1), kind: .ddos, periodSeconds: 0.01, transport: .udp, count: 300),
    ])
}

@Suite("Simulation writers") struct WriterTests {
  @Test func captureIsValid() throws {
    let folder = ScratchFolder()
    var scenario = Scenario.small
    scenario.formats = [.pcap]
    _ = try Simulator(scenario).run(into: folder.path)
    let capture = CaptureBytes(try folder.bytes("small.pcap"))
    #expect(
      capture.header == [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0])
    #expect(capture.left == 0)
    #expect(capture.records.count > 5000)
    var whole = 0
    var bad: [String] = []
    for (index, record) in capture.records.enumerated() {
      let length = record.number(16, 2)
      if record.original != 14 + length || record.frame.count > record.original { bad.append("length of \(index)") }
      // A correct IPv4 header sums to all ones.
      var header = record
      header.frame = Array(record.frame[14..<34])
      if header.onesComplement(from: 0, adding: 0) != 0xffff { bad.append("IP checksum of \(index)") }
      if !record.isTCP, record.number(38, 2) != length - 20 { bad.append("UDP length of \(index)") }
      guard record.isWhole else { continue }
      whole += 1
      let pseudo =
        (26..<34).reduce(0) { $0 + Int(record.frame[$1]) << ($1 % 2 == 0 ? 8 : 0) } + Int(record.frame[23]) + length
        - 20
      if record.onesComplement(from: 34, adding: pseudo) != 0xffff { bad.append("L4 checksum of \(index)") }
    }
    #expect(bad.prefix(5) == [])
    #expect(whole * 2 > capture.records.count)
    #expect(zip(capture.records, capture.records.dropFirst()).allSatisfy { $0.time <= $1.time })
    #expect(capture.records.first.map { $0.time >= 1_772_443_800_000_000 } == true)
    #expect(capture.records.last.map { $0.time < 1_772_451_000_000_000 } == true)
  }

  @Test func captureShowsBFBot() throws {
    let folder = ScratchFolder()
    var scenario = Scenario.small
    scenario.formats = [.pcap]
    _ = try Simulator(scenario).run(into: folder.path)
    let datagrams = CaptureBytes(try folder.bytes("small.pcap")).records.filter {
      !$0.isTCP && $0.number(36, 2) == 3433
    }
    let payloads = datagrams.map { Array($0.frame.dropFirst(42)) }
    let join = try #require(payloads.first)
    #expect(join.count == 7 && join[0] == 0x61)
    #expect(
      join[1] ^ join[3] == 0x99 && join[2] ^ join[4] == 0x8b && join[1] ^ join[5] == 0x89 && join[2] ^ join[6] == 0xc9)
    #expect(payloads.dropFirst().allSatisfy { $0.count == 3 && $0[0] == 1 })
    #expect(Set(datagrams.map(\.tuple)).count == 1)
    let gaps = zip(datagrams, datagrams.dropFirst()).map { Double($1.time - $0.time) / 1e6 }
    #expect(gaps.count > 15)
    #expect(gaps.allSatisfy { abs($0 - 240) < 2 })
  }

  /// Packets and octets per direction, counted in the capture, equal those of conn.log and the binetflow.
  @Test func formatsAgree() throws {
    let folder = ScratchFolder()
    _ = try Simulator(.small).run(into: folder.path)
    var counted: [String: (packets: Int, octets: Int)] = [:]
    for record in CaptureBytes(try folder.bytes("small.pcap")).records {
      counted[record.tuple, default: (0, 0)].packets += 1
      counted[record.tuple, default: (0, 0)].octets += record.original - 14
    }
    var logged: [String: (packets: Int, octets: Int)] = [:]
    let rows = try folder.lines("zeek/conn.log").filter { !$0.hasPrefix("#") }.map { $0.components(separatedBy: "\t") }
    for row in rows {
      let number = row[6] == "tcp" ? 6 : 17
      for (tuple, packets, octets) in [
        ("\(row[2]):\(row[3])>\(row[4]):\(row[5])/\(number)", row[16], row[17]),
        ("\(row[4]):\(row[5])>\(row[2]):\(row[3])/\(number)", row[18], row[19]),
      ] where packets != "0" {
        logged[tuple, default: (0, 0)].packets += Int(packets) ?? 0
        logged[tuple, default: (0, 0)].octets += Int(octets) ?? 0
      }
    }
    #expect(counted.count == logged.count)
    let different = counted.filter { tuple, count in
      logged[tuple]?.packets != count.packets || logged[tuple]?.octets != count.octets
    }
    #expect(different.isEmpty)
    let flows = try folder.lines("small.binetflow").dropFirst().map { $0.components(separatedBy: ",") }
    #expect(flows.count == rows.count)
    #expect(flows.allSatisfy { $0.count == 15 })
    #expect(flows.reduce(0) { $0 + (Int($1[11]) ?? 0) } == counted.values.reduce(0) { $0 + $1.packets })
    #expect(
      flows.reduce(0) { $0 + (Int($1[12]) ?? 0) } == counted.values.reduce(0) { $0 + $1.octets + 14 * $1.packets })
    #expect(try Simulator(.small).flows().count == rows.count)
  }

  @Test(arguments: ZeekWriter.logs) func zeekColumns(log: String) throws {
    let folder = ScratchFolder()
    _ = try Simulator(.small).run(into: folder.path)
    let lines = try folder.lines("zeek/\(log).log")
    #expect(lines[0] == "#separator \\x09")
    #expect(lines[4] == "#path\t\(log)")
    let names = lines[6].components(separatedBy: "\t").dropFirst()
    #expect(lines[6].hasPrefix("#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\t"))
    #expect(lines[7].components(separatedBy: "\t").count == names.count + 1)
    #expect(lines.last?.hasPrefix("#close\t2026-03-02-") == true)
    let rows = lines.dropFirst(8).dropLast().map { $0.components(separatedBy: "\t") }
    #expect(!rows.isEmpty)
    #expect(rows.allSatisfy { row in row.count == names.count && !row.contains("") })
    #expect(zip(rows, rows.dropFirst()).allSatisfy { $0[0] <= $1[0] })
    let objects = try folder.lines("zeek-json/\(log).log").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
    #expect(objects.count == rows.count)
    #expect(objects.allSatisfy { Set($0.keys).isSubset(of: Set(names)) })
    #expect(objects.map { $0["uid"] as? String } == rows.map { $0[1] })
  }

  @Test func dnsLogShowsTheBurst() throws {
    let folder = ScratchFolder()
    _ = try Simulator(.small).run(into: folder.path)
    let rows = try folder.lines("zeek/dns.log").filter { $0.contains("\tNXDOMAIN\t") }
    #expect(rows.count % 20 == 0 && rows.count >= 60)
    #expect(try folder.lines("zeek/http.log").contains { $0.contains("\tPOST\tfound.moth.example\t/gate\t") })
  }

  @Test func truthHasARowPerMachineAndFormat() throws {
    let folder = ScratchFolder()
    _ = try Simulator(.small).run(into: folder.path)
    let lines = try folder.lines("truth.csv")
    #expect(lines[0] == "path,format,host,verdict,family,note")
    #expect(lines.count == 1 + 5 * 4)
    #expect(
      lines.contains { $0.hasPrefix("small.pcap,pcap,192.168.10.10,infected,BFBot,\"bfbot period_s=240 udp/3433 ") })
    #expect(lines.contains { $0.hasPrefix("zeek,zeek,192.168.10.12,clean,,\"simulated server, 24 h: ") })
    #expect(lines.contains { $0.hasPrefix("zeek-json,zeek-json,192.168.10.13,infected,Mirai-like,\"scan ") })
    #expect(lines.filter { $0.contains(",infected,") }.count == 4 * 4)
  }

  @Test func labelsNameTheKind() throws {
    let flows = try Simulator(.small).flows()
    let labels = Dictionary(grouping: flows, by: \.label).mapValues(\.count)
    #expect(labels["flow=From-Botnet-scan"] == 200)
    #expect(labels["flow=From-Botnet-brute_force"] == 30)
    #expect((labels["flow=From-Botnet-ddos"] ?? 0) == 1)
    #expect((labels["flow=From-Normal"] ?? 0) > 500)
    #expect(flows.first { $0.label == "flow=From-Botnet-ddos" }?.flow.sourcePackets == 300)
    #expect(zip(flows, flows.dropFirst()).allSatisfy { $0.flow.first <= $1.flow.first })
  }
}
