/// What an operator vouches for. Applied when the report is made, so nothing is lost: hidden findings are counted and listed.
public struct AllowList: Sendable, Equatable {
  public enum Rule: Sendable, Equatable, CustomStringConvertible {
    case source(Prefix)
    case destination(Prefix)
    /// A name, or `*.` and a name for everything below it.
    case name(String)
    case pair(Prefix, Prefix)
    public var description: String {
      switch self {
      case .source(let p): "source:\(p)"
      case .destination(let p): "destination:\(p)"
      case .name(let n): "name:\(n)"
      case .pair(let a, let b): "pair:\(a)>\(b)"
      }
    }
  }
  public var rules: [Rule]
  public init(rules: [Rule] = []) { self.rules = rules }

  /// Parses one rule per line: `source:`, `destination:`, `name:`, `pair:A>B`; `#` begins a comment.
  public init(text: String, name: String) throws(ConfigurationError) {
    rules = []
    for (i, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let content = line.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)[0]
      let trimmed = String(content.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0.isWhitespace }.reversed())
      guard !trimmed.isEmpty else { continue }
      do { rules.append(try Self.parse(trimmed)) } catch {
        throw ConfigurationError("\(name):\(i + 1): \(error.message)")
      }
    }
  }

  /// - Parameter standIns: whether names of stand-ins (`host-7F3K2QXD`) may stand for machines of ours.
  public static func parse(_ text: String, standIns: Bool = false) throws(ConfigurationError) -> Rule {
    func prefix(_ text: Substring) -> Prefix? {
      if standIns, let host = IPAddress(standInName: text.hasSuffix("/128") ? text.dropLast(4) : text) {
        return Prefix(host, length: 128)
      }
      return Prefix(text)
    }
    let parts = text.split(separator: ":", maxSplits: 1)
    guard parts.count == 2 else { throw usage(text) }
    let value = parts[1]
    switch parts[0] {
    case "source": if let p = prefix(value) { return .source(p) }
    case "destination": if let p = prefix(value) { return .destination(p) }
    case "name": return .name(value.lowercased())
    case "pair":
      let ends = value.split(separator: ">")
      if ends.count == 2, let a = prefix(ends[0]), let b = prefix(ends[1]) { return .pair(a, b) }
    default: break
    }
    throw usage(text)
  }

  private static func usage(_ text: String) -> ConfigurationError {
    ConfigurationError(
      "'\(text)' is no allow rule; write source:ADDRESS[/LENGTH], destination:ADDRESS[/LENGTH], name:[*.]NAME or pair:SOURCE>DESTINATION"
    )
  }

  /// The first rule that covers `finding`, if any.
  public func rule(for finding: Finding) -> Rule? {
    rules.first { rule in
      switch rule {
      case .source(let p): p.contains(finding.host)
      case .destination(let p): finding.peer.map(p.contains) ?? false
      case .name(let pattern):
        finding.peerName.map { Self.matches($0, pattern) } ?? Self.matches(finding.subject, pattern)
      case .pair(let a, let b): a.contains(finding.host) && (finding.peer.map(b.contains) ?? false)
      }
    }
  }

  static func matches(_ name: String, _ pattern: String) -> Bool {
    guard pattern.hasPrefix("*.") else { return name.lowercased() == pattern }
    let parent = pattern.dropFirst(2)
    let lower = name.lowercased()
    return lower == parent || lower.hasSuffix("." + parent)
  }
}
