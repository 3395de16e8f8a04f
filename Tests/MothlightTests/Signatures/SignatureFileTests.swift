import Testing

@testable import Mothlight

@Suite struct SignatureFileTests {
  static let header = "format: mothlight-signatures\nlanguage: 1\ndate: 2026-02-01\nsignatures:\n"
  static let entry = """
      - id: toy-hello
        family: Toy
        transport: tcp
        evidence: weak
        confidence: unverified
        source: nowhere
        match: {bytes: [{at: 0, text: TOYBOT}]}
        tests: {match: [{text: TOYBOT1}], no_match: [{text: TOYBOX1}]}

    """

  static func file(_ text: String, path: String = "own.yaml") throws -> SignatureFile {
    try SignatureFile(bytes: Array(text.utf8), path: path)
  }

  private func problem(_ text: String) -> String {
    do {
      _ = try Self.file(text)
      return "accepted"
    } catch { return "\(error)" }
  }

  /// The entry with one line put in the place of the one that has its key.
  private func changed(_ line: String, mode: String = "") -> String {
    let key = line.prefix { $0 != ":" }
    var lines = Self.entry.split(separator: "\n").map(String.init)
    if let at = lines.firstIndex(where: { $0.drop { $0 == " " || $0 == "-" }.hasPrefix(key + ":") }) {
      lines[at] = lines[at].prefix { $0 == " " || $0 == "-" } + line
    } else {
      lines.append("    " + line)
    }
    return Self.header + lines.joined(separator: "\n") + "\n"
  }

  // MARK: The file that ships

