/// The registration of an IRC client (RFC 2812 section 3.1) and the server's greeting; no message ever follows.
struct SyntheticIRC: Sendable {
  var nick: String
  var user: String
  var channel: String
  var key: String?

  /// A nickname built like a kit's: country, platform, digits.
  static func kitNick(_ random: inout RandomSource) -> String {
    let country = random.pick(["AAA", "BBB", "CCC", "DDD"]) ?? "AAA"
    let platform = random.pick(["XP", "W7", "W10"]) ?? "XP"
    return "[\(country)|\(platform)|\(random.int(10_000, 99_999))]"
  }

  static func ordinaryNick(_ random: inout RandomSource) -> String {
    let first = random.pick(["moth", "fern", "otter", "linden", "heron", "pebble"]) ?? "moth"
    let second = random.pick(["wing", "leaf", "_", "fan", "ster", "y"]) ?? "y"
    return first + second + (random.chance(0.3) ? String(random.int(2, 99)) : "")
  }

  var registration: [UInt8] { Array("NICK \(nick)\r\nUSER \(user) 0 * :\(user)\r\n".utf8) }
  var greeting: [UInt8] { Array(":irc.simulated 001 \(nick) :Welcome\r\n".utf8) }
  var join: [UInt8] { Array("JOIN \(channel)\(key.map { " " + $0 } ?? "")\r\n".utf8) }
  static let ping = Array("PING :irc.simulated\r\n".utf8)
  static let pong = Array("PONG :irc.simulated\r\n".utf8)

  /// Nick, user, command, value and addition of each irc.log record.
  var logRows: [[String]] {
    [
      ["", "", "NICK", nick, ""], [nick, "", "USER", user, "0 * \(user)"],
      [nick, user, "JOIN", channel, key.map { " with channel key: '\($0)'" } ?? ""],
    ]
  }

  func session(_ ends: Endpoints) -> IRCSession {
    IRCSession(
      ends: ends, nick: nick, userShape: IRCConversation.shape(Array(user.utf8).span.bytes), channels: [channel],
      hasChannelKey: key != nil, secondsToJoin: 0.5)
  }
}

extension SimulatedMachine {
  /// A registration, a join and pings for `seconds`; between two pings a person says something of changing size.
  mutating func chat(
    _ chat: SyntheticIRC, to server: IPAddress, port: UInt16, at time: Double, seconds: Double, pingSeconds: Double,
    talk: Int, label: TrafficLabel
  ) -> Conversation {
    var line = open(to: server, port: port, .tcp, at: time, label: label)
    line.steps = [
      .client(.bytes(chat.registration), after: 0.05), .server(.bytes(chat.greeting), after: 0.3),
      .client(.bytes(chat.join), after: talk > 0 ? 4 : 0.2), .server(.opaque(240), after: 0.05),
    ]
    line.cycleStart = line.steps.count
    line.cycles = max(1, Int(seconds / max(1, pingSeconds)))
    line.steps += [
      .server(.bytes(SyntheticIRC.ping), after: pingSeconds), .client(.bytes(SyntheticIRC.pong), after: 0.001),
    ]
    if talk > 0 { line.steps += [.server(.opaque(talk), after: 1), .client(.opaque(1 + talk / 3), after: 8)] }
    line.closing = .left
    line.application = .irc(chat)
    line.service = "irc"
    return line
  }
}
