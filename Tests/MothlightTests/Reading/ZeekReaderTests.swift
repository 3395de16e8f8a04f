import Testing

@testable import Mothlight

@Suite struct ZeekReaderTests {
  static let fields =
    "ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\tmissed_bytes\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents"
  static func log(_ rows: [String], path: String = "conn", fields: String = ZeekReaderTests.fields) -> String {
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t\(path)\n#fields\t\(fields)\n"
      + rows.map { $0 + "\n" }.joined()
  }
  static func conn(_ ts: String, state: String = "SF", proto: String = "tcp", service: String = "ssl") -> String {
    "\(ts)\tCx\t10.0.0.5\t50000\t192.0.2.7\t443\t\(proto)\t\(service)\t1.5\t100\t2000\t\(state)\t0\tShADadFf\t7\t400\t9\t2400\t(empty)"
  }

  @Test func readsEveryColumnOfAConnection() throws {
    let reading = try Reading(text: Self.log([Self.conn("1517336042.090842")]), index: 3)
    let flow = try #require(reading.flows.first)
    #expect(
      flow
        == Flow(
          source: address("10.0.0.5"), destination: address("192.0.2.7"), sourcePort: 50000, destinationPort: 443,
          transport: .tcp, first: Timestamp(nanoseconds: 1_517_336_042_090_842_000),
          last: Timestamp(nanoseconds: 1_517_336_043_590_842_000), state: .closed, service: .tls, sourceOctets: 400,
          destinationOctets: 2400, sourcePayload: 100, destinationPayload: 2000, sourcePackets: 7,
          destinationPackets: 9,
          origin: RecordOrigin(input: 3, record: 7)))
    #expect(reading.summary.format == "zeek-tsv conn")
    #expect(reading.summary.used == 1)
    #expect(!reading.summary.clockIsRelative)
    #expect(reading.error == nil)
  }

  @Test(arguments: [
    ("S0", ConnectionState.unanswered), ("S1", .established), ("SF", .closed), ("REJ", .refused), ("S2", .closed),
    ("S3", .closed), ("RSTO", .reset), ("RSTR", .reset), ("RSTOS0", .unanswered), ("RSTRH", .midstream),
    ("SH", .unanswered), ("SHR", .midstream), ("OTH", .midstream), ("-", .unknown),
  ])
  func mapsConnectionStates(state: String, expected: ConnectionState) throws {
    #expect(try Reading(text: Self.log([Self.conn("1517336042.0", state: state)])).flows.first?.state == expected)
  }

  @Test func countsPayloadWhereIPOctetsAreMissing() throws {
    let row = "1517336042.0\t10.0.0.5\t5\t192.0.2.7\t53\tudp\t30\t-\tS0"
    let text = Self.log(
      [row], fields: "ts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_bytes\tresp_bytes\tconn_state")
    let flow = try #require(try Reading(text: text).flows.first)
    #expect(flow.sourceOctets == 30)
    #expect(flow.sourcePayload == 30)
    #expect(flow.destinationPayload == Flow.unknownCount)
    #expect(flow.first == flow.last)
    #expect(flow.service == .unknown)
  }

  @Test func cutsGluedLabelColumnsOff() throws {
    let fields = "ts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tconn_state   label   detailed-label"
    let row = "1517336042.0\t10.0.0.5\t5\t192.0.2.7\t23\ttcp\tS0   Malicious   PartOfAHorizontalPortScan"
    let reading = try Reading(text: Self.log([row, row], fields: fields))
    #expect(reading.flows.map(\.state) == [.unanswered, .unanswered])
    #expect(reading.summary.unparsed == 0)
  }

  @Test func honoursSeparatorsAndPlaceholdersOfTheHeader() throws {
    let text =
      "#separator \\x2c\n#set_separator,;\n#empty_field,EMPTY\n#unset_field,NONE\n#path,dns\n"
      + "#fields,ts,id.orig_h,id.orig_p,id.resp_h,id.resp_p,proto,query,qtype,rcode,answers,TTLs,x\n"
      + "1517336042.5,10.0.0.5,5000,10.0.0.1,53,udp,Example.ORG,1,0,www.example.org;192.0.2.1;2001:db8::1,60.0;5.0;7,z\n"
      + "1517336043.5,10.0.0.5,5001,10.0.0.1,53,udp,a.b,28,NONE,NONE,NONE,EMPTY\n"
      + "1517336044.5,10.0.0.5,5002,10.0.0.1,53,udp,NONE,NONE,NONE,EMPTY,NONE,EMPTY\n"
    let reading = try Reading(text: text)
    let first = try #require(reading.lookups.first)
    #expect(first.name == "example.org")
    #expect(first.addresses == [address("192.0.2.1"), address("2001:db8::1")])
    #expect(first.targets == ["www.example.org"])
    #expect(first.ttlSeconds == 5)
    #expect(first.responseCode == 0)
    #expect(reading.lookups.count == 2)
    #expect(reading.lookups.last?.responseCode == nil)
    #expect(reading.lookups.last?.type == 28)
    #expect(reading.summary.skipped == ["dns record without a question": 1])
  }

  @Test func writesUnprintableNameBytesAsDecimals() throws {
    let fields = "ts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tquery\trejected"
    let row = "1517336042.5\t10.0.0.5\t5000\t10.0.0.1\t53\tA\\x00\\xffb.com\tT"
    let lookup = try #require(try Reading(text: Self.log([row], path: "dns", fields: fields)).lookups.first)
    #expect(lookup.name == "a\\000\\255b.com")
    #expect(lookup.responseCode == 5)
  }

  @Test func readsHTTPWithEscapes() throws {
    let fields =
      "ts\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tmethod\thost\turi\treferrer\tuser_agent\trequest_body_len\tresponse_body_len\tstatus_code\tresp_mime_types"
    let row =
      "1517336042.5\t10.0.0.5\t5000\t192.0.2.1\t80\tPOST\tWWW.Example.org:8080\t/a\\x09b\t-\tMozilla\\\\5\t12\t34\t404\ttext/html,image/png"
    let exchange = try #require(try Reading(text: Self.log([row], path: "http", fields: fields)).exchanges.first)
    #expect(exchange.method == "POST")
    #expect(exchange.host == "www.example.org")
    #expect(exchange.target == "/a\tb")
    #expect(exchange.userAgent == "Mozilla\\5")
    #expect(exchange.referer == nil)
    #expect(exchange.status == 404)
    #expect(exchange.requestBodyOctets == 12)
    #expect(exchange.responseBodyOctets == 34)
    #expect(exchange.contentType == "text/html")
    #expect(exchange.ends.transport == .tcp)
  }

  @Test func readsTLSFromJSON() throws {
    let print = String(repeating: "ab", count: 32)
    let text =
      #"{"uid":"C","ts":1.5179e9,"id.resp_p":443,"id.orig_h":"10.0.0.5","id.orig_p":5000,"id.resp_h":"192.0.2.1","version":"TLSv12","server_name":"WWW.Example.org","#
      + #""next_protocol":"h2","cert_chain_fps":["\#(print)","ff"],"subject":"CN=\"x\"","issuer":"CN=CA \u00e9","established":true,"ja3":"0123456789abcdef0123456789abcdef","nested":{"a":[1,{"b":"}"}]}, "cipher" : null }"#
    let handshake = try #require(try Reading(text: text).handshakes.first)
    #expect(handshake.version == 0x0303)
    #expect(handshake.serverName == "www.example.org")
    #expect(handshake.alpn == ["h2"])
    #expect(handshake.ja3 == "0123456789abcdef0123456789abcdef")
    #expect(handshake.ja4 == nil)
    #expect(handshake.established == true)
    #expect(handshake.certificate == .init(sha256: print, subject: "CN=\"x\"", issuer: "CN=CA é"))
    #expect(handshake.ends.serverPort == 443)
    #expect(try Reading(text: text).observations.first?.time == Timestamp(seconds: 1_517_900_000))
  }

  @Test func readsSSH() throws {
    let text =
      #"{"ts":1663683561.7,"id.orig_h":"10.0.0.5","id.orig_p":33728,"id.resp_h":"172.16.1.49","id.resp_p":22,"auth_success":false,"auth_attempts":6,"client":"SSH-2.0-libssh_0.9","server":"SSH-2.0-OpenSSH_9.0"}"#
    let event = try #require(try Reading(text: text).secureShells.first)
    #expect(event.authenticated == false)
    #expect(event.attempts == 6)
    #expect(event.clientBanner == "SSH-2.0-libssh_0.9")
    #expect(event.serverBanner == "SSH-2.0-OpenSSH_9.0")
  }

  @Test func givesTheSameFlowFromJSONAsFromColumns() throws {
    let json =
      #"{"ts":1517336042.090842,"uid":"Cx","id.orig_h":"10.0.0.5","id.orig_p":50000,"id.resp_h":"192.0.2.7","id.resp_p":443,"proto":"tcp","service":"ssl","duration":1.5,"orig_bytes":100,"resp_bytes":2000,"conn_state":"SF","history":"ShADadFf","orig_pkts":7,"orig_ip_bytes":400,"resp_pkts":9,"resp_ip_bytes":2400}"#
    var fromJSON = try #require(try Reading(text: json).flows.first)
    let fromColumns = try #require(try Reading(text: Self.log([Self.conn("1517336042.090842")])).flows.first)
    fromJSON.origin = fromColumns.origin
    #expect(fromJSON == fromColumns)
  }

  @Test func takesTheLogFromEachRecordOfAMixedStream() throws {
    let ends = #""id.orig_h":"10.0.0.5","id.orig_p":5,"id.resp_h":"192.0.2.7","id.resp_p":53"#
    let text =
      "{\"_path\":\"conn\",\"ts\":1517336042.0,\(ends),\"proto\":\"udp\"}\n"
      + "{\"_path\":\"dns\",\"ts\":1517336042.0,\(ends),\"query\":\"a.b\"}\n"
      + "{\"_path\":\"weird\",\"ts\":1517336042.0,\(ends),\"name\":\"x\"}\n"
    let reading = try Reading(text: text)
    #expect(reading.flows.count == 1)
    #expect(reading.lookups.count == 1)
    #expect(reading.summary.skipped == ["zeek weird log: not one that is read": 1])
  }

  @Test func understandsOtherClocksOfTheJSONWriter() throws {
    let ends =
      #""id.orig_h":"10.0.0.5","id.orig_p":5,"id.resp_h":"192.0.2.7","id.resp_p":53,"conn_state":"SF","proto":"udp""#
    let text =
      "{\"ts\":\"2018-01-30T18:14:02.500000Z\",\(ends)}\n{\"ts\":1517336042500.0,\(ends)}\n{\"ts\":1517336042.5,\(ends)}\n"
    #expect(
      try Reading(text: text).flows.map(\.first)
        == [Timestamp](repeating: Timestamp(nanoseconds: 1_517_336_042_500_000_000), count: 3))
  }

  @Test func keepsRelativeClocksAndSaysSo() throws {
    let reading = try Reading(text: Self.log([Self.conn("0.000000"), Self.conn("13.18"), Self.conn("0.0")]))
    #expect(reading.flows.map(\.first.nanoseconds) == [0, 13_180_000_000, 0])
    #expect(reading.summary.clockIsRelative)
    #expect(reading.summary.warnings.count == 1)
    #expect(reading.summary.used == 3)
  }

  @Test func refusesRecordsWithoutTime() throws {
    let zero = try Reading(text: Self.log([Self.conn("0.000000"), Self.conn("0.000000"), Self.conn("-")]))
    #expect(zero.error == SourceError(.noUsableTime, ""))
    #expect(zero.observations.isEmpty)
    #expect(zero.summary.skipped == ["no usable time": 3])
    let mixed = try Reading(text: Self.log([Self.conn("0.000000"), Self.conn("1517336042.0"), Self.conn("x")]))
    #expect(mixed.error == nil)
    #expect(mixed.flows.count == 1)
    #expect(mixed.summary.skipped == ["no usable time": 2])
  }

  @Test func countsDamagedLinesAndRemembersTheFirst() throws {
    let good = Self.conn("1517336042.0")
    let reading = try Reading(
      text: Self.log([good, "1517336042.0\tCx\t10.0.0.5", good.replacing("10.0.0.5", with: "10.0.0.555"), good])
        + "1517336042.0\tCx\t10.0")
    #expect(reading.summary.records == 5)
    #expect(reading.summary.used == 2)
    #expect(reading.summary.unparsed == 3)
    #expect(reading.summary.firstUnparsed == "line 8: 3 columns where the header has 19")
    #expect(reading.flows.map(\.origin.record) == [7, 10])
  }

  @Test func skipsLinesBeyondTheLimit() throws {
    let long = String(repeating: "x", count: Limits.lineOctets + 10)
    let good = Self.conn("1517336042.0")
    for text in [Self.log([good, long, good]), Self.log([good, good]) + long] {
      let reading = try Reading(text: text)
      #expect(reading.flows.count == 2)
      #expect(reading.summary.skipped == ["line longer than 1 MiB": 1])
    }
    #expect(try Reading(text: Self.log([good, long, good])).flows.last?.origin.record == 9)
  }

  @Test func startsAnewAtAHeaderInTheMiddle() throws {
    let other = "#fields\tproto\tid.resp_p\tid.resp_h\tid.orig_p\tid.orig_h\tts\tconn_state\n"
    let text =
      Self.log([Self.conn("1517336042.0")]) + "#close\t2018\n" + other
      + "udp\t53\t192.0.2.9\t4000\t10.0.0.6\t1517336043.0\tS0\n"
    let flows = try Reading(text: text).flows
    #expect(flows.count == 2)
    #expect(flows.last?.source == address("10.0.0.6"))
    #expect(flows.last?.destinationPort == 53)
    #expect(flows.last?.state == .unanswered)
  }

  @Test func saysWhyALogIsOfNoUse() throws {
    #expect(try Reading(text: Self.log([])).error == SourceError(.empty, ""))
    #expect(try Reading(text: Self.log(["x"])).error == SourceError(.nothingUsable, ""))
    #expect(
      try Reading(text: Self.log(["1\t2"], path: "weird", fields: "a\tb")).error == SourceError(.nothingUsable, ""))
    #expect(throws: SourceError(.unknownFormat, "")) {
      try Reading(text: "1517336042.0\tCx\t10.0.0.1\t80\t10.0.0.2\t90\ttcp\n")
    }
  }

  @Test func icmpIsNamedAfterItsAddressesAndAsksOnlyWithRequests() throws {
    func row(_ host: String, _ type: Int, _ replies: Int) -> String {
      "1517336042.0\tC\t\(host)\t\(type)\t\(host)\t0\ticmp\t-\t-\t-\t-\tOTH\t0\t-\t1\t84\t\(replies)\t\(replies * 84)\t-"
    }
    let flows = try Reading(
      text: Self.log([row("10.0.0.1", 8, 0), row("fe80::1", 128, 1), row("10.0.0.1", 3, 0)])
    ).flows
    #expect(flows.map(\.transport) == [.icmp, .icmp6, .icmp])
    #expect(flows.map(\.state) == [.unanswered, .established, .unknown])
    #expect(flows.map(\.sourcePort) == [8, 128, 3])
  }

  @Test func historyBecomesAnomalies() throws {
    let row = Self.conn("1517336042.0").replacing("ShADadFf", with: "^hADtgQ")
    #expect(
      try Reading(text: Self.log([row])).flows.first?.anomalies
        == [.directionGuessed, .retransmission, .sequenceGap, .badTCPFlags])
  }

  @Test func aFileCutAnywhereGivesItsWholeRows() throws {
    let json =
      #"{"ts":1517336042.0,"id.orig_h":"10.0.0.5","id.orig_p":5,"id.resp_h":"192.0.2.7","id.resp_p":53,"proto":"udp","conn_state":"SF","a":"\"\\"}"#
    for text in [
      Self.log([Self.conn("1517336042.0"), Self.conn("1517336043.0"), Self.conn("1517336044.0")]),
      [String](repeating: json, count: 3).joined(separator: "\n"),
    ] {
      let bytes = Array(text.utf8)
      let whole = try Reading(bytes: bytes).flows
      #expect(whole.count == 3)
      for cut in bytes.indices {
        let lines = bytes[..<cut].split(separator: 0x0a).filter { $0.first != 0x23 }.count
        guard let reading = try? Reading(bytes: Array(bytes[..<cut])) else { continue }
        let complete = max(0, lines - 1)
        #expect(reading.flows.prefix(complete).elementsEqual(whole.prefix(complete)))
        #expect(reading.flows.count <= lines)
        let s = reading.summary
        #expect(s.records == s.used + s.unparsed + s.skipped.values.reduce(0, +))
      }
    }
  }

  @Test func aCutCompressedLogGivesWholeRowsOnly() throws {
    let rows = (0..<400).map { Self.conn("15173\(36000 + $0).\($0 * 7919 % 1000)", state: $0 % 3 == 0 ? "S0" : "SF") }
    let plain = Array(Self.log(rows).utf8)
    let whole = try Reading(bytes: plain).flows
    #expect(whole.count == 400)
    for packed in [Compressed.gzip(plain), Compressed.zstd(plain)] {
      #expect(try Reading(bytes: packed).flows == whole)
      for cut in stride(from: packed.count - 1, to: packed.count / 2, by: -61) {
        guard let reading = try? Reading(bytes: Array(packed[..<cut])) else { continue }
        #expect(whole.starts(with: reading.flows))
        #expect(reading.summary.warnings.contains { $0.contains("cut after \(cut) bytes") })
      }
    }
  }

  @Test func hostileBytesAreCountedAndNeverTrap() throws {
    let json =
      #"{"ts":1517336042.0,"id.orig_h":"10.0.0.5","id.orig_p":5,"id.resp_h":"192.0.2.7","id.resp_p":53,"query":"a\u00e9","qtype":1,"answers":["1.2.3.4","x"],"TTLs":[1.0,2e300]}"#
    let seeds = [Self.log([Self.conn("1517336042.0"), Self.conn("99999999999.9")]), json + "\n" + json]
    var lottery = Lottery(7)
    for round in 0..<3000 {
      var bytes = Array(seeds[round % 2].utf8)
      for _ in 0..<Int.random(in: 1...6, using: &lottery) {
        bytes[Int.random(in: 0..<bytes.count, using: &lottery)] = UInt8.random(in: 0...255, using: &lottery)
      }
      guard let reading = try? Reading(bytes: bytes) else { continue }
      let s = reading.summary
      #expect(s.records == s.used + s.unparsed + s.skipped.values.reduce(0, +))
      #expect(reading.observations.count == Int(s.used))
    }
  }

  @Test func readsChatCommandsWithoutWhatIsSaid() throws {
    let fields = "ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tnick\tuser\tcommand\tvalue\taddl"
    let start = "1517336042.0\tC1\t10.0.0.5\t5\t192.0.2.7\t6667"
    let rows = [
      "\(start)\t-\t-\tNICK\tab7\t-", "\(start)\tab7\t-\tUSER\tx9\t0 * y",
      "\(start)\tab7\tx9\tJOIN\t#c\t with channel key: 'k'", "\(start)\tab7\tx9\tPRIVMSG\t#c\tsecret",
    ]
    let reading = try Reading(text: Self.log(rows, path: "irc", fields: fields))
    let chats = reading.observations.compactMap { if case .irc(let chat) = $0.event { chat } else { nil } }
    #expect(chats.map(\.nick) == ["ab7", "ab7", "ab7"])
    #expect(chats.map(\.userShape) == ["", "a9", ""])
    #expect(chats.map(\.channels) == [[], [], ["#c"]])
    #expect(chats.map(\.hasChannelKey) == [false, false, true])
    #expect(reading.summary.used == 3 && reading.summary.unparsed == 0)
  }
}
