import Foundation
import Glibc
import Mothlight
import Testing

@testable import MothlightStation

/// Ports that answer TLS, asked by OpenSSL's own client.
@Suite(.serialized) struct TLSTerminationTests {
  static let client = ["/usr/bin/openssl", "/usr/local/bin/openssl"].first { (path: String) in access(path, X_OK) == 0 }
  private static let notFound = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

  /// What `openssl s_client` prints when it sends `request`.
  private func ask(_ port: UInt16, _ words: [String], _ request: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(Self.client))
    process.arguments = ["s_client", "-connect", "127.0.0.1:\(port)", "-ign_eof"] + words
    let (input, output) = (Pipe(), Pipe())
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(request.utf8))
    let text = output.fileHandleForReading.readDataToEndOfFile()
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
    return String(decoding: text, as: UTF8.self)
  }

  private func running(_ change: (inout ListenerConfiguration) -> Void = { _ in }) throws -> RunningListeners {
    try RunningListeners(
      RunningListeners.configuration([.init(.anyPort, .tcp, family: "Sality", terminatesTLS: true)]) {
        $0.limits.timeoutSeconds = 3
        change(&$0)
      })
  }

  private static let versions = ["-tls1", "-tls1_1", "-tls1_2", "-tls1_3"]

  /// The request is read and judged as on a plain port, and nothing but the constant comes back.
  @Test(.enabled(if: client != nil, "openssl is not installed"), arguments: versions)
  func requestsInsideAreRead(_ version: String) throws {
    let running = try running()
    let words = [version, "-servername", "a.example", "-cipher", "ALL:@SECLEVEL=0"]
    let request = "GET /i/logo.gif?1a2b3c=-42&id=7 HTTP/1.1\r\nHost: a.example\r\n\r\n"
    let said = try ask(running.ports.tcp[0], words, request)
    running.end()
    #expect(said.contains("\n\(Self.notFound)") || said.contains(Self.notFound), "\(said)")
    #expect(said.components(separatedBy: "HTTP/1.1").count == 2)
    #expect(said.contains("CN = a.example"))
    // Nothing by which a client could come back to the same session.
    #expect(!said.contains("TLS session ticket"))
    #expect(running.counters.checkIns == 1 && running.streams.tlsBegun == 1 && running.streams.replies == 1)
    let row = try #require(running.records.sightings.first)
    #expect(row.botnet == "Sality" && row.level == .recognised)
    let samples = running.records.all.compactMap { if case .sample(let one, _) = $0 { one } else { nil } }
    guard case .http(let seen) = try #require(samples.first).application else {
      Issue.record("not kept as a request")
      return
    }
    #expect(seen.host == "a.example" && seen.method == "GET")
  }

  @Test(.enabled(if: client != nil, "openssl is not installed"))
  func everyNameHasItsCertificate() throws {
    let running = try running()
    func certificate(_ words: [String]) throws -> String {
      try ask(running.ports.tcp[0], words, "GET / HTTP/1.0\r\n\r\n")
    }
    let (one, other) = (
      try certificate(["-servername", "one.example"]), try certificate(["-servername", "two.example"])
    )
    #expect(one.contains("subject=CN = one.example") && one.contains("issuer=CN = one.example"))
    #expect(other.contains("subject=CN = two.example"))
    #expect(one.contains("Peer signature type: ECDSA") && one.contains("Server public key is 256 bit"))
    #expect(try certificate(["-noservername"]).contains("subject=CN = 127.0.0.1"))
    // Names that cannot stand in a certificate.
    #expect(try certificate(["-servername", "*(&/ %n"]).contains("subject=CN = 127.0.0.1"))
    running.end()
  }

  /// Beyond a budget a hello gets what it gets everywhere: it is counted and the connection closed.
  @Test func handshakesHaveBudgets() throws {
    let running = try running {
      $0.limits.tls.perSourceInMinute = 3
      $0.limits.timeoutSeconds = 1
    }
    let peers = try (0..<10).map { _ in try #require(LoopbackPeer(port: running.ports.tcp[0], isStream: true)) }
    var answered = 0
    for peer in peers { #expect(peer.send(Self.hello)) }
    for peer in peers {
      if try #require(peer.readToEnd()).count > 0 { answered += 1 }
      peer.end()
    }
    running.end()
    #expect(answered == 3 && running.streams.tlsBegun == 3 && running.streams.tlsRefused == 7)
    #expect(running.counters.checkIns == 10 && running.streams.decided == 10)
  }

  /// TLS 1.2, one cipher suite that the certificate can serve (RFC 5246 section 7.4.1.2).
  static let hello: [UInt8] = {
    let extensions: [UInt8] =
      [0, 10, 0, 4, 0, 2, 0, 0x17] + [0, 11, 0, 2, 1, 0] + [0, 13, 0, 4, 0, 2, 4, 3]
    var body: [UInt8] = [3, 3] + [UInt8](repeating: 7, count: 32) + [0]
    body += [0, 2, 0xc0, 0x2b, 1, 0] + [0, UInt8(extensions.count)] + extensions
    let message = [1, 0, 0, UInt8(body.count)] + body
    return [0x16, 3, 1, 0, UInt8(message.count)] + message
  }()

  /// Whatever comes after a hello, the answer is TLS's own records and nothing else; everybody is counted once.
  @Test func hostilePeersGetRecordsOnly() throws {
    let running = try running {
      $0.limits.timeoutSeconds = 1
      $0.limits.tls.perSourceInMinute = 1000
    }
    var random = SystemRandomNumberGenerator()
    var answers: [[UInt8]] = []
    for number in 0..<120 {
      let peer = try #require(LoopbackPeer(port: running.ports.tcp[0], isStream: true))
      let noise = (0..<Int.random(in: 1...4000, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      switch number % 6 {
      case 0: peer.send(Self.hello + noise)
      case 1: peer.send(Self.hello + Self.hello)
      // A body that claims more than it has, and one that begins well.
      case 2: peer.send(Array(Self.hello.dropLast(Int.random(in: 1...40, using: &random))))
      case 3: peer.send(Self.hello + [0x15, 3, 3, 0, 2, 1, 0])
      case 4: peer.send(Self.hello + [0x17, 3, 3, 0x40, 0] + noise)
      default:
        for octet in Self.hello { peer.send([octet]) }
        peer.send([0x14, 3, 3, 0, 1, 1])
      }
      shutdown(peer.descriptor, Int32(SHUT_WR))
      answers.append(try #require(peer.readToEnd(), "\(number)"))
      peer.end()
    }
    running.end()
    #expect(running.counters.checkIns == 120 && running.streams.replies == 0)
    for answer in answers {
      var at = 0
      while at < answer.count {
        #expect((0x14...0x17).contains(answer[at]) && answer[at + 1] == 3)
        at += 5 + Int(answer[at + 3]) << 8 + Int(answer[at + 4])
      }
      // A flight of a P-256 certificate: no amplifier, the less as the peer's address is proven by TCP.
      #expect(answer.count < 1500)
    }
    #expect(answers.contains { $0.count > 400 })
  }

  @Test func silentClientsRunOutOfTime() throws {
    let running = try running { $0.limits.timeoutSeconds = 1 }
    let peers = try (0..<20).map { _ in try #require(LoopbackPeer(port: running.ports.tcp[0], isStream: true)) }
    for peer in peers { peer.send(Self.hello) }
    for peer in peers {
      #expect(peer.readToEnd() != nil)
      peer.end()
    }
    running.end()
    #expect(running.streams.timedOut == 20 && running.counters.checkIns == 20)
  }

  @Test func budgetsAreBoundedThemselves() throws {
    var limits = TLSTermination.Limits()
    limits.perSecond = 1_000_000
    let termination = try TLSTermination(limits)
    var admitted = 0
    for source in 0..<TLSTermination.Limits.sources + 100
    where termination.admits(IPAddress(v4: UInt32(source)), open: 0, now: 5) { admitted += 1 }
    #expect(admitted == TLSTermination.Limits.sources)
    #expect(!termination.admits(IPAddress(v4: 1), open: limits.sessions, now: 70_000))
    #expect(termination.admits(IPAddress(v4: 1), open: 0, now: 70_000), "another minute")
  }
}
