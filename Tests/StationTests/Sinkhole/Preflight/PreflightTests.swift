import Mothlight
import Testing

@testable import MothlightStation

@Suite struct PreflightTests {
  private static let today = CivilDate.daysSinceEpoch(year: 2026, month: 6, day: 1)

  private func file(_ zones: String, end: String = "2027-03-01", expiry: String? = "2028-01-01", more: String = "")
    throws -> ZoneFile
  {
    let text = """
      orders:
        - authority: { order: "1", issuer: "Court", date: 2026-01-01 }
          family: Mariposa
          start: 2026-02-01
          end: \(end)
          zones: [ \(zones) ]
      \(expiry.map { "    registration_expiry: \($0)\n" } ?? "")\(more)
      """
    return try ZoneFile.read(Array(text.utf8), path: "z.yaml")
  }

  private func preflight(_ change: (inout Preflight) throws -> Void = { _ in }) throws -> Preflight {
    var preflight = Preflight(today: Self.today)
    preflight.servers = [try DomainName("ns1.sink.example"), try DomainName("ns2.sink.example")]
    preflight.operatorDomains = [try DomainName("sink.example")]
    preflight.domainExpiry = Self.today + 1000
    try change(&preflight)
    return preflight
  }

  private func words(_ findings: [Preflight.Finding]) -> [String] { findings.map(\.description) }

  @Test func goodFileHasNoFindings() throws {
    #expect(words(try preflight().check(file("a.test, b.a.test, \"*.dga.test\""))) == [])
  }

  @Test(arguments: [
    ("2026-05-31", "error: z.yaml:2: order 1 (Mariposa) ended on 2026-05-31; nothing of it is served"),
    ("2026-06-10", "warning: z.yaml:2: order 1 (Mariposa) ends on 2026-06-10, in 9 days; renew it or plan the release"),
  ])
  func ends(_ end: String, _ expected: String) throws {
    #expect(words(try preflight().check(file("a.test", end: end))) == [expected])
  }

  @Test func registrationMustOutlastTheOrder() throws {
    #expect(
      words(try preflight().check(file("a.test", expiry: "2027-03-01"))) == [
        "error: z.yaml:2: the names of order 1 (Mariposa) expire on 2027-03-01, not after its end; strangers could buy them"
      ])
    #expect(try preflight().check(file("a.test", expiry: "2027-03-02")) == [])
    #expect(try preflight().check(file("a.test", expiry: nil)).map(\.severity) == [.warning])
  }

  @Test func serversBelongToTheOperator() throws {
    let foreign = try preflight { $0.operatorDomains = [try DomainName("other.example")] }
    #expect(try foreign.check(file("a.test")).map(\.severity) == [.error, .error])
    let seized = try preflight { $0.servers = [try DomainName("ns.a.test")] }
    let found = words(try seized.check(file("a.test")))
    #expect(found.count == 2 && found[1].hasSuffix("is itself a seized name, which goes when the order ends"))
    #expect(try preflight { $0.operatorDomains = [] }.check(file("a.test")).map(\.severity) == [.warning])
    #expect(try preflight { $0.servers = [] }.check(file("a.test")).map(\.severity) == [.warning])
    #expect(try preflight { $0.domainExpiry = Self.today + 100 }.check(file("a.test")).map(\.severity) == [.error])
    let soon = try preflight { $0.domainExpiry = Self.today + 100 }.check(file("a.test", end: "2026-08-01"))
    #expect(
      words(soon) == ["warning: z.yaml: the name servers' domain expires on 2026-09-09, within 180 days; renew it"])
  }

  @Test func publicSuffixesAreNobodysName() throws {
    let found = words(try preflight().check(file("co.uk, \"*.com\", a.co.uk")))
    #expect(
      Set(found) == [
        "error: z.yaml:2: 'co.uk' is a public suffix",
        "error: z.yaml:2: 'com' is a public suffix: every registrant below it would be hit",
      ])
  }

  @Test func namesGivenTwice() throws {
    let twice = words(try preflight().check(file("a.test, A.test., b.test")))
    #expect(twice == ["warning: z.yaml: 1 names are given twice by the same order; each is served once"])
    let second = """
        - authority: { order: "2", issuer: "Court", date: 2026-01-01 }
          family: Palevo
          start: 2026-03-01
          end: 2027-06-01
          registration_expiry: 2028-01-01
          zones: [ a.test, c.test ]
      """
    let overlap = words(try preflight().check(file("a.test", more: second)))
    #expect(overlap == ["warning: z.yaml:8: 'a.test' is in the order of line 2 too, at the same time"])
    let renewal = second.replacing("start: 2026-03-01", with: "start: 2027-03-02")
    let later = words(try preflight().check(file("a.test", more: renewal)))
    #expect(later == ["warning: z.yaml:8: order 2 (Palevo) is not served before 2027-03-02"])
  }

  @Test func benignNamesAreTold() throws {
    let folder = try ScratchFolder()
    let list = try folder.write(
      "top.txt", "# sites\n1,www.a.test\n2,b.test\nx.dga.test\ndga.test\nzz.test\nnot a name\n")
    let found = try preflight { $0.benignPath = list }.check(file("a.test, c.b.test, \"*.dga.test\""))
    #expect(
      words(found) == [
        "warning: z.yaml:2: 'www.a.test' is on the list of benign names and would be answered for",
        "warning: z.yaml:2: 'x.dga.test' is on the list of benign names and would be answered for",
      ])
    #expect(throws: ZoneFile.Problem.self) { try preflight { $0.benignPath = list + "x" }.check(file("a.test")) }
  }

  @Test func manyFindingsAreCounted() throws {
    let folder = try ScratchFolder()
    let list = try folder.write("top.txt", (0..<100).map { "n\($0).dga.test\n" }.joined())
    let found = words(try preflight { $0.benignPath = list }.check(file("\"*.dga.test\"")))
    #expect(found.count == 21)
    #expect(found[20] == "warning: z.yaml: 80 more names on the list of benign names would be answered for")
  }

  @Test func problemsOfTheFileAreErrors() throws {
    let found = words(try preflight().check(file("a.test, \"b..test\"")))
    #expect(found == ["error: z.yaml:6: 'b..test' has an empty label"])
  }
}
