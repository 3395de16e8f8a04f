import Hummingbird
import Mothlight
import NIOCore

/// What is known of one request beside its own text.
public struct StationContext: RequestContext {
  public var coreContext: CoreRequestContextStorage
  public let channel: any Channel
  /// Address of the other end.
  public let remote: IPAddress?
  /// Set behind the gatekeeper.
  public internal(set) var visitor: Visitor?
  /// The form of a POST behind the gatekeeper; its token was right.
  public internal(set) var form = Form()

  public init(source: ApplicationRequestContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    channel = source.channel
    remote = source.channel.remoteAddress?.ipAddress.flatMap { IPAddress($0) }
  }

  /// The visitor, if there is one and the role suffices.
  /// - Throws: `Failure` with status 403.
  public func admitted(_ least: Role = .viewer) throws -> Visitor {
    guard let visitor else { throw Failure(.forbidden, "Log in first.") }
    guard visitor.role >= least else {
      throw Failure(.forbidden, "This needs the role \(least.rawValue); \(visitor.name) is \(visitor.role.rawValue).")
    }
    return visitor
  }
}
