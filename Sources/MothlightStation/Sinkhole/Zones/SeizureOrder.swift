import Mothlight

/// An order of a court or registry by which names are answered for, from its start to its end.
public struct SeizureOrder: Sendable, Equatable {
  /// By what right; without all three nothing is served.
  public struct Authority: Sendable, Equatable {
    /// The order's number at its issuer.
    public var order: String
    public var issuer: String
    /// Day of issue, days since 1970-01-01.
    public var day: Int

    public init(order: String, issuer: String, day: Int) {
      self.order = order
      self.issuer = issuer
      self.day = day
    }
  }

  public var authority: Authority
  /// Name of the botnet in every record.
  public var family: String
  /// Served from this second on, and no longer from `end` on: seconds since the epoch.
  public var start: Int64
  public var end: Int64
  /// Whether names below a zone exist too, with the same addresses.
  public var coversSubdomains: Bool
  /// Addresses of this order alone; `nil`: the sinkhole's.
  public var addresses: SinkAddresses?
  /// Last day of the names' registration, days since 1970-01-01; for the pre-flight.
  public var registrationExpiry: Int?
  /// Line of its file on which it begins.
  public var line: Int

  public init(
    authority: Authority, family: String, start: Int64, end: Int64, coversSubdomains: Bool = true,
    addresses: SinkAddresses? = nil, registrationExpiry: Int? = nil, line: Int = 0
  ) {
    self.authority = authority
    self.family = family
    self.start = start
    self.end = end
    self.coversSubdomains = coversSubdomains
    self.addresses = addresses
    self.registrationExpiry = registrationExpiry
    self.line = line
  }

  /// - Parameter second: of the wall clock, since the epoch.
  @inline(__always)
  public func isServed(at second: Int64) -> Bool { start <= second && second < end }
}

/// Where the names lead: the sinkhole's own machines.
public struct SinkAddresses: Sendable, Equatable {
  public enum Bound {
    /// Addresses of a family in one answer; more would not fit under the amplification bound.
    public static let each = 8
  }

  public var ipv4: [IPAddress]
  public var ipv6: [IPAddress]

  public init(ipv4: [IPAddress], ipv6: [IPAddress]) {
    self.ipv4 = ipv4
    self.ipv6 = ipv6
  }
}
