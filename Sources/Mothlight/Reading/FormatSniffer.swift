/// What an input is, told by its content and never by its name.
public enum InputFormat: Sendable, Hashable {
  case pcap
  case pcapng
  /// A Zeek log with `#fields`; `kind` as in `#path` or guessed from the columns.
  case zeekTSV(ZeekLogKind)
  case zeekJSON(ZeekLogKind)
  /// Rows that look like a Zeek log whose header is gone.
  case headerlessTSV
  case eve
  case binetflow
  case nfcapd
  case empty
  /// What it seems to be instead, in words.
  case unknown(String)

  /// Whether a reader exists for it.
  public var isReadable: Bool {
    switch self {
    case .pcap, .pcapng, .zeekTSV, .zeekJSON, .eve, .binetflow, .nfcapd: true
    case .headerlessTSV, .empty, .unknown: false
    }
  }

  /// As `InputSummary.format` prints it.
  public var name: String {
    switch self {
    case .pcap: "pcap"
    case .pcapng: "pcapng"
    case .zeekTSV(let kind): "zeek-tsv \(kind.name)"
    case .zeekJSON(let kind): "zeek-json \(kind.name)"
    case .eve: "eve-json"
    case .binetflow: "binetflow"
    case .nfcapd: "nfcapd"
    case .headerlessTSV, .empty, .unknown: "unknown"
    }
  }
}

/// Which of Zeek's logs; those that no detector reads keep their name only.
public enum ZeekLogKind: Sendable, Hashable {
  case conn, dns, http, ssl, ssh, irc
  case other(String)

  public var name: String {
    switch self {
    case .conn: "conn"
    case .dns: "dns"
    case .http: "http"
    case .ssl: "ssl"
    case .ssh: "ssh"
    case .irc: "irc"
    case .other(let name): name
    }
  }

  /// From `#path` or `_path`; the running and long-connection variants have the same columns.
  init?(path: String) {
    switch path {
    case "conn", "conn_long", "open_conn", "conn_open": self = .conn
    case "dns": self = .dns
    case "http", "open_http": self = .http
    case "ssl", "open_ssl": self = .ssl
    case "ssh": self = .ssh
    case "irc": self = .irc
    default: return nil
    }
  }

  /// From the set of columns, for logs whose path was edited away.
  init(path: String?, fields: Set<String>) {
    if let path, let known = ZeekLogKind(path: path) {
      self = known
      return
    }
    let name = path ?? "log"
    guard fields.contains("id.orig_h") else {
      self = .other(name)
      return
    }
    if fields.contains("conn_state") {
      self = .conn
    } else if fields.contains("qtype") || fields.contains("qtype_name") || fields.isSuperset(of: ["query", "trans_id"])
    {
      self = .dns
    } else if fields.contains("auth_attempts") || fields.contains("auth_success") {
      self = .ssh
    } else if fields.contains("cipher") || fields.contains("ssl_history")
      || fields.isSuperset(of: ["server_name", "established"])
    {
      self = .ssl
    } else if !fields.contains("call_id"), !fields.contains("request_from"),
      fields.isSuperset(of: ["method", "uri"]) || fields.isSuperset(of: ["trans_depth", "request_body_len"])
    {
      // SIP, which the two fields keep out, has the same columns otherwise.
      self = .http
    } else if path == nil,
      fields.isSuperset(of: ["orig_bytes", "proto"]) || fields.isSuperset(of: ["orig_pkts", "proto"])
    {
      self = .conn
    } else {
      self = .other(name)
    }
  }
}

/// Recognises formats from the first bytes of an input.
public enum FormatSniffer {
  /// Octets looked at: a Zeek header and a first row, or the long first line of an EVE file.
  static let octets = 1 << 16

  /// Looks at the window without consuming anything.
  public static func sniff(_ window: ByteWindow) throws(SourceError) -> InputFormat {
    var wanted = 4096
    while try window.fill(atLeast: wanted), wanted < Limits.lineOctets {
      // Enough once the line after any `#` header is complete.
      let seen = window.bytes.prefix(wanted)
      let lead = seen.first { $0 > 0x20 }
      if lead != 0x23 && lead != 0x7b || (wanted >= octets && seen.contains(0x0a)) { break }
      wanted = min(wanted * 4, Limits.lineOctets)
    }
    return format(of: UnsafeRawBufferPointer(rebasing: window.bytes.prefix(wanted)))
  }

