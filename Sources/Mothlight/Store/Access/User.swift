/// Somebody who may look at a station.
public struct User: Sendable, Hashable {
  /// Lower-case letters, digits, `.`, `_` and `-`; see `UserName`.
  public var name: String
  public var role: Role
  /// Keeps the name taken and the audit readable, but lets nobody in.
  public var isDisabled: Bool
  public var created: Timestamp
  public var passwordChanged: Timestamp
  public var lastSeen: Timestamp?
  public init(
    name: String, role: Role, isDisabled: Bool = false, created: Timestamp, passwordChanged: Timestamp,
    lastSeen: Timestamp? = nil
  ) {
    self.name = name
    self.role = role
    self.isDisabled = isDisabled
    self.created = created
    self.passwordChanged = passwordChanged
    self.lastSeen = lastSeen
  }
}

/// What a user may be called.
public enum UserName {
  public static let octetsMost = 32
  /// Names that the audit uses for others than users.
  private static let taken: Set<String> = ["station", "local", "unknown"]

  /// - Returns: the name as it is kept, or why it cannot be one.
  public static func checked(_ text: String) throws(ConfigurationError) -> String {
    let name = text.lowercased()
    let octets = Array(name.utf8)
    let isPlain = octets.allSatisfy { isAlphanumeric($0) || $0 == 0x2e || $0 == 0x5f || $0 == 0x2d }
    guard let first = octets.first, isAlphanumeric(first), isPlain, octets.count <= octetsMost else {
      throw ConfigurationError(
        "a user's name has 1 to \(octetsMost) letters (a-z), digits, '.', '_' or '-' and begins with a letter or digit")
    }
    guard !taken.contains(name) else { throw ConfigurationError("'\(name)' is a word of the audit; take another name") }
    return name
  }

  private static func isAlphanumeric(_ octet: UInt8) -> Bool { octet &- 0x61 < 26 || octet &- 0x30 < 10 }
}

/// A user and what proves that it is them.
public struct Account: Sendable, Hashable {
  public var user: User
  /// In the PHC string format; see `PasswordHash`.
  public var password: String
  public init(user: User, password: String) {
    self.user = user
    self.password = password
  }
}

/// One log-in of one browser.
public struct Session: Sendable, Hashable {
  /// SHA-256 of what the cookie holds: who reads the store cannot become anybody.
  public var hash: [UInt8]
  public var user: String
  public var opened: Timestamp
  public var lastSeen: Timestamp
  /// Address that logged in.
  public var origin: String
  public init(hash: [UInt8], user: String, opened: Timestamp, lastSeen: Timestamp, origin: String) {
    self.hash = hash
    self.user = user
    self.opened = opened
    self.lastSeen = lastSeen
    self.origin = origin
  }
}

/// A program's key to the API: acts for its owner, with at most the owner's role.
public struct AccessToken: Sendable, Hashable {
  public var number: Int64
  /// What it is for, e.g. `prometheus`; unique among an owner's tokens.
  public var label: String
  public var owner: String
  public var role: Role
  public var created: Timestamp
  public var expires: Timestamp?
  public var lastUsed: Timestamp?
  public init(
    number: Int64, label: String, owner: String, role: Role, created: Timestamp, expires: Timestamp? = nil,
    lastUsed: Timestamp? = nil
  ) {
    self.number = number
    self.label = label
    self.owner = owner
    self.role = role
    self.created = created
    self.expires = expires
    self.lastUsed = lastUsed
  }
}
