@testable import Mothlight

/// Keeps what a spool would get.
final class RecordingSink: SpoolSink {
  private(set) var records: [SpoolRecord] = []
  private(set) var flushes = 0
  func append(_ record: SpoolRecord) { records.append(record) }
  func flush(now: Timestamp) { flushes += 1 }

  var sightings: [Sighting] {
    records.compactMap { if case .sighting(let sighting) = $0 { sighting } else { nil } }
  }
  var samples: [CheckIn] { records.compactMap { if case .sample(let sample, _) = $0 { sample } else { nil } } }
}

/// A tally with its clock, and check-ins by hand.
struct SinkholeFixture {
  let sink = RecordingSink()
  let tally: CheckInTally
  let reader: DialogueReader
  /// 2026-03-02T10:00:00Z
  static let start: Int64 = 1_772_445_600
  static let join: [UInt8] = [0x61, 0x01, 0x02, 0x98, 0x89, 0x88, 0xcb]

  init(
    path: String? = nil, networks: VisitorNetworks = VisitorNetworks(), families: [String: String] = [:],
    at second: Int64 = SinkholeFixture.start, change: (inout CheckInTally.Settings) -> Void = { _ in }
  ) throws {
    var settings = CheckInTally.Settings()
    settings.sourcesV4 = 1 << 14
    settings.sourcesV6 = 1 << 10
    settings.path = path
    settings.uniformOneIn = 0
    change(&settings)
    let recogniser = Recogniser(try SignatureFile.readBuiltin().signatures)
    reader = DialogueReader(recogniser)
    tally = try CheckInTally(
      settings, recogniser, networks: networks, familyOfHost: { families[$0] }, sink: sink,
      now: Timestamp(seconds: second))
  }

  func at(_ second: Int64) { tally.advance(to: Timestamp(seconds: Self.start + second)) }

  static func ends(_ source: IPAddress, _ port: UInt16, _ transport: Transport, from: UInt16 = 40_000) -> Endpoints {
    Endpoints(
      client: source, server: IPAddress(v4: 0xc000_0201), clientPort: from, serverPort: port, transport: transport)
  }

  func udp(_ source: IPAddress, _ bytes: [UInt8] = SinkholeFixture.join, port: UInt16 = 3431, family: String = "") {
    let declared = tally.declare(family)
    bytes.withUnsafeBytes { tally.datagram(Self.ends(source, port, .udp), $0, declared: declared) }
  }

  @discardableResult
  func tcp(
    _ source: IPAddress, _ bytes: [UInt8], port: UInt16 = 80, family: String = "", isEnd: Bool = true
  ) -> DialogueReader.Verdict? {
    let ends = Self.ends(source, port, .tcp)
    let declared = tally.declare(family)
    return bytes.withUnsafeBytes { octets in
      var scanned = 0
      guard let verdict = reader.read(octets, isEnd: isEnd, ends: ends, scanned: &scanned) else { return nil }
      tally.conversation(verdict, ends, octets, declared: declared)
      return verdict
    }
  }

  static func get(_ target: String, _ fields: [String] = [], host: String = "seized.example") -> [UInt8] {
    Array((["GET \(target) HTTP/1.1", "Host: \(host)"] + fields).joined(separator: "\r\n").utf8)
      + Array("\r\n\r\n".utf8)
  }
}

func v4(_ text: String) -> IPAddress { IPAddress(text) ?? .unspecified }
