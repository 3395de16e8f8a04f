import HTTPTypes
import Mothlight
import Testing

@testable import MothlightStation

/// Every address of the server has its role written down, and the check follows what is written.
@Suite struct RouteRolesTests {
  private func routes() async throws -> [String] {
    let store = MemoryStore()
    let book = MemoryAccessBook()
    let door = Doorkeeper(AccessSettings(), book: book) { _ in }
    let board = StatusBoard(at: LiveStation.now)
    let server = DashboardServer(
      settings: DashboardSettings(), store: store, board: board,
      groups: [
        LogInRoutes(door, version: "0"), APIRoutes(store: store, board: board, door: door, version: "0"),
        HealthRoutes(store: store, board: board, door: door, tally: nil, version: "0"),
      ])
    return server.routeNames
  }

  @Test func everyRouteIsInATable() async throws {
    let routes = try await routes()
    #expect(routes.count > 25)
    let api = Set(APIRoute.all.map { "\($0.method.rawValue) \($0.pattern)" })
    let pages = Set(RouteRoles.table.map { "\($0.method.rawValue) \($0.route)" })
    #expect(routes.filter { !pages.contains($0) && !api.contains($0) } == [], "add them to RouteRoles")
  }

  @Test func tablesHaveEachRouteOnce() {
    let pages = RouteRoles.table.map { "\($0.method.rawValue) \($0.route)" }
    #expect(Set(pages).count == pages.count)
    let api = APIRoute.all.map { "\($0.method.rawValue) \($0.pattern)" }
    #expect(Set(api).count == api.count)
    #expect(Set(APIRoute.all.map(\.name)).count == api.count)
  }

  /// Changing anything needs an analyst; who may see the audit is an admin.
  @Test func tablesSayWhatRolesMean() {
    for route in APIRoute.all {
      #expect(route.least >= (route.isChange ? .analyst : .viewer))
      #expect((route.least == .admin) == (route.name == "listAudit"))
    }
    let own = ["/theme", "/log-out", "/log-in", "/account"]
    for row in RouteRoles.table where row.method == .post && !own.contains(row.route) {
      #expect(row.least == .role(.analyst) || row.least == .role(.admin))
    }
    let open = RouteRoles.table.filter { $0.least == .anybody }.map { "\($0.method.rawValue) \($0.route)" }
    #expect(
      Set(open) == [
        "GET /static/{name}", "GET /log-in", "POST /log-in", "GET /healthz", "GET /readyz", "GET /metrics",
      ])
  }

  @Test func whatIsInNoTableIsShownToNobody() async throws {
    let door = Doorkeeper(AccessSettings(), book: MemoryAccessBook()) { _ in }
    let knock = Knock(
      method: .get, target: "/secret", route: "/secret", headers: [:], remote: IPAddress(v4: 0x7f00_0001), isTLS: false)
    guard case .refusal(.forbidden, _) = await StationGatekeeper(door).admit(knock) else {
      Issue.record("an unlisted route was shown")
      return
    }
  }

  /// Each route of the API, asked by nobody and by each role: the table's role is the first that is let in.
  @Test func theAPIHoldsItsRoles() async throws {
    try await LiveStation.run { station async throws in
      for route in APIRoute.all {
        let path = route.pattern.replacing("{address}", with: "192.0.2.10").replacing("{date}", with: "2026-02-16")
          .replacing("{id}", with: String(repeating: "0", count: 32)).replacing("{name}", with: "x")
          .replacing("{number}", with: "999")
        let json = route.isChange ? "{}" : nil
        #expect(try await station.send(route.method.rawValue, path, as: nil, json: json).status == 401)
        for role in Role.allCases {
          let status = try await station.send(route.method.rawValue, path, as: role, json: json).status
          #expect((status == 403) == (role < route.least), "\(route.name) as \(role.rawValue): \(status)")
          #expect(status != 401 && status < 500)
        }
      }
    }
  }
}
