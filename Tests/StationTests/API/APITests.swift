import Foundation
import Mothlight
import Testing

@testable import MothlightStation

@Suite struct APITests {
  private static let today = Timestamp.describe(day: LiveStation.today)

  @Test func hostsAreReadPageByPage() async throws {
    try await LiveStation.run { station async throws in
      var target = "/api/v1/hosts?limit=4"
      var hosts: [String] = []
      var pages = 0
      while pages < 10 {
        let reply = try await station.get(target)
        #expect(reply.status == 200 && reply.headers["content-type"] == "application/json")
        let json = try reply.json()
        let items = try #require(json["items"] as? [[String: Any]])
        hosts += items.compactMap { $0["host"] as? String }
        pages += 1
        guard let next = json["next"] as? String else { break }
        #expect(items.count == 4 && reply.headers["link"] == "<\(next)>; rel=\"next\"")
        target = next
      }
      #expect(pages == 3 && hosts.count == 11)
      #expect(Set(hosts).count == 10)
      #expect(hosts[0] == "192.0.2.10", "the worst first")
    }
  }

  @Test func hostsAreFiltered() async throws {
    try await LiveStation.run { station async throws in
      for (query, count) in [
        ("verdict=infected", 1), ("verdict=suspicious", 2), ("prefix=192.0.3.0/24", 9), ("botnet=Sality", 1),
        ("from=\(Self.today)", 10), ("to=\(Timestamp.describe(day: LiveStation.today - 1))", 1), ("new=true", 1),
        ("order=host&limit=1", 1), ("prefix=2001:db8::/32", 0),
      ] {
        let items = try await station.get("/api/v1/hosts?\(query)").json()["items"] as? [Any]
        #expect(items?.count == count, "\(query)")
      }
    }
  }

  @Test func oneHostIsTold() async throws {
    try await LiveStation.run { station async throws in
      let history = try await station.get("/api/v1/hosts/192.0.2.10").json()
      #expect((history["days"] as? [Any])?.count == 2)
      let day = try await station.get("/api/v1/hosts/192.0.2.10/days/\(Self.today)").json()
      #expect(day["verdict"] as? String == "infected")
      #expect(day["reason"] as? String == "because \(LiveStation.hostile)")
      let findings = try #require(day["findings"] as? [[String: Any]])
      let id = try #require(findings.first?["id"] as? String)
      let finding = try await station.get("/api/v1/findings/\(id)").json()
      #expect(finding["botnet"] as? String == "Sality")
      #expect(((finding["measures"] as? [[String: Any]])?.last?["value"]) is NSNull, "NaN is null")
      for missing in [
        "/api/v1/hosts/198.51.100.1", "/api/v1/hosts/192.0.2.10/days/2020-01-01",
        "/api/v1/findings/\(String(repeating: "0", count: 32))", "/api/v1/botnets/None", "/api/v1/cases/77",
        "/api/v1/census",
      ] {
        let reply = try await station.get(missing)
        #expect(reply.status == 404 && reply.isProblem, "\(missing)")
      }
    }
  }

  @Test func listsAreThere() async throws {
    try await LiveStation.run { station async throws in
      let botnets = try await station.get("/api/v1/botnets").json()["items"] as? [[String: Any]]
      #expect(botnets?.first?["botnet"] as? String == "Sality")
      #expect(try await station.get("/api/v1/botnets/sality").json()["registry"] is NSNull)
      #expect((try await station.get("/api/v1/findings?detector=beacon").json()["items"] as? [Any])?.count == 2)
      #expect((try await station.get("/api/v1/search?q=Sality").json()["items"] as? [Any])?.isEmpty == false)
      let overview = try await station.get("/api/v1/overview?days=3").json()
      #expect((overview["days"] as? [Any])?.count == 3 && overview["open_cases"] as? Int == 1)
      let sensors = try await station.get("/api/v1/sensors").json()
      #expect((sensors["sources"] as? [[String: Any]])?.first?["records"] as? Int == 1000)
      #expect(try await station.get("/api/v1/case-statistics").json()["cleaned"] as? Int == 0)
    }
  }

