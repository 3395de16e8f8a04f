import Foundation
import Mothlight
import Testing

@testable import MothlightStation

/// The operator of a botnet wants his names back: what has changed since the last look is told (R21).
@Suite struct DelegationHistoryTests {
  private static let now = Timestamp(seconds: 1_772_445_600)

  private func view(_ servers: [String], signers: Int = 0) throws -> DelegationView {
    .zone(exists: true, servers: try servers.map { try DomainName($0) }, signers: signers)
  }

  private func withPath(_ body: (String) throws -> Void) throws {
    let path = NSTemporaryDirectory() + "mothlight-delegations-\(UInt64.random(in: .min ... .max))"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  private func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }

  @Test func changesAreToldAndKept() throws {
    try withPath { path in
      let ours = try view(["ns2.sink.example", "ns1.sink.example"])
      var first = try DelegationHistory(path: path)
      #expect(first.note("a.test", ours, line: 2, zones: "z.yaml") == nil, "a first look is no change")
      #expect(first.note("a.test", ours, line: 2, zones: "z.yaml") == nil)
      try first.write(now: Self.now)
      let begun = text(path)
      #expect(begun.split(separator: "\n").count == 2)

      var second = try DelegationHistory(path: path)
      // The order of the records is no change.
      #expect(
        second.note("a.test", try view(["ns1.sink.example", "ns2.sink.example"]), line: 2, zones: "z.yaml") == nil)
      let stolen = second.note("a.test", try view(["ns.botmaster.example"]), line: 2, zones: "z.yaml")
      #expect(
        stolen?.description
          == "error: z.yaml:2: 'a.test' was changed: name servers ns1.sink.example ns2.sink.example, DS records 0 "
          + "since 2026-03-02T10:00:00Z, now name servers ns.botmaster.example, DS records 0")
      try second.write(now: Self.now.advanced(bySeconds: 3600))
      #expect(text(path).hasPrefix(begun), "nothing that was written changes")

      var third = try DelegationHistory(path: path)
      #expect(third.note("a.test", ours, line: 2, zones: "z.yaml") != nil, "the way back is a change, too")
      #expect(third.note("b.test", try view([], signers: 1), line: 3, zones: "z.yaml") == nil)
    }
  }

  /// What a crash cut is kept and not believed.
  @Test func tornLinesAreNotBelieved() throws {
    try withPath { path in
      var first = try DelegationHistory(path: path)
      _ = first.note("a.test", try view(["ns1.sink.example"]), line: 2, zones: "z.yaml")
      _ = first.note("b.test", try view(["ns1.sink.example"]), line: 2, zones: "z.yaml")
      try first.write(now: Self.now)
      let whole = text(path)
      for length in 1..<whole.utf8.count {
        try String(whole.prefix(length)).write(toFile: path, atomically: true, encoding: .utf8)
        var cut = try DelegationHistory(path: path)
        _ = cut.note("b.test", try view(["ns9.sink.example"]), line: 2, zones: "z.yaml")
        try cut.write(now: Self.now)
        #expect(text(path).hasPrefix(whole.prefix(length)))
        var again = try DelegationHistory(path: path)
        #expect(again.note("b.test", try view(["ns9.sink.example"]), line: 2, zones: "z.yaml") == nil)
      }
    }
  }

  @Test func anotherFileIsRefused() throws {
    try withPath { path in
      try "orders:\n  - something\n".write(toFile: path, atomically: true, encoding: .utf8)
      #expect {
        _ = try DelegationHistory(path: path)
      } throws: {
        "\($0)" == "\(path):1: is no line of a history of delegations; move the file away to begin a new one"
      }
      #expect(text(path) == "orders:\n  - something\n")
    }
  }

  @Test func onlyAnswersMakeAView() throws {
    let servers = [try DomainName("ns1.sink.example")]
    func look(_ replies: [UInt16: StubReply]) throws -> DelegationView? {
      let probe = DelegationProbe(servers: servers, addresses: SinkAddresses(ipv4: [], ipv6: [])) { _, type in
        replies[type]
      }
      return probe.look(at: try DomainName("a.test"), path: "z", line: 1).view
    }
    let ours = StubReply(code: 0, isTruncated: false, servers: servers)
    let none = StubReply(code: 0, isTruncated: false)
    let failure = StubReply(code: 2, isTruncated: false)
    #expect(try look([2: ours, 43: none])?.description == "name servers ns1.sink.example, DS records 0")
    #expect(try look([2: StubReply(code: 3, isTruncated: false), 43: none])?.description == "does not exist")
    // A resolver that fails is no change at the registry.
    #expect(try look([2: failure, 43: none]) == nil && look([2: ours]) == nil && look([:]) == nil)
    let probe = DelegationProbe(servers: servers, addresses: SinkAddresses(ipv4: [], ipv6: [])) { _, type in
      type == 1 ? StubReply(code: 0, isTruncated: false, addresses: [IPAddress(v4: 0xc000_0235)]) : none
    }
    #expect(probe.look(atServer: servers[0])?.description == "addresses 192.0.2.53")
  }
}
