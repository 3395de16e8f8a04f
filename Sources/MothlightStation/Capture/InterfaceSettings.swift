import Mothlight

/// What to capture, and how much memory it may take.
public struct InterfaceSettings: Sendable, Hashable {
  /// Of the source, unique within a station.
  public var name: String
  /// As `ip link` shows it; `any`: all interfaces.
  public var interface: String
  public var filter: CaptureFilter?
  /// Octets kept of a frame. Segmentation offload hands over frames of up to 64 KiB.
  public var snapOctets = 262_144
  /// The ring that the kernel fills while we are busy: 64 MiB are 2.5 s at 200 Mbit/s.
  public var ringOctets = 64 << 20
  public var isPromiscuous = true
  /// A part of an open flow is reported after so long, 60 to 300 as a rule.
  public var activeTimeoutSeconds = 120.0
  /// 192 octets each.
  public var flowsMost = Limits.openFlows
  /// A network namespace to capture in, e.g. of a container; `nil`: the program's own.
  public var networkNamespace: String?
  /// `RecordOrigin.input` of its observations.
  public var input: UInt32 = 0

  /// - Parameter name: the interface's own when none is given.
  public init(interface: String, name: String? = nil) {
    self.interface = interface
    self.name = name ?? interface
  }
}
