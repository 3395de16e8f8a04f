/// Decodes the in-order beginning of one TCP connection, recognising the protocol from its content.
///
/// Nothing is allocated until a direction's first octets look like a protocol or a payload rule.
struct StreamDecoder {
  private enum Talk {
    case undecided
    case tls(Boxed<TLSConversation>)
    case http(Boxed<HTTPConversation>)
    case ssh(Boxed<SSHConversation>)
    case dns(Boxed<DNSStream>)
    case irc(Boxed<IRCConversation>)
    case done
  }

  /// One direction before the protocol is known.
  private struct Lane {
    /// First octets, only kept while they could still become something.
    var head: [UInt8] = []
    var isNothing = false
    var ruleMatched = false
  }

  private let ends: Endpoints
  private var client = Lane()
  private var server = Lane()
  private var talk = Talk.undecided
  private var greeting = StreamSignature.Greeting.none
  /// The protocol's client is the connection's server: a capture that began in the middle, or a data channel.
  private var isTurned = false
  private var isTunnelled = false
  private(set) var service = Service.unknown
  private(set) var anomalies: Anomalies = []

  private let prints: FingerprintCache

  init(ends: Endpoints, prints: FingerprintCache = FingerprintCache()) {
    self.ends = ends
    self.prints = prints
  }

  /// Takes the next in-order payload of one direction, cut anywhere; `false` once neither direction needs more.
  mutating func feed(
    _ bytes: RawSpan, fromClient: Bool, at time: Timestamp, into out: inout [Observation]
  ) -> Bool {
    guard bytes.byteCount > 0 else { return !isDone }
    if fromClient, isWatching { watch(bytes, at: time, into: &out) }
    switch talk {
    case .done: break
    case .undecided: recognise(bytes, fromClient: fromClient, at: time, into: &out)
    default: converse(bytes, fromClient: fromClient, at: time, into: &out)
    }
    return !isDone
  }

  private var isDone: Bool { if case .done = talk { !isWatching } else { false } }
  /// The protocol is known, and a signature may still come true on what the client opened with.
  private var isWatching: Bool { if case .undecided = talk { false } else { !client.ruleMatched && !client.isNothing } }
  private var roles: Endpoints { isTurned ? ends.turned : ends }
  /// What every event of this connection carries.
  private var base: Anomalies { anomalies.intersection([.protocolOnOddPort, .directionGuessed]) }

  private mutating func recognise(
    _ bytes: RawSpan, fromClient: Bool, at time: Timestamp, into out: inout [Observation]
  ) {
    guard !(fromClient ? client : server).isNothing else { return }
    if (fromClient ? client : server).head.isEmpty {
      examine(bytes, fromClient: fromClient, at: time, into: &out)
    } else {
      var joined = fromClient ? client.head : server.head
      bytes.withUnsafeBytes { joined.append(contentsOf: $0) }
      examine(joined.span.bytes, fromClient: fromClient, at: time, into: &out)
    }
  }

  /// Looks at everything this direction has sent so far.
  private mutating func examine(
    _ bytes: RawSpan, fromClient: Bool, at time: Timestamp, into out: inout [Observation]
  ) {
    var mayMatchRule = false
    if fromClient, !client.ruleMatched, !isTunnelled, PayloadRules.mayMatch(streamStart: bytes) {
      let (rule, mayMatch) = PayloadRules.match(streamStart: bytes, serverPort: ends.serverPort)
      mayMatchRule = mayMatch
      if let rule, !mayMatch { note(rule, bytes.byteCount, at: time, into: &out) }
    }
    let result = StreamSignature.recognise(bytes, fromClient: fromClient, greeting: greeting, ends: ends)
    switch result {
    case .found(.greeting(let kind)):
      greeting = kind
      giveUp(fromClient: fromClient)
    case .found(let kind):
      begin(kind, bytes, fromClient: fromClient, at: time, into: &out)
      if mayMatchRule { client = Lane(head: bytes.copied) }
    default:
      if (result != .nothing || mayMatchRule) && bytes.byteCount < Signature.streamOctets {
        let head = bytes.copied
        if fromClient { client.head = head } else { server.head = head }
      } else {
        giveUp(fromClient: fromClient)
      }
    }
  }

  private mutating func note(
    _ rule: Signature, _ octets: Int, at time: Timestamp, into out: inout [Observation]
  ) {
    client.ruleMatched = true
    let match = PayloadMatch(
      ends: ends, rule: rule.id, payloadOctets: UInt32(clamping: octets), fromClient: true)
    out.append(Observation(time: time, event: .payload(match)))
  }

  /// Holds the client's first octets against signatures beside the conversation, until they are decided.
  private mutating func watch(_ bytes: RawSpan, at time: Timestamp, into out: inout [Observation]) {
    client.head.append(bytes, upTo: Signature.streamOctets)
    let head = client.head
    let (rule, mayMatch) = PayloadRules.match(streamStart: head.span.bytes, serverPort: ends.serverPort)
    if mayMatch, head.count < Signature.streamOctets { return }
    client = Lane(ruleMatched: true)
    if let rule { note(rule, head.count, at: time, into: &out) }
  }

  private mutating func giveUp(fromClient: Bool) {
    if fromClient {
      client.head = []
      client.isNothing = true
    } else {
      server.head = []
      server.isNothing = true
    }
    if client.isNothing && server.isNothing { talk = .done }
  }

