import Foundation
import Mothlight
import Testing

@testable import MothlightStation

/// Forms: what they change, and what they refuse.
@Suite struct ActionTests {
  /// Somebody with a role, known by nothing but that.
  struct Roles: Gatekeeper {
    let role: Role
    func admit(_ knock: Knock) async -> Admission {
      .visitor(Visitor(name: "t", role: role, csrfToken: "token", origin: "127.0.0.1"))
    }
  }

  private static let rule = [("csrf", "token"), ("rule", "name:*.updates.example"), ("reason", "our own")]

  private func analyst<T: Sendable>(_ body: @Sendable (LiveDashboard) async throws -> T) async throws -> T {
    try await PagesTests.demo(access: Roles(role: .analyst), body)
  }

  @Test func aRuleIsAddedShownAndEnded() async throws {
    try await analyst { live in
      let before = try await live.store.allowRules().count
      let added = try await live.post("/allow", Self.rule)
      #expect(added.status == 303 && added.headers["location"] == "/allow?done=rule-added")
      let rules = try await live.store.allowRules()
      let new = try #require(rules.last)
      #expect(
        rules.count == before + 1 && new.rule == .name("*.updates.example")
          && new.actor == Actor("t", origin: "127.0.0.1"))
      let page = try await live.get("/allow?done=rule-added").body
      #expect(page.contains("name:*.updates.example") && page.contains("The rule holds from the next judging on."))
      let ended = try await live.post("/allow/\(new.number)/end", [("csrf", "token")])
      #expect(ended.status == 303)
      #expect(try await live.store.allowRules().count == before)
    }
  }

  @Test func aHostPageOffersTheNarrowestRuleFirst() async throws {
    try await analyst { live in
      let page = try await live.get("/hosts/10.20.7.22").body
      let pair = try #require(page.range(of: "value=\"pair:10.20.7.22/32&gt;203.0.113.9/32\""))
      let source = try #require(page.range(of: "value=\"source:10.20.7.22/32\""))
      #expect(pair.lowerBound < source.lowerBound)
      let fields = [
        ("csrf", "token"), ("rule", "pair:10.20.7.22/32>203.0.113.9/32"), ("reason", "x"),
        ("back", "/hosts/10.20.7.22"),
      ]
      #expect(try await live.post("/allow", fields).headers["location"] == "/hosts/10.20.7.22?done=rule-added")
      #expect(try await live.get("/hosts/10.20.7.22").body.contains("Kept out from now on by"))
    }
  }

  @Test func aWrongRuleComesBackWithItsText() async throws {
    try await analyst { live in
      let reply = try await live.post("/allow", [("csrf", "token"), ("rule", "everything"), ("reason", "lazy")])
      #expect(reply.status == 422)
      #expect(
        reply.body.contains("is no allow rule") && reply.body.contains("value=\"everything\"")
          && reply.body.contains("value=\"lazy\""))
    }
  }

  @Test func aCaseChangesAndTheChangeIsTakenBack() async throws {
    try await analyst { live in
      let change = [("csrf", "token"), ("to", "false_alarm"), ("reason", "a lab machine")]
      #expect(try await live.post("/cases/3/state", change).headers["location"] == "/cases/3?done=case-changed")
      let page = try await live.get("/cases/3?done=case-changed").body
      #expect(page.contains("So that it does not come back") && page.contains("a lab machine"))
      #expect(try await live.post("/cases/3/undo", [("csrf", "token")]).status == 303)
      #expect(try await live.store.case(3)?.summary.state == .acknowledged)
      #expect(try await live.get("/cases/3").body.contains("taken back"))
    }
  }

  @Test func aCaseIsOpenedByHand() async throws {
    try await analyst { live in
      let fields = [("csrf", "token"), ("host", "10.20.3.15"), ("day", "2026-03-02"), ("reason", "odd server")]
      let reply = try await live.post("/cases", fields)
      let path = try #require(reply.headers["location"])
      #expect(reply.status == 303 && path.hasPrefix("/cases/"))
      #expect(try await live.get(path).body.contains("10.20.3.15"))
    }
  }

  @Test func withoutAReasonNothingChanges() async throws {
    try await analyst { live in
      let fields = [("csrf", "token"), ("to", "cleaned"), ("reason", "  ")]
      let reply = try await live.post("/cases/3/state", fields)
      #expect(reply.status == 400)
      let state = try await live.store.case(3)?.summary.state
      #expect(state == .acknowledged)
    }
  }

  /// A form without its token, with another's, in another dress, or from another site: refused before anything is done.
  @Test func forgedFormsAreRefused() async throws {
    try await analyst { live in
      let before = try await live.store.allowRules()
      let paths = ["/allow", "/allow/1/end", "/cases", "/cases/3/state", "/cases/3/undo", "/theme"]
      for path in paths {
        #expect(try await live.post(path, Array(Self.rule.dropFirst())).status == 403, "no token: \(path)")
        #expect(
          try await live.post(path, [("csrf", "tokem")] + Self.rule.dropFirst()).status == 403, "wrong token: \(path)")
        let site = try await live.post(path, Self.rule, headers: ["Sec-Fetch-Site": "cross-site"])
        #expect(site.status == 403, "another site: \(path)")
        let dress = try await live.send(
          "POST", path, headers: ["Content-Type": "text/plain"], body: "csrf=token&rule=name:x&reason=y")
        #expect(dress.status == 415, "another type: \(path)")
        #expect(
          try await live.get(path + "?csrf=token&rule=name:x&reason=y").status != 303, "a GET changes nothing: \(path)")
      }
      #expect(try await live.store.allowRules() == before)
      #expect(try await live.store.case(3)?.summary.state == .acknowledged)
    }
  }

  @Test func aViewerReadsAndNoMore() async throws {
    try await PagesTests.demo(access: Roles(role: .viewer)) { live in
      let before = try await live.store.allowRules()
      for path in ["/allow", "/hosts/10.20.7.22", "/cases/3"] {
        let page = try await live.get(path)
        #expect(page.status == 200 && !page.body.contains("class=\"do"), "no buttons that do not work: \(path)")
      }
      for path in ["/allow", "/allow/1/end", "/cases", "/cases/3/state", "/cases/3/undo"] {
        #expect(try await live.post(path, Self.rule + [("to", "cleaned")]).status == 403, "\(path)")
      }
      #expect(try await live.get("/audit").status == 403)
      #expect(try await live.store.allowRules() == before)
    }
    let audit = try await analyst { try await $0.get("/audit") }
    #expect(audit.status == 403)
  }

  @Test(arguments: ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "/a\r\nX: y", ""])
  func noFormLeadsElsewhere(_ back: String) async throws {
    let reply = try await analyst { try await $0.post("/theme", [("csrf", "token"), ("to", "dark"), ("back", back)]) }
    #expect(reply.status == 303 && reply.headers["location"] == "/")
    #expect(reply.headers["set-cookie"]?.hasPrefix("theme=dark; Path=/;") == true)
    #expect(reply.headers["x"] == nil)
  }

  @Test func aChosenThemeStays() async throws {
    let page = try await analyst { try await $0.get("/hosts", headers: ["Cookie": "theme=dark"]) }.body
    #expect(page.contains("<html lang=\"en\" data-theme=\"dark\">"))
    let odd = try await analyst { try await $0.get("/hosts", headers: ["Cookie": "theme=\"><b>"]) }.body
    #expect(odd.contains("<html lang=\"en\">"))
  }
}
