import Testing

@testable import Mothlight

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

@Suite struct RegistryTests {
  static let header = "# name: demo\n# source: unit test\n# date: 2026-02-03\n"

  static func list(_ lines: String) throws -> IndicatorList {
    try IndicatorList(text: header + lines, path: "demo.txt")
  }

  static func values(_ registry: Registry, _ matches: [Registry.Match]) -> [String] {
    matches.map { registry.indicator(of: $0).value }
  }

  @Test func builtinList() {
    let registry = Registry()
    #expect(registry.lists.map(\.name) == ["mariposa-2010"])
    #expect(registry.lists[0].indicators.count == 30)
    #expect(Set(registry.lists[0].indicators.map(\.value)).count == 30)
    #expect(!registry.hasAddresses)
    #expect(registry.lists[0].day == CivilDate.daysSinceEpoch(year: 2010, month: 3, day: 31))
  }

  @Test(arguments: [
    ("bad.example.net", "domain", "bad.example.net"), ("*.Bad.Example.NET.", "domain", "bad.example.net"),
    ("192.0.2.1", "address", "192.0.2.1"), ("2001:DB8::1", "address", "2001:db8::1"),
    ("192.0.2.1/32", "address", "192.0.2.1"),
    ("192.0.2.77/24", "prefix", "192.0.2.0/24"), ("2001:db8::/32", "prefix", "2001:db8::/32"),
    ("192.0.2.1:443", "endpoint", "192.0.2.1:443"), ("[2001:db8::1]:443", "endpoint", "[2001:db8::1]:443"),
    ("ja3:E7D705A3286E19EA42F587B344EE6865", "ja3", "e7d705a3286e19ea42f587b344ee6865"),
    ("ja4:t13d1516h2_8daaf6152771_02713d6af862", "ja4", "t13d1516h2_8daaf6152771_02713d6af862"),
    ("0123456789ABCDEF0123456789abcdef01234567", "certificate", "0123456789abcdef0123456789abcdef01234567"),
    ("ua:Mozilla/4.0", "user_agent", "Mozilla/4.0"),
  ]) func kinds(_ text: String, _ kind: String, _ value: String) {
    let indicator = Indicator(text)
    #expect(indicator?.kind.rawValue == kind)
    #expect(indicator?.value == value)
  }

  @Test(arguments: [
    "single", "999.1.2.3", "192.0.2.1/33", "192.0.2.1:0", "192.0.2.1:70000", "ja3:12", "ja4:x", "cert:zz", "a..b",
    "ua:", "a b.com",
    "exa/mple.com", "-",
  ]) func notIndicators(_ text: String) {
    #expect(Indicator(text) == nil)
  }

  @Test func fieldsAndFlags() throws {
    let list = try Self.list(
      "# family: Base\n# a remark\n\nx.example.net\ny.example.net, Own , shared\r\n z.example.net,,shared\n")
    #expect(list.indicators.map(\.family) == ["Base", "Own", "Base"])
    #expect(list.indicators.map(\.isShared) == [false, true, true])
    #expect(list.isHighConfidence == false)
    #expect(list.lastDay == nil)
  }

  @Test(arguments: [
    ("# name: a\n# source: b\nx.example.net\n", "t:1: header lines missing: '# date:'"),
    ("# date: 2026-02-30\n", "t:1: '2026-02-30' is no date YYYY-MM-DD"),
    ("# name: a\n# name: b\n", "t:2: '# name:' is given twice"), ("# confidence: sure\n", "t:1: confidence is"),
    (header + "x.example.net\nnope\n", "t:5: 'nope' is no domain"),
    (header + "x.example.net,F,odd\n", "t:4: unknown flag 'odd'"),
    (header + "x.example.net,a,shared,b\n", "t:4: more than three fields"), ("# name:\n", "t:1: '# name:' is empty"),
  ]) func errorsNameTheLine(_ text: String, _ message: String) {
    do throws(ConfigurationError) {
      _ = try IndicatorList(text: text, path: "t")
      Issue.record("accepted: \(text)")
    } catch {
      #expect(error.message.hasPrefix(message), "\(error.message)")
    }
  }

  @Test func expiryIsHeldAgainstEventTime() throws {
    let list = try Self.list("# expires: 2026-02-04\nx.example.net\n")
    let day = Int64(CivilDate.daysSinceEpoch(year: 2026, month: 2, day: 4)) * 86_400
    #expect(!list.isExpired(at: Timestamp(seconds: day + 86_399)))
    #expect(list.isExpired(at: Timestamp(seconds: day + 86_400)))
  }

  @Test func domainsWithTheirParents() throws {
    let registry = Registry(lists: [try Self.list("example.net\nc2.example.net\nother.org\n")])
    #expect(Self.values(registry, registry.matches(domain: "A.C2.Example.Net.")) == ["c2.example.net", "example.net"])
    #expect(Self.values(registry, registry.matches(domain: "example.net")) == ["example.net"])
    for name in ["myexample.net", "example.net.org", "net", "", ".", "example.ne", String(repeating: "a.", count: 900)]
    {
      #expect(registry.matches(domain: name).isEmpty, "\(name)")
    }
  }

  @Test func addressesPortsAndPrefixes() throws {
    let registry = Registry(lists: [
      try Self.list("192.0.2.1\n192.0.2.1:80\n192.0.2.1:81\n192.0.2.0/24\n0.0.0.0/0\n2001:db8::/32\n")
    ])
    let address = IPAddress(v4: 0xc000_0201)
    #expect(
      Self.values(registry, registry.matches(address: address, port: 80)) == [
        "192.0.2.1", "192.0.2.1:80", "192.0.2.0/24", "0.0.0.0/0",
      ])
    #expect(Self.values(registry, registry.matches(address: IPAddress(v4: 1), port: 80)) == ["0.0.0.0/0"])
    let six = try #require(IPAddress("2001:db8:1::5"))
    #expect(Self.values(registry, registry.matches(address: six, port: nil)) == ["2001:db8::/32"])
    #expect(registry.mayMatch(six))
    #expect(!registry.mayMatch(try #require(IPAddress("2001:db9::5"))))
  }

  @Test func overlappingListsBothMatch() throws {
    let registry = Registry(lists: [try Self.list("x.example.net,A\n"), try Self.list("x.example.net,B\n")])
    #expect(Set(registry.matches(domain: "x.example.net").map { registry.indicator(of: $0).family }) == ["A", "B"])
  }

  @Test func filesAreLoadedBesideTheBuiltinOnes() throws {
    let path = "/tmp/mothlight-registry-test-\(getpid()).txt"
    let file = try #require(fopen(path, "w"))
    fputs(Self.header + "192.0.2.1\n", file)
    fclose(file)
    defer { unlink(path) }
    let registry = try Registry.load(paths: [path])
    #expect(registry.lists.map(\.name) == ["mariposa-2010", "demo"])
    #expect(registry.hasAddresses)
    #expect(throws: ConfigurationError.self) { try Registry.load(paths: [path + ".missing"]) }
  }

  @Test func embeddedQuadWithoutColonIsNoAddress() {
    #expect(IPAddress("c.s-microsoft.com") == nil)
    #expect(IPAddress("::ffff:192.0.2.1")?.isV4 == true)
  }
}
