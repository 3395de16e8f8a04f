/// Writes conn, dns, http and ssl logs in Zeek's columns (Zeek documentation, "Log files"), TSV or JSON.
final class ZeekWriter: TrafficWriter {
  static let logs = ["conn", "dns", "http", "ssl", "irc"]
  private let connections: ZeekLog
  private let lookups: ZeekLog
  private let requests: ZeekLog
  private let handshakes: ZeekLog
  private let chats: ZeekLog
  private var last: Int64 = 0

  private static let identity: [ZeekLog.Column] = [
    ("ts", "time"), ("uid", "string"), ("id.orig_h", "addr"), ("id.orig_p", "port"), ("id.resp_h", "addr"),
    ("id.resp_p", "port"),
  ]
  private static let connColumns: [ZeekLog.Column] =
    identity + [
      ("proto", "enum"), ("service", "string"), ("duration", "interval"), ("orig_bytes", "count"),
      ("resp_bytes", "count"),
      ("conn_state", "string"), ("local_orig", "bool"), ("local_resp", "bool"), ("missed_bytes", "count"),
      ("history", "string"), ("orig_pkts", "count"), ("orig_ip_bytes", "count"), ("resp_pkts", "count"),
      ("resp_ip_bytes", "count"), ("tunnel_parents", "set[string]"),
    ]
  private static let dnsColumns: [ZeekLog.Column] =
    identity + [
      ("proto", "enum"), ("trans_id", "count"), ("rtt", "interval"), ("query", "string"), ("qclass", "count"),
      ("qclass_name", "string"), ("qtype", "count"), ("qtype_name", "string"), ("rcode", "count"),
      ("rcode_name", "string"),
      ("AA", "bool"), ("TC", "bool"), ("RD", "bool"), ("RA", "bool"), ("Z", "count"), ("answers", "vector[string]"),
      ("TTLs", "vector[interval]"), ("rejected", "bool"),
    ]
  private static let httpColumns: [ZeekLog.Column] =
    identity + [
      ("trans_depth", "count"), ("method", "string"), ("host", "string"), ("uri", "string"), ("referrer", "string"),
      ("version", "string"), ("user_agent", "string"), ("origin", "string"), ("request_body_len", "count"),
      ("response_body_len", "count"), ("status_code", "count"), ("status_msg", "string"), ("tags", "set[enum]"),
      ("resp_mime_types", "vector[string]"),
    ]
  private static let sslColumns: [ZeekLog.Column] =
    identity + [
      ("version", "string"), ("cipher", "string"), ("curve", "string"), ("server_name", "string"), ("resumed", "bool"),
      ("last_alert", "string"), ("next_protocol", "string"), ("established", "bool"),
    ]

  private static let ircColumns: [ZeekLog.Column] =
    identity + [
      ("nick", "string"), ("user", "string"), ("command", "string"), ("value", "string"), ("addl", "string"),
    ]

  init(folder: String, epoch: Int64, isJSON: Bool) throws(SimulationError) {
    func log(_ name: String, _ columns: [ZeekLog.Column]) throws(SimulationError) -> ZeekLog {
      try ZeekLog("\(folder)/\(name).log", name: name, columns: columns, epoch: epoch, isJSON: isJSON)
    }
    connections = try log("conn", Self.connColumns)
    lookups = try log("dns", Self.dnsColumns)
    requests = try log("http", Self.httpColumns)
    handshakes = try log("ssl", Self.sslColumns)
    chats = try log("irc", Self.ircColumns)
  }

