import Foundation
import Mothlight
import Testing

@testable import MothlightStation

/// Real exporters on loopback: softflowd meters a capture, nfreplay sends what nfpcapd read from it. Skipped where they are not
/// installed. What they say they sent is what must arrive, octet by octet.
@Suite(.serialized) struct RealExporterTests {
  static let softflowd = tool("softflowd")
  static let nfdump = tool("nfdump")
  static let nfpcapd = tool("nfpcapd")
  static let nfreplay = tool("nfreplay")
  static var hasNfdump: Bool { nfdump != nil && nfpcapd != nil && nfreplay != nil }

  private static func tool(_ name: String) -> String? {
    ["/usr/sbin/", "/usr/bin/", "/usr/local/sbin/", "/usr/local/bin/"].map { $0 + name }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  @discardableResult
  private static func run(_ tool: String?, _ arguments: [String]) throws -> String {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: try #require(tool))
    process.arguments = arguments
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: output, as: UTF8.self)
  }

  private static func number(_ name: String, in text: String) -> Int? {
    text.split(separator: "\n").first { $0.hasPrefix(name) }
      .flatMap { Int($0.dropFirst(name.count).drop { $0 == " " }.prefix { $0.isNumber }) }
  }

  private func total(_ flows: [Flow]) -> (packets: Int, octets: Int) {
    flows.reduce((0, 0)) {
      ($0.0 + Int($1.sourcePackets) + Int($1.destinationPackets), $0.1 + Int($1.sourceOctets + $1.destinationOctets))
    }
  }

  @Test(
    .enabled(if: softflowd != nil, "softflowd is not installed"),
    arguments: [["-v", "5"], ["-v", "9"], ["-v", "9", "-A", "milli"], ["-v", "10"], ["-v", "10", "-b"]])
  func softflowdExports(_ options: [String]) async throws {
    let folder = try ScratchFolder()
    let capture = OfficeCapture(conversations: 300)
    let file = folder.path + "/office.pcap"
    try Data(capture.bytes).write(to: URL(filePath: file))
    let (sink, health) = try await RunningCollector.run { running in
      let said = try Self.run(
        Self.softflowd,
        ["-r", file, "-a", "-d", "-c", "none", "-p", folder.path + "/pid", "-n", "127.0.0.1:\(running.port)"] + options)
      #expect(said.contains("Flows expired: \(capture.flows)"), "\(said)")
      let sent = try #require(
        said.split(separator: "\n").first { $0.contains("Flows exported") }?.split(separator: "(").dropFirst().first
          .flatMap { Int($0.prefix { $0.isNumber }) })
      #expect(await RunningCollector.waits { Int(running.source.meter.health.records) >= sent }, "\(said)")
    }
    let flows = sink.flows()
    #expect(flows.count == capture.flows)
    let (packets, octets) = total(flows)
    #expect(packets == capture.packets && octets == capture.octets)
    #expect(flows.allSatisfy { $0.destinationPort == 443 || $0.destinationPort == 53 || $0.destinationPort == 23 })
    #expect(flows.count { $0.state == .closed } == capture.closed)
    #expect(flows.count { $0.state == .unanswered } == capture.unanswered)
    #expect(health.unparsed == 0 && health.skipped.isEmpty)
    // softflowd adds up its own way in IPFIX; the tracker finds it.
    #expect(health.dropped.isEmpty)
  }

  @Test(.enabled(if: softflowd != nil, "softflowd is not installed"))
  func softflowdSamples() async throws {
    let folder = try ScratchFolder()
    let file = folder.path + "/office.pcap"
    try Data(OfficeCapture(conversations: 100).bytes).write(to: URL(filePath: file))
    let (sink, health) = try await RunningCollector.run { running in
      try Self.run(
        Self.softflowd,
        [
          "-r", file, "-a", "-d", "-c", "none", "-p", folder.path + "/pid", "-n", "127.0.0.1:\(running.port)", "-v",
          "10", "-s", "10",
        ])
      #expect(await RunningCollector.waits { running.source.meter.health.records > 10 })
    }
    #expect(sink.flows().isEmpty && !sink.flows(.sampled).isEmpty)
    #expect(health.isSampled)
    #expect(health.details.values.contains { $0.contains("sampled 1 in 10") })
  }

  /// The same capture by nfdump's own meter, replayed: flows and octets as nfdump counts them.
  @Test(.enabled(if: hasNfdump, "nfdump is not installed"), arguments: ["5", "9"])
  func nfreplaySends(_ version: String) async throws {
    let folder = try ScratchFolder()
    let capture = OfficeCapture(conversations: 300)
    let file = folder.path + "/office.pcap"
    try Data(capture.bytes).write(to: URL(filePath: file))
    try FileManager.default.createDirectory(atPath: folder.path + "/flows", withIntermediateDirectories: true)
    try Self.run(Self.nfpcapd, ["-r", file, "-l", folder.path + "/flows"])
    let all = folder.path + "/all"
    try Self.run(Self.nfdump, ["-R", folder.path + "/flows", "-q", "-w", all])
    let summary = try Self.run(Self.nfdump, ["-r", all, "-I"])
    let records = try #require(Self.number("Flows:", in: summary))
    try #require(records > 0)
    let (sink, health) = try await RunningCollector.run {
      // The flows are as old as the capture.
      $0.flows.trustsExporterClock = true
    } _: { running in
      try Self.run(Self.nfreplay, ["-H", "127.0.0.1", "-p", "\(running.port)", "-v", version, "-r", all])
      #expect(await RunningCollector.waits { Int(running.source.meter.health.records) >= records })
    }
    #expect(Int(health.records) == records)
    let flows = sink.flows()
    let (packets, octets) = total(flows)
    #expect(packets == Self.number("Packets:", in: summary))
    #expect(octets == Self.number("Bytes:", in: summary))
    #expect(flows.count == capture.flows)
    #expect(health.unparsed == 0 && health.dropped.isEmpty && health.skipped.isEmpty)
    let first = try #require(flows.map(\.first).min())
    #expect(abs(first.seconds(since: capture.start)) < 0.01)
  }
}

