/// How long to wait before a failed source is started again: doubled at each failure, and forgotten after a calm run.
///
/// A source's name shifts its times, so that sources that failed together do not come back together; the same name always
/// waits equally long.
public struct Backoff: Sendable {
  public struct Settings: Sendable, Hashable {
    public var firstSeconds = 1.0
    public var mostSeconds = 60.0
    /// A run of this length begins anew with `firstSeconds`.
    public var calmSeconds = 300.0
    public init() {}
  }

  /// Largest part of a wait that is taken off.
  public static let jitterMost = 0.25

  private let settings: Settings
  private let seed: UInt64
  private var failures = 0

  public init(name: String, settings: Settings = Settings()) {
    self.settings = settings
    // FNV-1a.
    seed = name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
  }

  /// Seconds to wait after a failure, never more than `mostSeconds`.
  /// - Parameter ranSeconds: how long it ran before it failed.
  public mutating func wait(afterRunning ranSeconds: Double) -> Double {
    if ranSeconds >= settings.calmSeconds { failures = 0 }
    var seconds = max(0, settings.firstSeconds)
    for _ in 0..<min(failures, 64) where seconds < settings.mostSeconds { seconds *= 2 }
    failures += 1
    var mixed = (seed ^ UInt64(failures)) &* 0x9e37_79b9_7f4a_7c15
    mixed ^= mixed >> 32
    let part = Double(mixed % 1024) / 1024
    return min(seconds, settings.mostSeconds) * (1 - Self.jitterMost * part)
  }
}
