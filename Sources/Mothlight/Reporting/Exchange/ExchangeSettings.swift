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

  public init() {}
}
