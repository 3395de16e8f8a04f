import Testing

@testable import Mothlight

@Suite struct EVEReaderTests {
  static func event(
    _ type: String, _ body: String, time: String = "2021-06-06T15:57:37.272281+0200", proto: String = "TCP",
    port: Int = 443
  )
    -> String
  {
    #"{"timestamp":"\#(time)","flow_id":1,"event_type":"\#(type)","src_ip":"192.168.1.129","src_port":60316,"dest_ip":"192.0.2.67","dest_port":\#(port),"proto":"\#(proto)",\#(body),"host":"x"}"#
      + "\n"
  }
  static let counters =
    #""pkts_toserver":2,"pkts_toclient":3,"bytes_toserver":120,"bytes_toclient":180,"start":"2021-06-06T17:34:31.140759+0200","end":"2021-06-06T17:34:32.141012+0200","age":1,"state":"closed""#

  @Test func readsABidirectionalFlow() throws {
    let text = Self.event(
      "flow",
      #""app_proto":"tls","flow":{\#(Self.counters)},"tcp":{"tcp_flags":"1e","tcp_flags_ts":"1b","tcp_flags_tc":"1b"}"#)
    let flow = try #require(try Reading(text: text, index: 2).flows.first)
    // 17:34:31+02:00 is 15:34:31Z: date -u -d 2021-06-06T15:34:31Z +%s
    #expect(
      flow
        == Flow(
          source: address("192.168.1.129"), destination: address("192.0.2.67"), sourcePort: 60316, destinationPort: 443,
          transport: .tcp, first: Timestamp(nanoseconds: 1_622_993_671_140_759_000),
          last: Timestamp(nanoseconds: 1_622_993_672_141_012_000), state: .closed, service: .tls, sourceOctets: 120,
          destinationOctets: 180, sourcePackets: 2, destinationPackets: 3, origin: RecordOrigin(input: 2, record: 1)))
  }

