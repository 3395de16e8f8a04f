import Foundation
import Mothlight
import Testing

@testable import MothlightStation

/// Log-in, forms and sessions over a real socket.
@Suite struct LogInTests {
  @Test func pagesAskForALogIn() async throws {
    try await LiveStation.run { station async throws in
      let reply = try await station.live.get("/")
      #expect(reply.status == 303)
      #expect(reply.headers["location"] == "/log-in")
      #expect(try await station.live.get("/account?x=1").headers["location"] == "/log-in?next=%2Faccount%3Fx%3D1")
      #expect(try await station.live.get("/events").status == 401)
      let page = try await station.live.get("/log-in")
      #expect(page.status == 200)
      #expect(page.headers["content-security-policy"] == SecurityHeaders.policy)
      #expect(page.hidden("csrf").count == 43)
    }
  }

  @Test func aUserComesInAndOut() async throws {
    try await LiveStation.run { station async throws in
      let (reply, cookie) = try await station.logIn("vera")
      #expect(reply.status == 303 && reply.headers["location"] == "/")
      let value = try #require(cookie)
      let setting = try #require(reply.setCookies.first { $0.hasPrefix("mothlight=") })
      #expect(setting.hasSuffix("; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict"))
      let headers = ["Cookie": "theme=dark; mothlight=\(value)"]
      let page = try await station.live.get("/", headers: headers)
      #expect(page.status == 200 && page.body.contains("<b>vera</b>"))
      let csrf = page.hidden("csrf")
      let out = try await station.live.post("/log-out", [("csrf", csrf)], headers: headers)
      #expect(out.status == 303)
      #expect(out.cookies["mothlight"] == "")
      #expect(try await station.live.get("/", headers: headers).status == 303, "the cookie is worth nothing now")
      #expect(station.book.audit.map(\.action).suffix(2) == ["user.log_in", "user.log_out"])
    }
  }

  @Test func wrongNamesAndPasswordsLookTheSame() async throws {
    try await LiveStation.run { station async throws in
      let wrong = try await station.logIn("vera", password: "not the password")
      let unknown = try await station.logIn("nobody", password: "not the password")
      #expect(wrong.reply.status == 403 && unknown.reply.status == 403)
      #expect(wrong.cookie == nil && unknown.cookie == nil)
      func plain(_ reply: PageReply) -> String { reply.body.replacing(reply.hidden("csrf"), with: "") }
      #expect(plain(wrong.reply) == plain(unknown.reply))
      #expect(wrong.reply.body.contains("Name or password is wrong."))
    }
  }

  @Test func guessingIsToldToWait() async throws {
    try await LiveStation.run { station async throws in
      var statuses: [Int] = []
      for _ in 0..<8 { statuses.append(try await station.logIn("vera", password: "wrong").reply.status) }
      #expect(statuses == [403, 403, 403, 403, 403, 429, 429, 429])
      let late = try await station.logIn("vera")
      #expect(late.reply.status == 429 && late.reply.headers["retry-after"] == "1" && late.cookie == nil)
    }
  }

  /// What the browser held before log-in is worth nothing after it (session fixation).
  @Test func aPlantedCookieIsNotPromoted() async throws {
    try await LiveStation.run { station async throws in
      let planted = Secret().text
      let page = try await station.live.get("/log-in", headers: ["Cookie": "mothlight=\(planted)"])
      let form = try #require(page.cookies["mothlight-form"])
      let reply = try await station.live.post(
        "/log-in", [("csrf", page.hidden("csrf")), ("name", "vera"), ("password", LiveStation.password)],
        headers: ["Cookie": "mothlight=\(planted); mothlight-form=\(form)"])
      #expect(reply.status == 303)
      let given = try #require(reply.cookies["mothlight"])
      #expect(given != planted && given != form)
      for old in [planted, form] {
        #expect(try await station.live.get("/", headers: ["Cookie": "mothlight=\(old)"]).status == 303)
      }
      // Two cookies of one name: somebody else has set one of them.
      let both = "mothlight=\(planted); mothlight=\(given)"
      #expect(try await station.live.get("/", headers: ["Cookie": both]).status == 303)
      #expect(try await station.live.get("/", headers: ["Cookie": "mothlight=\(given)"]).status == 200)
    }
  }

