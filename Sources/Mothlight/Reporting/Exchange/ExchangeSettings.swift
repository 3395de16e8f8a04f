/// What an operator chooses for formats that tell others of victims.
public struct ExchangeSettings: Sendable {
  /// Who reports, as the formats name him.
  public struct Reporter: Sendable, Hashable {
    public var organisation: String
    public var contact: String
    public var domain: String

    /// Reads `CERT Example <abuse@cert.example>`; the domain is that of the address.
    public init?(_ text: String) {
      guard let open = text.lastIndex(of: "<"), text.hasSuffix(">") else { return nil }
      let name = text[..<open].drop { $0 == " " }
      organisation = String(name.reversed().drop { $0 == " " }.reversed())
      contact = String(text[text.index(after: open)...].dropLast())
      let parts = contact.split(separator: "@", omittingEmptySubsequences: false)
      guard parts.count == 2, let domain = Indicator.domain(String(parts[1])), domain.contains("."),
        (1...64).contains(parts[0].utf8.count), parts[0].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
        (1...200).contains(organisation.utf8.count)
      else { return nil }
      self.domain = domain
    }
  }

  public var choice = VictimChoice()
  /// Needed by formats that a stranger gets; others leave the fields out.
  public var reporter: Reporter?
  /// Tells whose system a host of the home network is in; victims' networks are those of their reader.
  public var networks: (any NetworkDirectory)?

  public init() {}

  /// - Throws: when a recipient is a system and nothing tells which addresses are in it: all would be left out.
  public func checkRecipient() throws(ConfigurationError) {
    guard let system = choice.recipient.systems.min(), networks == nil else { return }
    throw ConfigurationError(
      "--recipient AS\(system): which addresses a system has stands in a networks file, and there is none: give "
        + "--networks FILE, or install Debian's (apt-get install libloc-database)")
  }
}
