/// One thing that a station needs, whether it is there, and what to do when it is not.
public struct Symptom: Sendable, Equatable {
  public enum State: String, Sendable, Comparable {
    case fine
    /// Works without it, with less.
    case lacking
    /// Will not work.
    case broken
    private var rank: Int { self == .fine ? 0 : self == .lacking ? 1 : 2 }
    public static func < (a: State, b: State) -> Bool { a.rank < b.rank }
  }
  public var subject: String
  public var state: State
  /// What was found.
  public var finding: String
  /// What to do; empty when it is fine.
  public var remedy: String

  public init(_ subject: String, _ state: State, _ finding: String, remedy: String = "") {
    self.subject = subject
    self.state = state
    self.finding = finding
    self.remedy = remedy
  }
}
