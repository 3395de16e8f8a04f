import Mothlight

/// One port that flow exporters send to.
public struct CollectorSettings: Sendable, Hashable {
  /// Unique within a station.
  public var name: String
  /// All four formats are told apart on one port; 2055, 4739 and 6343 are usual.
  public var listen: ListenAddress
  /// Octets of receive buffer asked for; beyond `net.core.rmem_max` it takes CAP_NET_ADMIN. A second of 250 Mbit/s of exports.
  public var receiveBufferOctets = 32 << 20
  public var flows = FlowCollectorSettings()
  /// Exporters shown one by one, the busiest; the others are summed up.
  public var exportersShown = 64

  public init(name: String, listen: ListenAddress) {
    self.name = name
    self.listen = listen
  }
}
