import HTTPTypes
import Hummingbird
import Mothlight

/// Refuses requests that were meant for another host or that no page of ours can have asked for.
struct TargetCheck: RouterMiddleware {
  private let names: Set<String>
  private let isLoopback: Bool
  private let targetOctetsMost: Int

  init(_ settings: DashboardSettings) {
    names = Set(settings.hostNames.map { $0.lowercased() } + ["localhost"])
    isLoopback = settings.isLoopback
    targetOctetsMost = settings.targetOctetsMost
  }

  func handle(
    _ request: Request, context: StationContext, next: (Request, StationContext) async throws -> Response
  ) async throws -> Response {
    let target = request.head.path ?? ""
    guard target.utf8.count <= targetOctetsMost else { throw Failure(.uriTooLong, "This address is too long.") }
    guard target.hasPrefix("/") else { throw Failure(.badRequest, "Only paths can be asked for.") }
    guard let authority = request.head.authority, let host = Self.host(of: authority) else {
      throw Failure(.badRequest, "The request names no host.")
    }
    guard isOurs(host) else {
      throw Failure(
        .misdirectedRequest,
        "This page is not served as '\(VisibleText.escaped(String(host.prefix(80))))'. Ask by address or as localhost, or name it among the station's host names."
      )
    }
    return try await next(request, context)
  }

  private func isOurs(_ host: String) -> Bool {
    if names.contains(host.lowercased()) { return true }
    guard let address = IPAddress(host) else { return false }
    return isLoopback ? address.isLoopback : true
  }

  /// The host of `host`, `host:port` or `[v6]:port` (RFC 3986 section 3.2.2).
  static func host(of authority: String) -> String? {
    if authority.hasPrefix("[") {
      guard let end = authority.firstIndex(of: "]") else { return nil }
      return String(authority[authority.index(after: authority.startIndex)..<end])
    }
    let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 2, let host = parts.first, !host.isEmpty else { return nil }
    return String(host)
  }
}
