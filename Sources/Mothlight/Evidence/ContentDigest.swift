import Crypto

/// What names a content by itself.
public enum ContentDigest {
  /// 32 octets of SHA-256 (FIPS 180-4).
  public static func sha256(_ octets: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: octets)) }
}
