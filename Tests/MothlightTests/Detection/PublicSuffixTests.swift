import Testing

@testable import Mothlight

@Suite struct PublicSuffixTests {
  @Test(arguments: [
    ("a.b.example.co.uk", "example.co.uk"), ("example.com", "example.com"), ("WWW.Example.COM.", "example.com"),
    ("x.y.example.com.br", "example.com.br"), ("www.test.k12.ak.us", "test.k12.ak.us"), ("a.b.c.mm", "b.c.mm"),
    ("www.www.ck", "www.ck"), ("deep.shv4.no-ip.biz", "shv4.no-ip.biz"), ("me.github.io", "me.github.io"),
    ("d111111abcdef8.cloudfront.net", "cloudfront.net"), ("ec2-1-2-3-4.compute-1.amazonaws.com", "amazonaws.com"),
    ("www.go.com", "go.com"), ("t.co", "t.co"), ("b.example.example", "example.example"),
  ]) func registered(_ name: String, _ expected: String) {
    #expect(PublicSuffix.builtin.registeredDomain(name) == expected)
  }

  @Test(arguments: ["com", "co.uk", "", ".", ".com", "a..com", "github.io", "ck", "x.ck", "localhost"])
  func noRegistrant(_ name: String) {
    #expect(PublicSuffix.builtin.registeredDomain(name) == nil)
  }

  @Test func loadedList() {
    let text = """
      // ===BEGIN ICANN DOMAINS===
      com
      jp
      *.kobe.jp
      !city.kobe.jp
      公司.cn   trailing words are not part of the rule
      // ===BEGIN PRIVATE DOMAINS===
      cloudfront.net
      """
    let full = PublicSuffix(listText: text)
    #expect(full.registeredDomain("b.c.kobe.jp") == "b.c.kobe.jp")
    #expect(full.registeredDomain("c.kobe.jp") == nil)
    #expect(full.registeredDomain("www.city.kobe.jp") == "city.kobe.jp")
    #expect(full.registeredDomain("www.shishi.xn--55qx5d.cn") == "shishi.xn--55qx5d.cn")
    #expect(full.registeredDomain("x.d1.cloudfront.net") == "d1.cloudfront.net")
    #expect(full.registeredDomain("a.co.uk") == "co.uk")
    #expect(
      PublicSuffix(listText: text, includingPrivate: false).registeredDomain("d1.cloudfront.net") == "cloudfront.net")
  }

  /// RFC 3492 section 7.1 (B) and (L), and names of the IANA root zone.
  @Test(arguments: [
    ("他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye"), ("3年B組金八先生", "xn--3B-ww4c5e180e575a65lsy2b"), ("中国", "xn--fiqs8s"),
    ("münchen", "xn--mnchen-3ya"), ("plain", "plain"),
  ]) func punycode(_ label: String, _ wire: String) {
    #expect(Punycode.encode(label: label) == wire)
  }

  @Test func hostileNames() {
    var random = SeededGenerator(1)
    for _ in 0..<500 {
      let bytes = (0..<Int.random(in: 0...300, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      let name = String(decoding: bytes, as: UTF8.self)
      let domain = PublicSuffix.builtin.registeredDomain(name)
      if let domain { #expect(name.lowercased().contains(domain)) }
      #expect(abs(NameLikelihood.score(label: name)) <= 6)
    }
    #expect(PublicSuffix.builtin.registeredDomain(String(repeating: "a.", count: 5000) + "com") == nil)
  }
}
