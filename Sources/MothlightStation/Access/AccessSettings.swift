import Mothlight

/// How strictly a station looks at its visitors.
public struct AccessSettings: Sendable {
  /// Served by TLS: cookies then carry `__Host-` and `Secure`.
  public var isEncrypted = false
  /// While the book holds no user, whoever comes from this machine is `local` with the role admin. Only right for a server
  /// that is bound to loopback.
  public var admitsLocal = true
  /// A session that was not used for so long has ended.
  public var sessionIdleSeconds = 12 * 3600
  /// A session ends so long after its log-in, used or not.
  public var sessionLifeSeconds = 7 * 86_400
  public var passwordCost = PasswordHash.Cost.standard
  public var throttle = LoginThrottle.Limits()
  /// Passwords that are checked at a time: each takes 32 MiB, and capture needs the processors.
  public var passwordsAtOnce = 1
  /// Log-ins that wait for their turn; more are told to come again.
  public var passwordsWaiting = 16
  /// Failed log-ins written to the audit in a minute; the rest is one line that says how many.
  public var failuresWrittenPerMinute = 30
  public init() {}

  public static let localName = "local"
}
