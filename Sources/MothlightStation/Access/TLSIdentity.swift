import COpenSSL
import Crypto
import Glibc
import Mothlight
import NIOSSL

/// The station's certificate and key: the operator's, or one that was made here and is kept.
public struct TLSIdentity: Sendable {
  /// A made certificate is good for so long; browsers refuse more than 398 days, and who trusts it does so by fingerprint.
  public static let daysValid: Int64 = 397
  /// A made certificate is made anew so long before its end.
  static let daysLeftLeast: Int64 = 7
  private static let fileOctetsMost = 1 << 20

  /// The certificate first, then those that signed it.
  public let chain: [NIOSSLCertificate]
  let key: NIOSSLPrivateKey
  /// SHA-256 of the certificate as `openssl x509 -fingerprint -sha256` and browsers show it.
  public let fingerprint: String
  public let notAfter: Timestamp
  /// Made by this call.
  public let isNew: Bool

  /// Reads the operator's files.
  /// - Throws: one line with the file and what to do.
  public init(certificate: String, key: String, at time: Timestamp) throws(ListenError) {
    try self.init(certificate, key, isNew: false)
    guard time < notAfter else { throw ListenError("\(certificate): ended on \(notAfter.dayDescription); renew it") }
  }

  private init(_ certificate: String, _ key: String, isNew: Bool) throws(ListenError) {
    let shown = try Self.read(certificate, isSecret: false)
    let hidden = try Self.read(key, isSecret: true)
    guard let chain = try? NIOSSLCertificate.fromPEMBytes(shown), let first = chain.first else {
      throw ListenError("\(certificate): holds no certificate in PEM (-----BEGIN CERTIFICATE-----)")
    }
    guard let pair = try? NIOSSLPrivateKey(bytes: hidden, format: .pem) else {
      throw ListenError("\(key): holds no private key in PEM without a passphrase (-----BEGIN PRIVATE KEY-----)")
    }
    guard let octets = try? first.toDERBytes() else { throw ListenError("\(certificate): cannot be read") }
    self.chain = chain
    self.key = pair
    self.isNew = isNew
    notAfter = Timestamp(seconds: Int64(first.notValidAfter))
    fingerprint = SHA256.hash(data: octets).map { Self.hex($0) }.joined(separator: ":")
    // The pair is tried here: a key of another certificate would only show when the first browser comes.
    do { _ = try NIOSSLContext(configuration: configuration) } catch {
      throw ListenError("\(key): is not the key of \(certificate)")
    }
  }

  /// What was made before in `folder`, or a fresh pair when there is none or it ends within a week.
  /// - Parameter names: host names and addresses that browsers use; those of loopback are always in it.
  public static func selfMade(in folder: String, names: [String], at time: Timestamp) throws(ListenError) -> TLSIdentity
  {
    let (certificate, key) = (folder + "/certificate.pem", folder + "/key.pem")
    if access(certificate, F_OK) == 0 || access(key, F_OK) == 0 {
      // One that has ended is replaced; one that cannot be read is somebody's to look at.
      let old = try TLSIdentity(certificate, key, isNew: false)
      if old.notAfter.seconds(since: time) > Double(daysLeftLeast) * 86_400 { return old }
    }
    try make(certificate, key, folder, names, time)
    return try TLSIdentity(certificate, key, isNew: true)
  }

  /// Nothing older than TLS 1.2; HTTP/1.1 is what the server speaks.
  public var configuration: TLSConfiguration {
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
    configuration.minimumTLSVersion = .tlsv12
    configuration.applicationProtocols = ["http/1.1"]
    return configuration
  }

  private static func hex(_ octet: UInt8) -> String {
    let digits = String(octet, radix: 16, uppercase: true)
    return digits.utf8.count == 1 ? "0" + digits : digits
  }

  // MARK: Files

  private static func read(_ path: String, isSecret: Bool) throws(ListenError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw ListenError("\(path): \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= fileOctetsMost else {
      throw ListenError("\(path): is no file of at most 1 MiB")
    }
    guard !isSecret || status.st_mode & 0o037 == 0 else {
      throw ListenError("\(path): others can read this key; run: chmod 600 \(path)")
    }
    var octets = [UInt8](repeating: 0, count: Int(status.st_size))
    let count = Glibc.read(descriptor, &octets, octets.count)
    guard count == octets.count else { throw ListenError("\(path): cannot be read") }
    return octets
  }

  private static func make(
    _ certificate: String, _ key: String, _ folder: String, _ names: [String], _ time: Timestamp
  ) throws(ListenError) {
    let all = try alternatives(names)
    guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
      throw ListenError("\(folder): cannot be made (\(String(cString: strerror(errno))))")
    }
    // Some clocks are a little behind.
    let from = Int64(time.seconds) - 3600
    var (shown, hidden) = ([CChar](repeating: 0, count: 16_384), [CChar](repeating: 0, count: 4096))
    var (shownCount, hiddenCount) = (shown.count, hidden.count)
    let copies = all.map { strdup($0.name) }
    defer { for copy in copies { free(copy) } }
    let pointers = copies.map { UnsafePointer<CChar>($0) }
    let result = copenssl_identity_make(
      pointers, all.map { $0.isAddress ? 1 : 0 }, Int32(all.count), from, from + daysValid * 86_400, &shown,
      &shownCount, &hidden, &hiddenCount)
    guard result == 0 else { throw ListenError("tls: OpenSSL made no certificate; look at libssl3") }
    try write(hidden.prefix(hiddenCount).map { UInt8(bitPattern: $0) }, to: key)
    try write(shown.prefix(shownCount).map { UInt8(bitPattern: $0) }, to: certificate)
  }

  /// Loopback's names, then the given ones; only what can stand in a certificate.
  static func alternatives(_ names: [String]) throws(ListenError) -> [(name: String, isAddress: Bool)] {
    guard names.count <= 64 else { throw ListenError("tls: more than 64 names for one certificate") }
    var all = [
      (name: "localhost", isAddress: false), (name: "127.0.0.1", isAddress: true), (name: "::1", isAddress: true),
    ]
    for name in names where !all.contains(where: { $0.name == name.lowercased() }) {
      if let address = IPAddress(name) {
        all.append((address.description, true))
        continue
      }
      let isHostName =
        (1...253).contains(name.utf8.count)
        && name.utf8.allSatisfy { octet in
          octet &- 0x30 < 10 || octet | 0x20 &- 0x61 < 26 || octet == 0x2d || octet == 0x2e
        }
      guard isHostName else { throw ListenError("tls: '\(VisibleText.escaped(name))' is no host name or address") }
      all.append((name.lowercased(), false))
    }
    return all
  }

  /// Beside the old file first, so that a full disk or a crash leaves the old one whole.
  private static func write(_ octets: [UInt8], to path: String) throws(ListenError) {
    let draft = path + ".new"
    unlink(draft)
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw ListenError("\(draft): \(String(cString: strerror(errno)))") }
    let count = octets.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    let isKept = count == octets.count && fsync(descriptor) == 0
    close(descriptor)
    guard isKept, rename(draft, path) == 0 else {
      unlink(draft)
      throw ListenError("\(path): cannot be written; is the disk full?")
    }
  }
}
