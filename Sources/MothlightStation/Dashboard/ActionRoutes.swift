import HTTPTypes
import Hummingbird
import Mothlight

/// What forms change. Each leads back to a page, so that loading it again repeats nothing (303, RFC 9110 section 15.4.4).
struct ActionRoutes: Sendable {
  let desk: Desk
  /// Characters of a reason that are kept.
  static let reasonMost = 300

  func add(to router: RouterGroup<StationContext>) {
    let desk = desk
    router.post("/theme") { _, context in
      _ = try context.admitted()
      return Self.theme(context.form)
    }
    router.post("/allow") { request, context in try await Self.addRule(desk, request, context) }
    router.post("/allow/:number/end") { _, context in
      let visitor = try context.admitted(.analyst)
      _ = try await desk.seen(by: visitor.role).store.endAllowRule(
        try Self.number(context), by: visitor.actor, at: desk.clock())
      return Self.back(to: "/allow", .ruleEnded)
    }
    router.post("/cases") { _, context in try await Self.openCase(desk, context) }
    router.post("/cases/:number/state") { _, context in try await Self.change(desk, context) }
    router.post("/cases/:number/undo") { _, context in
      let visitor = try context.admitted(.analyst)
      let number = try Self.number(context)
      _ = try await desk.seen(by: visitor.role).store.undo(number, by: visitor.actor, at: desk.clock())
      desk.board.publish(.caseChanged(number))
      return Self.back(to: "/cases/\(number)", .changeUndone)
    }
  }

  private static func theme(_ form: Form) -> Response {
    let theme = form["to"].flatMap { Ask.Theme(rawValue: $0) } ?? .auto
    let cookie = "theme=\(theme.rawValue); Path=/; Max-Age=31536000; SameSite=Strict; HttpOnly"
    return Response(status: .seeOther, headers: [.location: localPath(form["back"]) ?? "/", .setCookie: cookie])
  }

  private static func addRule(_ desk: Desk, _ request: Request, _ context: StationContext) async throws -> Response {
    let visitor = try context.admitted(.analyst)
    let desk = desk.seen(by: visitor.role)
    let text = context.form["rule"] ?? ""
    let reason = try reason(context.form)
    do {
      let rule = try await desk.privacy.rule(text, visitor.role)
      _ = try await desk.store.addAllowRule(rule, reason: reason, by: visitor.actor, at: desk.clock())
    } catch let error as ConfigurationError {
      // The form again with what was written, so that nothing has to be typed twice.
      let page = AllowPage(
        frame: desk.frame(try desk.ask(request, context)), rules: try await desk.store.allowRules(),
        trouble: (text, reason, error.message))
      return desk.html(page.page, status: .unprocessableContent)
    }
    return back(to: localPath(context.form["back"]) ?? "/allow", .ruleAdded)
  }

  private static func openCase(_ desk: Desk, _ context: StationContext) async throws -> Response {
    let visitor = try context.admitted(.analyst)
    let desk = desk.seen(by: visitor.role)
    guard let host = context.form["host"].flatMap({ HostName.address($0) }) else {
      throw Failure(.badRequest, "The form names no machine.")
    }
    guard let day = context.form["day"].flatMap(HostChoice.day) else {
      throw Failure(.badRequest, "The form names no day.")
    }
    let record = try await desk.store.openCase(
      host, day: day, reason: try reason(context.form), by: visitor.actor, at: desk.clock())
    desk.board.publish(.caseChanged(record.summary.number))
    return back(to: "/cases/\(record.summary.number)", .caseOpened)
  }

  private static func change(_ desk: Desk, _ context: StationContext) async throws -> Response {
    let visitor = try context.admitted(.analyst)
    let desk = desk.seen(by: visitor.role)
    let number = try number(context)
    guard let state = context.form["to"].flatMap({ Case.State(rawValue: $0) }) else {
      throw Failure(.badRequest, "The form names no state.")
    }
    _ = try await desk.store.change(
      number, to: state, reason: try reason(context.form), by: visitor.actor, at: desk.clock())
    desk.board.publish(.caseChanged(number))
    return back(to: "/cases/\(number)", .caseChanged)
  }

  private static func number(_ context: StationContext) throws -> Int64 {
    guard let number = context.parameters.get("number").flatMap({ Int64($0) }) else { throw Failure.notFound }
    return number
  }

  private static func reason(_ form: Form) throws -> String {
    guard let reason = form["reason"] else {
      throw Failure(.badRequest, "Say why: the reason stands in the audit. Go back and fill it in.")
    }
    return String(reason.prefix(reasonMost))
  }

  private static func back(to path: String, _ note: Note) -> Response {
    Response(status: .seeOther, headers: [.location: "\(path)?done=\(note.rawValue)"])
  }

  /// A path of ours, never another host's: browsers take `//host` and `/\host` for one.
  static func localPath(_ text: String?) -> String? {
    guard let text, text.utf8.first == UInt8(ascii: "/"), text.utf8.count <= 2048 else { return nil }
    let second = text.utf8.dropFirst().first
    guard second != UInt8(ascii: "/"), second != UInt8(ascii: "\\"), text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
    else { return nil }
    return text
  }
}
