import HTTPTypes
import Mothlight

/// Lets users see the pages: by their session's cookie, or as `local` on this machine while there are no users.
public struct StationGatekeeper: Gatekeeper {
  private let door: Doorkeeper
  private let clock: @Sendable () -> Timestamp

  public init(_ door: Doorkeeper, clock: (@Sendable () -> Timestamp)? = nil) {
    self.door = door
    self.clock = clock ?? { Clock.now() }
  }

  public func admit(_ knock: Knock) async -> Admission {
    guard case .role(let least)? = RouteRoles.least(knock.method, knock.route) else {
      return .refusal(.forbidden, "This address is in no table of roles, so nobody may see it.")
    }
    do {
      guard let pass = try await pass(knock) else { return Self.toLogIn(knock) }
      guard pass.role >= least else {
        return .refusal(
          .forbidden, "This needs the role \(least.rawValue); \(pass.name) is \(pass.role.rawValue).")
      }
      return .visitor(
        Visitor(
          name: pass.name, role: pass.role, csrfToken: pass.formToken, origin: knock.remote?.description ?? "",
          logOutPath: pass.proof == .local ? nil : "/log-out"))
    } catch {
      return .refusal(.serviceUnavailable, "Who you are cannot be looked up: \(error.message)")
    }
  }

  private func pass(_ knock: Knock) async throws(StoreError) -> Pass? {
    if let cookie = SessionCookie(isEncrypted: door.settings.isEncrypted).value(in: knock.headers),
      let pass = try await door.pass(cookie: cookie, at: clock())
    {
      return pass
    }
    guard let remote = knock.remote else { return nil }
    return try await door.localPass(from: remote)
  }

  /// A form that came too late is not sent again after log-in; only pages are.
  private static func toLogIn(_ knock: Knock) -> Admission {
    guard knock.method == .get else { return .refusal(.forbidden, "Your session has ended; log in again.") }
    guard knock.route != "/events" else { return .refusal(.unauthorized, "Log in first.") }
    return .redirect(to: knock.target == "/" ? "/log-in" : "/log-in?next=\(Form.encoded(knock.target))")
  }
}

/// Where to after log-in: a page of ours and nothing else, so that no link through our log-in leads to another site.
enum NextPage {
  static func checked(_ target: String?) -> String {
    guard let target, target.hasPrefix("/"), target.utf8.count <= 1024,
      target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x5c }), !target.dropFirst().hasPrefix("/"),
      !target.hasPrefix("/log-in")
    else { return "/" }
    return target
  }
}
