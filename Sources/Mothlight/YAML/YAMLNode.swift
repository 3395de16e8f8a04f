/// A value of a YAML file with the line on which it begins; scalars stay text until their reader knows what it wants.
package struct YAMLNode: Sendable, Equatable {
  package enum Value: Sendable, Equatable {
    case text(String)
    case list([YAMLNode])
    case map([Entry])
    /// A key without a value.
    case nothing
  }

  package struct Entry: Sendable, Equatable {
    package var key: String
    package var line: Int
    package var node: YAMLNode
  }

  package var line: Int
  package var value: Value

  /// What is wrong, and on which line.
  package struct Problem: Error, Equatable {
    package var line: Int
    package var message: String
    package init(_ line: Int, _ message: String) {
      self.line = line
      self.message = message
    }
  }
}
