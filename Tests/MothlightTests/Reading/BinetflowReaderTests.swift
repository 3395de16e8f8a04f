import Testing

@testable import Mothlight

@Suite struct BinetflowReaderTests {
  static let header =
    "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,sTos,dTos,TotPkts,TotBytes,SrcBytes,SrcPkts,Label\n"
  static func row(
    _ time: String = "2011/08/16 10:01:46.972101", proto: String = "tcp", sport: String = "50000",
    dir: String = "   ->",
    dport: String = "80", state: String = "FSPA_FSPA", total: String = "10,1500", source: String = "600,4",
    label: String = "flow=Background"
  ) -> String {
    "\(time),1.500000,\(proto),10.0.0.5,\(sport),\(dir),192.0.2.7,\(dport),\(state),0,0,\(total),\(source),\(label)\n"
  }
  static func flow(_ row: String) throws -> Flow { try #require(try Reading(text: header + row).flows.first) }

  @Test func readsEveryColumn() throws {
    let flow = try Self.flow(Self.row())
    // date -u -d '2011-08-16 10:01:46' +%s
    #expect(
      flow
        == Flow(
          source: address("10.0.0.5"), destination: address("192.0.2.7"), sourcePort: 50000, destinationPort: 80,
          transport: .tcp, first: Timestamp(nanoseconds: 1_313_488_906_972_101_000),
          last: Timestamp(nanoseconds: 1_313_488_908_472_101_000), state: .closed, sourceOctets: 600,
          destinationOctets: 900, sourcePackets: 4, destinationPackets: 6, origin: RecordOrigin(input: 0, record: 2)))
  }

  @Test(arguments: [
    ("S_", "   ->", ConnectionState.unanswered), ("S_RA", "   ->", .refused), ("S_R", "   ->", .refused),
    ("S_SA", "   ->", .established), ("SPA_SPA", "   ->", .established), ("SPA_SRA", "   ->", .reset),
    ("FSPA_FSPA", "   ->", .closed), ("FSRPA_FSPA", "   ->", .closed), ("FSPA_SPA", "   ->", .closed),
    ("SR_SA", "   ->", .reset), ("SA_", "   ->", .midstream), ("A_", "   ->", .midstream),
    ("_FSPA", "   ->", .midstream),
    ("PA_PA", "  <?>", .midstream), ("PA_PA", "   ->", .established), ("SPA_SPA", "  <?>", .established),
    ("REQ", "   ->", .unanswered), ("RST", "   ->", .reset), ("S0", "   ->", .unanswered), ("CON", "  <?>", .midstream),
  ])
  func mapsTCPStates(state: String, dir: String, expected: ConnectionState) throws {
    #expect(try Self.flow(Self.row(dir: dir, state: state)).state == expected)
  }

  @Test(arguments: [
    ("CON", "  <->", "2,200", "80,1", ConnectionState.established), ("INT", "   ->", "1,80", "80,1", .unanswered),
    ("REQ", "   ->", "1,80", "80,1", .unanswered),
  ])
  func mapsUDPStates(state: String, dir: String, total: String, source: String, expected: ConnectionState) throws {
    let flow = try Self.flow(Self.row(proto: "udp", dir: dir, state: state, total: total, source: source))
    #expect(flow.state == expected)
    #expect(flow.transport == .udp)
  }

  @Test func turnsFlowsThatTheDestinationBegan() throws {
    let flow = try Self.flow(
      Self.row(sport: "80", dir: "  <-", dport: "50000", state: "SPA_S", total: "5,500", source: "100,1"))
    #expect(flow.source == address("192.0.2.7"))
    #expect(flow.sourcePort == 50000)
    #expect(flow.destinationPort == 80)
    #expect(flow.sourceOctets == 400)
    #expect(flow.destinationOctets == 100)
    #expect(flow.sourcePackets == 4)
    #expect(flow.anomalies.isEmpty)
  }

