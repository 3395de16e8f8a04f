import HTTPTypes
import Hummingbird
import Mothlight
import Synchronization

/// Who asks the API: a token, for reading also a session's cookie, or this machine while there are no users.
struct APIAccess: Sendable {
  let door: Doorkeeper
  private let misses = MissWindow()

  init(_ door: Doorkeeper) { self.door = door }

  /// - Throws: `APIProblem` 401, 403 or 429, `StoreError`.
  func pass(of request: Request, from remote: IPAddress?, least: Role, isChange: Bool, at time: Timestamp)
    async throws -> Pass
  {
    let address = remote ?? .unspecified
    guard misses.admits(address, at: time) else {
      throw APIProblem(
        .tooManyRequests, .busy, "Too many requests of nobody from this address; try again in a minute.",
        headers: [.retryAfter: "60"])
    }
    guard let pass = try await known(request, address, isChange, time) else {
      misses.count(address, at: time)
      throw APIProblem(
        .unauthorized, .unauthorised,
        isChange
          ? "A change needs a token: Authorization: Bearer TOKEN (`mothlight users token`)."
          : "Log in, or send a token: Authorization: Bearer TOKEN (`mothlight users token`).",
        headers: [.wwwAuthenticate: "Bearer realm=\"mothlight\""])
    }
    guard pass.role >= least else {
      throw APIProblem(
        .forbidden, .forbidden, "This needs the role \(least.rawValue); \(pass.name) is \(pass.role.rawValue).")
    }
    return pass
  }

  private func known(_ request: Request, _ address: IPAddress, _ isChange: Bool, _ time: Timestamp) async throws
    -> Pass?
  {
    let lines = request.headers[values: .authorization]
    if !lines.isEmpty {
      // A request that says who it is must be that, or nobody.
      guard lines.count == 1, let token = Self.bearer(lines[0]) else { return nil }
      return try await door.pass(token: token, at: time)
    }
    if !isChange, let cookie = SessionCookie(isEncrypted: door.settings.isEncrypted).value(in: request.headers) {
      if let pass = try await door.pass(cookie: cookie, at: time) { return pass }
    }
    guard let pass = try await door.localPass(from: address) else { return nil }
    // A page of another site can send requests to this machine through the user's browser; the browser says so.
    guard !isChange || Self.isOwn(request) else {
      throw APIProblem(.forbidden, .forbidden, "This request was sent by another site's page.")
    }
    return pass
  }

  private static func bearer(_ line: String) -> String? {
    let words = line.split(separator: " ")
    guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
    return String(words[1])
  }

  /// Whether a request comes from a page of ours, or from no page at all.
  static func isOwn(_ request: Request) -> Bool {
    // No page can set it. An origin tells less: it is `null` where a page says nothing of itself, ours too.
    if let site = HTTPField.Name("Sec-Fetch-Site").flatMap({ request.headers[$0] }) {
      return site == "same-origin" || site == "none"
    }
    guard let origin = request.headers[.origin] else { return true }
    guard let authority = request.head.authority else { return false }
    return origin == "http://\(authority)" || origin == "https://\(authority)"
  }
}

/// Counts requests that nobody is known by, so that one address cannot keep the store busy with them.
final class MissWindow: Sendable {
  private struct State {
    var minute = Int64.min
    var misses: [IPAddress: Int] = [:]
  }
  private let state = Mutex(State())
  private let most: Int
  private let addresses: Int

  /// - Parameters:
  ///   - most: misses of one address in a minute.
  ///   - addresses: that are kept; further ones are not counted, and the window is a minute.
  init(most: Int = 120, addresses: Int = 8192) {
    self.most = most
    self.addresses = addresses
  }

  func admits(_ address: IPAddress, at time: Timestamp) -> Bool {
    state.withLock { state in
      Self.turn(&state, time)
      return state.misses[address, default: 0] < most
    }
  }

  func count(_ address: IPAddress, at time: Timestamp) {
    state.withLock { state in
      Self.turn(&state, time)
      guard state.misses[address] != nil || state.misses.count < addresses else { return }
      state.misses[address, default: 0] += 1
    }
  }

  private static func turn(_ state: inout State, _ time: Timestamp) {
    let now = time.nanoseconds / 60_000_000_000
    guard now != state.minute else { return }
    state.minute = now
    state.misses.removeAll(keepingCapacity: true)
  }
}