  @Test func logInFormsOfOtherSitesAreRefused() async throws {
    try await LiveStation.run { station async throws in
      let page = try await station.live.get("/log-in")
      let form = try #require(page.cookies["mothlight-form"])
      let fields = [("csrf", page.hidden("csrf")), ("name", "vera"), ("password", LiveStation.password)]
      let cookie = ["Cookie": "mothlight-form=\(form)"]
      func status(_ fields: [(String, String)], _ headers: [String: String]) async throws -> Int {
        try await station.live.post("/log-in", fields, headers: headers).status
      }
      #expect(try await status(Array(fields.dropFirst()), cookie) == 403, "no token")
      #expect(try await status(fields, [:]) == 403, "no cookie")
      #expect(
        try await status(fields, ["Cookie": "mothlight-form=\(Secret().text)"]) == 403, "another browser's cookie")
      #expect(try await status(fields, cookie.merging(["Sec-Fetch-Site": "cross-site"]) { $1 }) == 403)
      #expect(try await status(fields, cookie.merging(["Origin": "https://evil.example"]) { $1 }) == 403)
      #expect(try await status(fields, cookie.merging(["Origin": "null"]) { $1 }) == 403)
      let plain = cookie.merging(["Content-Type": "text/plain"]) { $1 }
      #expect(try await status(fields, plain) == 415)
      // A browser that hides where its pages are says at least that the form is of the same site.
      #expect(
        try await status(fields, cookie.merging(["Sec-Fetch-Site": "same-origin", "Origin": "null"]) { $1 }) == 303)
    }
  }

  @Test func formsWithoutTheSessionsTokenAreRefused() async throws {
    try await LiveStation.run { station async throws in
      let (_, first) = try await station.logIn("boss")
      let (_, second) = try await station.logIn("boss")
      let (mine, other) = (try #require(first), try #require(second))
      let headers = ["Cookie": "mothlight=\(mine)"]
      let token = try await station.live.get("/", headers: headers).hidden("csrf")
      let foreign = try await station.live.get("/", headers: ["Cookie": "mothlight=\(other)"]).hidden("csrf")
      #expect(token != foreign)
      for wrong in ["", foreign, String(token.dropLast()), token + "A", mine] {
        let reply = try await station.live.post("/log-out", [("csrf", wrong)], headers: headers)
        #expect(reply.status == 403)
      }
      #expect(try await station.live.get("/", headers: headers).status == 200, "still in")
      let crossed = headers.merging(["Sec-Fetch-Site": "cross-site"]) { $1 }
      #expect(try await station.live.post("/log-out", [("csrf", token)], headers: crossed).status == 403)
      #expect(try await station.live.post("/log-out", [("csrf", token)], headers: headers).status == 303)
    }
  }

  @Test(arguments: [
    "https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
    "/%0d%0aSet-Cookie:x=1\r\nX: y", "hosts", "/log-in?next=/",
  ])
  func logInLeadsNowhereElse(_ target: String) async throws {
    #expect(NextPage.checked(target) == "/")
    try await LiveStation.run { station async throws in
      let page = try await station.live.get("/log-in?next=\(Form.encoded(target))")
      #expect(page.hidden("next") == "/")
      let reply = try await station.live.post(
        "/log-in",
        [("csrf", page.hidden("csrf")), ("next", target), ("name", "vera"), ("password", LiveStation.password)],
        headers: ["Cookie": "mothlight-form=\(page.cookies["mothlight-form"] ?? "")"])
      #expect(reply.status == 303 && reply.headers["location"] == "/")
      #expect(reply.headers["x"] == nil)
    }
  }

  @Test func ownPagesAreKeptForAfterLogIn() {
    for target in ["/hosts?day=2026-01-01&after=x", "/cases/3"] { #expect(NextPage.checked(target) == target) }
  }

  @Test func rolesShowWhatTheyMay() async throws {
    try await LiveStation.run { station async throws in
      for (name, status) in [("vera", 403), ("anna", 403), ("boss", 200)] {
        let (_, cookie) = try await station.logIn(name)
        let headers = ["Cookie": "mothlight=\(try #require(cookie))"]
        #expect(try await station.live.get("/users", headers: headers).status == status)
        #expect(try await station.live.get("/audit", headers: headers).status == status)
        #expect(try await station.live.get("/account", headers: headers).status == 200)
      }
    }
  }

  @Test func passwordsAreChangedByTheirOwner() async throws {
    try await LiveStation.run { station async throws in
      let (_, cookie) = try await station.logIn("vera")
      let headers = ["Cookie": "mothlight=\(try #require(cookie))"]
      let token = try await station.live.get("/account", headers: headers).hidden("csrf")
      func change(_ old: String, _ new: String, _ again: String) async throws -> PageReply {
        try await station.live.post(
          "/account", [("csrf", token), ("old", old), ("new", new), ("again", again)], headers: headers)
      }
      let next = " other words of mine "
      #expect(try await change("wrong", next, next).body.contains("the old password is wrong"))
      #expect(try await change(LiveStation.password, next, "not the same").body.contains("not typed twice"))
      #expect(try await change(LiveStation.password, "short", "short").body.contains("too short"))
      let done = try await change(LiveStation.password, next, next)
      #expect(done.status == 303 && done.headers["location"] == "/log-in")
      #expect(try await station.live.get("/", headers: headers).status == 303)
      #expect(try await station.logIn("vera", password: "other words of mine").cookie == nil, "blanks count")
      #expect(try await station.logIn("vera", password: next).cookie != nil)
    }
  }

  @Test func tlsCookiesAreBoundToTheHost() async throws {
    let cookie = SessionCookie(isEncrypted: true)
    #expect(
      cookie.setting("x", seconds: 5) == "__Host-mothlight=x; Path=/; Max-Age=5; HttpOnly; SameSite=Strict; Secure")
    try await LiveStation.run {
      $0.isEncrypted = true
    } _: { station async throws in
      let page = try await station.live.get("/log-in")
      #expect(page.setCookies.allSatisfy { $0.hasPrefix("__Host-") && $0.hasSuffix("; Secure") })
      // A cookie that another program of this machine set without TLS has another name.
      let secret = Secret()
      let session = Session(
        hash: secret.hash, user: "vera", opened: LiveStation.now, lastSeen: LiveStation.now, origin: "")
      try await station.book.openSession(session, by: .station)
      #expect(try await station.live.get("/", headers: ["Cookie": "mothlight=\(secret.text)"]).status == 303)
      #expect(try await station.live.get("/", headers: ["Cookie": "__Host-mothlight=\(secret.text)"]).status == 200)
    }
  }

  @Test func withoutUsersThisMachineIsLocal() async throws {
    try await LiveStation.run(users: false) { station async throws in
      let page = try await station.live.get("/")
      #expect(page.status == 200 && page.body.contains("<b>local</b>, admin"))
      #expect(try await station.live.get("/users").status == 200)
      try await station.book.addUser("alice", role: .admin, password: "$", by: .station, at: LiveStation.now)
      #expect(try await station.live.get("/").status == 303, "the first user closes the door")
    }
  }

  @Test func hostileWordsOfTheAuditAreEscaped() async throws {
    try await LiveStation.run(users: false) { station async throws in
      try await station.live.store.record(
        AuditEntry(
          time: LiveStation.now, actor: Actor(LiveStation.hostile, origin: LiveStation.hostile),
          action: LiveStation.hostile, subject: LiveStation.hostile, detail: LiveStation.hostile))
      let page = try await station.live.get("/audit")
      #expect(page.status == 200 && page.body.contains("&lt;script&gt;"))
      #expect(!page.body.contains("<script>alert") && !page.body.unicodeScalars.contains("\u{202e}"))
    }
  }
}
