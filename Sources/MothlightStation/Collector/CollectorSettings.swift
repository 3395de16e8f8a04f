import Mothlight

/// One port that flow exporters send to.
public struct CollectorSettings: Sendable, Hashable {
  public static let receiveBufferOctetsDefault = 32 << 20
  public static let exportersShownDefault = 64

  /// Unique within a station.
  public var name: String
  /// All four formats are told apart on one port; 2055, 4739 and 6343 are usual.
  public var listen: ListenAddress
  /// Octets of receive buffer asked for; beyond `net.core.rmem_max` it takes CAP_NET_ADMIN. A second of 250 Mbit/s of exports.
  public var receiveBufferOctets = Self.receiveBufferOctetsDefault
  public var flows = FlowCollectorSettings()
  /// Exporters shown one by one, the busiest; the others are summed up.
  public var exportersShown = Self.exportersShownDefault

  public init(name: String, listen: ListenAddress) {
    self.name = name
    self.listen = listen
  }
}
