/// A whole-disk antivirus scan: hundreds of one-time names with file prints below one domain, once a day.
struct HashScan: Behaviour {
  var random: RandomSource
  private var left = 0

  init(random: RandomSource) { self.random = random }

  var bootDelay: Double { 7200 }
  var phase: Double { 86_400 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    if left == 0 { left = random.int(200, 1200) }
    left -= 1
    let print = String(random.next(), radix: 16) + "." + String(random.next(), radix: 16).prefix(8)
    let lookup = SyntheticDNS(
      identifier: UInt16(random.int(below: 65_536)), name: "\(print).files.\(SimulatedName.domain("avcloud"))",
      type: .a, responseCode: 0,
      addresses: [IPAddress(v4: 0x7f00_0001 &+ UInt32(random.int(below: 4)))], ttlSeconds: 300)
    machine.ask(lookup, at: time, label: .normal, into: &out)
    return time + (left > 0 ? random.exponential(mean: 3) : 86_400)
  }
}

/// Look-ups that fail for everyday reasons: a browser's probes at start, a search suffix, typing errors, dead sites.
struct NameNoise: Behaviour {
  var random: RandomSource
  private var hasProbed = false

  init(random: RandomSource) { self.random = random }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    var names: [String]
    if !hasProbed || random.chance(0.05) {
      hasProbed = true
      // Three single labels of random letters: does this network lie about names that do not exist?
      names = (0..<3).map { _ in TunnelInfection.letters(random.int(7, 15), &random) }
    } else if random.chance(0.4) {
      names = ["wpad.office.example", "printer-\(random.int(1, 9)).office.example"]
    } else {
      names = [SimulatedName.missing(&random)]
    }
    var moment = time
    for name in names {
      let lookup = SyntheticDNS(
        identifier: UInt16(random.int(below: 65_536)), name: name, type: .a, responseCode: 3, ttlSeconds: 0)
      moment = machine.ask(lookup, at: moment, label: .normal, into: &out)
    }
    return time + 60 + random.exponential(mean: 1800)
  }
}

/// Video from a content network: the name's answers change all the time, over many addresses of a few networks, or with
/// a cloud's balancer over as many networks as addresses.
struct ContentNetwork: Behaviour {
  var random: RandomSource
  /// Networks over which the addresses are spread.
  var networks: Int
  private var left = 0

  init(networks: Int, random: RandomSource) {
    self.networks = networks
    self.random = random
  }

  var bootDelay: Double { 3000 }
  var phase: Double { 14_400 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    if left == 0 { left = 1 + Int(random.exponential(mean: 30)) }
    left -= 1
    let name = "v\(random.int(1, 3)).\(SimulatedName.domain("stream-\(networks)", under: "net"))"
    let addresses = (0..<3).map { _ in address(machine.index) }
    let lookup = SyntheticDNS(
      identifier: UInt16(random.int(below: 65_536)), name: name, type: .a, responseCode: 0, addresses: addresses,
      ttlSeconds: 60)
    let ready = machine.ask(lookup, at: time, label: .normal, into: &out)
    let size = Int(random.logNormal(median: 900_000, sigma: 0.7))
    out.append(
      machine.tls(
        to: addresses[0], name: name, as: .browser, at: ready,
        exchanges: [TrafficExchange(up: random.int(600, 900), down: min(size, 6_000_000))], idle: 4, label: .normal))
    return time + (left > 0 ? 60 + random.exponential(mean: 40) : 600 + random.exponential(mean: 20_000))
  }

  /// The networks are fixed; in each of them a dozen addresses.
  private mutating func address(_ machine: Int) -> IPAddress {
    var place = RandomSource(seed: 77, stream: UInt64(random.int(below: networks)))
    let network = Outside.stranger(&place)
    return IPAddress(v4: network.v4 & 0xffff_0000 | 0x0a00 | UInt32(10 + random.int(below: 12)))
  }
}

/// The office's resolver: asked by the machines inside, it asks name servers all over the Internet for them.
struct ResolverServer: Behaviour {
  var clients: [IPAddress]
  var random: RandomSource

  var phase: Double { 5 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    let isMissing = random.chance(0.06)
    let site = random.rank(below: 6000)
    let name = isMissing ? SimulatedName.missing(&random) : SimulatedName.site(site)
    var lookup = SyntheticDNS(
      identifier: UInt16(random.int(below: 65_536)), name: name, type: .a, responseCode: isMissing ? 3 : 0,
      addresses: isMissing ? [] : Outside.addresses(of: name), ttlSeconds: 300)
    if let client = random.pick(clients), client != machine.address {
      var asked = Conversation(
        start: time, client: client, server: machine.address, clientPort: UInt16(random.int(32_768, 60_000)),
        serverPort: 53, transport: .udp, roundTrip: 0.0004)
      asked.steps = [.client(.bytes(lookup.query), after: 0), .server(.bytes(lookup.answer), after: 0.03)]
      asked.application = .dns(lookup)
      asked.service = "dns"
      out.append(asked)
    }
    // Name servers lie in as many networks as there are domains.
    var place = RandomSource(seed: 53, stream: UInt64(isMissing ? 0 : site))
    lookup.isUnanswered = random.chance(0.02)
    lookup.identifier = UInt16(random.int(below: 65_536))
    var upstream = machine.open(to: Outside.stranger(&place), port: 53, .udp, at: time + 0.001, label: .normal)
    upstream.steps = [.client(.bytes(lookup.query), after: 0)]
    if !lookup.isUnanswered { upstream.steps.append(.server(.bytes(lookup.answer))) }
    upstream.application = .dns(lookup)
    upstream.service = "dns"
    out.append(upstream)
    return time + random.exponential(mean: 20)
  }
}
