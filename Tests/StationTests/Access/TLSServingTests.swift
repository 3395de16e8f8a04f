import Foundation
import Mothlight
import NIOSSL
import Testing

@testable import MothlightStation

/// A server with a certificate of its own, asked by OpenSSL's own client.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl"), "apt-get install openssl"))
struct TLSServingTests {
  private func withServer(_ body: @Sendable (Int, TLSIdentity) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mothlight-tls-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let now = Timestamp(seconds: Int64(Date().timeIntervalSince1970))
    let identity = try TLSIdentity.selfMade(in: folder.path(percentEncoded: false), names: [], at: now)
    var settings = DashboardSettings()
    settings.tls = identity.configuration
    try await LiveDashboard.run(settings: settings) { live async throws in try await body(live.port, identity) }
  }

  private func ask(_ port: Int, _ options: [String]) async throws -> (status: Int32, text: String) {
    try await Program.run(
      "/usr/bin/openssl", ["s_client", "-connect", "127.0.0.1:\(port)", "-quiet", "-verify_quiet"] + options,
      input: "GET /static/moth.svg HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
  }

  @Test func pagesAreServed() async throws {
    try await withServer { port, identity async throws in
      for version in ["-tls1_2", "-tls1_3"] {
        let (_, text) = try await ask(port, [version])
        #expect(text.contains("HTTP/1.1 200 OK"), "\(version): \(text.prefix(300))")
      }
      let (_, shown) = try await Program.run(
        "/usr/bin/openssl", ["s_client", "-connect", "127.0.0.1:\(port)", "-tls1_2"], input: "")
      let certificate = try #require(shown.range(of: "-----BEGIN CERTIFICATE-----"))
      let (_, fingerprint) = try await Program.run(
        "/usr/bin/openssl", ["x509", "-noout", "-fingerprint", "-sha256"],
        input: String(shown[certificate.lowerBound...]))
      #expect(fingerprint.contains(identity.fingerprint), "as browsers show it")
    }
  }

  @Test func oldVersionsAreRefused() async throws {
    try await withServer { port, _ async throws in
      for version in ["-tls1", "-tls1_1"] {
        let (_, text) = try await ask(port, [version, "-cipher", "ALL:@SECLEVEL=0"])
        #expect(!text.contains("HTTP/1.1"), "\(version)")
      }
    }
  }

  @Test func plainRequestsGetNothing() async throws {
    try await withServer { port, _ async throws in
      let live = LiveDashboard(
        port: port, store: MemoryStore(), board: StatusBoard(at: Timestamp(seconds: 0)))
      let reply = try await live.raw("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", seconds: 2)
      #expect(reply.status == 0 && reply.body.isEmpty)
    }
  }
}
