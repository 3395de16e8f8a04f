import Mothlight

extension ListenerConfiguration {
  private typealias Problem = YAMLNode.Problem

  /// Takes the listeners' keys of the map `sinkhole`: `listeners`, `limits`, `tally`, `visitors`, `signatures`,
  /// `privacy`, `x_sinkhole`, `drop_privileges`, `metrics`.
  init(_ fields: inout YAMLFields, path: String) throws(YAMLNode.Problem) {
    self.init()
    if let node = fields.take("listeners") {
      listeners = try YAMLFields.list(node, "listeners", most: Limits.listeners).map { item throws(Problem) in
        try Self.listener(item)
      }
      if let twice = Self.addressTwice(listeners) {
        throw Problem(node.line, "two listeners want \(twice.carrier.rawValue) \(twice.address); one can have it")
      }
    }
    if let node = fields.take("limits") { try readLimits(node) }
    if let node = fields.take("tally") { try readTally(node, path) }
    if let node = fields.take("privacy") { try readPrivacy(node, path) }
    if let node = fields.take("x_sinkhole") { header = try Self.header(node) }
    if let node = fields.take("visitors") { networks = try Self.networks(node, path) }
    if let node = fields.take("drop_privileges") {
      var inner = try YAMLFields(node, "'drop_privileges'")
      guard let user = try inner.text("user", most: 64) else { throw inner.missing("user") }
      try inner.finish()
      self.user = user
    }
    if let node = fields.take("metrics") {
      metrics = try Self.address(node, "metrics")
      guard metrics?.address.isLoopback == true else {
        throw Problem(node.line, "'metrics' is for this machine: 127.0.0.1 or [::1] with a port")
      }
    }
    try readSignatures(&fields, path)
  }

  /// The second of two listeners that want one port of one address. 0 is any free port.
  private static func addressTwice(_ listeners: [Listener]) -> Listener? {
    struct Place: Hashable {
      var carrier: Listener.Carrier
      var address: ListenAddress
    }
    var seen: Set<Place> = []
    return listeners.first { listener in
      listener.address.port != 0
        && !seen.insert(Place(carrier: listener.carrier, address: listener.address)).inserted
    }
  }

  private static func address(_ node: YAMLNode, _ key: String) throws(Problem) -> ListenAddress {
    let text = try YAMLFields.text(node, key, most: 64)
    guard let address = ListenAddress(text) else {
      throw Problem(node.line, "'\(text)' is no address with a port: 192.0.2.1:80 or [2001:db8::1]:80")
    }
    return address
  }

  private enum ReplyWord: String, CaseIterable {
    case none, close, http404
    case http200Empty = "http200-empty"

    var reply: Reply {
      switch self {
      case .none: .none
      case .close: .close
      case .http404: .http404
      case .http200Empty: .http200Empty
      }
    }
  }

  private enum IdentityWord: String, CaseIterable { case hashed, none }

  private static func header(_ node: YAMLNode) throws(Problem) -> SinkholeHeader {
    guard let header = SinkholeHeader(try YAMLFields.text(node, "x_sinkhole", most: 256)) else {
      throw Problem(node.line, "'x_sinkhole' is 1 to \(SinkholeHeader.octetsMost) printable characters of ASCII")
    }
    return header
  }

  private enum TLSWord: String, CaseIterable { case close, terminate }

  private static func listener(_ node: YAMLNode) throws(Problem) -> Listener {
    var fields = try YAMLFields(node, "a listener")
    let address = try address(try fields.required("listen"), "listen")
    guard let carrier = try fields.word("transport", Listener.Carrier.self) else { throw fields.missing("transport") }
    var listener = Listener(address, carrier)
    if let word = try fields.word("reply", ReplyWord.self) {
      guard carrier == .tcp else {
        throw Problem(fields.lineOf("reply"), "a datagram is never answered; leave 'reply' out")
      }
      listener.reply = word.reply
    }
    if let word = try fields.word("tls", TLSWord.self) {
      guard carrier == .tcp else { throw Problem(fields.lineOf("tls"), "'tls' is for tcp") }
      listener.terminatesTLS = word == .terminate
    }
    if let family = try fields.text("family", most: 48) { listener.family = family }
    listener.isTransparent = try fields.isTrue("transparent")
    if let sockets = try fields.number("sockets", in: 1...Limits.sockets) {
      guard carrier == .udp else { throw Problem(fields.lineOf("sockets"), "'sockets' is for udp") }
      listener.sockets = sockets
    }
    if let octets = try fields.number("receive_buffer", in: 65_536...1 << 30) { listener.receiveBufferOctets = octets }
    try fields.finish()
    return listener
  }

