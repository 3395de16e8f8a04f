import Foundation

@testable import Mothlight

/// Records of every kind, and a folder that goes away.
enum SpoolFixture {
  static let start = Timestamp(seconds: 1_772_409_600)

  static func sighting(_ n: Int) -> Sighting {
    Sighting(
      source: n % 5 == 0 ? IPAddress(high: 0x2001_0db8_0000_0001, low: 0) : IPAddress(v4: 0xf000_0000 + UInt32(n)),
      sourcePort: UInt16(1024 + n % 60_000), botnet: n % 3 == 0 ? "Mariposa" : "Butterfly",
      hour: UInt32(start.hour + n / 100), firstSecond: UInt16(n % 1800), lastSecond: UInt16(1800 + n % 1800),
      count: UInt32(n + 1), ports: Array([3431, 80, 443, 6667].prefix(n % 5)), hasMorePorts: n % 7 == 0,
      transport: .udp,
      level: EvidenceLevel.allCases[n % 4],
      visitor: n % 6 == 0 ? VisitorClass.allCases[n % VisitorClass.allCases.count] : nil, ruleVersion: 3,
      samplingFactor: n % 9 == 0 ? 16 : 1)
  }

  static func sample(_ n: Int) -> CheckIn {
    let applications: [ApplicationShape] = [
      .raw, .udp, .irc(commands: "NICK USER JOIN"),
      .tls(TLSShapeSeen(serverName: "a.example", alpn: "h2", ja3: "00", ja4: "t13")),
      .http(
        HTTPShapeSeen(
          method: "GET", host: "b.example", target: "/#", headerOrder: .max, userAgent: "x", bodyOctets: 12)),
    ]
    return CheckIn(
      time: start.advanced(bySeconds: Double(n)), source: IPAddress(v4: UInt32(n)), sourcePort: 1,
      destination: .unspecified, destinationPort: 80, transport: .tcp, family: "Mariposa", rule: n % 2 == 0 ? nil : "r",
      level: .shaped, visitor: .crawler, payloadOctets: 999, prefix: [UInt8](repeating: UInt8(n % 256), count: n % 129),
      application: applications[n % 5], samplingFactor: 2)
  }

  static func notice(_ n: Int) -> Notice {
    var loss = SpoolLoss(from: start, to: start.advanced(bySeconds: 9), code: 28)
    loss.sightings = 3
    loss.samples = UInt64(n)
    let events: [Notice.Event] = [
      .started(configuration: [1, 2, 3], version: "0.1.0"), .stopped, .samplingFactor(8), .kernelDrops(UInt64(n)),
      .lost(loss), .clockStep(nanoseconds: .max), .recovered("half"), .remark("zone loaded"),
    ]
    return Notice(time: start.advanced(bySeconds: Double(n)), event: events[n / 8 % events.count])
  }

  static func record(_ n: Int) -> SpoolRecord {
    switch n % 8 {
    case 6: .sample(sample(n), n % 16 == 6 ? .uniform : .firstOfDay)
    case 7:
      .dnsCount(
        ResolverCount(
          resolver: IPAddress(v4: 0x0808_0808), clientNetwork: n % 16 == 7 ? Prefix("192.0.2.0/24") : nil,
          name: "n\(n % 40).example", type: 28, botnet: "Mariposa", hour: 5, count: 7))
    case 5: .notice(notice(n))
    default: .sighting(sighting(n))
    }
  }

  static func withFolder(_ body: (String) throws -> Void) throws {
    let folder = NSTemporaryDirectory() + "spool-\(UInt64.random(in: 0 ... .max))"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try body(folder)
  }

  static func read(_ path: String) throws -> (records: [SpoolRecord], segments: [SpoolReader.SegmentReport]) {
    var records: [SpoolRecord] = []
    let segments = try SpoolReader(path: path).read { records.append($0) }
    return (records, segments)
  }

  /// A sealed spool of `count` records, in blocks of ten.
  static func write(_ folder: String, _ count: Int) throws {
    let writer = try SpoolWriter(folder: folder, options: .init(sensor: "test"))
    for n in 0..<count {
      writer.flush(now: start.advanced(bySeconds: Double(n)))
      writer.append(record(n))
    }
    writer.finish(now: start.advanced(bySeconds: Double(count)))
  }
}

/// A disk that can be full.
final class TroubledDisk: SpoolStorage {
  private let disk = SpoolDisk()
  var isFull = false
  /// Octets after which a write fails half done.
  var octetsLeft = Int.max

  private func check() throws(SpoolError) {
    if isFull { throw SpoolError(.full, "spool: cannot write: no space left on device") }
  }
  func create(_ path: String) throws(SpoolError) -> Int32 {
    try check()
    return try disk.create(path)
  }
  func write(_ bytes: [UInt8], to descriptor: Int32) throws(SpoolError) {
    try check()
    guard bytes.count > octetsLeft else {
      octetsLeft -= bytes.count
      return try disk.write(bytes, to: descriptor)
    }
    try disk.write(Array(bytes.prefix(octetsLeft)), to: descriptor)
    octetsLeft = 0
    isFull = true
    try check()
  }
  func synchronise(_ descriptor: Int32) throws(SpoolError) {
    try check()
    try disk.synchronise(descriptor)
  }
  func truncate(_ descriptor: Int32, to octets: Int) throws(SpoolError) { try disk.truncate(descriptor, to: octets) }
  func close(_ descriptor: Int32) { disk.close(descriptor) }
  func rename(_ from: String, to: String) throws(SpoolError) { try disk.rename(from, to: to) }
}
