import Crypto
import HTTPTypes
import Mothlight

/// Who looks at a page.
public struct Visitor: Sendable, Hashable {
  public var name: String
  public var role: Role
  /// Stands in every form and must come back with it; bound to the session.
  public var csrfToken: String
  /// Address of the browser, for the audit.
  public var origin: String
  /// Where a form that ends the session leads; `nil`: there is no session to end.
  public var logOutPath: String?

  public init(name: String, role: Role, csrfToken: String, origin: String, logOutPath: String? = nil) {
    self.name = name
    self.role = role
    self.csrfToken = csrfToken
    self.origin = origin
    self.logOutPath = logOutPath
  }

  public var actor: Actor { Actor(name, origin: origin) }
}

/// What a gatekeeper may look at.
public struct Knock: Sendable {
  public var method: HTTPRequest.Method
  /// Path and query, as asked for.
  public var target: String
  /// The route's pattern, such as `/cases/{number}`.
  public var route: String
  public var headers: HTTPFields
  /// Address of the other end; `nil` when it is no IP socket.
  public var remote: IPAddress?
  public var isTLS: Bool

  public init(
    method: HTTPRequest.Method, target: String, route: String, headers: HTTPFields, remote: IPAddress?, isTLS: Bool
  ) {
    self.method = method
    self.target = target
    self.route = route
    self.headers = headers
    self.remote = remote
    self.isTLS = isTLS
  }
}

public enum Admission: Sendable {
  case visitor(Visitor)
  /// To a page that helps, such as the one to log in.
  case redirect(to: String)
  /// With one line that says why and what to do.
  case refusal(HTTPResponse.Status, String)
}

/// Decides who sees the pages.
public protocol Gatekeeper: Sendable {
  func admit(_ knock: Knock) async -> Admission
}

/// Lets everybody on this machine in as `local`, who may do everything; nobody else.
public struct LocalGatekeeper: Gatekeeper {
  private let csrfToken = Hex.encode(SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) })

  public init() {}

  public func admit(_ knock: Knock) async -> Admission {
    guard let remote = knock.remote, remote.isLoopback else {
      return .refusal(.forbidden, "without users only this machine may look; add one with 'mothlight users add'")
    }
    return .visitor(Visitor(name: "local", role: .admin, csrfToken: csrfToken, origin: remote.description))
  }
}
