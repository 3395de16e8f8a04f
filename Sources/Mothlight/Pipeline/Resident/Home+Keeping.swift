extension Home {
  /// What was learned, as text to be kept between starts: a network must not change its owner because a station was restarted
  /// at night.
  public var kept: String {
    (["# Learned from the traffic. Put 'home:' into the configuration, or delete this file to learn again."]
      + (descriptions.count > prefixes.count ? ["private"] : []) + prefixes.map(\.description)).joined(separator: "\n")
      + "\n"
  }

  /// `nil` when the text is not what `kept` writes.
  public init?(kept text: String) {
    var prefixes: [Prefix] = []
    var includesPrivate = false
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      if line == "private" {
        includesPrivate = true
      } else if let prefix = Prefix(line) {
        prefixes.append(prefix)
      } else {
        return nil
      }
    }
    guard includesPrivate || !prefixes.isEmpty else { return nil }
    self.init(learned: prefixes, private: includesPrivate)
  }
}
