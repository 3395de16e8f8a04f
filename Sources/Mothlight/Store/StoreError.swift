/// Why a store cannot be used, as one line that says where and what to do.
public struct StoreError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: String, Sendable {
    case absent, damaged, newer, foreign, busy, full, unwritable, unknown, refused
  }
  public var code: Code
  public var message: String
  public var description: String { message }

  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  public static func == (a: StoreError, b: StoreError) -> Bool { a.code == b.code }
}
