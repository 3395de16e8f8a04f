/// A value of a YAML file with the line on which it begins; scalars stay text until their reader knows what it wants.
struct YAMLNode: Sendable, Equatable {
  enum Value: Sendable, Equatable {
    case text(String)
    case list([YAMLNode])
    case map([Entry])
    /// A key without a value.
    case nothing
  }

  struct Entry: Sendable, Equatable {
    var key: String
    var line: Int
    var node: YAMLNode
  }

  var line: Int
  var value: Value

  /// What is wrong, and on which line.
  struct Problem: Error, Equatable {
    var line: Int
    var message: String
    init(_ line: Int, _ message: String) {
      self.line = line
      self.message = message
    }
  }
}
