/// What was really so in a simulated botnet.
public struct CensusTruth: Sendable, Equatable {
  /// Of one network or country. Machines that move count in each place where they were.
  public struct Part: Sendable, Equatable {
    /// 0 for a country.
    public var asn: UInt32
    public var country: CountryCode
    /// Mean over the hours of the window.
    public var live = 0.0
    /// Machines infected and on within the window.
    public var footprint = 0
    /// Those of them that reached a sensor.
    public var reached = 0
    /// Distinct addresses (IPv6: /64 networks) of machines that reached a sensor; 0 for a country.
    public var addresses = 0

    init(asn: UInt32 = 0, country: CountryCode) {
      self.asn = asn
      self.country = country
    }
  }

  /// UTC hours since 1970, all within.
  public var hours: ClosedRange<UInt32>
  /// Machines infected and on, by hour.
  public var live: [Int]
  /// Machines infected and on, by whole UTC day.
  public var active: [Int]
  /// Machines infected, on or off, at the end of each whole UTC day.
  public var stock: [Int]
  /// Machines infected and on at least once within the window.
  public var footprint = 0
  /// Those of them that reached a sensor.
  public var reached = 0
  /// Distinct source addresses of all rows, whoever came: what a count of addresses says. IPv6 in full.
  public var addresses = 0
  /// The same of the rows that passed the check of the protocol, IPv6 as /64 networks.
  public var validUnits = 0
  public var rows: UInt64 = 0
  public var systems: [Part] = []
  public var countries: [Part] = []

  /// Mean over the hours of the window.
  public var meanLive: Double { live.isEmpty ? 0 : Double(live.reduce(0, +)) / Double(live.count) }
}
