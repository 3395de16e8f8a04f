import HTTPTypes
import Hummingbird
import Mothlight

extension LogInRoutes {
  private func frame(_ request: Request, _ context: StationContext) throws -> Frame {
    let ask = Ask(
      visitor: try context.admitted(), target: request.head.path ?? "/", query: Form(request.uri.query ?? ""),
      theme: Desk.theme(of: request), now: clock())
    return Frame(ask: ask, version: version)
  }

  // MARK: Oneself

  func account(_ request: Request, _ context: StationContext, complaint: String?) async throws -> Response {
    let frame = try frame(request, context)
    let alert: Markup = complaint.map { "<p class=\"warn\" role=\"alert\">\($0)</p>" } ?? ""
    guard try await pass(of: request) != nil else {
      return Self.html(
        frame.page(
          "Account", nil,
          """
          <h1>Account</h1><p>There are no users yet: whoever works on this machine may do everything here. \
          <code>mothlight users add NAME --role admin</code> adds one, and from then on this page asks for a log-in.</p>
          """))
    }
    let name = frame.ask.visitor.name
    let tokens = try await door.book.tokens().filter { $0.owner == name }
    let main: Markup = """
      <h1>Account</h1><p>You are <b>\(name)</b> with the role <b>\(frame.ask.visitor.role.rawValue)</b>.</p>
      <h2>Change the password</h2>\(alert)<form method="post" action="/account" class="act open narrow">\(frame.csrf)
      <p><label for="who">Name</label><input id="who" autocomplete="username" value="\(name)" readonly></p>
      <p><label for="old">Present password</label><input id="old" name="old" type="password" \
      autocomplete="current-password" maxlength="\(PasswordRule.octetsMost)" required></p>
      <p><label for="new">New password, \(PasswordRule.charactersLeast) characters or more</label>\
      <input id="new" name="new" type="password" autocomplete="new-password" minlength="\(PasswordRule.charactersLeast)" \
      maxlength="\(PasswordRule.octetsMost)" required></p>
      <p><label for="again">The new one again</label><input id="again" name="again" type="password" \
      autocomplete="new-password" required></p>
      <p><button class="do">Change it and log out everywhere</button></p></form>
      <h2>Tokens</h2>\(Self.table(of: tokens))
      """
    return Self.html(frame.page("Account", nil, main), status: complaint == nil ? .ok : .badRequest)
  }

  func changePassword(_ request: Request, _ context: StationContext) async throws -> Response {
    guard let pass = try await pass(of: request) else { throw Failure(.conflict, "Only a user has a password.") }
    let form = context.form
    guard let old = form.raw("old"), let new = form.raw("new"), new == form.raw("again") else {
      return try await account(request, context, complaint: "The new password was not typed twice the same.")
    }
    let complaint = try await door.changePassword(
      of: pass, from: old, to: new, at: context.remote ?? .unspecified, time: clock())
    guard let complaint else {
      return Response(
        status: .seeOther, headers: [.location: "/log-in", .setCookie: cookie.clearing, .cacheControl: "no-store"])
    }
    return try await account(request, context, complaint: complaint)
  }

  // MARK: All

  func users(_ request: Request, _ context: StationContext) async throws -> Response {
    let frame = try frame(request, context)
    let users = try await door.book.users()
    let rows = users.reduce(into: "" as Markup) { out, user in
      out += """
        <tr><th scope="row">\(user.name)</th><td>\(user.role.rawValue)</td><td>\(user.isDisabled ? "disabled" : "active")</td>\
        <td data-label="since">\(user.created.dayDescription)</td><td data-label="last seen">\(user.lastSeen?.dayDescription ?? "never")</td></tr>
        """
    }
    let tokens = try await door.book.tokens()
    let main: Markup = """
      <h1>Users</h1><p>Users and tokens are kept on the station itself: <code>mothlight users add</code>, <code>passwd</code>, \
      <code>role</code>, <code>remove</code>, <code>token</code>. Changes hold at once.</p>
      <table class="stack"><caption>\(ReportWords.count(users.count, "user", "users"))</caption><thead><tr><th scope="col">Name</th><th scope="col">Role</th>\
      <th scope="col">State</th><th scope="col">Since</th><th scope="col">Last seen</th></tr></thead><tbody>\(rows)</tbody></table>
      <h2>Tokens</h2>\(Self.table(of: tokens))
      """
    return Self.html(frame.page("Users", nil, main))
  }

  private static func table(of tokens: [AccessToken]) -> Markup {
    guard !tokens.isEmpty else { return "<p>None. <code>mothlight users token add</code> makes one.</p>" }
    let rows = tokens.reduce(into: "" as Markup) { out, token in
      out += """
        <tr><th scope="row">\(token.label)</th><td>\(token.owner)</td><td>\(token.role.rawValue)</td>\
        <td data-label="since">\(token.created.dayDescription)</td><td data-label="ends">\(token.expires?.dayDescription ?? "never")</td>\
        <td data-label="last used">\(token.lastUsed?.dayDescription ?? "never")</td></tr>
        """
    }
    return """
      <table class="stack"><caption>\(ReportWords.count(tokens.count, "token", "tokens"))</caption><thead><tr><th scope="col">For</th><th scope="col">Of</th>\
      <th scope="col">Role</th><th scope="col">Since</th><th scope="col">Ends</th><th scope="col">Last used</th></tr></thead>\
      <tbody>\(rows)</tbody></table>
      """
  }
}
