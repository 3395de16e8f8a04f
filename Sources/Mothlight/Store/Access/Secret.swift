import Crypto
import Foundation

/// 256 random bits that prove something: a session's cookie or a token. Only its hash is kept.
///
/// With 256 bits no slow hash is needed: there is nothing to guess.
public struct Secret: Sendable, Hashable {
  /// Tells leak scanners what they have found.
  public static let tokenPrefix = "mothlight_"
  private static let octetCount = 32
  /// Octets of the text without a prefix.
  private static let textOctets = 43

  private let octets: [UInt8]

  /// From the system's generator.
  public init() {
    var generator = SystemRandomNumberGenerator()
    octets = (0..<Self.octetCount).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }

  /// Reads `text` back; `nil` for anything of another shape, so that nothing long is ever hashed.
  public init?(_ text: some StringProtocol) {
    guard text.utf8.count == Self.textOctets else { return nil }
    var standard = String(text).replacing("-", with: "+").replacing("_", with: "/")
    guard !text.utf8.contains(0x2b), !text.utf8.contains(0x2f) else { return nil }
    standard += "="
    guard let data = Data(base64Encoded: standard), data.count == Self.octetCount else { return nil }
    octets = Array(data)
    // 43 characters hold two bits more than 256: only one spelling is taken.
    guard self.text == text else { return nil }
  }

  /// As a token's owner writes it.
  public init?(token: some StringProtocol) {
    guard token.hasPrefix(Self.tokenPrefix) else { return nil }
    self.init(token.dropFirst(Self.tokenPrefix.count))
  }

  /// Base64url without padding (RFC 4648 section 5).
  public var text: String {
    Data(octets).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }
  public var token: String { Self.tokenPrefix + text }

  /// SHA-256: what the store keeps.
  public var hash: [UInt8] { Array(SHA256.hash(data: octets)) }

  /// A value for one use that tells nothing of the secret (HMAC-SHA-256), base64url.
  public func derived(for use: String) -> String {
    let code = HMAC<SHA256>.authenticationCode(for: Array(use.utf8), using: SymmetricKey(data: octets))
    return Data(code).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }
}