  /// Weeks after a capture was replayed, pages and API still tell of its last day.
  @Test func theDayIsThatOfTheFirstPage() async throws {
    let later = LiveStation.now.advanced(bySeconds: 40 * 86_400)
    try await LiveStation.run(clock: later) { station async throws in
      for (query, count) in [("", ShownDay.days), ("?days=1", 1)] {
        let overview = try await station.get("/api/v1/overview\(query)").json()
        let days = try #require(overview["days"] as? [[String: Any]])
        #expect(days.count == count && days.last?["day"] as? String == Self.today, "\(query)")
        #expect(days.last?["infected"] as? Int == 1 && (overview["flagged"] as? [Any])?.count == 1, "\(query)")
      }
      let botnets = try await station.get("/api/v1/botnets").json()["items"] as? [[String: Any]]
      #expect(botnets?.first?["botnet"] as? String == "Sality")
    }
    // Right after midnight it is yesterday, as on the page.
    let midnight = Timestamp(seconds: Int64(LiveStation.today + 1) * 86_400 + 1200)
    let store = try await LiveStation.filled()
    try await store.keep(
      [LiveStation.hostDay(LiveStation.bot, .notEnoughData, [], day: LiveStation.today + 1)], run: "2", at: midnight)
    try await LiveStation.run(store: store, clock: midnight) { station async throws in
      let days = try await station.get("/api/v1/overview?days=1").json()["days"] as? [[String: Any]]
      #expect(days?.last?["day"] as? String == Self.today)
    }
  }

  @Test func answersAreNotSentTwice() async throws {
    try await LiveStation.run { station async throws in
      let first = try await station.get("/api/v1/hosts")
      let tag = try #require(first.headers["etag"])
      #expect(tag.hasPrefix("\"") && tag.count == 34)
      for known in [tag, "\"x\", \(tag)", "W/\(tag)", "*"] {
        let again = try await station.get("/api/v1/hosts", headers: ["If-None-Match": known])
        #expect(again.status == 304 && again.body.isEmpty && again.headers["etag"] == tag)
      }
      #expect(try await station.get("/api/v1/hosts", headers: ["If-None-Match": "\"x\""]).status == 200)
      _ = try await station.live.store.keep(
        [LiveStation.hostDay(IPAddress(v4: 1), .noSign, [])], run: "2", at: LiveStation.now)
      let changed = try await station.get("/api/v1/hosts", headers: ["If-None-Match": tag])
      #expect(changed.status == 200 && changed.headers["etag"] != tag)
    }
  }

  @Test func listsAreStreamed() async throws {
    let store = MemoryStore()
    let many = (0..<1300).map { LiveStation.hostDay(IPAddress(v4: 0x0a00_0000 + UInt32($0)), .noSign, []) }
    try await store.keep(many, run: "1", at: LiveStation.now)
    try await LiveStation.run(store: store) { station async throws in
      let lines = ["Accept": "application/x-ndjson"]
      let reply = try await station.get("/api/v1/hosts", headers: lines)
      #expect(reply.status == 200 && reply.headers["content-type"] == "application/x-ndjson")
      let rows = reply.body.split(separator: "\n")
      #expect(rows.count == 1300, "three readings of the store")
      let hosts = try rows.map { row -> String in
        let object = try JSONSerialization.jsonObject(with: Data(row.utf8)) as? [String: Any]
        return object?["host"] as? String ?? ""
      }
      #expect(Set(hosts).count == 1300)
      #expect(try await station.get("/api/v1/hosts?limit=7", headers: lines).body.split(separator: "\n").count == 7)
      #expect(try await station.get("/api/v1/overview", headers: lines).status == 406)
    }
  }

  @Test func streamsAreFew() async throws {
    try await LiveStation.run(streams: 0) { station async throws in
      let reply = try await station.get("/api/v1/hosts", headers: ["Accept": "application/x-ndjson"])
      #expect(reply.status == 503 && reply.isProblem && reply.headers["retry-after"] == "10")
    }
  }

  @Test func casesAreChangedAndTakenBack() async throws {
    try await LiveStation.run { station async throws in
      let body = #"{"state":"cleaned","reason":"re-installed"}"#
      let changed = try await station.send("POST", "/api/v1/cases/1/state", as: .analyst, json: body)
      #expect(changed.status == 200)
      let record = try changed.json()
      #expect(record["state"] as? String == "cleaned")
      let last = try #require((record["changes"] as? [[String: Any]])?.last)
      #expect(last["actor"] as? String == "anna/test" && last["reason"] as? String == "re-installed")
      #expect(try await station.send("POST", "/api/v1/cases/1/state", as: .analyst, json: body).status == 409)
      let back = try await station.send("POST", "/api/v1/cases/1/undo", as: .analyst)
      #expect(try back.json()["state"] as? String == "open")
      #expect(try await station.send("POST", "/api/v1/cases/1/undo", as: .analyst).status == 409)
      #expect(try await station.send("POST", "/api/v1/cases/9/state", as: .analyst, json: body).status == 404)
      let open = #"{"host":"192.0.3.3","day":"\#(Self.today)","reason":"odd"}"#
      let made = try await station.send("POST", "/api/v1/cases", as: .analyst, json: open)
      #expect(made.status == 201)
      let place = try #require(made.headers["location"])
      #expect(try await station.get(place).json()["hosts"] as? [String] == ["192.0.3.3"])
      let audit = try await station.get("/api/v1/audit", as: .admin).json()["items"] as? [[String: Any]]
      #expect(audit?.compactMap { $0["action"] as? String } == ["case.open", "case.undo", "case.change"])
    }
  }