  @Test func marksGuessedDirections() throws {
    #expect(try Self.flow(Self.row(dir: "  <?>", state: "PA_PA")).anomalies == .directionGuessed)
    #expect(try Self.flow(Self.row(dir: "   ?>", state: "A_")).anomalies == .directionGuessed)
    let turned = try Self.flow(Self.row(dir: "  <?", state: "A_PA"))
    #expect(turned.anomalies == .directionGuessed)
    #expect(turned.source == address("192.0.2.7"))
  }

  @Test func readsICMPTypeAndCodeFromHexadecimal() throws {
    let echo = try Self.flow(Self.row(proto: "icmp", sport: "0x0008", dir: "  <->", dport: "0x2d34", state: "ECO"))
    #expect(echo.sourcePort == 8)
    #expect(echo.destinationPort == 0)
    #expect(echo.state == .established)
    let unreachable = try Self.flow(Self.row(proto: "icmp", sport: "0x0303", dport: "0xf735", state: "URP"))
    #expect(unreachable.sourcePort == 3)
    #expect(unreachable.destinationPort == 3)
    #expect(unreachable.state == .unknown)
    let expired = try Self.flow(Self.row(proto: "icmp", sport: "0x000b", dport: "", state: "TXD"))
    #expect(expired.sourcePort == 11)
    #expect(try Self.flow(Self.row(proto: "icmp", sport: "0x0008", dport: "", state: "ECO")).state == .unanswered)
    #expect(try Self.flow(Self.row(proto: "tcp", sport: "0x01bb", dport: "0x0050")).sourcePort == 443)
  }

  @Test func leavesOutWhatIsNotIP() throws {
    let rows = ["arp", "llc", "man"].map { Self.row(proto: $0) }.joined()
    let reading = try Reading(text: Self.header + rows + Self.row(proto: "igmp"))
    #expect(reading.flows.map(\.transport.rawValue) == [2])
    #expect(reading.summary.skipped == ["not IP (arp, llc and the like)": 3])
    #expect(try Self.flow(Self.row(proto: "rtcp")).transport == .udp)
    #expect(try Self.flow(Self.row(proto: "xyz")).anomalies == .unknownTransport)
  }

  @Test func followsTheHeaderNotTheOrder() throws {
    let text =
      "StartTime\tProto\tDstAddr\tDport\tSrcAddr\tSport\tDir\tTotBytes\tTotPkts\n1313488906.5\tudp\t192.0.2.7\t53\t10.0.0.5\t4000\t  <->\t301\t2\n"
    let flow = try #require(try Reading(text: text).flows.first)
    #expect(flow.first.nanoseconds == 1_313_488_906_500_000_000)
    #expect(flow.source == address("10.0.0.5"))
    // Nothing tells the directions apart: halved.
    #expect(flow.sourceOctets == 151)
    #expect(flow.destinationOctets == 150)
    #expect(flow.sourcePackets == 1)
    #expect(flow.destinationPackets == 1)
  }

  @Test func readsTimesOfDayOverMidnight() throws {
    let rows = Self.row("23:59:59.500000") + Self.row("00:00:01.250000")
    let reading = try Reading(text: Self.header + rows)
    #expect(reading.flows.map(\.first.nanoseconds) == [86_399_500_000_000, 86_401_250_000_000])
    #expect(reading.summary.clockIsRelative)
  }

  @Test func acceptsAClockNear1970ThatMoves() throws {
    let zero = Self.row("1970/01/01 01:00:00.000000")
    let reading = try Reading(text: Self.header + zero + Self.row("1970/01/01 01:00:06.519466"))
    #expect(reading.flows.count == 2)
    #expect(reading.summary.clockIsRelative)
    let still = try Reading(text: Self.header + zero + zero)
    #expect(still.error == SourceError(.noUsableTime, ""))
    #expect(still.observations.isEmpty)
    let mixed = try Reading(text: Self.header + zero + Self.row())
    #expect(mixed.flows.count == 1)
    #expect(!mixed.summary.clockIsRelative)
  }

