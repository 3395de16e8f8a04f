import Glibc
import Mothlight

/// Who has a name, as one line that two looks can be compared by.
public struct DelegationView: Sendable, Equatable, CustomStringConvertible {
  public let description: String

  static func zone(exists: Bool, servers: [DomainName], signers: Int) -> DelegationView {
    guard exists else { return DelegationView(description: "does not exist") }
    let names = Set(servers).map(\.description).sorted()
    return DelegationView(
      description: "name servers \(names.isEmpty ? "none" : names.joined(separator: " ")), DS records \(signers)")
  }

  static func server(addresses: [IPAddress]) -> DelegationView {
    let all = Set(addresses).sorted().map(\.description)
    return DelegationView(description: "addresses \(all.isEmpty ? "none" : all.joined(separator: " "))")
  }
}

/// What a resolver said about the delegation of each name, look by look: a file that is only ever appended to (R21).
///
/// The operator of a botnet wants his names back. A line is written when a name is seen for the first time and whenever what is
/// said about it has changed, so the file is the alarm and the record of it.
public struct DelegationHistory {
  enum Bound {
    static let octets = 64 << 20
  }
  private static let title = "# mothlight delegations 1: time, name, what a resolver said; appended to only\n"

  public let path: String
  private var known: [String: (view: String, since: String)] = [:]
  private var fresh: [(name: String, view: String)] = []
  /// The file ends in the middle of a line, as a crash leaves it.
  private var isTorn = false
  private var isNew = false

  /// - Throws: `ZoneFile.Problem` with the line that is no line of a history.
  public init(path: String) throws(ZoneFile.Problem) {
    self.path = path
    guard access(path, F_OK) == 0 else {
      isNew = true
      return
    }
    let octets = try FileOctets.read(path, most: Bound.octets)
    isNew = octets.isEmpty
    isTorn = octets.last.map { $0 != 0x0a } ?? false
    let lines = octets.split(separator: 0x0a, omittingEmptySubsequences: false)
    for number in 0..<max(0, lines.count - 1) {
      let line = lines[number]
      // What a crash cut is followed by an empty line, and never believed.
      if line.isEmpty || line.first == 0x23 || (number + 2 < lines.count && lines[number + 1].isEmpty) { continue }
      let parts = String(decoding: line, as: UTF8.self).split(separator: "\t", omittingEmptySubsequences: false)
      guard parts.count == 3 else {
        let words = "is no line of a history of delegations; move the file away to begin a new one"
        throw ZoneFile.Problem(path, number + 1, words)
      }
      known[String(parts[1])] = (String(parts[2]), String(parts[0]))
    }
  }

  /// Compares with the last look.
  /// - Returns: the alarm; `nil` for a first look and when nothing has changed.
  public mutating func note(
    _ name: String, _ view: DelegationView, line: Int, zones: String
  ) -> Preflight.Finding? {
    let before = known[name]
    guard before?.view != view.description else { return nil }
    fresh.append((name, view.description))
    known[name] = (view.description, "now")
    guard let before else { return nil }
    return Preflight.Finding(
      severity: .error, path: zones, line: line,
      words: "'\(name)' was changed: \(before.view) since \(before.since), now \(view.description)")
  }

  /// Appends what is new and makes it durable.
  /// - Throws: one line with path and reason.
  public mutating func write(now: Timestamp) throws(ListenError) {
    guard !fresh.isEmpty else { return }
    func failure() -> ListenError { ListenError("\(path): \(String(cString: strerror(errno)))") }
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o640)
    guard descriptor >= 0 else { throw failure() }
    defer { close(descriptor) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw ListenError("\(path): in use by another check") }
    var text = isTorn ? "\n\n" : ""
    if isNew { text += Self.title }
    let second = now.description.prefix(19) + "Z"
    for (name, view) in fresh { text += "\(second)\t\(name)\t\(view)\n" }
    let octets = Array(text.utf8)
    guard Glibc.write(descriptor, octets, octets.count) == octets.count, fsync(descriptor) == 0 else { throw failure() }
    fresh = []
    (isTorn, isNew) = (false, false)
  }
}