  @Test func allowRulesComeAndGo() async throws {
    try await LiveStation.run { station async throws in
      let body = #"{"rule":"name:*.example.org","reason":"our \"own\" mirror\u00e9"}"#
      let made = try await station.send("POST", "/api/v1/allow-rules", as: .analyst, json: body)
      #expect(made.status == 201)
      let rule = try made.json()
      #expect(
        rule["rule"] as? String == "name:*.example.org" && rule["reason"] as? String == "our \"own\" mirror\u{e9}")
      let place = try #require(made.headers["location"])
      #expect((try await station.get("/api/v1/allow-rules").json()["items"] as? [Any])?.count == 1)
      #expect(try await station.send("DELETE", place, as: .analyst).json()["has_ended"] as? Bool == true)
      #expect(try await station.send("DELETE", place, as: .analyst).json()["has_ended"] as? Bool == false)
      #expect(try await station.send("DELETE", "/api/v1/allow-rules/999", as: .analyst).status == 404)
      let wrong = try await station.send(
        "POST", "/api/v1/allow-rules", as: .analyst, json: #"{"rule":"anything","reason":"x"}"#)
      #expect(wrong.status == 400 && wrong.body.contains("is no allow rule"))
    }
  }

  @Test func aChangeIsDoneOnce() async throws {
    try await LiveStation.run { station async throws in
      let key = ["Idempotency-Key": "abc-1"]
      let body = #"{"rule":"name:a.example","reason":"x"}"#
      func add(_ body: String, as role: Role = .analyst, _ key: [String: String]) async throws -> PageReply {
        try await station.send("POST", "/api/v1/allow-rules", as: role, json: body, headers: key)
      }
      let first = try await add(body, key)
      let second = try await add(body, key)
      #expect(first.status == 201 && second.status == 201 && first.body == second.body)
      #expect(second.headers["location"] == first.headers["location"])
      #expect((try await station.get("/api/v1/allow-rules").json()["items"] as? [Any])?.count == 1)
      #expect(try await add(#"{"rule":"name:b.example","reason":"x"}"#, key).status == 422)
      #expect(try await add(body, as: .admin, key).status == 201, "another's key is another key")
      #expect(try await add(body, ["Idempotency-Key": "a b"]).status == 400)
      // What failed may be tried again.
      let wrong = ["Idempotency-Key": "abc-2"]
      #expect(try await add(#"{"rule":"nothing","reason":"x"}"#, wrong).status == 400)
      #expect(try await add(#"{"rule":"nothing","reason":"x"}"#, wrong).status == 400)
    }
  }

  @Test func idempotencyTableIsBounded() {
    let table = IdempotencyTable(most: 2)
    func key(_ n: Int) -> IdempotencyTable.Key { .init(actor: "a", text: "\(n)") }
    let answer = IdempotencyTable.Answer(status: 200, place: nil)
    func word(_ n: Int, _ request: String = "x", at seconds: Double = 0) -> String {
      let finding = table.begin(key(n), request: Array(request.utf8), at: LiveStation.now.advanced(bySeconds: seconds))
      return "\(finding)".prefix { $0 != "(" }.description
    }
    #expect(word(1) == "new" && word(1) == "running" && word(2) == "new")
    #expect(word(3) == "full", "both are running")
    table.keep(key(1), answer)
    #expect(word(1) == "known" && word(1, "y") == "other")
    #expect(word(3) == "new", "the oldest answer went")
    #expect(word(1) == "full")
    table.drop(key(2))
    #expect(word(1) == "new")
    table.keep(key(1), answer)
    #expect(word(1, at: 86_401) == "new", "a day later it is forgotten")
  }
}