  @Test func handsLabelsToTheEvaluation() throws {
    let window = try ByteWindow(
      bytes: Array((Self.header + Self.row(label: "flow=From-Botnet-V42") + Self.row(label: "")).utf8), name: "memory")
    let reader = BinetflowReader(window: window, path: "memory", index: 0)
    var labels: [String] = []
    reader.onLabel = { _, label in labels.append(String(decoding: label, as: UTF8.self)) }
    #expect(Reading(reader).flows.count == 2)
    #expect(labels == ["flow=From-Botnet-V42", ""])
  }

  @Test func acceptsRowsWithoutTheLastLabelColumnAndCountsOthers() throws {
    let bare = String(Self.row().dropLast(17)) + "\n"
    let reading = try Reading(text: Self.header + bare + "2011/08/16,1\n" + Self.row())
    #expect(reading.flows.count == 2)
    #expect(reading.summary.unparsed == 1)
    #expect(reading.summary.firstUnparsed == "line 3: 2 columns where the header has 16")
  }

  @Test func decodesPayloadColumns() throws {
    let header =
      "StartTime,Dur,Proto,SrcAddr,Sport,Dir,DstAddr,Dport,State,TotPkts,TotBytes,SrcBytes,srcUdata,dstUdata,Label\n"
    let query: [UInt8] = [
      0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7, 0x45, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 3, 0x6f, 0x72, 0x67, 0, 0,
      1, 0, 1,
    ]
    var answer = query
    answer.replaceSubrange(2..<4, with: [0x81, 0x83])
    let row =
      "2015/03/24 18:23:32.619989,0.1,udp,10.0.0.34,55576,  <->,8.8.8.8,53,CON,2,240,76,s[48]=\(Base64.encode(query)),d[48]=\(Base64.encode(answer)),\n"
    let reading = try Reading(text: header + row)
    let lookup = try #require(reading.lookups.first)
    #expect(lookup.name == "example.org")
    #expect(lookup.responseCode == DNSLookup.nxDomain)
    #expect(lookup.ends.client == address("10.0.0.34"))
    #expect(lookup.ends.origin.record == 2)
    #expect(reading.flows.first?.service == .dns)
    #expect(reading.summary.used == 1)
    let request = Base64.encode(Array("GET /gate.php HTTP/1.1\r\nHost: example.net\r\nUser-Agent: x\r\n\r\n".utf8))
    let web = try Reading(
      text: header
        + "2015/03/24 18:23:33.0,0.1,tcp,10.0.0.34,55577,   ->,192.0.2.1,80,FSPA_FSPA,9,900,300,s[80]=\(request),,\n")
    #expect(web.exchanges.first?.host == "example.net")
    #expect(web.exchanges.first?.target == "/gate.php")
    #expect(web.flows.first?.service == .http)
  }

  @Test func aFileCutAnywhereGivesItsWholeRows() throws {
    let bytes = Array(
      (Self.header + Self.row() + Self.row(proto: "icmp", sport: "0x0008", state: "ECO") + Self.row()).utf8)
    let whole = try Reading(bytes: bytes).flows
    for cut in bytes.indices {
      guard let reading = try? Reading(bytes: Array(bytes[..<cut])) else { continue }
      let complete = max(0, bytes[..<cut].split(separator: 0x0a).count - 2)
      #expect(reading.flows.prefix(complete).elementsEqual(whole.prefix(complete)))
      let s = reading.summary
      #expect(s.records == s.used + s.unparsed + s.skipped.values.reduce(0, +))
    }
  }

  @Test func hostileBytesNeverTrap() throws {
    var lottery = Lottery(11)
    let seed = Array(
      (Self.header + Self.row() + Self.row("1970/01/01 01:00:00.000000", proto: "udp", state: "CON")).utf8)
    for _ in 0..<2000 {
      var bytes = seed
      for _ in 0..<Int.random(in: 1...8, using: &lottery) {
        bytes[Int.random(in: 0..<bytes.count, using: &lottery)] = UInt8.random(in: 0...255, using: &lottery)
      }
      guard let reading = try? Reading(bytes: bytes) else { continue }
      let s = reading.summary
      #expect(s.records == s.used + s.unparsed + s.skipped.values.reduce(0, +))
    }
  }
}