  static func format(of bytes: UnsafeRawBufferPointer) -> InputFormat {
    guard bytes.count > 0 else { return .empty }
    if let binary = binaryFormat(bytes) { return binary }
    var text = bytes
    if text.starts(with: [0xef, 0xbb, 0xbf]) { text = UnsafeRawBufferPointer(rebasing: text.dropFirst(3)) }
    guard let line = firstLine(text) else { return .empty }
    if line.starts(with: "#separator".utf8) || line.starts(with: "#fields".utf8) || line.starts(with: "#path".utf8) {
      return zeekHeader(text)
    }
    if line[0] == 0x7b { return json(line) }
    if line[0] == 0x5b { return .unknown("a JSON array; only JSON with one object per line is read") }
    if line.starts(with: "StartTime,".utf8) || line.starts(with: "StartTime\t".utf8) { return .binetflow }
    if looksLikeZeekRow(line) { return .headerlessTSV }
    if line.starts(with: "Date flow start".utf8) || line.starts(with: "Date first seen".utf8) {
      return .unknown("text printed by nfdump; give the nfcapd file itself")
    }
    if bytes.prefix(512).contains(where: { $0 < 0x09 || ($0 > 0x0d && $0 < 0x20 && $0 != 0x1b) }) {
      return .unknown("binary data of an unknown kind")
    }
    return .unknown("text, but no log that I know")
  }

  private static func binaryFormat(_ bytes: UnsafeRawBufferPointer) -> InputFormat? {
    guard bytes.count >= 4 else { return nil }
    switch UInt32(bytes[0]) << 24 | UInt32(bytes[1]) << 16 | UInt32(bytes[2]) << 8 | UInt32(bytes[3]) {
    case 0xa1b2_c3d4, 0xd4c3_b2a1,  // microseconds
      0xa1b2_3c4d, 0x4d3c_b2a1,  // nanoseconds
      0xa1b2_cd34, 0x34cd_b2a1:  // Kuznetzov's modified header, 24-byte records
      return .pcap
    case 0x0a0d_0d0a: return .pcapng
    case 0x1f8b_0800...0x1f8b_08ff, 0x28b5_2ffd:
      return .unknown("compressed twice; unpack it once")
    default: break
    }
    // Magic 0xA50C and the layout version, in the byte order of the collector.
    let magic = UInt16(bytes[0]) | UInt16(bytes[1]) << 8
    return (magic == 0xa50c || magic == 0x0ca5) && bytes[2] | bytes[3] < 16 ? .nfcapd : nil
  }

  /// The first line that is not blank, as far as it is there.
  private static func firstLine(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard let start = text.firstIndex(where: { $0 != 0x0a && $0 != 0x0d && $0 != 0x20 && $0 != 0x09 }) else {
      return nil
    }
    let end = text[start...].firstIndex(of: 0x0a) ?? text.count
    return UnsafeRawBufferPointer(rebasing: text[start..<end])
  }

  private static func zeekHeader(_ text: UnsafeRawBufferPointer) -> InputFormat {
    var header = ZeekHeader()
    for line in text.split(separator: 0x0a) {
      var bytes = ZeekHeader.withoutLead(UnsafeRawBufferPointer(rebasing: line))
      guard bytes.first == 0x23 else { break }
      if bytes.last == 0x0d { bytes = UnsafeRawBufferPointer(rebasing: bytes.dropLast()) }
      header.read(bytes)
    }
    guard !header.fields.isEmpty else { return .headerlessTSV }
    return .zeekTSV(header.kind)
  }

  private static func json(_ line: UnsafeRawBufferPointer) -> InputFormat {
    var keys = Set<String>()
    var path: String?
    guard var scanner = JSONScanner(line), scanner.enter(0x7b) else { return .unknown("JSON, but damaged") }
    var keyStart = 0
    var keyEnd = 0
    var value = JSONScanner.Value.absent
    while keys.count < 512, scanner.nextMember(&keyStart, &keyEnd, &value) == .member {
      let key = String(decoding: line[keyStart..<keyEnd], as: UTF8.self)
      keys.insert(key)
      if key == "_path", value.kind == .string { path = String(decoding: line[value.start..<value.end], as: UTF8.self) }
    }
    if keys.contains("event_type") { return .eve }
    if keys.contains("ts") || keys.contains("_path") { return .zeekJSON(ZeekLogKind(path: path, fields: keys)) }
    return .unknown("JSON, but neither Zeek's (no ts) nor Suricata's (no event_type)")
  }

  /// A time, a uid, an address, a port: the beginning of most Zeek rows.
  private static func looksLikeZeekRow(_ line: UnsafeRawBufferPointer) -> Bool {
    let columns = line.split(separator: 0x09, maxSplits: 8, omittingEmptySubsequences: false)
    guard columns.count >= 6 else { return false }
    func column(_ i: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: columns[i]) }
    return ASCIINumber.nanoseconds(column(0)) != nil && IPAddress(ascii: column(2)) != nil
      && ASCIINumber.port(column(3)) != nil
  }
}
