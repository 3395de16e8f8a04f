import Crypto
import CryptoExtras
import Foundation

/// A password as it is kept: scrypt (RFC 7914) with its cost and salt beside it, in the PHC string format
/// `$scrypt$ln=15,r=8,p=3$SALT$HASH`.
public struct PasswordHash: Sendable, Hashable, CustomStringConvertible {
  /// What one derivation costs: 128 · N · r octets of memory, and p times the work.
  public struct Cost: Sendable, Hashable {
    /// log2 of N.
    public var logN: Int
    public var blockSize: Int
    public var parallelism: Int
    public init(logN: Int, blockSize: Int, parallelism: Int) {
      self.logN = logN
      self.blockSize = blockSize
      self.parallelism = parallelism
    }
    /// 32 MiB and about a fifth of a second: one of the equivalent settings of the OWASP Password Storage Cheat Sheet. The
    /// smaller memory is taken, since the same machine captures traffic.
    public static let standard = Cost(logN: 15, blockSize: 8, parallelism: 3)

    /// What may be read back: no stored text can ask for more than 256 MiB.
    var isSane: Bool {
      (4...18).contains(logN) && (1...32).contains(blockSize) && (1...16).contains(parallelism)
        && octets <= 256 << 20
    }
    public var octets: Int { 128 * blockSize << logN }
    /// Grows with what an attacker has to spend.
    var work: Int { blockSize * parallelism << logN }
  }

  public static let saltOctets = 16
  public static let hashOctets = 32

  public var cost: Cost
  var salt: [UInt8]
  var hash: [UInt8]

  /// Derives the hash of a new password with fresh salt.
  /// - Complexity: `cost`; keep it off threads that others wait for.
  public init?(_ password: String, cost: Cost = .standard) {
    var generator = SystemRandomNumberGenerator()
    let salt = (0..<Self.saltOctets).map { _ in UInt8.random(in: 0...255, using: &generator) }
    self.init(password, cost: cost, salt: salt)
  }

  init?(_ password: String, cost: Cost, salt: [UInt8], octets: Int = hashOctets) {
    guard let hash = Self.derive(password, cost, salt, octets) else { return nil }
    self.cost = cost
    self.salt = salt
    self.hash = hash
  }

  /// Costs as much to check as a real one and is nobody's.
  public static func decoy(_ cost: Cost) -> PasswordHash {
    PasswordHash(cost: cost, salt: Array(Secret().hash.prefix(saltOctets)), hash: Secret().hash)
  }

  private init(cost: Cost, salt: [UInt8], hash: [UInt8]) {
    self.cost = cost
    self.salt = salt
    self.hash = hash
  }

  /// Whether `password` is the one; takes the same time for every wrong one.
  public func matches(_ password: String) -> Bool {
    guard let other = Self.derive(password, cost, salt, hash.count) else { return false }
    return ConstantTime.equal(hash, other)
  }

  /// Whether it should be made again, since it costs less than `standard`.
  public func isWeaker(than standard: Cost) -> Bool { cost.work < standard.work }

  private static func derive(_ password: String, _ cost: Cost, _ salt: [UInt8], _ octets: Int) -> [UInt8]? {
    // One keyboard's ü is another's u and dieresis: RFC 8265 section 4.2 normalises by form C and leaves all else.
    let passphrase = Array(password.precomposedStringWithCanonicalMapping.utf8)
    guard !passphrase.isEmpty, !salt.isEmpty, cost.isSane else { return nil }
    let key = try? KDF.Scrypt.deriveKey(
      from: passphrase, salt: salt, outputByteCount: octets, rounds: 1 << cost.logN, blockSize: cost.blockSize,
      parallelism: cost.parallelism)
    return key?.withUnsafeBytes { Array($0) }
  }
}

extension PasswordHash {
  public var description: String {
    "$scrypt$ln=\(cost.logN),r=\(cost.blockSize),p=\(cost.parallelism)$\(Self.base64(salt))$\(Self.base64(hash))"
  }

  /// Reads what `description` wrote; `nil` for anything else.
  public init?(parsing text: String) {
    let parts = text.split(separator: "$", omittingEmptySubsequences: false)
    guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt" else { return nil }
    var numbers: [Substring: Int] = [:]
    for pair in parts[2].split(separator: ",") {
      let halves = pair.split(separator: "=")
      guard halves.count == 2, let number = Int(halves[1]) else { return nil }
      numbers[halves[0]] = number
    }
    guard numbers.count == 3, let logN = numbers["ln"], let r = numbers["r"], let p = numbers["p"],
      let salt = Self.octets(parts[3]), let hash = Self.octets(parts[4])
    else { return nil }
    cost = Cost(logN: logN, blockSize: r, parallelism: p)
    guard (8...64).contains(salt.count), (16...64).contains(hash.count), cost.isSane else { return nil }
    self.salt = salt
    self.hash = hash
  }

  private static func base64(_ bytes: [UInt8]) -> String {
    String(Data(bytes).base64EncodedString().prefix { $0 != "=" })
  }

  private static func octets(_ text: Substring) -> [UInt8]? {
    let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
    return Data(base64Encoded: text + padding).map { Array($0) }
  }
}

/// What a new password has to be (NIST SP 800-63B-4 section 3.1.1.2: length counts, rules of composition do not).
public enum PasswordRule {
  public static let charactersLeast = 12
  public static let octetsMost = 1024

  /// - Throws: one line that says what is wrong, without the password.
  public static func check(_ password: String, for name: String) throws(ConfigurationError) {
    guard password.count >= charactersLeast else {
      throw ConfigurationError("the password is too short; take \(charactersLeast) characters or more, e.g. four words")
    }
    guard password.utf8.count <= octetsMost else {
      throw ConfigurationError("the password is longer than \(octetsMost) octets")
    }
    guard Set(password).count >= 5 else {
      throw ConfigurationError("the password is the same few characters again and again; take four words")
    }
    guard !password.lowercased().contains(name.lowercased()) || name.count < 3 else {
      throw ConfigurationError("the password contains the user's name")
    }
  }
}

/// Comparison that takes as long for the first octet as for the last.
public enum ConstantTime {
  /// Length is no secret here.
  public static func equal(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    var difference: UInt8 = 0
    for (x, y) in zip(a, b) { difference |= x ^ y }
    return difference == 0
  }
}
