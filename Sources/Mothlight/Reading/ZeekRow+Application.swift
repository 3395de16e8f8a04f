extension ZeekRow {
  /// A dns.log record (Zeek documentation, `DNS::Info`).
  func lookup(_ origin: RecordOrigin) throws(RowRefusal) -> DNSLookup {
    let ends = try endpoints(origin, default: .udp)
    let name = withText(.query) { LogText.domain($0) }
    let type = count(.queryType)
    guard name != nil || type != nil else { throw .skipped("dns record without a question") }
    var lookup = DNSLookup(ends: ends, name: name ?? "", type: UInt16(clamping: type ?? 0))
    lookup.responseCode = count(.responseCode).map { UInt16(clamping: $0) }
    if lookup.responseCode == nil, flag(.rejected) == true { lookup.responseCode = 5 }
    forEach(.answers, limit: Limits.dnsAnswers) { answer in
      if let address = IPAddress(ascii: answer) {
        lookup.addresses.append(address)
      } else if answer.count > 0 {
        lookup.targets.append(Self.isText(answer) ? LogText.json(answer, escaped: false) : LogText.domain(answer))
      }
    }
    var lowest = UInt32.max
    forEach(.ttls, limit: Limits.dnsAnswers) { ttl in
      if let nanoseconds = ASCIINumber.nanoseconds(ttl) {
        lowest = min(lowest, UInt32(clamping: nanoseconds / 1_000_000_000))
      }
    }
    lookup.ttlSeconds = lowest == .max ? 0 : lowest
    return lookup
  }

  /// `TXT 12 …` and `SPF 12 …` keep their case.
  private static func isText(_ answer: UnsafeRawBufferPointer) -> Bool {
    answer.starts(with: "TXT ".utf8) || answer.starts(with: "SPF ".utf8)
  }

  /// An http.log record (`HTTP::Info`).
  func exchange(_ origin: RecordOrigin) throws(RowRefusal) -> HTTPExchange {
    var exchange = HTTPExchange(
      ends: try endpoints(origin, default: .tcp), method: text(.method) ?? "",
      host: withText(.host) { LogText.host($0) } ?? nil, target: string(.uri, limit: Limits.httpTargetOctets) ?? "",
      userAgent: text(.userAgent), referer: text(.referrer))
    exchange.status = count(.statusCode).flatMap { UInt16(exactly: $0) }
    exchange.requestBodyOctets = count(.requestBodyLength) ?? 0
    exchange.responseBodyOctets = count(.responseBodyLength) ?? 0
    forEach(.responseTypes, limit: 1) { exchange.contentType = LogText.zeek($0) }
    forEach(.clientHeaderNames, limit: 64) { exchange.headerNames.append(LogText.domain($0)) }
    return exchange
  }

  /// An ssl.log record (`SSL::Info`).
  func handshake(_ origin: RecordOrigin) throws(RowRefusal) -> TLSHandshake {
    let version = bytes(.version).map { LogText.tlsVersion($0) } ?? 0
    let isDatagram = version >> 8 == 0xfe
    var handshake = TLSHandshake(
      ends: try endpoints(origin, default: isDatagram ? .udp : .tcp), version: version,
      serverName: withText(.serverName) { LogText.domain($0) }, ja3: print(.ja3), ja3s: print(.ja3s), ja4: print(.ja4),
      established: flag(.established))
    if handshake.serverName?.isEmpty == true { handshake.serverName = nil }
    if let chosen = text(.nextProtocol) { handshake.alpn = [chosen] }
    var sha256: String?
    forEach(.chainPrints, limit: 1) { if $0.count == 64 { sha256 = LogText.domain($0) } }
    let subject = text(.subject)
    let issuer = text(.issuer)
    if sha256 != nil || subject != nil || issuer != nil {
      handshake.certificate = TLSHandshake.Certificate(sha256: sha256, subject: subject ?? "", issuer: issuer ?? "")
    }
    return handshake
  }

  private func print(_ field: ZeekField) -> String? {
    guard let text = bytes(field), text.count >= 8, text.count <= 64 else { return nil }
    return LogText.domain(text)
  }

  /// An ssh.log record (`SSH::Info`).
  func secureShell(_ origin: RecordOrigin) throws(RowRefusal) -> SSHHandshake {
    var handshake = SSHHandshake(
      ends: try endpoints(origin, default: .tcp), clientBanner: text(.client), serverBanner: text(.server),
      hassh: print(.hassh), hasshServer: print(.hasshServer), authenticated: flag(.authSuccess),
      attempts: UInt32(clamping: count(.authAttempts) ?? 0))
    // Logs from before Zeek 2.4 say it in words.
    if handshake.authenticated == nil, let status = bytes(.status) {
      if status.elementsEqual("success".utf8) { handshake.authenticated = true }
      if status.elementsEqual("failure".utf8) { handshake.authenticated = false }
    }
    return handshake
  }

  /// An irc.log record (`IRC::Info`): one command of a client; a detector puts those of a connection together.
  func chat(_ origin: RecordOrigin) throws(RowRefusal) -> IRCSession {
    var session = IRCSession(ends: try endpoints(origin, default: .tcp), nick: text(.nick) ?? "")
    guard let command = bytes(.command) else { throw .skipped("irc record without a command") }
    let value = text(.value)
    if command.elementsEqual("NICK".utf8) {
      session.nick = value ?? session.nick
    } else if command.elementsEqual("USER".utf8) {
      session.userShape = value.map { Array($0.utf8) }.map { IRCConversation.shape($0.span.bytes) } ?? ""
    } else if command.elementsEqual("JOIN".utf8) {
      session.channels = value.map { [$0] } ?? []
      session.hasChannelKey = text(.additional)?.contains("channel key") == true
    } else {
      throw .skipped("irc record of another command")
    }
    return session
  }
}
