/// Address leases: asked for at start, renewed after half of their time (RFC 2131 section 4.4.5).
struct LeaseClient: Behaviour {
  var random: RandomSource
  var leaseSeconds = 14_400.0

  var bootDelay: Double { 2 }
  var phase: Double { leaseSeconds / 2 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    var lease = machine.open(to: machine.gateway, port: 67, .udp, at: time, label: .background)
    lease.clientPort = 68
    lease.steps = [.client(.opaque(300)), .server(.opaque(300), after: 0.02)]
    lease.service = "dhcp"
    out.append(lease)
    return time + leaseSeconds / 2
  }
}

/// A job at the full hour on several servers: all call one name within two seconds, each day of the year.
struct HourlyJob: Behaviour {
  /// Seconds of the day at which the scenario begins.
  var startOfDay: Double
  var random: RandomSource

  var phase: Double { 1 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    let second = (startOfDay + time).truncatingRemainder(dividingBy: 3600)
    if second < 5 {
      machine.callHome(
        "jobs.inventory.example", as: .agent, at: time,
        exchanges: [TrafficExchange(up: random.int(800, 860), down: random.int(200, 240))], into: &out)
    }
    return time + 3600 - second + random.uniform(0.2, 2)
  }
}

/// An updater that reports by HTTP POST: one path, one size, its own agent, a steady timer, a named server.
struct ReportingUpdater: Behaviour {
  var name: String
  var period: Double
  var octets: Int
  var random: RandomSource

  var bootDelay: Double { 90 }
  var phase: Double { period }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    let (server, ready) = machine.resolve(name, at: time, label: .normal, into: &out)
    let report = SyntheticHTTP(
      method: "POST", host: name, target: "/v2/report", userAgent: "Vendor-Update/4.1 (simulated)",
      requestOctets: octets + random.int(below: 12), responseOctets: 38, contentType: "application/json")
    out.append(machine.http(to: server, at: ready, requests: [report], label: .normal))
    return time + period * (1 + 0.03 * random.uniform(-1, 1))
  }
}

/// Sites that are down: a browser or a mail program tries again for a while, then gives up.
struct FailingSites: Behaviour {
  var random: RandomSource

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    let name = "www.down-\(random.int(1, 40)).example"
    let (server, ready) = machine.resolve(name, at: time, label: .normal, into: &out)
    var moment = ready
    for _ in 0..<random.int(1, 6) {
      var attempt = machine.open(to: server, port: 443, .tcp, at: moment, label: .normal)
      attempt.opening = random.chance(0.3) ? .refused : .ignored(attempts: 3)
      out.append(attempt)
      moment += 5 + random.exponential(mean: 20)
    }
    return time + 300 + random.exponential(mean: 5400)
  }
}

/// A licence or backup client whose server was moved: it knocks at the old one for ever.
struct MovedServer: Behaviour {
  var period: Double
  var random: RandomSource

  var phase: Double { period }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    let (server, ready) = machine.resolve("licence.tool-vendor.example", at: time, label: .normal, into: &out)
    var attempt = machine.open(to: server, port: 27_000, .tcp, at: ready, label: .normal)
    attempt.opening = .ignored(attempts: 3)
    out.append(attempt)
    return time + period * (1 + 0.02 * random.uniform(-1, 1))
  }
}

/// Somebody's own script: it fetches a small page from a rented server by address, every few minutes.
struct HomeScript: Behaviour {
  var period: Double
  var random: RandomSource

  var phase: Double { period }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    let server = Outside.addresses(of: "rented-\(machine.index).invalid")[0]
    let request = SyntheticHTTP(
      host: "\(server):8080", target: "/weather.json", userAgent: "curl/7.88 (simulated)",
      responseOctets: random.int(900, 1100), contentType: "application/json")
    out.append(machine.http(to: server, port: 8080, at: time, requests: [request], label: .normal))
    return time + period * (1 + 0.01 * random.uniform(-1, 1))
  }
}

/// A person behind the office's web proxy, with a mail program that polls through it.
struct ProxiedWeb: Behaviour {
  var random: RandomSource
  private var nextPoll = 0.0

  init(random: RandomSource) { self.random = random }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    let isPoll = time >= nextPoll
    if isPoll { nextPoll = time + 598 }
    let name = isPoll ? "mail.proxied-host.example" : SimulatedName.site(random.rank(below: 512))
    let sizes = TrafficExchange(
      up: random.int(300, 900), down: isPoll ? 900 : Int(random.pareto(minimum: 1500, alpha: 1.15, cap: 900_000)))
    out.append(machine.proxied(name, at: time, exchanges: [sizes], random: &random, label: .normal))
    return min(nextPoll, time + random.logNormal(median: 90, sigma: 1.2))
  }
}

/// An authorised search for weak points: at night all inside machines, on the ports that matter.
struct InsideScanner: Behaviour {
  var targets: [(address: IPAddress, online: OnlineHours)]
  var random: RandomSource
  private var place = 0

  init(targets: [(address: IPAddress, online: OnlineHours)], random: RandomSource) {
    self.targets = targets
    self.random = random
  }

  static let ports: [UInt16] = [
    21, 22, 23, 25, 53, 80, 110, 111, 135, 139, 143, 443, 445, 512, 587, 631, 873, 993, 1433, 1723, 2049, 2323, 3306,
    3389,
    5432, 5555, 5900, 6379, 8080, 8443, 9200,
  ]

  var phase: Double { 7200 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    guard place < targets.count * Self.ports.count else { return nil }
    let target = targets[place / Self.ports.count]
    let port = Self.ports[place % Self.ports.count]
    place += 1
    if target.address != machine.address {
      var probe = machine.open(to: target.address, port: port, .tcp, at: time, label: .normal)
      probe.opening =
        !target.online.isOn(time) ? .ignored(attempts: 2) : random.chance(0.07) ? .accepted : .refused
      if probe.opening == .accepted {
        probe.steps = [.server(.opaque(random.int(20, 90)), after: 0.1)]
        probe.closing = .reset(byClient: true, after: 0.5)
      }
      out.append(probe)
    }
    return time + random.exponential(mean: 2)
  }
}
