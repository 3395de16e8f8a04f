import Mothlight
import NIOSSL

/// Where the dashboard listens, and how much it lets one client and all of them together take.
public struct DashboardSettings: Sendable {
  /// An address of this machine; anything but loopback needs TLS and users, which the caller sees to.
  public var address = "127.0.0.1"
  /// 0: any free one; `DashboardServer.run` tells which.
  public var port = 8420
  /// Names, without port, by which browsers may ask for this page beside `localhost` and addresses. All others are refused, so
  /// that no foreign page can have its own name lead here (DNS rebinding).
  public var hostNames: [String] = []
  /// `nil`: plain HTTP.
  public var tls: TLSConfiguration?
  /// The program's version.
  public var version = "0"
  /// Connections at once. Near to it each new one sends the one away that has kept us waiting longest (`ConnectionRoom`); if
  /// none does, further ones wait in the kernel's queue.
  public var connectionsMost = 512
  /// Open streams of events at once, one for each browser window; further windows go on without live updates.
  public var eventStreamsMost = 128
  /// From a connection's opening, TLS included, to the head of its first request.
  public var firstRequestSeconds = 10
  /// From a reply to the head of the next request.
  public var idleSeconds = 30
  /// From a request's first octet after its head to its last: who is slower is cut off.
  public var requestSeconds = 15
  /// Until a reply of which the client takes nothing is given up.
  public var writeSeconds = 30
  /// Octets of one header field, and of all of them.
  public var headerOctetsMost = 16_384
  /// Octets of a request's target.
  public var targetOctetsMost = 4_096
  /// Octets of a form.
  public var bodyOctetsMost = 65_536
  /// From the wish to stop to the last connection's end.
  public var stopSeconds = 4

  public init() {}

  /// Connections from which on others leave for new ones: some that are leaving have still to be counted.
  var connectionsCrowded: Int { max(1, connectionsMost - connectionsMost / 8) }

  var isLoopback: Bool { address == "localhost" || IPAddress(address)?.isLoopback == true }
}
