import Foundation
import Mothlight
import NIOSSL
import Testing

@testable import MothlightStation

@Suite struct TLSIdentityTests {
  private static let now = Timestamp(seconds: Int64(Date().timeIntervalSince1970))

  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "mothlight-tls-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path(percentEncoded: false))
  }

  private func mode(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
  }

  @Test func isMadeOnceAndKept() throws {
    try withFolder { folder in
      let tls = folder + "/tls"
      let made = try TLSIdentity.selfMade(in: tls, names: ["station.example", "192.0.2.7"], at: Self.now)
      #expect(made.isNew)
      #expect(made.fingerprint.utf8.count == 32 * 3 - 1)
      #expect(try mode(tls) == 0o700)
      #expect(try mode(tls + "/key.pem") == 0o600)
      #expect(try mode(tls + "/certificate.pem") == 0o600)
      let again = try TLSIdentity.selfMade(in: tls, names: ["station.example"], at: Self.now)
      #expect(!again.isNew && again.fingerprint == made.fingerprint)
      let names = (made.chain[0]._subjectAlternativeNames()).count
      #expect(names == 5, "loopback's three and the two that were asked for")
      #expect(made.configuration.minimumTLSVersion == .tlsv12)
    }
  }

  @Test func isMadeAnewBeforeItsEnd() throws {
    try withFolder { folder in
      let made = try TLSIdentity.selfMade(in: folder, names: [], at: Self.now)
      let days = Double(TLSIdentity.daysValid)
      #expect(abs(made.notAfter.seconds(since: Self.now) - days * 86_400) < 7200)
      let late = Self.now.advanced(bySeconds: (days - 3) * 86_400)
      let next = try TLSIdentity.selfMade(in: folder, names: [], at: late)
      #expect(next.isNew && next.fingerprint != made.fingerprint)
    }
  }

  @Test func badFilesAreNamed() throws {
    try withFolder { folder in
      _ = try TLSIdentity.selfMade(in: folder + "/a", names: [], at: Self.now)
      _ = try TLSIdentity.selfMade(in: folder + "/b", names: [], at: Self.now)
      let (certificate, key) = (folder + "/a/certificate.pem", folder + "/a/key.pem")
      func complaint(_ certificate: String, _ key: String, at time: Timestamp = Self.now) -> String {
        do {
          _ = try TLSIdentity(certificate: certificate, key: key, at: time)
          return ""
        } catch { return error.description }
      }
      #expect(complaint(certificate, key) == "")
      #expect(complaint(folder + "/none", key).contains("/none: No such file"))
      #expect(complaint(key, key).contains("holds no certificate"))
      #expect(complaint(certificate, certificate).contains("holds no private key"))
      #expect(complaint(certificate, folder + "/b/key.pem").contains("is not the key of"))
      #expect(complaint(certificate, key, at: Self.now.advanced(bySeconds: 400 * 86_400)).contains("ended on"))
      try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: key)
      #expect(complaint(certificate, key).contains("chmod 600"))
      #expect(complaint(folder, key).contains("is no file"))
    }
  }

  @Test(arguments: ["a b", "x,DNS:evil.example", "", "a\u{0}b", "*.example"])
  func namesThatAreNoneAreRefused(_ name: String) {
    #expect(throws: ListenError.self) { try TLSIdentity.alternatives([name]) }
  }

  @Test func bindingBeyondThisMachineNeedsTLSAndUsers() throws {
    let (loopback, all) = (IPAddress(v4: 0x7f00_0001), IPAddress(v4: 0))
    try BindingRule.check(loopback, hasTLS: false, users: 0)
    try BindingRule.check(all, hasTLS: true, users: 1)
    func complaint(_ hasTLS: Bool, _ users: Int) -> String {
      do {
        try BindingRule.check(all, hasTLS: hasTLS, users: users)
        return ""
      } catch { return error.description }
    }
    #expect(complaint(false, 1).contains("not encrypted"))
    #expect(complaint(true, 0).contains("mothlight users add"))
    #expect(!complaint(true, 0).contains("\n"))
    #expect(complaint(false, 0) != "")
  }
}
