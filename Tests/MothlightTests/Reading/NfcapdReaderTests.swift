import Testing

@testable import Mothlight

@Suite struct NfcapdReaderTests {
  static func record(
    _ source: String, _ sourcePort: Int, _ destination: String, _ destinationPort: Int, flags: String = "...AP.SF",
    first: String = "2018-01-12T15:37:30.942", received: String = "2018-01-12T15:38:00.000", extra: String = ""
  ) -> String {
    let v = source.contains(":") ? "6" : "4"
    return """
      {
      \t"type" : "FLOW",
      \t"sampled" : 0,
      \t"first" : "\(first)",
      \t"last" : "2018-01-12T15:37:31.942",
      \t"received" : "\(received)",
      \t"in_packets" : 5,
      \t"in_bytes" : 600,
      \(extra)\t"proto" : 6,
      \t"tcp_flags" : "\(flags)",
      \t"src_port" : \(sourcePort),
      \t"dst_port" : \(destinationPort),
      \t"src\(v)_addr" : "\(source)",
      \t"dst\(v)_addr" : "\(destination)",
      \t"label" : "<none>"
      }
      """
  }

  /// A stand-in for nfdump that prints `output` and, for -E, `exporters`.
  static func tool(_ folder: TemporaryFolder, output: String, exporters: String = "", status: Int = 0) throws -> String
  {
    try folder.write("out.json", output)
    try folder.write("exporters", exporters)
    return try folder.write(
      "nfdump",
      "#!/bin/sh\nif [ \"$1\" = -E ]; then cat '\(folder.path)/exporters'; exit 0; fi\ncat '\(folder.path)/out.json'\n[ \(status) = 0 ] || echo 'bad magic' >&2\nexit \(status)\n",
      mode: 0o755)
  }

  @Test func joinsBothDirectionsIntoOneFlow() throws {
    let folder = try TemporaryFolder()
    let output =
      Self.record("10.0.0.5", 50000, "192.0.2.7", 443, flags: "...AP.SF") + ",\n"
      + Self.record("192.0.2.7", 443, "10.0.0.5", 50000, flags: "...AP.SF", first: "2018-01-12T15:37:30.950") + "\n"
    let reader = try NfcapdReader(path: "x", index: 4, tool: Self.tool(folder, output: output))
    let reading = Reading(reader)
    #expect(
      reading.flows == [
        Flow(
          source: address("10.0.0.5"), destination: address("192.0.2.7"), sourcePort: 50000, destinationPort: 443,
          transport: .tcp, first: Timestamp(nanoseconds: 1_515_771_450_942_000_000),
          last: Timestamp(nanoseconds: 1_515_771_451_942_000_000), state: .closed, sourceOctets: 600,
          destinationOctets: 600, sourcePackets: 5, destinationPackets: 5, origin: RecordOrigin(input: 4, record: 1))
      ])
    #expect(reading.summary.records == 2)
    #expect(!reading.summary.isSampled)
  }

  @Test func readsIPv6AndExportersThatCountBothWays() throws {
    let folder = try TemporaryFolder()
    let extra = "\t\"out_packets\" : 3,\n\t\"out_bytes\" : 300,\n"
    let reader = try NfcapdReader(
      path: "x", index: 0,
      tool: Self.tool(folder, output: Self.record("2001:db8::5", 1, "2001:db8::6", 2, extra: extra)))
    let flow = try #require(Reading(reader).flows.first)
    #expect(flow.source == address("2001:db8::5"))
    #expect(flow.destinationOctets == 300)
    #expect(flow.destinationPackets == 3)
  }

  @Test func namesSampling() throws {
    let folder = try TemporaryFolder()
    let exporters = "    Sampler: Generic Sampler: algorithm: 1, packet interval: 1, packet space: 511\n"
    let reading = Reading(
      try NfcapdReader(
        path: "x", index: 0,
        tool: Self.tool(folder, output: Self.record("10.0.0.1", 1, "10.0.0.2", 2), exporters: exporters)))
    #expect(reading.summary.isSampled)
    #expect(reading.summary.warnings == ["x: the exporter sampled 1 packet in 512, so counts and gaps say little"])
  }

  @Test func refusesRecordsWhoseTimesCannotBeTrusted() throws {
    let folder = try TemporaryFolder()
    let untimed = Self.record("10.0.0.1", 1, "10.0.0.2", 2, first: "1970-01-01T00:00:00.000")
    let unreceived = Self.record("10.0.0.1", 1, "10.0.0.2", 2, received: "1970-01-01T00:00:00.000")
    for output in [untimed, unreceived] {
      let reading = Reading(try NfcapdReader(path: "x", index: 0, tool: Self.tool(folder, output: output)))
      #expect(reading.error == SourceError(.noUsableTime, ""))
      #expect(reading.observations.isEmpty)
    }
    let trusted = try NfcapdReader(
      path: "x", index: 0, tool: Self.tool(folder, output: unreceived), trustsExporterClock: true)
    #expect(Reading(trusted).flows.count == 1)
  }

  @Test func saysWhenTheToolIsMissingOrFails() throws {
    #expect(throws: SourceError(.toolMissing, "")) { try NfcapdReader(path: "x", index: 0, tool: "/nowhere/nfdump") }
    let folder = try TemporaryFolder()
    let failed = Reading(try NfcapdReader(path: "x", index: 0, tool: Self.tool(folder, output: "", status: 3)))
    #expect(failed.error == SourceError(.toolFailed, ""))
    #expect(failed.error?.message == "x: nfdump failed: bad magic")
    let late = Reading(
      try NfcapdReader(
        path: "x", index: 0, tool: Self.tool(folder, output: Self.record("10.0.0.1", 1, "10.0.0.2", 2), status: 3)))
    #expect(late.flows.count == 1)
    #expect(late.error == nil)
    #expect(late.summary.warnings.first?.contains("bad magic") == true)
  }
}