/// A capture of an office: web conversations, look-ups with and without answer, and scans that nobody answers.
struct OfficeCapture {
  let start = Timestamp(seconds: 1_780_000_000)
  private(set) var packets = 0
  /// IP octets of all packets.
  private(set) var octets = 0
  private(set) var flows = 0
  private(set) var closed = 0
  private(set) var unanswered = 0
  private var frames: [(microseconds: Int, frame: [UInt8])] = []

  init(conversations: Int) {
    for n in 0..<conversations {
      let at = n * 100_000
      let (host, port) = (0x0a00_0002 + n % 40, 20_000 + n)
      flows += 1
      switch n % 5 {
      case 0, 1, 2:
        closed += 1
        web(host, port, at)
      case 3:
        add(host, 0x0a00_0001, port, 53, transport: 17, payload: 30, at: at)
        add(0x0a00_0001, host, 53, port, transport: 17, payload: 90, at: at + 5000)
      default:
        unanswered += 1
        for attempt in 0..<3 { add(host, 0xc633_6400 + n % 200, port, 23, flags: 2, at: at + attempt * 1_000_000) }
      }
    }
  }

  private mutating func web(_ host: Int, _ port: Int, _ at: Int) {
    let server = 0xcb00_7100 + port % 50
    let steps: [(Bool, Int, Int)] = [
      (true, 2, 0), (false, 0x12, 0), (true, 0x10, 0), (true, 0x18, 300), (false, 0x18, 1200), (false, 0x18, 700),
      (true, 0x11, 0), (false, 0x11, 0), (true, 0x10, 0),
    ]
    for (n, step) in steps.enumerated() {
      let (from, to) = step.0 ? (host, server) : (server, host)
      let (source, destination) = step.0 ? (port, 443) : (443, port)
      add(from, to, source, destination, flags: step.1, payload: step.2, at: at + n * 20_000)
    }
  }

  private mutating func add(
    _ from: Int, _ to: Int, _ source: Int, _ destination: Int, transport: Int = 6, flags: Int = 0, payload: Int = 0,
    at microseconds: Int
  ) {
    func u16(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }
    func u32(_ value: Int) -> [UInt8] { u16(value >> 16 & 0xffff) + u16(value & 0xffff) }
    let header =
      transport == 6
      ? u16(source) + u16(destination) + u32(1) + u32(1) + [0x50, UInt8(flags)] + u16(1000) + u32(0)
      : u16(source) + u16(destination) + u16(8 + payload) + u16(0)
    let length = 20 + header.count + payload
    let ip = [0x45, 0] + u16(length) + u32(0) + [64, UInt8(transport), 0, 0] + u32(from) + u32(to)
    let ethernet: [UInt8] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]
    frames.append((microseconds, ethernet + ip + header + [UInt8](repeating: 0, count: payload)))
    packets += 1
    octets += length
  }

  /// As a pcap file.
  var bytes: [UInt8] {
    func little(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
    var out = little(0xa1b2_c3d4) + [2, 0, 4, 0] + little(0) + little(0) + little(65_535) + little(1)
    for (at, frame) in frames.sorted(by: { $0.microseconds < $1.microseconds }) {
      out += little(1_780_000_000 + at / 1_000_000) + little(at % 1_000_000) + little(frame.count)
      out += little(frame.count) + frame
    }
    return out
  }
}
