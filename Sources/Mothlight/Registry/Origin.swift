/// Who says something, and when it was said: nothing stands in the registry without it.
public struct Origin: Sendable, Hashable {
  /// `publisher/part`, such as `abuse.ch/feodo`; the part may be missing.
  public var source: String
  /// When the source said it, or, when it does not say, when it was first read.
  public var date: Timestamp

  public init(source: String, date: Timestamp) {
    self.source = source
    self.date = date
  }

  /// What stands before the first slash. Two lists of one publisher are not independent of each other.
  public static func publisher(of source: String) -> Substring { source.prefix { $0 != "/" } }
}

/// A value with its origin.
public struct Sourced<Value: Sendable & Hashable>: Sendable, Hashable {
  public var value: Value
  public var origin: Origin

  public init(_ value: Value, _ origin: Origin) {
    self.value = value
    self.origin = origin
  }
}

/// UTC days as people write them.
public enum CivilDay {
  /// Days since the epoch of `YYYY-MM-DD`; `nil` for a day that does not exist.
  public static func parse(_ text: String) -> Int? { IndicatorList.day(text) }
}
