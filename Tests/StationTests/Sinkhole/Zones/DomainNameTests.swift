import Testing

@testable import MothlightStation

@Suite struct DomainNameTests {
  @Test func readsAndWrites() throws {
    let name = try DomainName("WwW.Example_1.test.")
    #expect(name.octets == Array("\u{3}www\u{9}example_1\u{4}test\u{0}".utf8))
    #expect(name.description == "www.example_1.test" && name.labels == 3)
    #expect(name.parent?.description == "example_1.test")
    #expect(DomainName.root.description == "." && DomainName.root.parent == nil)
    #expect(DomainName(trusted: [2, 0x61, 0x07, 0]).description == "a\\007")
  }

  @Test(arguments: [
    ("", "is empty"), (".", "has an empty label"), ("a..b", "has an empty label"), (".a", "has an empty label"),
    ("-a.b", "has a label that begins or ends with '-'"), ("a-.b", "has a label that begins or ends with '-'"),
    ("a b.c", "has a character that no name has"), ("a/b", "has a character that no name has"),
    ("b\u{fc}cher.example", "has a letter beyond ASCII; write the 'xn--' form"),
    (String(repeating: "a", count: 64) + ".b", "has a label of more than 63 octets"),
    (String(repeating: "abcdefg.", count: 32), "is longer than 253 octets"),
  ])
  func refuses(_ text: String, _ reason: String) {
    #expect(throws: DomainName.Refusal(reason)) { try DomainName(text) }
  }

  @Test func longestNameFits() throws {
    let text = String(repeating: String(repeating: "a", count: 61) + ".", count: 4) + "abcd"
    #expect(try DomainName(text).octets.count == 254)
    #expect(throws: DomainName.Refusal.self) { try DomainName(text + "ef") }
    #expect(try DomainName(text + "e").octets.count == DomainName.Bound.octets)
  }

  @Test func below() throws {
    let zone = try DomainName("sink.example")
    #expect(try DomainName("ns1.sink.example").isAtOrBelow(zone))
    #expect(zone.isAtOrBelow(zone) && zone.isAtOrBelow(.root))
    #expect(try !DomainName("ns1.nosink.example").isAtOrBelow(zone))
    #expect(try !DomainName("example").isAtOrBelow(zone))
  }

  @Test func mailboxes() throws {
    #expect(
      DomainName(mailbox: "first.last@cert.example")?.octets == Array("\u{a}first.last\u{4}cert\u{7}example\u{0}".utf8))
    #expect(DomainName(mailbox: "first.last@cert.example")?.description == "first\\046last.cert.example")
    for text in ["", "@", "a@", "@b.example", "a b@c.example", "a@b@c"] { #expect(DomainName(mailbox: text) == nil) }
  }
}