  @Test(arguments: [
    ("02", "14", ConnectionState.refused), ("02", "00", .unanswered), ("1a", "1a", .established), ("1f", "1b", .closed),
    ("1a", "1e", .reset), ("18", "18", .midstream),
  ])
  func mapsTCPFlagsToStates(client: String, server: String, expected: ConnectionState) throws {
    let text = Self.event(
      "flow", #""flow":{\#(Self.counters)},"tcp":{"tcp_flags_ts":"\#(client)","tcp_flags_tc":"\#(server)"}"#)
    #expect(try Reading(text: text).flows.first?.state == expected)
  }

  @Test func unansweredDatagramsAreUnanswered() throws {
    let counters = Self.counters.replacing("\"pkts_toclient\":3", with: "\"pkts_toclient\":0")
      .replacing("\"bytes_toclient\":180", with: "\"bytes_toclient\":0")
    let flow = try #require(
      try Reading(text: Self.event("flow", #""flow":{\#(counters)}"#, proto: "UDP")).flows.first)
    #expect(flow.state == .unanswered)
    #expect(flow.transport == .udp)
    let ping = try #require(
      try Reading(text: Self.event("flow", #""icmp_type":8,"icmp_code":0,"flow":{\#(Self.counters)}"#, proto: "ICMP"))
        .flows.first)
    #expect(ping.sourcePort == 8)
    #expect(ping.destinationPort == 0)
    #expect(ping.state == .established)
  }

  @Test func joinsQueryAndAnswerOfVersionTwo() throws {
    let query = Self.event(
      "dns", #""dns":{"type":"query","id":2,"rrname":"WWW.Example.com","rrtype":"A","tx_id":0}"#, proto: "UDP", port: 53
    )
    let answer = Self.event(
      "dns",
      #""dns":{"version":2,"type":"answer","id":2,"rrname":"www.example.com","rrtype":"A","rcode":"NOERROR","answers":[{"rrname":"www.example.com","rrtype":"CNAME","ttl":580,"rdata":"Web.example.com"},{"rrname":"web.example.com","rrtype":"A","ttl":91,"rdata":"192.0.2.1"}],"grouped":{"A":["192.0.2.1"]}}"#,
      time: "2021-06-06T15:57:37.282281+0200", proto: "UDP", port: 53)
    let reading = try Reading(text: query + answer)
    #expect(reading.lookups.count == 1)
    let lookup = try #require(reading.lookups.first)
    #expect(lookup.name == "www.example.com")
    #expect(lookup.type == 1)
    #expect(lookup.responseCode == 0)
    #expect(lookup.addresses == [address("192.0.2.1")])
    #expect(lookup.targets == ["web.example.com"])
    #expect(lookup.ttlSeconds == 91)
    #expect(reading.observations.first?.time == Timestamp(nanoseconds: 1_622_987_857_272_281_000))
    let alone = try #require(try Reading(text: query).lookups.first)
    #expect(alone.responseCode == nil)
  }

  @Test func joinsTheSeparateRecordsOfVersionOne() throws {
    func part(_ type: String, _ data: String) -> String {
      Self.event(
        "dns",
        #""dns":{"type":"answer","id":9,"rcode":"NOERROR","rrname":"\#(type == "A" ? "b.org" : "a.org")","rrtype":"\#(type)","ttl":60,"rdata":"\#(data)"}"#,
        proto: "UDP", port: 53)
    }
    let query = Self.event(
      "dns", #""dns":{"type":"query","id":9,"rrname":"a.org","rrtype":"A"}"#, proto: "UDP", port: 53)
    let lookups = try Reading(text: query + part("CNAME", "b.org") + part("A", "192.0.2.1") + part("A", "192.0.2.2"))
      .lookups
    #expect(lookups.count == 1)
    #expect(lookups.first?.name == "a.org")
    #expect(lookups.first?.addresses == [address("192.0.2.1"), address("192.0.2.2")])
    #expect(lookups.first?.targets == ["b.org"])
  }

  @Test func readsVersionThreeQueriesAndTurnsServerSideAnswers() throws {
    let text =
      #"{"timestamp":"2024-06-06T15:57:37.272281Z","event_type":"dns","src_ip":"192.0.2.53","src_port":53,"dest_ip":"10.0.0.5","dest_port":4000,"proto":"UDP","dns":{"version":3,"type":"response","id":7,"rcode":"NXDOMAIN","queries":[{"rrname":"qx7.biz","rrtype":"AAAA"}]}}"#
    let lookup = try #require(try Reading(text: text).lookups.first)
    #expect(lookup.name == "qx7.biz")
    #expect(lookup.type == 28)
    #expect(lookup.responseCode == 3)
    #expect(lookup.ends.client == address("10.0.0.5"))
    #expect(lookup.ends.serverPort == 53)
  }

  @Test func readsTLSHTTPAndSSH() throws {
    let tls = Self.event(
      "tls",
      #""tls":{"subject":"CN=www.example.com","issuerdn":"CN=CA","fingerprint":"2d:d1:9f:80:99:86:fc:ac:5f:2a:2a:fd:a3:f3:7e:96:7c:dd:24:37","sni":"WWW.example.com","version":"TLS 1.1","notbefore":"2020-03-19T09:44:08","notafter":"2022-03-20T09:44:08","ja3":{"hash":"b7202231ff2db28363c109cedc6d1642","string":"770,51"},"ja3s":{"hash":"ad90cab724fafab2660fbf61673c91a9"},"ja4":"t13d1516h2_8daaf6152771_b186095e22b6"}"#
    )
    let http = Self.event(
      "http",
      #""http":{"hostname":"example.net","url":"/a\/b","http_user_agent":"x\ty","http_method":"GET","status":404,"length":47,"http_content_type":"text/html"}"#
    )
    let ssh = Self.event(
      "ssh",
      #""ssh":{"client":{"proto_version":"2.0","software_version":"Go","hassh":{"hash":"0df0d56bb50c6b2426d8d40234bf1826"}},"server":{"proto_version":"2.0","software_version":"OpenSSH_9"}}"#
    )
    let reading = try Reading(
      text: tls + http + ssh + Self.event("alert", #""alert":{"x":1}"#) + Self.event("stats", #""a":1"#))
    let handshake = try #require(reading.handshakes.first)
    #expect(handshake.version == 0x0302)
    #expect(handshake.serverName == "www.example.com")
    #expect(handshake.ja3 == "b7202231ff2db28363c109cedc6d1642")
    #expect(handshake.ja3s == "ad90cab724fafab2660fbf61673c91a9")
    #expect(handshake.ja4 == "t13d1516h2_8daaf6152771_b186095e22b6")
    #expect(handshake.certificate?.sha1 == "2dd19f809986fcac5f2a2afda3f37e967cdd2437")
    // date -u -d 2020-03-19T09:44:08Z +%s
    #expect(handshake.certificate?.notBefore == Timestamp(seconds: 1_584_611_048))
    let exchange = try #require(reading.exchanges.first)
    #expect(exchange.host == "example.net")
    #expect(exchange.target == "/a/b")
    #expect(exchange.userAgent == "x\ty")
    #expect(exchange.status == 404)
    let shell = try #require(reading.secureShells.first)
    #expect(shell.clientBanner == "SSH-2.0-Go")
    #expect(shell.hassh == "0df0d56bb50c6b2426d8d40234bf1826")
    #expect(reading.summary.skipped == ["event_type alert": 1, "event_type stats": 1])
  }

  @Test func aFileOfAlertsAloneIsOfNoUse() throws {
    #expect(try Reading(text: Self.event("alert", #""a":1"#)).error == SourceError(.nothingUsable, ""))
  }

  @Test func aLineCutAnywhereIsUnparsedAndHostileBytesNeverTrap() throws {
    let line = Array(Self.event("flow", #""flow":{\#(Self.counters)}"#).utf8)
    for cut in 0..<line.count - 1 {
      let reading = try Reading(bytes: line + line[..<cut])
      #expect(reading.flows.count == 1)
      #expect(reading.summary.unparsed == (cut == 0 ? 0 : 1))
    }
    var lottery = Lottery(5)
    let dns = Array(
      Self.event(
        "dns",
        #""dns":{"type":"answer","id":2,"rrname":"a\u0041","rrtype":"A","answers":[{"rdata":"1.2.3.4","ttl":5}]}"#
      ).utf8)
    for round in 0..<2000 {
      var bytes = round % 2 == 0 ? line + line : dns + dns
      for _ in 0..<4 {
        bytes[Int.random(in: 0..<bytes.count, using: &lottery)] = UInt8.random(in: 0...255, using: &lottery)
      }
      guard let reading = try? Reading(bytes: bytes) else { continue }
      #expect(reading.summary.records >= reading.summary.used)
    }
  }
}
