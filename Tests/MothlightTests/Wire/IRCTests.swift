import Testing

@testable import Mothlight

@Suite struct IRCTests {
  private func session(_ text: String, cut size: Int = 4096) -> IRCSession? {
    let pieces = WireFixture.cut([(fromClient: true, bytes: Array(text.utf8))], size)
    let (events, decoder) = WireFixture.run(pieces, WireFixture.ends(8080))
    #expect(decoder.service == .irc || events.isEmpty)
    #expect(events.count <= 1)
    if case .irc(let session)? = events.first?.event { return session }
    return nil
  }

  static let bot =
    "PASS x\r\nNICK [USA|XP|53112]\r\nUSER ab12cd * 0 :who\r\nPONG :1\r\nJOIN #a,&b secret\r\nPRIVMSG #a :hi\r\n"

  @Test(arguments: [1, 2, 7, 4096]) func readsARegistrationHoweverItIsCut(_ size: Int) throws {
    let got = try #require(session(Self.bot, cut: size))
    #expect(got.nick == "[USA|XP|53112]")
    #expect(got.userShape == "a9a")
    #expect(got.channels == ["#a", "&b"])
    #expect(got.hasChannelKey && got.hasPassword)
    #expect(got.anomalies.contains(.protocolOnOddPort))
    #expect(got.secondsToJoin != nil)
  }

  @Test func keepsNoMessages() throws {
    let got = try #require(session("nick bob\nuser bob 0 * :Bob\njoin #swift\nprivmsg #swift :my secret\n"))
    #expect(got.channels == ["#swift"] && !got.hasChannelKey)
    #expect(!"\(got)".contains("secret"))
  }

  /// POP3, FTP and others have USER and PASS too.
  @Test func userAndPassAloneAreNoSession() {
    #expect(session("USER bob\r\nPASS hunter2\r\n") == nil)
    #expect(session("PASS hunter2\r\n") == nil)
  }

  @Test func endlessInputIsBounded() throws {
    let many = (0..<500).map { "JOIN #c\($0)\r\n" }.joined()
    #expect(try #require(session("NICK a\r\n" + many)).channels.count == IRCConversation.channelsMost)
    #expect(session("NICK " + String(repeating: "x", count: 100_000), cut: 1400) == nil)
    #expect(session("NICK a\r\nJOIN #" + String(repeating: "y", count: 3000) + "\r\n", cut: 100)?.channels == [])
  }

  @Test func shapesHideTheName() {
    let bytes = Array("Bob_1984-x".utf8)
    #expect(IRCConversation.shape(bytes.span.bytes) == "a_9-a")
  }
}