  func write(_ conversation: Conversation, _ summary: ConversationSummary) throws(SimulationError) {
    last = max(last, summary.last)
    for log in [lookups, requests, handshakes, chats] { try log.release(before: summary.first) }
    try connections.release(before: summary.first)
    let identity: [ZeekValue] = [
      .text(Self.identifier(conversation.serial)), .text(conversation.client.description),
      .number(Int(conversation.clientPort)), .text(conversation.server.description),
      .number(Int(conversation.serverPort)),
    ]
    connections.append(time: summary.first, identity + Self.connection(conversation, summary))
    switch conversation.application {
    case .none: break
    case .dns(let lookup): lookups.append(time: summary.first, identity + Self.lookup(lookup, summary))
    case .tls(let hello):
      guard let time = summary.stepTimes.first, time < .max else { break }
      let isAnswered = summary.stepTimes.count > 1 && summary.stepTimes[1] < .max
      handshakes.append(
        time: time,
        identity + [
          .text(hello.versionName), isAnswered ? .text(hello.cipherName) : .unset,
          isAnswered && hello.isVersion13 ? .text("x25519") : .unset, hello.serverName.map { .text($0) } ?? .unset,
          .flag(!hello.isVersion13), .unset, .unset, .flag(isAnswered),
        ])
    case .irc(let chat):
      guard let time = summary.stepTimes.first, time < .max else { break }
      for row in chat.logRows {
        chats.append(time: time, identity + row.map { text -> ZeekValue in text.isEmpty ? .unset : .text(text) })
      }
    case .http(let exchanges):
      for (index, exchange) in exchanges.enumerated() where summary.stepTimes[exchange.step] < .max {
        requests.append(
          time: summary.stepTimes[exchange.step], identity + Self.request(exchange, number: index + 1, summary))
      }
    }
  }

  func finish() throws(SimulationError) {
    for log in [connections, lookups, requests, handshakes, chats] { try log.finish(at: last) }
  }

  private static func connection(_ conversation: Conversation, _ summary: ConversationSummary) -> [ZeekValue] {
    let isOnePacket = summary.client.packets + summary.server.packets == 1
    let service: ZeekValue =
      conversation.service.isEmpty || summary.server.payload == 0 && conversation.transport == .tcp
      ? .unset : .text(conversation.service)
    let isUDPData = conversation.transport != .tcp && summary.client.payload > 0
    return [
      .text(conversation.transport.description), service,
      isOnePacket ? .unset : .seconds(summary.last - summary.first),
      isOnePacket && !isUDPData ? .unset : .number(summary.client.payload),
      isOnePacket && !isUDPData ? .unset : .number(summary.server.payload),
      .text(summary.zeekState(conversation.transport)), .flag(conversation.client.isPrivate),
      .flag(conversation.server.isPrivate), .number(0), .text(String(decoding: summary.history, as: UTF8.self)),
      .number(summary.client.packets), .number(summary.client.ipOctets), .number(summary.server.packets),
      .number(summary.server.ipOctets), .unset,
    ]
  }

  private static func lookup(_ lookup: SyntheticDNS, _ summary: ConversationSummary) -> [ZeekValue] {
    let isAnswered = summary.server.packets > 0
    let answers = lookup.addresses.map(\.description) + lookup.answerWords
    return [
      .text("udp"), .number(Int(lookup.identifier)),
      isAnswered ? .seconds(summary.server.first - summary.first) : .unset,
      .text(lookup.name), .number(1), .text("C_INTERNET"), .number(lookup.type.rawValue), .text(lookup.type.name),
      isAnswered ? .number(Int(lookup.responseCode)) : .unset,
      isAnswered ? .text(lookup.responseCode == 3 ? "NXDOMAIN" : "NOERROR") : .unset, .flag(false), .flag(false),
      .flag(true),
      .flag(isAnswered), .number(0), isAnswered && !answers.isEmpty ? .list(answers) : .unset,
      isAnswered && !answers.isEmpty ? .secondsList(answers.map { _ in lookup.ttlSeconds }) : .unset, .flag(false),
    ]
  }

  private static func request(_ exchange: SyntheticHTTP, number: Int, _ summary: ConversationSummary) -> [ZeekValue] {
    func optional(_ text: String?) -> ZeekValue { text.map { .text($0) } ?? .unset }
    return [
      .number(number), .text(exchange.method), .text(exchange.host), .text(exchange.target), optional(exchange.referer),
      .text("1.1"), optional(exchange.userAgent), .unset, .number(exchange.requestOctets),
      .number(exchange.responseOctets),
      .number(exchange.status), .text(exchange.reason), .list([]),
      exchange.responseOctets > 0 ? .list([exchange.contentType]) : .unset,
    ]
  }

  /// `C` and 17 of the 62 letters and digits, like Zeek's.
  static func identifier(_ serial: UInt64) -> String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
    var out: [UInt8] = [0x43]
    var state = serial
    for place in 0..<17 {
      if place == 9 { state = RandomSource.mix(serial) }
      out.append(letters[Int(state % 62)])
      state /= 62
    }
    return String(decoding: out, as: UTF8.self)
  }
}
