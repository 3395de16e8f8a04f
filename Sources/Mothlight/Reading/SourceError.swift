/// Why an input could not be read. Equality is on the code alone, so tests stay stable when words change.
public struct SourceError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: String, Sendable {
    case notFound, unreadable, empty, unknownFormat, damaged, noUsableTime, nothingUsable, toolMissing, toolFailed,
      duplicate,
      noLogs, limit, notPermitted, unavailable
  }
  public var code: Code
  /// What, where, and what to do: one line.
  public var message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
  public static func == (a: SourceError, b: SourceError) -> Bool { a.code == b.code }
  public var description: String { message }
}