  private mutating func begin(
    _ kind: StreamSignature.Kind, _ bytes: RawSpan, fromClient: Bool, at time: Timestamp, into out: inout [Observation]
  ) {
    let found: Service
    var speaksFirst = true
    switch kind {
    case .tlsClient, .tlsServer, .sslv2Client:
      found = .tls
      speaksFirst = kind != .tlsServer
      talk = .tls(Boxed(TLSConversation(at: time, prints: prints, isSSLv2Compatible: kind == .sslv2Client)))
    case .httpRequest, .httpResponse:
      found = .http
      speaksFirst = kind == .httpRequest
    case .ssh:
      found = .ssh
      speaksFirst = fromClient
      talk = .ssh(Boxed(SSHConversation(at: time)))
    case .dns:
      found = .dns
      speaksFirst = fromClient
    case .irc:
      found = .irc
      speaksFirst = fromClient
      talk = .irc(Boxed(IRCConversation(at: time)))
    case .named(let name):
      found = name
      speaksFirst = fromClient
      talk = .done
    case .greeting: return
    }
    isTurned = speaksFirst != fromClient
    if isTurned { anomalies.insert(.directionGuessed) }
    if !isTunnelled {
      service = found
      anomalies.formUnion(UsualPorts.anomaly(roles.serverPort, found))
    }
    if found == .http { talk = .http(Boxed(HTTPConversation(base: base))) }
    if found == .dns { talk = .dns(Boxed(DNSStream(base: base))) }
    let other = fromClient ? server.head : client.head
    // An IRC server may greet first; what opens a stream of others is lost by then.
    let isFresh = !fromClient && found == .irc && other.isEmpty && !client.ruleMatched && !client.isNothing
    client = Lane(ruleMatched: !isFresh)
    server = Lane()
    converse(bytes, fromClient: fromClient, at: time, into: &out)
    if !other.isEmpty, !isDone { _ = feed(other.span.bytes, fromClient: !fromClient, at: time, into: &out) }
  }

  private mutating func converse(
    _ bytes: RawSpan, fromClient: Bool, at time: Timestamp, into out: inout [Observation]
  ) {
    let isRoleClient = fromClient != isTurned
    switch talk {
    case .tls(let tls):
      tls.value.feed(bytes, fromClient: isRoleClient)
      if tls.value.isDone { close(at: time, into: &out) }
    case .ssh(let ssh):
      ssh.value.feed(bytes, fromClient: isRoleClient)
      if ssh.value.isDone { close(at: time, into: &out) }
    case .http(let http):
      let used = http.value.feed(bytes, fromClient: isRoleClient, ends: roles, at: time, into: &out)
      guard http.value.isDone else { return }
      let opensTunnel = http.value.openedTunnel && !isTunnelled
      close(at: time, into: &out)
      if http.value.isForeign { service = .other }
      if opensTunnel {
        isTunnelled = true
        isTurned = false
        talk = .undecided
        if used < bytes.byteCount { _ = feed(bytes.from(used), fromClient: fromClient, at: time, into: &out) }
      }
    case .dns(let dns):
      dns.value.feed(bytes, fromClient: isRoleClient, ends: roles, at: time, into: &out)
      if dns.value.isDone { close(at: time, into: &out) }
    case .irc(let irc):
      irc.value.feed(bytes, fromClient: isRoleClient, at: time)
      if irc.value.isDone { close(at: time, into: &out) }
    case .undecided, .done: break
    }
  }

  /// Bytes of this direction are missing here.
  mutating func skip(fromClient: Bool) {
    if fromClient, isWatching { client = Lane(ruleMatched: true) }
    let isRoleClient = fromClient != isTurned
    switch talk {
    case .undecided:
      // What comes next may still be the start of a message.
      if fromClient { client = Lane(ruleMatched: true) } else { server = Lane() }
    case .tls(let tls): tls.value.skip(fromClient: isRoleClient)
    case .http(let http): http.value.skip(fromClient: isRoleClient)
    case .ssh(let ssh): ssh.value.skip(fromClient: isRoleClient)
    case .dns(let dns): dns.value.skip(fromClient: isRoleClient)
    case .irc(let irc): irc.value.skip(fromClient: isRoleClient)
    case .done: break
    }
  }

  /// The connection ended or was given up: emits what is pending.
  mutating func finish(at time: Timestamp, into out: inout [Observation]) { close(at: time, into: &out) }

  private mutating func close(at time: Timestamp, into out: inout [Observation]) {
    let current = talk
    talk = .done
    switch current {
    case .tls(let tls):
      anomalies.formUnion(tls.value.anomalies)
      if let seen = tls.value.handshake(roles) {
        var event = seen.event
        event.anomalies.formUnion(base)
        if let rule = PayloadRules.match(event) {
          out.append(
            Observation(
              time: seen.began,
              event: .payload(PayloadMatch(ends: roles, rule: rule.id, payloadOctets: 0, fromClient: true))))
        }
        out.append(Observation(time: seen.began, event: .tls(event)))
      }
    case .http(let http):
      http.value.finish(ends: roles, at: time, into: &out)
      anomalies.formUnion(http.value.anomalies)
    case .ssh(let ssh):
      anomalies.formUnion(ssh.value.anomalies)
      if let seen = ssh.value.handshake(roles) {
        var event = seen.event
        event.anomalies.formUnion(base)
        out.append(Observation(time: seen.began, event: .ssh(event)))
      }
    case .dns(let dns):
      dns.value.finish(into: &out)
      anomalies.formUnion(dns.value.anomalies)
    case .irc(let irc):
      if let seen = irc.value.session(roles) {
        var event = seen.event
        event.anomalies.formUnion(base)
        out.append(Observation(time: seen.began, event: .irc(event)))
      }
    case .undecided, .done: break
    }
  }
}
