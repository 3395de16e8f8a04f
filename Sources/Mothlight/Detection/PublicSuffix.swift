/// Tells which part of a name somebody registered: `a.b.example.co.uk` is `example.co.uk`.
///
/// The built-in rules are an own, short table of registry practice, not the Mozilla list (which is MPL 2.0 and not shipped);
/// `init(listText:)` reads that list when the operator has it. What the table lacks makes two registrants look like one, which
/// lowers counts of distinct names and so never raises a finding.
public struct PublicSuffix: Sendable {
  /// Whole suffixes, e.g. `co.uk`.
  private var rules: Set<Substring> = []
  /// Suffixes under which every label is a suffix too, e.g. `ck`.
  private var wildcards: Set<Substring> = []
  /// Names registered although a wildcard covers them, e.g. `www.ck`.
  private var exceptions: Set<Substring> = []
  /// Labels that are a registry's second level under any two-letter TLD; empty with a loaded list.
  private var secondLevel: Set<Substring> = []

  private enum Bound {
    /// Labels looked at from the right: no public rule has more than five.
    static let labels = 6
    /// Octets of a name (RFC 1035 section 2.3.4 allows 253).
    static let nameOctets = 1024
  }

  /// The short table of this file.
  public static let builtin = PublicSuffix()

  private init() {
    secondLevel = Set(Self.words(Self.commonSecondLevel))
    for line in Self.countryTable {
      let parts = line.split(separator: ":")
      guard parts.count == 2 else { continue }
      for label in Self.words(String(parts[1])) { rules.insert("\(label).\(parts[0])"[...]) }
    }
    for state in Self.words(Self.states) {
      rules.insert("\(state).us"[...])
      for kind in ["k12", "lib", "cc"] { rules.insert("\(kind).\(state).us"[...]) }
    }
    wildcards = Set(Self.words(Self.wildcardParents))
    exceptions = Set(Self.words(Self.wildcardExceptions))
    rules.formUnion(Self.words(Self.hosting))
  }

  /// Reads a list in the format of publicsuffix.org; its private part names hosting services and content networks.
  public init(listText: String, includingPrivate: Bool = true) {
    for line in listText.split(whereSeparator: \.isNewline) {
      if !includingPrivate, line.contains("===BEGIN PRIVATE DOMAINS===") { break }
      guard let word = line.split(whereSeparator: \.isWhitespace).first, !word.hasPrefix("//") else { continue }
      let isException = word.hasPrefix("!")
      let isWildcard = word.hasPrefix("*.")
      let bare = word.dropFirst(isException ? 1 : isWildcard ? 2 : 0)
      let labels = bare.split(separator: ".").map { Punycode.encode(label: $0.lowercased()) }
      let forms = [bare.lowercased(), labels.contains(nil) ? "" : labels.compactMap(\.self).joined(separator: ".")]
      for form in forms where !form.isEmpty {
        if isException {
          exceptions.insert(form[...])
        } else if isWildcard {
          wildcards.insert(form[...])
        } else {
          rules.insert(form[...])
        }
      }
    }
  }

  /// The registered domain of a name, lower case; `nil` for a bare suffix, a single label or something that is no name.
  /// - Complexity: O(octets); at most a dozen set look-ups.
  public func registeredDomain(_ name: String) -> String? {
    guard let name = Self.folded(name), let starts = Self.labelStarts(name), starts.count >= 2 else { return nil }
    // `tail(k)` is the last k labels.
    func tail(_ k: Int) -> Substring { name[starts[starts.count - k]...] }
    func label(_ k: Int) -> Substring {
      name[starts[starts.count - k]..<name.utf8.index(before: starts[starts.count - k + 1])]
    }
    var suffix = 1
    for k in stride(from: starts.count, through: 1, by: -1) {
      let candidate = tail(k)
      if exceptions.contains(candidate) {
        suffix = k - 1
        break
      }
      if rules.contains(candidate) || (k >= 2 && wildcards.contains(tail(k - 1))) {
        suffix = k
        break
      }
      if k == 2, tail(1).utf8.count == 2, secondLevel.contains(label(2)) {
        suffix = 2
        break
      }
    }
    return starts.count > suffix ? String(tail(suffix + 1)) : nil
  }

  /// In lower case and without the final dot; `nil` when it is empty or too long.
  private static func folded(_ name: String) -> String? {
    let octets = name.utf8
    guard !octets.isEmpty, octets.count <= Bound.nameOctets + 1 else { return nil }
    var name = name
    if octets.contains(where: { ($0 >= 0x41 && $0 <= 0x5a) || $0 >= 0x80 }) { name = name.lowercased() }
    if name.utf8.last == 0x2e { name = String(name.dropLast()) }
    return name.isEmpty || name.utf8.count > Bound.nameOctets ? nil : name
  }

  /// Where the last labels begin, left to right; `nil` when one of all labels is empty.
  private static func labelStarts(_ name: String) -> [String.Index]? {
    var starts = [name.startIndex]
    var at = name.startIndex
    let octets = name.utf8
    while at < octets.endIndex {
      let next = octets.index(after: at)
      if octets[at] == 0x2e {
        guard at != starts[starts.count - 1], next < octets.endIndex else { return nil }
        starts.append(next)
      }
      at = next
    }
    return starts.suffix(Bound.labels)
  }

  private static func words(_ text: String) -> [Substring] { text.split(whereSeparator: \.isWhitespace) }
}
