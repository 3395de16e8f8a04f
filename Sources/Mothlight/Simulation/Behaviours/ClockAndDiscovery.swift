/// NTP: 64 s between polls at first, doubling to 1024 s once the clock is steady (RFC 5905 section 13).
struct TimeClient: Behaviour {
  var random: RandomSource
  /// Microseconds since 1970 at second 0.
  var epoch: Int64
  private var server: IPAddress?
  private var interval = 64.0
  private var polls = 0

  init(random: RandomSource, epoch: Int64) {
    self.random = random
    self.epoch = epoch
  }

  var phase: Double { 64 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    var moment = time
    let address: IPAddress
    if let server {
      address = server
    } else {
      let pool = "\(random.int(below: 4)).pool.ntp.example"
      (address, moment) = machine.resolve(pool, at: time, label: .normal, into: &out)
      server = address
    }
    var conversation = machine.open(to: address, port: 123, .udp, at: moment, label: .normal)
    conversation.clientPort = 123
    let stamp = epoch + Int64(moment * 1e6)
    conversation.steps = [.client(.bytes(SyntheticDatagrams.ntp(isServer: false, time: stamp)), after: 0)]
    if random.chance(0.99) {
      let answer = SyntheticDatagrams.ntp(isServer: true, time: stamp + Int64(conversation.roundTrip * 5e5))
      conversation.steps.append(.server(.bytes(answer), after: 0.0001))
    }
    conversation.service = "ntp"
    out.append(conversation)
    polls += 1
    if polls % 5 == 0, interval < 1024 { interval *= 2 }
    return time + interval + random.uniform(-1, 1)
  }
}

/// Service discovery on the local link: mDNS (RFC 6762) and SSDP.
struct LocalDiscovery: Behaviour {
  var random: RandomSource

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    let services = ["_ipp._tcp.local", "_googlecast._tcp.local", "_http._tcp.local", "_hap._tcp.local"]
    var query = machine.open(to: IPAddress(v4: 0xe000_00fb), port: 5353, .udp, at: time, label: .background)
    query.clientPort = 5353
    query.steps = [.client(.bytes(SyntheticDNS.multicastQuery(services[random.int(below: services.count)])), after: 0)]
    query.service = "dns"
    out.append(query)
    if random.chance(0.3) {
      var search = machine.open(to: IPAddress(v4: 0xefff_fffa), port: 1900, .udp, at: time + 0.2, label: .background)
      search.steps = (0..<4).map { .client(.bytes(SyntheticDatagrams.ssdpSearch), after: $0 == 0 ? 0 : 1) }
      out.append(search)
    }
    return time + 60 + random.exponential(mean: 900)
  }
}
