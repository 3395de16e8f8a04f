/// Why synthetic traffic could not be made. Equality is on the code alone.
public struct SimulationError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: String, Sendable {
    case invalidScenario, alreadyExists, notARegularFile, unwritable
  }
  public var code: Code
  /// What, where, and what to do: one line.
  public var message: String

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
  public static func == (a: SimulationError, b: SimulationError) -> Bool { a.code == b.code }
  public var description: String { message }
}
