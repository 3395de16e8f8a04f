/// Who announces an address: its prefix, autonomous system and country, as a file on this machine says.
///
/// Read from a file, never asked over the network. A file is of a date: what it says may have changed since.
public protocol NetworkDirectory: Sendable {
  /// File and date, as a report names it.
  var origin: String { get }
  /// One answer for each address, in order; `nil` for an address that the file does not know.
  ///
  /// A batch pays once for what each look-up would (locks, buffers). It reads files that are mapped into memory, so it may
  /// wait for a disk: call it off the path that receives packets.
  func records(of addresses: [IPAddress]) -> [NetworkRecord?]
}

/// What is known of the network that an address lies in.
public struct NetworkRecord: Hashable, Sendable {
  public var prefix: Prefix
  /// Number of the autonomous system (RFC 6793).
  public var system: UInt32?
  /// Name of the autonomous system's holder.
  public var systemName: String?
  /// ISO 3166-1 alpha-2.
  public var country: String?

  public init(prefix: Prefix, system: UInt32? = nil, systemName: String? = nil, country: String? = nil) {
    self.prefix = prefix
    self.system = system
    self.systemName = systemName
    self.country = country
  }

  /// Fills what is missing from another file's answer; the prefix is the longer one, of which both are true.
  func merged(with other: NetworkRecord) -> NetworkRecord {
    NetworkRecord(
      prefix: other.prefix.length > prefix.length ? other.prefix : prefix, system: system ?? other.system,
      systemName: systemName ?? other.systemName, country: country ?? other.country)
  }
}

/// Several files that know different things, such as one of systems and one of countries; the first that knows wins.
public struct JoinedNetworks: NetworkDirectory {
  private let parts: [any NetworkDirectory]
  public init(_ parts: [any NetworkDirectory]) { self.parts = parts }
  public var origin: String { parts.map(\.origin).joined(separator: ", ") }

  public func records(of addresses: [IPAddress]) -> [NetworkRecord?] {
    parts.reduce([NetworkRecord?](repeating: nil, count: addresses.count)) { known, part in
      zip(known, part.records(of: addresses)).map { a, b in
        guard let a else { return b }
        return b.map(a.merged) ?? a
      }
    }
  }
}
