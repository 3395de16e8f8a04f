/// Work on a far machine by SSH: hours of keystrokes with pauses, to the same few servers.
struct SecureShellSession: Behaviour {
  var random: RandomSource

  var bootDelay: Double { 2000 }
  var phase: Double { 20_000 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    let name = "shell-\(1 + machine.index % 3).lab.example"
    let (server, ready) = machine.resolve(name, at: time, label: .normal, into: &out)
    let seconds = min(random.logNormal(median: 5400, sigma: 0.8), max(60, machine.online.remaining(time)))
    var line = machine.open(to: server, port: 22, .tcp, at: ready, label: .normal)
    line.steps = [
      .client(.bytes(Array("SSH-2.0-OpenSSH_9.2p1\r\n".utf8))),
      .server(.bytes(SyntheticSSH.serverBanner), after: 0.01),
      .client(.bytes(SyntheticSSH.keyExchangeInit(&random))), .server(.bytes(SyntheticSSH.keyExchangeInit(&random))),
      .client(.bytes(SyntheticSSH.exchangeStart(&random))), .server(.bytes(SyntheticSSH.exchangeReply(&random))),
      .client(.bytes(SyntheticSSH.newKeys(&random))),
    ]
    line.cycleStart = line.steps.count
    line.cycles = max(1, Int(seconds / 20))
    line.steps += [
      .client(.opaque(36), after: 12), .server(.opaque(random.int(36, 900))), .client(.opaque(36), after: 8),
      .server(.opaque(68)),
    ]
    line.service = "ssh"
    line.closing = .finished(byClient: true, after: 1)
    out.append(line)
    return time + seconds + random.exponential(mean: 8000)
  }
}

/// A VPN over UDP: a handshake, then traffic and keep-alives each 25 s for as long as the machine is on.
struct TunnelClient: Behaviour {
  var random: RandomSource
  /// Some clients hold their gateway's address in the configuration.
  var hasName: Bool
  var port: UInt16

  var bootDelay: Double { 60 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    var server = Outside.addresses(of: "vpn.office.example")[0]
    var ready = time
    if hasName { (server, ready) = machine.resolve("vpn.office.example", at: time, label: .normal, into: &out) }
    let seconds = min(machine.online.remaining(time), random.uniform(1, 9) * 3600)
    var line = machine.open(to: server, port: port, .udp, at: ready, label: .normal)
    line.steps = [.client(.opaque(148)), .server(.opaque(92)), .client(.opaque(32), after: 0.1)]
    line.cycleStart = 3
    line.cycles = max(1, Int(seconds / 25))
    line.steps += [.client(.opaque(96), after: 25), .server(.opaque(96)), .client(.opaque(random.int(100, 1200)))]
    out.append(line)
    return time + seconds + random.uniform(20, 900)
  }
}

/// A device's push line by MQTT to an address in its firmware: no look-up, a ping each minute, a new one when it drops.
struct BareMQTT: Behaviour {
  var random: RandomSource

  var phase: Double { 60 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    let server = Outside.addresses(of: "broker.thing-maker.example")[0]
    let seconds = min(machine.online.remaining(time), random.logNormal(median: 14_400, sigma: 0.8))
    var line = machine.open(to: server, port: 1883, .tcp, at: time, label: .normal)
    // CONNECT, CONNACK, then PINGREQ and PINGRESP (MQTT 3.1.1 sections 3.1, 3.2, 3.12, 3.13).
    let connect: [UInt8] = [0x10, 0x10, 0x00, 0x04] + Array("MQTT".utf8) + [0x04, 0x02, 0x00, 0x3c, 0x00, 0x04]
    line.steps = [.client(.bytes(connect + Array("moth".utf8))), .server(.bytes([0x20, 0x02, 0, 0]))]
    line.cycleStart = 2
    line.cycles = max(1, Int(seconds / 60))
    line.steps += [.client(.bytes([0xc0, 0x00]), after: 60), .server(.bytes([0xd0, 0x00]))]
    line.closing = .left
    out.append(line)
    return time + seconds + random.uniform(1, 30)
  }
}

/// A game: the lobby by name, the match over UDP with a server whose address the lobby gave.
///
/// At a thirtieth of the usual packet rate, as for calls.
struct OnlineGame: Behaviour {
  var random: RandomSource

  var bootDelay: Double { 9000 }
  var phase: Double { 40_000 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    machine.callHome(
      "lobby.game.example", as: .agent, at: time, exchanges: [TrafficExchange(up: 900, down: 7000)], into: &out)
    let seconds = min(random.logNormal(median: 1500, sigma: 0.4), max(60, machine.online.remaining(time)))
    let server = Outside.addresses(of: "match-\(random.int(1, 400)).game.invalid")[0]
    var match = machine.open(to: server, port: UInt16(random.int(27_015, 27_050)), .udp, at: time + 5, label: .normal)
    match.steps = [.client(.opaque(90), after: 0.9), .server(.opaque(220), after: 0.05)]
    match.cycles = max(1, Int(seconds))
    out.append(match)
    return time + seconds + 60 + (random.chance(0.7) ? random.exponential(mean: 300) : random.exponential(mean: 30_000))
  }
}

/// A person in a public IRC channel, by name on a usual port.
struct PublicChat: Behaviour {
  var random: RandomSource

  var bootDelay: Double { 900 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    let (server, ready) = machine.resolve("irc.chat-network.example", at: time, label: .normal, into: &out)
    let chat = SyntheticIRC(
      nick: SyntheticIRC.ordinaryNick(&random), user: "moth", channel: "#gardening")
    let seconds = min(machine.online.remaining(time), random.uniform(1, 6) * 3600)
    out.append(
      machine.chat(
        chat, to: server, port: random.chance(0.8) ? 6667 : 6670, at: ready, seconds: seconds, pingSeconds: 120,
        talk: random.int(60, 400), label: .normal))
    return time + seconds + random.exponential(mean: 3600)
  }
}
