import Mothlight

/// The file that `mothlight sinkhole` runs from. A key that it does not know is an error with its line.
public struct SinkholeConfiguration: Sendable {
  /// Who runs the sinkhole; told to everybody who asks for TXT at a zone's apex (R19).
  public struct Operator: Sendable, Equatable {
    public var name: String
    /// Mail address for complaints.
    public var abuseContact: String
    /// Domain of the name servers and the last day of its registration.
    public var domainExpiry: Int?
  }

  public var `operator`: Operator
  /// Folder of the spool, `nil`: nothing is kept.
  public var spool: String?
  /// File of zones.
  public var zones: String
  public var dns: DNSSettings
  public var addresses: SinkAddresses
  public var listeners: ListenerConfiguration

  /// - Throws: `ZoneFile.Problem` with path, line and reason.
  public static func read(_ path: String) throws(ZoneFile.Problem) -> SinkholeConfiguration {
    try read(try FileOctets.read(path, most: StrictYAML.Bound.octets), path: path)
  }

  /// - Parameter path: for messages, and to find the files that are named beside it.
  public static func read(_ octets: [UInt8], path: String) throws(ZoneFile.Problem) -> SinkholeConfiguration {
    do throws(YAMLNode.Problem) {
      var root = try YAMLFields(try StrictYAML.read(octets), "the file")
      let node = try root.required("sinkhole")
      try root.finish()
      return try SinkholeConfiguration(node, path)
    } catch {
      throw ZoneFile.Problem(path, error.line, error.message)
    }
  }

  private init(_ node: YAMLNode, _ path: String) throws(YAMLNode.Problem) {
    var fields = try YAMLFields(node, "'sinkhole'")
    `operator` = try Operator(try fields.required("operator"))
    spool = try fields.text("spool").map { FileOctets.beside(path, $0) }
    addresses = try SinkAddresses(try fields.required("addresses"))
    dns = try DNSSettings(try fields.required("dns"), `operator`, addresses)
    dns.cookieSecretsFile = dns.cookieSecretsFile.map { FileOctets.beside(path, $0) }
    guard let zones = try fields.text("zones") else { throw fields.missing("zones") }
    self.zones = FileOctets.beside(path, zones)
    listeners = try ListenerConfiguration(&fields, path: path)
    try fields.finish()
  }
}

extension SinkholeConfiguration.Operator {
  init(_ node: YAMLNode) throws(YAMLNode.Problem) {
    var fields = try YAMLFields(node, "'operator'")
    guard let name = try fields.text("name", most: 200) else { throw fields.missing("name") }
    guard let contact = try fields.text("abuse_contact", most: 200) else { throw fields.missing("abuse_contact") }
    guard DomainName(mailbox: contact) != nil else {
      throw .init(fields.lineOf("abuse_contact"), "'abuse_contact' is no mail address")
    }
    domainExpiry = try fields.take("domain_expiry").map { node throws(YAMLNode.Problem) in
      try OrderDecoder.day(node, "domain_expiry")
    }
    (self.name, abuseContact) = (name, contact)
    try fields.finish()
  }
}

extension DomainName {
  /// A mail address as the SOA holds it: what stands before the `@` is one label (RFC 1035 section 3.3.13).
  init?(mailbox: String) {
    let parts = mailbox.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count == 2, (1...Bound.label).contains(parts[0].utf8.count),
      parts[0].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), let domain = try? DomainName(parts[1]),
      domain.octets.count + parts[0].utf8.count < Bound.octets
    else { return nil }
    self.init(trusted: [UInt8(parts[0].utf8.count)] + parts[0].utf8 + domain.octets)
  }
}
