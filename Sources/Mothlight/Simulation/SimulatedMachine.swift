/// One machine of the home network with the state that its programs share: ports, resolver cache, hours.
struct SimulatedMachine: Sendable {
  let index: Int
  let group: String
  let kind: Scenario.Kind
  let address: IPAddress
  /// Gateway and resolver.
  let gateway: IPAddress
  let online: OnlineHours
  var random: RandomSource
  private var nextPort: UInt16
  /// When each name's cached answer runs out, seconds from the start.
  private var cache: [String: Double] = [:]

  init(
    index: Int, group: String, kind: Scenario.Kind, address: IPAddress, gateway: IPAddress, online: OnlineHours,
    random: RandomSource
  ) {
    self.index = index
    self.group = group
    self.kind = kind
    self.address = address
    self.gateway = gateway
    self.online = online
    self.random = random
    nextPort = UInt16(49_152 + self.random.int(below: 16_384))
  }

  /// Next ephemeral port in 49152…65535 (RFC 6335 section 6); neighbours are taken in turn, as many systems do.
  mutating func ephemeralPort() -> UInt16 {
    nextPort = nextPort == .max ? 49_152 : nextPort + 1
    return nextPort
  }

  /// Address of `name` and when it is known. Asks the resolver unless the cached answer still holds.
  mutating func resolve(_ name: String, at time: Double, label: TrafficLabel, into out: inout [Conversation])
    -> (address: IPAddress, ready: Double)
  {
    let addresses = Outside.addresses(of: name, count: 1 + Int(Outside.hash(name) % 2))
    // A machine keeps to one of them, as most stub resolvers do in practice.
    let address = addresses[index % addresses.count]
    if let expiry = cache[name], expiry > time { return (address, time + 0.0002) }
    // Large machines asking many one-time names must not grow without bound.
    if cache.count > 4096 { cache = cache.filter { $0.value > time } }
    let ttl = [60, 300, 900, 3600][Int(Outside.hash(name) >> 8 & 3)]
    cache[name] = time + Double(ttl)
    let lookup = SyntheticDNS(
      identifier: UInt16(random.int(below: 65_536)), name: name, type: .a, responseCode: 0, addresses: addresses,
      ttlSeconds: ttl)
    return (address, ask(lookup, at: time, label: label, into: &out) + 0.001)
  }

  /// One question to the resolver; returns when the answer is there.
  @discardableResult
  mutating func ask(_ lookup: SyntheticDNS, at time: Double, label: TrafficLabel, into out: inout [Conversation])
    -> Double
  {
    let think = min(1.5, random.logNormal(median: 0.015, sigma: 0.8))
    var conversation = open(to: gateway, port: 53, .udp, at: time, label: label)
    conversation.steps = [.client(.bytes(lookup.query), after: 0)]
    if !lookup.isUnanswered { conversation.steps.append(.server(.bytes(lookup.answer), after: think)) }
    conversation.application = .dns(lookup)
    conversation.service = "dns"
    out.append(conversation)
    return time + think + 0.0005
  }

  /// An empty conversation from this machine.
  mutating func open(
    to server: IPAddress, port: UInt16, _ transport: Transport, at time: Double, label: TrafficLabel
  ) -> Conversation {
    Conversation(
      start: time, client: address, server: server, clientPort: ephemeralPort(), serverPort: port, transport: transport,
      roundTrip: server.isPrivate ? 0.000_3 : Outside.roundTrip(to: server), label: label)
  }
}

/// One request and its answer, in octets of plaintext.
struct TrafficExchange: Sendable {
  var up: Int
  var down: Int
  /// Seconds of thought of the client before it and of the server after it.
  var clientDelay = 0.001
  var serverDelay = 0.01
  var rate = 4_000_000.0
}

extension SimulatedMachine {
  /// A TLS connection with complete handshake and some exchanges; the caller may still change its end.
  mutating func tls(
    to server: IPAddress, port: UInt16 = 443, name: String?, as client: SyntheticTLS.Client, at time: Double,
    exchanges: [TrafficExchange], idle: Double = 0.05, label: TrafficLabel
  ) -> Conversation {
    let hello = SyntheticTLS(client: client, serverName: name)
    var conversation = open(to: server, port: port, .tcp, at: time, label: label)
    var steps: [Conversation.Step] = [.client(.bytes(hello.clientHello(&random)), after: 0.0003)]
    steps.append(.server(.bytes(hello.serverHello(&random))))
    if hello.isVersion13 {
      // EncryptedExtensions, certificate chain, CertificateVerify, Finished: the size is the server's own.
      steps.append(.server(.tls(2600 + Int(server.mixed % 1400)), after: 0.0002))
      steps.append(.client(.bytes(SyntheticTLS.changeCipherSpec + hello.clientFinished(&random)), after: 0.0008))
    } else {
      steps.append(.client(.bytes(SyntheticTLS.changeCipherSpec + hello.clientFinished(&random)), after: 0.002))
    }
    for exchange in exchanges {
      if exchange.up > 0 {
        steps.append(
          Conversation.Step(
            fromClient: true, delay: exchange.clientDelay, payload: .tls(exchange.up), rate: exchange.rate))
      }
      if exchange.down > 0 {
        steps.append(
          Conversation.Step(
            fromClient: false, delay: exchange.serverDelay, payload: .tls(exchange.down), rate: exchange.rate))
      }
    }
    conversation.steps = steps
    conversation.closing = .finished(byClient: true, after: idle)
    conversation.application = .tls(hello)
    conversation.service = "ssl"
    return conversation
  }

  /// A plain HTTP connection with its requests one after another.
  mutating func http(
    to server: IPAddress, port: UInt16 = 80, at time: Double, requests: [SyntheticHTTP], label: TrafficLabel
  ) -> Conversation {
    var conversation = open(to: server, port: port, .tcp, at: time, label: label)
    var numbered = requests
    for index in numbered.indices {
      let request = numbered[index]
      numbered[index].step = conversation.steps.count
      conversation.steps.append(.client(.bytes(request.requestHead), after: index == 0 ? 0.0004 : 0.05))
      if request.requestOctets > 0 {
        conversation.steps.append(.client(.opaque(request.requestOctets), after: 0.0001))
      }
      conversation.steps.append(.server(.bytes(request.responseHead), after: 0.01))
      if request.responseOctets > 0 {
        conversation.steps.append(.server(.opaque(request.responseOctets), after: 0.0002))
      }
    }
    conversation.closing = .finished(byClient: true, after: 0.02)
    conversation.application = .http(numbered)
    conversation.service = "http"
    return conversation
  }

  /// Looks up `name` and makes one TLS connection: what most periodic software does.
  mutating func callHome(
    _ name: String, port: UInt16 = 443, as client: SyntheticTLS.Client, at time: Double, exchanges: [TrafficExchange],
    label: TrafficLabel = .normal, into out: inout [Conversation]
  ) {
    let (server, ready) = resolve(name, at: time, label: label, into: &out)
    out.append(tls(to: server, port: port, name: name, as: client, at: ready, exchanges: exchanges, label: label))
  }
}