  private mutating func readLimits(_ node: YAMLNode) throws(Problem) {
    var fields = try YAMLFields(node, "'limits'")
    if let most = try fields.number("connections", in: 16...1_000_000) { limits.connections = most }
    if let most = try fields.number("connections_per_source", in: 1...100_000) { limits.connectionsPerSource = most }
    if let seconds = try fields.number("timeout_seconds", in: 1...60) { limits.timeoutSeconds = seconds }
    if let most = try fields.number("tls_sessions", in: 1...100_000) { limits.tls.sessions = most }
    if let most = try fields.number("tls_handshakes_per_second", in: 1...10_000) { limits.tls.perSecond = most }
    if let most = try fields.number("tls_handshakes_per_source_minute", in: 1...10_000) {
      limits.tls.perSourceInMinute = most
    }
    try fields.finish()
  }

  private mutating func readTally(_ node: YAMLNode, _ path: String) throws(Problem) {
    var fields = try YAMLFields(node, "'tally'")
    if let most = try fields.number("sources", in: 1024...1 << 30) { tally.sourcesV4 = most }
    if let most = try fields.number("networks_v6", in: 1024...1 << 28) { tally.sourcesV6 = most }
    if let most = try fields.number("identities", in: 1024...1 << 26) { tally.identitiesMost = most }
    if let hours = try fields.number("idle_hours", in: 1...720) { tally.idleHours = UInt16(clamping: hours) }
    tally.path = try fields.text("file").map { FileOctets.beside(path, $0) }
    try fields.finish()
  }

  private mutating func readPrivacy(_ node: YAMLNode, _ path: String) throws(Problem) {
    var fields = try YAMLFields(node, "'privacy'")
    if let days = try fields.number("sample_days", in: 1...365) { sampleDays = days }
    if let samples = try fields.number("samples_per_day", in: 0...3) { tally.samplesPerDay = UInt16(clamping: samples) }
    if let share = try fields.number("uniform_one_in", in: 0...1_000_000) {
      tally.uniformOneIn = UInt64(clamping: share)
    }
    if let rate = try fields.number("samples_per_second", in: 0...1_000_000) {
      tally.samplesPerSecond = UInt32(clamping: rate)
    }
    if let word = try fields.word("identities", IdentityWord.self) { takesIdentities = word == .hashed }
    identityKeyFile = try fields.text("identity_key").map { FileOctets.beside(path, $0) }
    try fields.finish()
  }

  /// Networks of one list of a file.
  private static let networksMost = 1 << 20

  private static func networks(_ node: YAMLNode, _ path: String) throws(Problem) -> VisitorNetworks {
    var fields = try YAMLFields(node, "'visitors'")
    let (scanners, researchers, hosting) = (
      try prefixes("scanners", &fields, path), try prefixes("researchers", &fields, path),
      try prefixes("hosting", &fields, path)
    )
    let unannounced = try fields.texts("unannounced_names")
    try fields.finish()
    return VisitorNetworks(
      scanners: scanners, researchers: researchers, hosting: hosting, unannounced: unannounced)
  }

  /// A list of networks, or of files with one a line and `#` for remarks.
  private static func prefixes(
    _ key: String, _ fields: inout YAMLFields, _ path: String
  ) throws(Problem) -> [Prefix] {
    guard let node = fields.take(key) else { return [] }
    var found: [Prefix] = []
    for item in try YAMLFields.list(node, key, most: 4096) {
      let text = try YAMLFields.text(item, key)
      if let prefix = Prefix(text) {
        found.append(prefix)
      } else {
        found += try prefixes(ofFile: FileOctets.beside(path, text), key, item.line)
      }
    }
    return found
  }

  private static func prefixes(ofFile path: String, _ key: String, _ line: Int) throws(Problem) -> [Prefix] {
    let octets: [UInt8]
    do throws(ZoneFile.Problem) { octets = try FileOctets.read(path, most: 64 << 20) } catch {
      throw Problem(line, "'\(key)': \(error.path): \(error.reason)")
    }
    var found: [Prefix] = []
    for (number, text) in octets.split(separator: 0x0a, omittingEmptySubsequences: false).enumerated() {
      let word = String(decoding: text.prefix { $0 != 0x23 }, as: UTF8.self).filter { !$0.isWhitespace }
      if word.isEmpty { continue }
      guard let prefix = Prefix(word), found.count < networksMost else {
        throw Problem(line, "'\(key)': \(path):\(number + 1): no network, or more than \(networksMost)")
      }
      found.append(prefix)
    }
    return found
  }

  private mutating func readSignatures(_ fields: inout YAMLFields, _ path: String) throws(Problem) {
    let line = fields.lineOf("signatures")
    let paths = try fields.texts("signatures").map { FileOctets.beside(path, $0) }
    guard !paths.isEmpty else { return }
    do {
      var files: [SignatureFile] = []
      for path in paths {
        files.append(try SignatureFile(bytes: try FileOctets.read(path, most: StrictYAML.Bound.octets), path: path))
      }
      signatures = try SignatureFile.merged(files)
    } catch let problem as ZoneFile.Problem {
      throw Problem(line, "'signatures': \(problem)")
    } catch {
      throw Problem(line, "'signatures': \(error)")
    }
  }
}