@Suite struct BiflowTests {
  static func record(
    _ second: Double, from: String = "10.0.0.5", to: String = "192.0.2.7", ports: (UInt16, UInt16) = (50000, 443),
    flags: UInt8 = 0x1b, lasting: Double = 1
  )
    -> Biflow.Record
  {
    let first = Timestamp(secondsSinceEpoch: 1_500_000_000 + second)
    return Biflow.Record(
      flow: Flow(
        source: address(from), destination: address(to), sourcePort: ports.0, destinationPort: ports.1, transport: .tcp,
        first: first, last: first.advanced(bySeconds: lasting), sourceOctets: 100, sourcePackets: 1), tcpFlags: flags)
  }
  static func reply(_ second: Double, flags: UInt8 = 0x1b) -> Biflow.Record {
    record(second, from: "192.0.2.7", to: "10.0.0.5", ports: (443, 50000), flags: flags)
  }

  @Test func theSynSenderBeganEvenIfItsRecordComesSecond() {
    var biflow = Biflow()
    var out: [Flow] = []
    biflow.take(Self.reply(0, flags: 0x14), into: &out)
    #expect(out.isEmpty)
    biflow.take(Self.record(0, flags: 0x02), into: &out)
    #expect(out.map(\.source) == [address("10.0.0.5")])
    #expect(out.first?.state == .refused)
    #expect(out.first?.destinationOctets == 100)
  }

  @Test func recordsFarApartStaySeparate() {
    var biflow = Biflow()
    var out: [Flow] = []
    biflow.take(Self.record(0, flags: 0x02), into: &out)
    biflow.take(Self.reply(60), into: &out)
    biflow.finish(into: &out)
    #expect(out.map(\.state) == [.unanswered, .midstream])
  }

  @Test func waitingRecordsLeaveByAgeAndByNumber() {
    var byAge = Biflow()
    var out: [Flow] = []
    byAge.take(Self.record(0), into: &out)
    byAge.take(Self.record(1000, ports: (1, 2)), into: &out)
    #expect(out.count == 1)
    var byNumber = Biflow(capacity: 10)
    out = []
    for port in 1...1000 as ClosedRange<UInt16> { byNumber.take(Self.record(0, ports: (port, 80)), into: &out) }
    #expect(out.count == 990)
    byNumber.finish(into: &out)
    #expect(Set(out.map(\.sourcePort)).count == 1000)
  }
}
