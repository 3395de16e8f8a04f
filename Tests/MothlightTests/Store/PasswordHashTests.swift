import Testing

@testable import Mothlight

@Suite struct PasswordHashTests {
  /// As little work as the format allows: tests are about what is kept, not about how long it takes.
  private static let cheap = PasswordHash.Cost(logN: 4, blockSize: 1, parallelism: 1)

  /// RFC 7914 section 12, second and third vector.
  @Test func scryptIsTheOneOfTheRFC() throws {
    let first = try #require(
      PasswordHash(
        "password", cost: .init(logN: 10, blockSize: 8, parallelism: 16), salt: Array("NaCl".utf8), octets: 64))
    #expect(
      Hex.encode(first.hash)
        == "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640"
    )
    let second = try #require(
      PasswordHash(
        "pleaseletmein", cost: .init(logN: 14, blockSize: 8, parallelism: 1), salt: Array("SodiumChloride".utf8),
        octets: 64))
    #expect(
      Hex.encode(second.hash)
        == "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
    )
  }

  @Test func whatIsKeptIsReadBack() throws {
    let hash = try #require(PasswordHash("four words of mine", cost: Self.cheap))
    #expect(hash.description.hasPrefix("$scrypt$ln=4,r=1,p=1$"))
    let back = try #require(PasswordHash(parsing: hash.description))
    #expect(back == hash)
    #expect(back.matches("four words of mine"))
    for wrong in ["four words of mine ", "Four words of mine", "", "four words of min", "x"] {
      #expect(!back.matches(wrong))
    }
  }

  @Test func equalPasswordsHaveDifferentHashes() throws {
    let (a, b) = (
      PasswordHash("four words of mine", cost: Self.cheap), PasswordHash("four words of mine", cost: Self.cheap)
    )
    #expect(try #require(a).description != #require(b).description)
  }

  /// ü as one character, and as u with a dieresis after it.
  @Test func keyboardsThatSpellDifferentlyAgree() throws {
    let hash = try #require(PasswordHash("gr\u{fc}ner wald heute", cost: Self.cheap))
    #expect(hash.matches("gru\u{308}ner wald heute"))
  }

  @Test func nobodyIsTheDecoy() {
    let decoy = PasswordHash.decoy(Self.cheap)
    #expect(decoy.cost == Self.cheap)
    #expect(!decoy.matches("four words of mine"))
    #expect(decoy.salt.count == PasswordHash.saltOctets)
  }

  @Test(arguments: [
    "", "$scrypt$", "$scrypt$ln=4,r=1,p=1$$", "$argon2id$ln=4,r=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAA",
    "$scrypt$ln=40,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "$scrypt$ln=18,r=32,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "$scrypt$ln=4,r=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "$scrypt$ln=4,r=1,p=-1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "$scrypt$ln=4,r=1,p=1$!!!$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "plain text password",
  ])
  func nothingElseIsAHash(_ text: String) { #expect(PasswordHash(parsing: text) == nil) }

  @Test func standardCostIsWhatIsRecommended() {
    // OWASP Password Storage Cheat Sheet: N=2^15, r=8, p=3 is one of the equal choices.
    #expect(PasswordHash.Cost.standard == .init(logN: 15, blockSize: 8, parallelism: 3))
    #expect(PasswordHash.Cost.standard.octets == 32 << 20)
    #expect(PasswordHash.decoy(Self.cheap).isWeaker(than: .standard))
    #expect(!PasswordHash.decoy(.standard).isWeaker(than: .standard))
  }

  @Test(arguments: ["short", "elevenchars", "aaaaaaaaaaaaaaaa", "abababababababab", "alice-in-wonderland"])
  func weakPasswordsAreRefused(_ password: String) {
    #expect(throws: ConfigurationError.self) { try PasswordRule.check(password, for: "alice") }
  }

  @Test func refusalsDoNotQuoteThePassword() {
    do {
      try PasswordRule.check("hunter2", for: "alice")
      Issue.record("was taken")
    } catch { #expect(!error.message.contains("hunter2")) }
  }

  @Test func longWordsAreTaken() throws {
    try PasswordRule.check("correct horse battery staple", for: "alice")
    #expect(throws: ConfigurationError.self) {
      try PasswordRule.check(String(repeating: "abcdefgh", count: 200), for: "alice")
    }
  }
}

@Suite struct SecretTests {
  @Test func isReadBackOnlyAsWritten() throws {
    let secret = Secret()
    #expect(secret.text.utf8.count == 43)
    #expect(try #require(Secret(secret.text)) == secret)
    #expect(try #require(Secret(token: secret.token)) == secret)
    #expect(Secret(secret.token) == nil)
    #expect(Secret(token: secret.text) == nil)
    #expect(Secret(secret.text + "A") == nil)
    #expect(Secret(secret.text.dropLast()) == nil)
    #expect(Secret(String(repeating: "\u{e9}", count: 43)) == nil)
    #expect(Secret(String(repeating: "A", count: 100_000)) == nil)
  }

  /// Two bits of the last character are no part of the secret: other spellings of one secret are refused.
  @Test func hasOneSpelling() throws {
    let text = String(repeating: "A", count: 43)
    #expect(Secret(text) != nil)
    #expect(Secret(text.dropLast() + "B") == nil)
    #expect(Secret(text.dropLast() + "/") == nil)
  }

  @Test func differsEachTime() {
    #expect(Set((0..<100).map { _ in Secret().text }).count == 100)
  }

  @Test func whatIsKeptOrShownTellsNothing() {
    let secret = Secret()
    #expect(secret.hash.count == 32)
    #expect(secret.derived(for: "form") != secret.derived(for: "other"))
    #expect(secret.derived(for: "form") != secret.text)
    #expect(secret.derived(for: "form") != Secret().derived(for: "form"))
    #expect(secret.derived(for: "form") == secret.derived(for: "form"))
  }

  @Test func comparisonIsRight() {
    #expect(ConstantTime.equal([1, 2, 3], [1, 2, 3]))
    #expect(!ConstantTime.equal([1, 2, 3], [1, 2, 4]))
    #expect(!ConstantTime.equal([1, 2, 3], [1, 2]))
    #expect(ConstantTime.equal([UInt8](), [UInt8]()))
  }
}

@Suite struct UserNameTests {
  @Test(arguments: ["alice", "a", "bob-2", "x.y_z", "0day"])
  func plainNamesAreTaken(_ name: String) throws { #expect(try UserName.checked(name) == name) }

  @Test func caseIsFolded() throws { #expect(try UserName.checked("Alice") == "alice") }

  @Test(arguments: ["", "-x", ".x", "a b", "a/b", "al\u{131}ce", "a\n", "station", "Local", "unknown", "<b>"])
  func othersAreRefused(_ name: String) {
    #expect(throws: ConfigurationError.self) { try UserName.checked(name) }
    #expect(throws: ConfigurationError.self) { try UserName.checked(String(repeating: "a", count: 33)) }
  }

  @Test func rolesAreOrdered() {
    #expect(Role.viewer < .analyst && Role.analyst < .admin && !(Role.admin < .viewer))
  }
}
