import Testing

@testable import Mothlight

@Suite struct VeilTests {
  private static func veil(key first: UInt8 = 0) throws -> Veil {
    let home = ["147.32.0.0/16", "2001:db8:1234::/48"].compactMap { Prefix($0) }
    return try Veil(key: (0..<32).map { first &+ $0 }, home: { home })
  }

  @Test func namesAreReadAsTheyAreWritten() throws {
    let name = try Self.veil().standIn(for: ReportFixture.bot)
    #expect(IPAddress(standInName: name.description) == name)
    #expect(IPAddress(standInName: name.description.lowercased()) == name)
    for text in [
      "host-", "host-7F3K2QX", "host-7F3K2QXDD", "host-7F3K2QXU", "hast-7F3K2QXD", "host-7F3K2QX ", "net-7F3K2QXD",
    ] {
      #expect(IPAddress(standInName: text) == nil, "\(text)")
    }
    // Words of a log or a packet are never taken for one.
    #expect(IPAddress(name.description) == nil && Prefix(name.description) == nil)
  }

  @Test func identifiersAreEncipheredAndComeBack() throws {
    let (veil, other) = (try Self.veil(), try Self.veil(key: 1))
    let id = ReportFixture.report().hosts[0].findings[0].id
    let covered = veil.covered(id: id)
    #expect(covered != id && covered.utf8.count == 32 && veil.uncovered(id: covered) == id)
    #expect(other.covered(id: id) != covered && other.uncovered(id: covered) != id)
    #expect(veil.uncovered(id: "x") == "" && veil.covered(id: String(repeating: "g", count: 32)) == "")
  }

  @Test func cursorsAreSealed() throws {
    let (veil, other) = (try Self.veil(), try Self.veil(key: 1))
    let cursor = Cursor("h2.0.0.ffff93205445.4lq")
    let sealed = try #require(veil.covered(cursor))
    #expect(!sealed.text.contains("93205445") && veil.uncovered(sealed) == cursor)
    // Written the same each time, so that a page has the same validator.
    #expect(veil.covered(cursor) == sealed && veil.covered(Cursor("h1")) != sealed)
    #expect(other.uncovered(sealed) == nil && veil.uncovered(cursor) == nil)
    for i in sealed.text.indices {
      var forged = sealed.text
      forged.replaceSubrange(i...i, with: forged[i] == "0" ? "1" : "0")
      #expect(veil.uncovered(Cursor(forged)) == nil)
    }
  }

  @Test(arguments: [
    "147.32.84.165", " 147.32.84.165 ", "147.32.84.165:443", "147.32.84", "147.", "10.1.2.3", "192.168.0.0/16",
    "8.8.8.0/24", "2001:db8:1234::1", "2001:db8:", "fd00::", ":1:2", "seen at 147.32.84.165", "nas.lan", "8.8.8",
  ])
  func questionsAboutAddressesAreKnown(_ text: String) throws {
    #expect(try Self.veil().asksForAddresses(text))
  }

  @Test(arguments: ["8.8.8.8", "60.190.222.139", "example.org", "mirai", "cafe", "1and1.com", "case 12", "2600::1", ""])
  func otherQuestionsAreNot(_ text: String) throws {
    #expect(try !Self.veil().asksForAddresses(text))
  }

  @Test func aMachineOutsideTheKnownHomeIsOursInItsOwnRow() throws {
    let veil = try Self.veil()
    let host = try #require(IPAddress("203.0.113.77"))
    var day = ReportFixture.report().hosts[0]
    day.host = host
    day.reason = "203.0.113.77 spoke to 203.0.113.78 and to nas.lan."
    for i in day.findings.indices { day.findings[i].host = host }
    let covered = veil.covered(day)
    let name = veil.standIn(for: host)
    #expect(covered.host == name && covered.findings.allSatisfy { $0.host == name })
    #expect(covered.reason.hasPrefix("\(name) spoke to 203.0.113.78 and to name-"))
    #expect(covered.findings.map(\.id) == day.findings.map { veil.covered(id: $0.id) })
  }

  @Test func rulesNameMachinesAndNetworksByNames() throws {
    let rule = try AllowList.parse("pair:147.32.84.165>8.8.8.8")
    let veil = try Self.veil()
    func covered(_ rule: AllowList.Rule) -> String {
      veil.covered(StoredAllowRule(number: 1, rule: rule, reason: "", actor: .station, added: .distantPast)).rule
        .description
    }
    let name = veil.standIn(for: ReportFixture.bot).description
    #expect(covered(rule) == "pair:\(name)/128>8.8.8.8/32")
    #expect(try AllowList.parse(covered(rule), standIns: true) != rule)
    #expect(throws: ConfigurationError.self) { try AllowList.parse(covered(rule)) }
    #expect(covered(try AllowList.parse("source:147.32.0.0/16")).hasPrefix("source:net-"))
    #expect(covered(try AllowList.parse("destination:8.8.8.0/24")) == "destination:8.8.8.0/24")
    #expect(covered(try AllowList.parse("name:*.corp.internal")).hasPrefix("name:*.name-"))
  }
}
