import Mothlight

/// The file that `mothlight watch` runs from. A key that it does not know is an error with its line.
public struct StationConfiguration: Sendable, Equatable {
  /// One instrument.
  public struct Source: Sendable, Equatable {
    public enum Place: Sendable, Equatable {
      /// A network interface; packets that `filter` (a capture filter as tcpdump takes it) lets through.
      case interface(String, filter: String?, promiscuous: Bool)
      /// NetFlow v5 and v9, IPFIX and sFlow over UDP.
      case flows(ListenAddress, Reception = Reception())
      /// A folder into which Zeek or Suricata writes.
      case logs(String)
      /// A folder into which finished captures or flow files are put.
      case captures(String)
      /// A spool of the sinkhole; counted, not judged.
      case spool(String)
      /// Simulated traffic of an office with four infected machines, moved to now.
      case demo
    }
    public var name: String
    public var place: Place
    public init(name: String, place: Place) {
      self.name = name
      self.place = place
    }
  }

  /// What a port for flow exporters takes, beside its address.
  public struct Reception: Sendable, Equatable {
    /// Who may export; empty: everybody.
    public var exporters: [Prefix] = []
    /// Rates that go before what exporters say.
    public var sampling: [FlowCollectorSettings.Sampling] = []
    /// For replays of archives.
    public var trustsExporterClock = false
    public var receiveBufferOctets = CollectorSettings.receiveBufferOctetsDefault
    public var exportersShown = CollectorSettings.exportersShownDefault
    public init() {}
  }

  /// Who sees addresses of ours, and how what is shown is marked.
  public struct Privacy: Sendable, Equatable {
    public var readers = StationPrivacy.Readers.viewers
    /// File of the key of pseudonyms; `nil`: in the data folder.
    public var key: String?
    /// A marking above that of the contents.
    public var tlp: TLP?
    public init() {}
  }

  /// How pages and API are offered.
  public struct Serving: Sendable, Equatable {
    public enum Encryption: Sendable, Equatable {
      /// Only on loopback.
      case none
      /// A certificate that the station makes itself and keeps in its data folder.
      case own
      /// PEM files.
      case files(certificate: String, key: String)
    }
    public var listen = ListenAddress(address: IPAddress(v4: 0x7f00_0001), port: 8420)
    public var encryption = Encryption.none
    /// Names under which browsers may ask for it, beside its address and `localhost`.
    public var names: [String] = []
    public init() {}
  }

  public enum LogFormat: String, Sendable, CaseIterable { case text, json }

  /// Folder of everything that the station keeps.
  public var data: String
  public var sources: [Source] = []
  /// Empty: learned from the traffic, and kept.
  public var home: [Prefix] = []
  /// Indicator lists.
  public var lists: [String] = []
  public var signatures: [String] = []
  /// Databases of who announces an address.
  public var networks: [String] = []
  /// Files of allow rules; rules made on the pages come on top.
  public var allow: [String] = []
  public var cases = CaseRules()
  /// Days that findings and host-days are kept in detail.
  public var keepDays = 30
  public var judgeSeconds = 30
  public var privacy = Privacy()
  /// `nil`: no page.
  public var serving: Serving? = Serving()
  /// Whose rights are left after the instruments are open; `nil`: as started.
  public var user: String?
  public var log = LogFormat.text

  public init(data: String) { self.data = data }

  /// - Throws: `ZoneFile.Problem` with path, line and reason.
  public static func read(_ path: String) throws(ZoneFile.Problem) -> StationConfiguration {
    try read(try FileOctets.read(path, most: StrictYAML.Bound.octets), path: path)
  }

  /// - Parameter path: for messages, and to find the files that are named beside it.
  public static func read(_ octets: [UInt8], path: String) throws(ZoneFile.Problem) -> StationConfiguration {
    do throws(YAMLNode.Problem) {
      var root = try YAMLFields(try StrictYAML.read(octets), "the file")
      let node = try root.required("station")
      try root.finish()
      return try StationConfiguration(node, path)
    } catch {
      throw ZoneFile.Problem(path, error.line, error.message)
    }
  }
}
