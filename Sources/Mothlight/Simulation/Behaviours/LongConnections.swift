/// One TLS connection kept open for hours with a small message each interval: push services and device clouds.
struct PushChannel: Behaviour {
  var name: String
  var port: UInt16 = 443
  var client = SyntheticTLS.Client.system
  /// Seconds between keep-alives.
  var interval: Double
  var messageOctets: Int
  /// Median hours until the server or a middlebox drops it.
  var lifetimeHours: Double
  var random: RandomSource

  var phase: Double { 60 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    let life = random.logNormal(median: lifetimeHours * 3600, sigma: 0.5)
    let uptime = machine.online.remaining(time)
    let length = min(life, uptime)
    let (server, ready) = machine.resolve(name, at: time, label: .normal, into: &out)
    var conversation = machine.tls(
      to: server, port: port, name: name, as: client, at: ready, exchanges: [TrafficExchange(up: 420, down: 700)],
      label: .normal)
    let keepAlives = Int(length / interval)
    if keepAlives > 0 {
      conversation.cycleStart = conversation.steps.count
      conversation.cycles = keepAlives
      conversation.steps.append(.client(.tls(messageOctets), after: interval))
      conversation.steps.append(.server(.tls(messageOctets)))
    }
    if length < life || keepAlives == 0 {
      conversation.closing = .left
    } else if random.chance(0.5) {
      conversation.closing = .finished(byClient: false, after: 1)
    } else {
      conversation.closing = .reset(byClient: false, after: 1)
    }
    out.append(conversation)
    return time + max(length, interval) * 1.01 + random.uniform(1, 20)
  }
}

/// A video call: STUN, then two streams of equal datagrams for minutes.
///
/// At a fiftieth of the usual packet rate, so that an hour of meetings does not fill the file.
struct VideoCalls: Behaviour {
  var random: RandomSource
  /// Mean seconds between calls.
  var gap = 45_000.0

  var bootDelay: Double { 6000 }
  var phase: Double { gap }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    let seconds = min(random.logNormal(median: 600, sigma: 0.6), max(60, machine.online.remaining(time)))
    machine.callHome(
      "join.meet.example", as: .browser, at: time, exchanges: [TrafficExchange(up: 1800, down: 60_000)], into: &out)
    let (relay, ready) = machine.resolve("media.meet.example", at: time + 1, label: .normal, into: &out)
    var transaction = OctetBuilder()
    transaction.random(12, &random)
    var probe = machine.open(to: relay, port: 3478, .udp, at: ready, label: .normal)
    let request = SyntheticDatagrams.stun(answerFor: nil, port: 0, transaction: transaction.octets)
    let answer = SyntheticDatagrams.stun(
      answerFor: machine.address, port: probe.clientPort, transaction: transaction.octets)
    probe.steps = [.client(.bytes(request), after: 0), .server(.bytes(answer))]
    out.append(probe)
    var media = machine.open(
      to: relay, port: UInt16(50_000 + random.int(below: 100)), .udp, at: ready + 0.4, label: .normal)
    media.roundTrip = 0
    let voice = SyntheticDatagrams.rtp(size: 160, source: 1, &random)
    let picture = SyntheticDatagrams.rtp(size: 1080, source: 2, &random)
    media.steps = [
      .client(.bytes(voice), after: 0.8), .server(.bytes(voice), after: 0.6), .client(.bytes(picture), after: 0.8),
      .server(.bytes(picture), after: 0.8),
    ]
    media.cycles = max(1, Int(seconds / 3))
    out.append(media)
    return time + seconds + 300 + random.exponential(mean: gap)
  }
}

/// A big upload each night, or each few hours on a machine that sleeps at night.
struct BackupUpload: Behaviour {
  var name: String
  var period: Double
  var octets: Int
  var random: RandomSource

  var bootDelay: Double { 1800 }
  var phase: Double { min(period, 10_800) }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    let size = Int(random.logNormal(median: Double(octets), sigma: 0.4))
    machine.callHome(
      name, as: .agent, at: time,
      exchanges: [
        TrafficExchange(up: 900, down: 1200), TrafficExchange(up: min(size, 4 * octets), down: 400, rate: 6_000_000),
      ], into: &out)
    return time + period + random.normal(deviation: 60)
  }
}
