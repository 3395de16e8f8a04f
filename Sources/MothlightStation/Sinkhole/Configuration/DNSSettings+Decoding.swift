import Mothlight

extension DNSSettings {
  private typealias Problem = YAMLNode.Problem

  private enum Switch: String, CaseIterable {
    case on = "true"
    case off = "false"
  }

  init(
    _ node: YAMLNode, _ owner: SinkholeConfiguration.Operator, _ addresses: SinkAddresses
  ) throws(YAMLNode.Problem) {
    var fields = try YAMLFields(node, "'dns'")
    let listen = try YAMLFields.list(try fields.required("listen"), "listen", most: 64).map { item throws(Problem) in
      let text = try YAMLFields.text(item, "listen", most: 64)
      guard let address = ListenAddress(text) else {
        throw Problem(item.line, "'\(text)' is no address with a port: 192.0.2.1:53 or [2001:db8::1]:53")
      }
      return address
    }
    let servers = try YAMLFields.list(try fields.required("ns"), "ns", most: Bound.servers).map {
      item throws(Problem) in
      try Self.name(item, "ns")
    }
    guard Set(servers).count == servers.count else { throw Problem(fields.lineOf("ns"), "'ns' has a name twice") }
    guard let mailbox = DomainName(mailbox: try fields.text("hostmaster", most: 200) ?? owner.abuseContact) else {
      throw Problem(fields.lineOf("hostmaster"), "'hostmaster' is no mail address")
    }
    var ownership = try fields.texts("text", most: 8)
    if ownership.isEmpty { ownership = [owner.name, owner.abuseContact] }
    guard ownership.allSatisfy({ $0.utf8.count <= 255 }),
      ownership.reduce(0, { $0 + $1.utf8.count }) <= Bound.ownership
    else { throw Problem(fields.lineOf("text"), "'text' is longer than 255 octets a string or 600 in all") }
    self.init(listen: listen, servers: servers, mailbox: mailbox, ownership: ownership, addresses: addresses)
    try readAnswers(&fields)
    try readLimits(&fields)
    try fields.finish()
  }

  private static func name(_ node: YAMLNode, _ key: String) throws(Problem) -> DomainName {
    let text = try YAMLFields.text(node, key, most: 256)
    do throws(DomainName.Refusal) { return try DomainName(text) } catch {
      throw Problem(node.line, "'\(key)': '\(text)' \(error.description)")
    }
  }

  private mutating func readAnswers(_ fields: inout YAMLFields) throws(Problem) {
    if let ttl = try fields.number("ttl", in: 30...86_400) { ttlSeconds = UInt32(ttl) }
    if let ttl = try fields.number("negative_ttl", in: 30...86_400) { negativeTTLSeconds = UInt32(ttl) }
    if let node = fields.take("nsid") {
      guard case .text(let text) = node.value, text.utf8.count <= Bound.nsid else {
        throw Problem(node.line, "'nsid' is a text of at most \(Bound.nsid) octets; \"\" gives none")
      }
      nsid = Array(text.utf8)
    }
    if let size = try fields.number("udp_payload", in: 512...1232) { udpPayload = size }
    if let word = try fields.word("observe", ObservedNames.self) { observes = word }
    if let text = try fields.text("metrics") {
      guard let address = ListenAddress(text), address.address.isLoopback else {
        throw Problem(fields.lineOf("metrics"), "'metrics' is a loopback address with a port, such as 127.0.0.1:9465")
      }
      metrics = address
    }
  }

  private mutating func readLimits(_ fields: inout YAMLFields) throws(Problem) {
    usesCookies = try fields.word("cookies", Switch.self) != .off
    cookieSecretsFile = try fields.text("cookie_secrets")
    if let workers = try fields.number("workers", in: 1...DNSServer.Bound.workers) { udpWorkers = workers }
    if let node = fields.take("rrl") {
      var inner = try YAMLFields(node, "'rrl'")
      if let rate = try inner.number("responses_per_second", in: 0...500_000) { limits.perSecond = rate }
      if let slip = try inner.number("slip", in: 0...10) { limits.slip = slip }
      if let bits = try inner.number("ipv4_prefix", in: 8...32) { limits.ipv4Bits = bits }
      if let bits = try inner.number("ipv6_prefix", in: 16...64) { limits.ipv6Bits = bits }
      try inner.finish()
    }
    if let node = fields.take("tcp") {
      var inner = try YAMLFields(node, "'tcp'")
      if let most = try inner.number("connections", in: 1...100_000) { tcp.connections = most }
      if let most = try inner.number("connections_per_network", in: 1...100_000) { tcp.connectionsPerNetwork = most }
      if let seconds = try inner.number("idle_timeout_seconds", in: 1...3600) { tcp.idleTimeoutSeconds = seconds }
      try inner.finish()
    }
  }
}
