/// A monitoring server: asks every inside machine by SNMP and a few outside sites by TLS, all on a timer.
struct MonitoringServer: Behaviour {
  var targets: [(address: IPAddress, online: OnlineHours)]
  var sites: [String]
  var period = 300.0
  var random: RandomSource
  private var turn = 0

  init(targets: [(address: IPAddress, online: OnlineHours)], sites: [String], random: RandomSource) {
    self.targets = targets
    self.sites = sites
    self.random = random
  }

  var phase: Double { period }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    var moment = time
    for (address, online) in targets where address != machine.address {
      turn += 1
      var poll = machine.open(to: address, port: 161, .udp, at: moment, label: .normal)
      let upTime = Int(moment * 100)
      poll.steps = [.client(.bytes(SyntheticDatagrams.snmp(isAnswer: false, request: turn, upTime: 0)), after: 0)]
      if online.isOn(moment) {
        poll.steps.append(
          .server(.bytes(SyntheticDatagrams.snmp(isAnswer: true, request: turn, upTime: upTime)), after: 0.001))
      }
      out.append(poll)
      moment += 0.02
    }
    for site in sites {
      machine.callHome(site, as: .agent, at: moment, exchanges: [TrafficExchange(up: 180, down: 4200)], into: &out)
      moment += 0.5
    }
    return time + period
  }
}

/// A mail server: delivers to the exchangers of many domains and takes mail from many.
struct MailServer: Behaviour {
  var random: RandomSource
  /// Mean seconds between mails in each direction.
  var gap = 150.0

  var phase: Double { gap }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    let domain = "org-\(1 + random.int(below: 400)).example"
    let size = Int(random.pareto(minimum: 2000, alpha: 1.2, cap: 400_000))
    if random.chance(0.5) {
      let (server, ready) = MailTransfer.exchanger(of: domain, at: time, on: &machine, label: .normal, into: &out)
      var mail = machine.open(to: server, port: 25, .tcp, at: ready, label: .normal)
      MailTransfer.dialog(
        &mail, greeting: domain, sender: "office.example", size: size, isRejected: random.chance(0.01))
      out.append(mail)
    } else {
      let sender = Outside.addresses(of: "out.\(domain)")[0]
      let port = UInt16(32_768 + random.int(below: 28_000))
      var mail = Conversation(
        start: time, client: sender, server: machine.address, clientPort: port, serverPort: 25, transport: .tcp,
        roundTrip: 0.0005)
      MailTransfer.dialog(
        &mail, greeting: "office.example", sender: domain, size: size, isRejected: random.chance(0.15))
      out.append(mail)
    }
    return time + random.exponential(mean: gap)
  }
}

/// SMTP as both a mail server and a spam bot speak it (RFC 5321 section 3.1).
enum MailTransfer {
  /// Address of a domain's exchanger after the MX and the address look-up.
  static func exchanger(
    of domain: String, at time: Double, on machine: inout SimulatedMachine, label: TrafficLabel,
    into out: inout [Conversation]
  ) -> (address: IPAddress, ready: Double) {
    let name = "mx1.\(domain)"
    let lookup = SyntheticDNS(
      identifier: UInt16(machine.random.int(below: 65_536)), name: domain, type: .mx, responseCode: 0,
      exchangers: [name],
      ttlSeconds: 3600)
    let answered = machine.ask(lookup, at: time, label: label, into: &out)
    return machine.resolve(name, at: answered + 0.001, label: label, into: &out)
  }

  static func dialog(_ mail: inout Conversation, greeting: String, sender: String, size: Int, isRejected: Bool) {
    func line(_ text: String) -> Conversation.Payload { .bytes(Array((text + "\r\n").utf8)) }
    mail.steps = [
      .server(line("220 mx1.\(greeting) ESMTP"), after: 0.05), .client(line("EHLO \(sender)")),
      .server(line("250-mx1.\(greeting)\r\n250 SIZE 20000000")), .client(line("MAIL FROM:<a@\(sender)>")),
      .server(line("250 2.1.0 Ok")), .client(line("RCPT TO:<b@\(greeting)>")),
    ]
    if isRejected {
      mail.steps += [
        .server(line("550 5.7.1 rejected"), after: 0.1), .client(line("QUIT")), .server(line("221 2.0.0 Bye")),
      ]
    } else {
      let head = "From: a@\(sender)\r\nTo: b@\(greeting)\r\nSubject: simulated\r\n\r\n"
      let lines = String(repeating: "This mail was never sent: it exists in a file only.\r\n", count: max(1, size / 53))
      mail.steps += [
        .server(line("250 2.1.5 Ok")), .client(line("DATA")), .server(line("354 End data with <CR><LF>.<CR><LF>")),
        .client(.bytes(Array((head + lines + ".\r\n").utf8))), .server(line("250 2.0.0 Ok: queued"), after: 0.2),
        .client(line("QUIT")), .server(line("221 2.0.0 Bye")),
      ]
    }
    mail.closing = .finished(byClient: false, after: 0.001)
    mail.service = "smtp"
  }
}

/// A BitTorrent client: DHT pings to strangers, most unanswered, and encrypted transfers with some. Benign, and the trap for
/// every peer-to-peer rule.
struct BitTorrentClient: Behaviour {
  var random: RandomSource
  /// The usual default of one client; also where most peers listen.
  private static let port: UInt16 = 51_413

  init(random: RandomSource) { self.random = random }

  var phase: Double { 60 }

  mutating func act(at time: Double, on machine: inout SimulatedMachine, into out: inout [Conversation]) -> Double? {
    let peer = Outside.stranger(&random)
    let port = random.chance(0.3) ? Self.port : UInt16(55_000 + random.int(below: 10_000))
    if random.chance(0.06) {
      var transfer = machine.open(to: peer, port: port, .tcp, at: time, label: .normal)
      let fate = random.unit()
      if fate < 0.35 {
        transfer.opening = .ignored(attempts: 3)
      } else if fate < 0.5 {
        transfer.opening = .refused
      } else {
        let size = Int(random.pareto(minimum: 16_384, alpha: 0.9, cap: 6_000_000))
        transfer.steps = [
          .client(.opaque(random.int(96, 600))), .server(.opaque(random.int(96, 600))), .client(.opaque(68)),
          .server(.opaque(68)),
          Conversation.Step(fromClient: random.chance(0.3), delay: 0.5, payload: .opaque(size), rate: 400_000),
        ]
        transfer.closing = .reset(byClient: random.chance(0.5), after: random.uniform(1, 90))
      }
      out.append(transfer)
    } else {
      var ping = machine.open(to: peer, port: port, .udp, at: time, label: .normal)
      ping.clientPort = Self.port
      ping.steps = [.client(.bytes(SyntheticDatagrams.dht(isAnswer: false, &random)), after: 0)]
      if random.chance(0.4) {
        ping.steps.append(.server(.bytes(SyntheticDatagrams.dht(isAnswer: true, &random)), after: 0.01))
      }
      out.append(ping)
    }
    return time + random.exponential(mean: 5)
  }
}