  @Test func builtinPassesItsOwnTests() throws {
    let file = try SignatureFile.readBuiltin()
    #expect(file.failures == [])
    #expect(file.entries.count >= 39)
    for entry in file.entries { #expect(!entry.positives.isEmpty && !entry.negatives.isEmpty) }
  }

  /// Ids stand in stored outputs: a row may be added, but none may go or be renamed.
  @Test func idsAreStable() throws {
    let ids = [
      "bfbot-join", "bfbot-join-other-word", "bfbot-join-ack", "bfbot-keepalive", "bfbot-keepalive-ack",
      "bfbot-join-21", "bfbot-join-ack-21", "zeroaccess-getl", "zeroaccess-port53", "zeroaccess-tcp", "ramnit-hello",
      "ramnit-frame", "njrat-keepalive", "njrat-hello", "njrat-hello-07d", "ngrbot-irc-pass", "conficker-a-get",
      "conficker-b-get", "sality-uri-kuku", "sality-uri", "sality-rnd-id", "kelihos-f-get",
    ]
    let known = Set(try SignatureFile.readBuiltin().signatures.map(\.id))
    #expect(ids.filter { !known.contains($0) } == [])
  }

  @Test func unsureShapesAreWeak() throws {
    for signature in try SignatureFile.readBuiltin().signatures where signature.evidence == .strong {
      #expect(signature.confidence == .published || signature.confidence == .corroborated)
    }
  }

  @Test func sinkholeRowsAreNotHeldAgainstWatchedTraffic() throws {
    let all = try SignatureFile.readBuiltin().signatures
    let passive = SignatureSet(all, for: .passive)
    let sinkhole = SignatureSet(all, for: .sinkhole)
    #expect(passive.signature("zeus-post") == nil)
    #expect(sinkhole.signature("zeus-post") != nil)
    #expect(sinkhole.signatures.count == all.count)
  }

  // MARK: Nothing to send

  @Test func replyIsAWordWithoutOctets() {
    #expect(Signature.Reply.allCases.map(\.rawValue) == ["none", "close", "http404", "http200-empty"])
    #expect(MemoryLayout<Signature.Reply>.size == 1)
  }

  @Test(arguments: [
    "reply: ok", "reply: http200", "reply: {hex: 00}", "reply: [close, close]", "reply: 'close HTTP/1.0'", "reply: 61",
    "reply_bytes: {hex: 00}", "reply_hex: 00", "reply_text: x", "send: {hex: 00}", "answer: {text: x}",
    "response: {text: x}", "payload: {hex: 00}", "body: {text: x}", "template: x", "command: x", "exec: x", "url: x",
    "redirect: x", "file: x", "on_match: {send: x}",
  ])
  func noKeyCarriesOctetsToSend(_ line: String) {
    let message = problem(changed(line))
    #expect(message != "accepted" && message.hasPrefix("own.yaml:"), "\(line)")
    #expect(message.contains("knows no key") || message.contains("'reply' is one of"), "\(message)")
  }

  // MARK: Errors with places

  @Test func goodEntryIsAccepted() throws {
    let file = try Self.file(Self.header + Self.entry)
    #expect(file.failures == [])
    #expect(file.signatures.map(\.id) == ["toy-hello"])
    #expect(problem(changed("reply: close")) == "accepted")
  }

  @Test(arguments: [
    ("match: {bytes: [{at: 0, hex: 6}]}", "hexadecimal"), ("match: {bytes: [{at: 0, hex: zz}]}", "hexadecimal"),
    ("match: {bytes: [{at: 0, hex: \"\"}]}", "no octets"), ("match: {bytes: [{at: 512, text: x}]}", "0 to 511"),
    ("match: {bytes: [{at: 511, text: xy}]}", "beyond"), ("match: {bytes: [{at: -1, text: x}]}", "not a number"),
    ("match: {bytes: [{at: 99999999999999999999, text: x}]}", "not a number"),
    ("match: {bytes: [{at: 0x0, text: x}]}", "not a number"), ("match: {length: 70000}", "within 1"),
    ("match: {length: 9-3, bytes: [{at: 0, text: x}]}", "N-M"), ("match: {length: 3}", "nothing but a length"),
    ("match: {contains: {text: abc}}", "nearly every"), ("match: {bytes: [{at: 4, text: abc}]}", "nearly every"),
    ("match: {xor_alternate: {from: 3, key: [1, 2], text: x}}", "udp only"),
    ("match: {http: {method: GET}}", "nothing but a method"), ("match: {http: {method: get, host: ipv4}}", "capitals"),
    ("match: {http: {method: GET, uri: '(a+)+\\1'}}", "escape"),
    ("match: {http: {method: GET, uri: '(?=x)'}}", "one pass"),
    ("match: {http: {method: POST, body_base64: true}}", "sinkhole_only"),
    ("match: {http: {method: GET, headers: {accept: {equals: x}}}}", "sinkhole_only"),
    ("match: {http: {method: GET, headers: {accept: perhaps}}}", "present, absent"),
    ("match: {http: {method: GET, headers: {user-agent: {equals: a, starts: a}}}}", "one test"),
    ("match: {http: {method: GET, host: ipv4}, tls: {ja3: x}}", "alone"), ("match: {tls: {ja3: xyz}}", "32 hex"),
    ("match: {tls: {}}", "asks for nothing"), ("match: {regex: x}", "knows no key"), ("match: x", "not a map"),
    ("evidence: strong", "cannot convict"), ("evidence: certain", "one of"), ("confidence: sure", "one of"),
    ("transport: sctp", "one of"), ("direction: server", "server's side"), ("ports: [0]", "within 1"),
    ("ports: []", "empty"), ("ports: [65536]", "within"), ("ports: 80", "not a list"), ("id: Toy Hello", "lower-case"),
    ("id: 7toy", "begins with a letter"), ("first_seen: last year", "2008-11"), ("first_seen: 2008-13", "2008-11"),
    ("reply: http404", "without 'http'"), ("personal_data: [shoe_size]", "one of"), ("sinkhole_only: maybe", "one of"),
    ("family: \"a\\x1b[31m\"", "control"), ("tests: {match: [{text: TOYBOT1}]}", "lacks 'no_match'"),
    ("tests: {match: [], no_match: [{text: x}]}", "empty"), ("tests: {match: [{hex: ??}], no_match: [{text: x}]}", ""),
    ("colour: red", "knows no key 'colour'"), ("source: [a]", "not a text"),
  ])
  func badEntryIsRefusedWithItsLine(_ line: String, _ word: String) {
    let message = problem(changed(line))
    #expect(message != "accepted", "\(line)")
    #expect(message.contains(word), "\(line): \(message)")
    let number = message.split(separator: ":").dropFirst().first.flatMap { Int($0) } ?? 0
    #expect((5...14).contains(number), "\(message)")
  }

  @Test(arguments: [
    ("evidence: strong\n    confidence: published", "40 fixed bits"),
    ("reply: close\n    transport: udp", "never answered"),
  ])
  func contradictionsAreRefused(_ lines: String, _ word: String) {
    let parts = lines.split(separator: "\n").map { String($0.drop { $0 == " " }) }
    var text = Self.header + Self.entry
    for line in parts {
      let key = line.prefix { $0 != ":" }
      if let range = text.firstRange(of: "    \(key): ") {
        let end = text[range.upperBound...].firstIndex(of: "\n") ?? text.endIndex
        text.replaceSubrange(range.lowerBound..<end, with: "    " + line)
      } else {
        text += "    \(line)\n"
      }
    }
    text = text.replacing("TOYBOT}", with: "TOY}")
    #expect(problem(text).contains(word), "\(problem(text))")
  }

  @Test func duplicateIdsNameBothLines() {
    let message = problem(Self.header + Self.entry + Self.entry)
    #expect(message.contains("own.yaml:13:") && message.contains("on line 5 already"), "\(message)")
  }

  @Test(arguments: [
    ("format: other\n", "mothlight-signatures"), ("- a\n", "not a map"), ("x\n", "not a map"),
    ("format: mothlight-signatures\nlanguage: 2\ndate: 2026-02-01\nsignatures: [a]\n", "language 2"),
    ("format: mothlight-signatures\nlanguage: 1\ndate: 2026-02-30\nsignatures: [a]\n", "date"),
    ("format: mothlight-signatures\nlanguage: 1\ndate: 2026-02-01\nsignatures: []\n", "empty"),
    ("format: mothlight-signatures\nlanguage: 1\ndate: 2026-02-01\nmode: merge\nsignatures: [a]\n", "add, replace"),
    ("format: mothlight-signatures\nlanguage: 1\ndate: 2026-02-01\nsignatures: [a]\n", "not a map"),
    (
      "format: mothlight-signatures\nlanguage: 1\ndate: 2026-02-01\ninclude: /etc/x\nsignatures: [{}]\n", "knows no key"
    ),
  ])
  func badFileIsRefused(_ text: String, _ word: String) { #expect(problem(text).contains(word), "\(problem(text))") }

  // MARK: Operators' files

  @Test func ownFileAddsReplacesOrStandsAlone() throws {
    let builtin = try SignatureFile.readBuiltin().signatures
    let added = try SignatureFile.merged([try Self.file(Self.header + Self.entry)])
    #expect(added.count == builtin.count + 1)
    let own = (Self.header + Self.entry).replacing("toy-hello", with: "njrat-keepalive")
    let changed = try SignatureFile.merged([try Self.file(own)])
    #expect(changed.count == builtin.count)
    #expect(changed.first { $0.id == "njrat-keepalive" }?.family == "Toy")
    let alone = try SignatureFile.merged([try Self.file("mode: replace\n" + Self.header + Self.entry)])
    #expect(alone.map(\.id) == ["toy-hello"])
  }

  @Test func ownFileMustPassItsTestsAndKeepToItsIds() throws {
    let wrong = try Self.file((Self.header + Self.entry).replacing("TOYBOX1", with: "TOYBOT2"))
    #expect(throws: ConfigurationError("own.yaml:12: toy-hello matches what it should not")) {
      try SignatureFile.merged([wrong])
    }
    let file = try Self.file(Self.header + Self.entry)
    let other = try Self.file(Self.header + Self.entry, path: "other.yaml")
    #expect(throws: ConfigurationError("other.yaml:5: id 'toy-hello' is in own.yaml already")) {
      try SignatureFile.merged([file, other])
    }
    let reserved = try Self.file((Self.header + Self.entry).replacing("toy-hello", with: "bfbot-new"))
    #expect(throws: ConfigurationError.self) { try SignatureFile.merged([reserved]) }
    let many = (0..<65).map { Self.entry.replacing("toy-hello", with: "toy-\($0)") }.joined()
    #expect(throws: ConfigurationError.self) { try SignatureFile.merged([try Self.file(Self.header + many)]) }
  }
}
