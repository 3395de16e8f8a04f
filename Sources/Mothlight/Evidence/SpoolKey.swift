import Crypto
import Glibc

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The Ed25519 key that seals a sensor's segments (RFC 8032), made at the first start and kept in the spool folder.
struct SpoolKey {
  private let key: Curve25519.Signing.PrivateKey
  static let fileName = "sensor.key"
  static let publicName = "sensor.pub"

  var publicKey: [UInt8] { Array(key.publicKey.rawRepresentation) }

  init() { key = Curve25519.Signing.PrivateKey() }

  /// Reads the folder's key, or makes one that only its owner may read.
  init(folder: String) throws(SpoolError) {
    let path = "\(folder)/\(Self.fileName)"
    var status = stat()
    if stat(path, &status) == 0 {
      let hex = try SpoolDisk.contents(of: path, most: 1024)
      guard let octets = Self.octets(hex), let known = try? Curve25519.Signing.PrivateKey(rawRepresentation: octets)
      else {
        throw SpoolError(
          .badKey, "\(path): is no Ed25519 key; put the sensor's key back, or move the file away for a new one")
      }
      key = known
      return
    }
    key = Curve25519.Signing.PrivateKey()
    try Self.write(Hex.encode(Array(key.rawRepresentation)), to: path, mode: 0o600)
    try Self.write(Hex.encode(publicKey), to: "\(folder)/\(Self.publicName)", mode: 0o644)
  }

  func signature(over octets: [UInt8]) -> [UInt8] {
    // Signing fails for no input; an empty signature would be refused by every reader.
    (try? key.signature(for: octets)).map { Array($0) } ?? []
  }

  static func isValid(_ signature: [UInt8], over octets: [UInt8], by publicKey: [UInt8]) -> Bool {
    guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey) else { return false }
    return key.isValidSignature(signature, for: octets)
  }

  private static func write(_ text: String, to path: String, mode: mode_t) throws(SpoolError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard descriptor >= 0 else { throw .system(path, "cannot make the key") }
    defer { _ = close(descriptor) }
    try SpoolDisk().write(Array((text + "\n").utf8), to: descriptor)
    guard fsync(descriptor) == 0 else { throw .system(path, "cannot make the key durable") }
  }

  private static func octets(_ hex: [UInt8]) -> [UInt8]? {
    let digits = hex.filter { $0 != 0x0a && $0 != 0x0d && $0 != 0x20 }.map { digit -> UInt8? in
      switch digit {
      case 0x30...0x39: digit - 0x30
      case 0x61...0x66: digit - 0x57
      default: nil
      }
    }
    guard digits.count == 64 else { return nil }
    var out: [UInt8] = []
    for i in stride(from: 0, to: 64, by: 2) {
      guard let high = digits[i], let low = digits[i + 1] else { return nil }
      out.append(high << 4 | low)
    }
    return out
  }
}
