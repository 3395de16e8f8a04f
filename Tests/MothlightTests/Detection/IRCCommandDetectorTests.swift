import Testing

@testable import Mothlight

@Suite struct IRCCommandDetectorTests {
  static let host = IPAddress(v4: 0x0a00_000b)
  static let server = IPAddress(v4: 0xc633_6401)

  private func join(
    _ f: inout ObservationFixture, _ second: Double, _ server: IPAddress = IRCCommandDetectorTests.server,
    port: UInt16, nick: String, _ channels: [String], key: Bool = false, after seconds: Double? = 1
  ) {
    let session = IRCSession(
      ends: f.ends(Self.host, server, port: port), nick: nick, channels: channels, hasChannelKey: key,
      secondsToJoin: seconds)
    f.add(second, Self.host, .irc(session))
  }

  @Test func kitOnAnOddPort() throws {
    var f = ObservationFixture()
    for n in 0..<4 {
      join(&f, Double(n) * 900, port: 4244, nick: "{DEU|W7}90\(123 + n * 7)5", ["#x9"], key: true)
    }
    for size in [1, 512] {
      let found = try f.findings(IRCCommandDetector.self, batch: size)
      try #require(found.count == 1)
      #expect(found[0].logOdds >= Judge.bar)
      #expect(found[0].summary.contains("port 4244"))
    }
  }

  /// Hard: the usual port, so that nickname, key and reconnects must tell.
  @Test func kitOnTheUsualPort() throws {
    var f = ObservationFixture()
    for n in 0..<4 { join(&f, Double(n) * 900, port: 6667, nick: "[BRA|XP|\(48_213 + n)]", ["#x"], key: true) }
    #expect(try f.findings(IRCCommandDetector.self).map { $0.logOdds >= Judge.bar } == [true])
  }

  @Test(arguments: [
    ("maria", UInt16(6667), false), ("bob1984", 6697, false), ("Guest48213", 6667, false), ("[DE]Max|away", 6667, true),
    ("justinfan52341", 6667, false), ("build-bot", 6697, true), ("znc_user", 5000, true),
  ]) func peopleAndTheirRobotsStayBelow(_ nick: String, _ port: UInt16, _ key: Bool) throws {
    var f = ObservationFixture()
    for n in 0..<5 { join(&f, Double(n) * 4000, port: port, nick: nick, ["#swift", "#linux"], key: key) }
    #expect(try f.findings(IRCCommandDetector.self).map { $0.logOdds < Judge.bar } == [true])
  }

  @Test func nicknamePatterns() {
    #expect(IRCNick("[USA|XP|12345]").isKitLike)
    #expect(IRCNick("n{US|W7x64}|99182").signs >= 2)
    #expect(IRCNick("mips|arm|55512").isKitLike)
    #expect(!IRCNick("DE_PETER").isKitLike)
    #expect(!IRCNick("Anna-IT").isKitLike)
  }
}
