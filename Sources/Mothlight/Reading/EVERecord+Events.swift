extension EVERecord {
  /// The two ends of the record; source is the side that Suricata calls the client.
  func endpoints(_ origin: RecordOrigin) throws(RowRefusal) -> Endpoints {
    guard let client = address("src_ip"), let server = address("dest_ip") else {
      throw .damaged("src_ip or dest_ip is no address")
    }
    let transport = bytes("proto").map { Self.transport($0, isV6: !client.isV4) } ?? Transport(rawValue: 255)
    return Endpoints(
      client: client, server: server, clientPort: port("src_port"), serverPort: port("dest_port"), transport: transport,
      origin: origin)
  }

  private static func transport(_ text: UnsafeRawBufferPointer, isV6: Bool) -> Transport {
    if ShortWord(text) == "icmp" { return isV6 ? .icmp6 : .icmp }
    return BinetflowRow.transport(text) ?? Transport(rawValue: 255)
  }

  /// A `flow` event. Suricata counts octets from the IP header on.
  func flow(_ origin: RecordOrigin) throws(RowRefusal) -> Flow {
    guard let inner = object("flow") else { throw .damaged("flow event without its flow object") }
    guard let first = inner.time("start") ?? time("timestamp") else { throw .skipped(RecordTally.noUsableTime) }
    let ends = try endpoints(origin)
    let last = inner.time("end") ?? first.advanced(bySeconds: Double(inner.count("age") ?? 0))
    var flow = Flow(
      source: ends.client, destination: ends.server, sourcePort: ends.clientPort, destinationPort: ends.serverPort,
      transport: ends.transport, first: first, last: max(first, last),
      service: bytes("app_proto").map { LogText.service($0) } ?? .unknown,
      sourceOctets: inner.count("bytes_toserver") ?? 0, destinationOctets: inner.count("bytes_toclient") ?? 0,
      sourcePackets: UInt32(clamping: inner.count("pkts_toserver") ?? 0),
      destinationPackets: UInt32(clamping: inner.count("pkts_toclient") ?? 0), origin: origin)
    if ends.transport.isICMP {
      flow.sourcePort = UInt16(clamping: count("icmp_type") ?? 0)
      flow.destinationPort = UInt16(clamping: count("icmp_code") ?? 0)
    }
    flow.state = state(inner, flow)
    return flow
  }

  private func state(_ inner: EVERecord, _ flow: Flow) -> ConnectionState {
    let answered = flow.destinationPackets > 0 || flow.destinationOctets > 0
    if flow.transport == .tcp, let tcp = object("tcp"), let source = Self.hex(tcp.bytes("tcp_flags_ts")),
      let destination = Self.hex(tcp.bytes("tcp_flags_tc"))
    {
      return FlagPair(source: source, destination: destination).state(beganInView: false)
    }
    if flow.transport.isICMP, !answered {
      return flow.sourcePort == 8 || flow.sourcePort == 128 ? .unanswered : .unknown
    }
    if !answered { return .unanswered }
    guard flow.sourcePackets > 0 || flow.sourceOctets > 0 else { return .midstream }
    return flow.transport == .tcp && inner.bytes("state")?.elementsEqual("closed".utf8) == true ? .closed : .established
  }

  private static func hex(_ text: UnsafeRawBufferPointer?) -> UInt8? {
    guard let text, text.count > 0, text.count <= 2 else { return nil }
    var value: UInt8 = 0
    for byte in text {
      guard let digit = hexDigit(byte) else { return nil }
      value = value << 4 | digit
    }
    return value
  }

  /// A `tls` or `quic` event.
  func handshake(_ inner: EVERecord, _ origin: RecordOrigin, isQUIC: Bool) throws(RowRefusal) -> TLSHandshake {
    var handshake = TLSHandshake(
      ends: try endpoints(origin),
      version: isQUIC ? 0x0304 : inner.bytes("version").map { LogText.tlsVersion($0) } ?? 0,
      serverName: inner.domain("sni"), ja3: inner.print("ja3"), ja3s: inner.print("ja3s"), ja4: inner.print("ja4"),
      isQUIC: isQUIC)
    if handshake.serverName?.isEmpty == true { handshake.serverName = nil }
    inner.forEach("client_alpns", limit: 16) { handshake.alpn.append(LogText.json(inner.slice($0), escaped: false)) }
    let subject = inner.text("subject")
    let issuer = inner.text("issuerdn")
    let sha1 = inner.bytes("fingerprint").map { text in
      LogText.domain(text).filter { $0 != ":" }
    }
    if subject != nil || issuer != nil || sha1 != nil {
      handshake.certificate = TLSHandshake.Certificate(
        sha1: sha1?.utf8.count == 40 ? sha1 : nil, subject: subject ?? "", issuer: issuer ?? "",
        notBefore: inner.time("notbefore"), notAfter: inner.time("notafter"))
    }
    return handshake
  }

  /// A fingerprint, either plain or as `{"hash": …, "string": …}`.
  private func print(_ key: StaticString) -> String? { object(key)?.domain("hash") ?? domain(key) }

  /// An `http` event.
  func exchange(_ inner: EVERecord, _ origin: RecordOrigin) throws(RowRefusal) -> HTTPExchange {
    var exchange = HTTPExchange(
      ends: try endpoints(origin), method: inner.text("http_method") ?? "",
      host: inner.domain("hostname").flatMap { name in Array(name.utf8).withUnsafeBytes { LogText.host($0) } },
      target: inner.text("url", limit: Limits.httpTargetOctets) ?? "", userAgent: inner.text("http_user_agent"),
      referer: inner.text("http_refer"))
    exchange.status = inner.count("status").flatMap { UInt16(exactly: $0) }
    exchange.responseBodyOctets = inner.count("length") ?? 0
    exchange.contentType = inner.text("http_content_type")
    inner.forEach("request_headers", limit: 64) { header in
      if let name = EVERecord(header, in: inner)?.domain("name") { exchange.headerNames.append(name) }
    }
    return exchange
  }

  /// An `ssh` event.
  func secureShell(_ inner: EVERecord, _ origin: RecordOrigin) throws(RowRefusal) -> SSHHandshake {
    let client = inner.object("client")
    let server = inner.object("server")
    return SSHHandshake(
      ends: try endpoints(origin), clientBanner: client?.banner, serverBanner: server?.banner,
      hassh: client?.object("hassh")?.domain("hash"), hasshServer: server?.object("hassh")?.domain("hash"))
  }

  private var banner: String? {
    guard let software = text("software_version") else { return nil }
    return "SSH-\(text("proto_version") ?? "2.0")-\(software)"
  }
}
