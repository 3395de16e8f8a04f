import Foundation
import Mothlight
import Testing

@testable import MothlightStation

/// What nobody with good intentions sends. Every answer is a problem with one line, and the server goes on.
@Suite struct HostileRequestTests {
  @Test(arguments: [
    ("/api/v1/hosts?limt=5", "limt"), ("/api/v1/hosts?limit=0", "limit"), ("/api/v1/hosts?limit=1001", "limit"),
    ("/api/v1/hosts?limit=05", "limit"), ("/api/v1/hosts?limit=1e2", "limit"), ("/api/v1/hosts?limit", "limit"),
    ("/api/v1/hosts?limit=5&limit=6", "limit"), ("/api/v1/hosts?verdict=clean", "verdict"),
    ("/api/v1/hosts?prefix=10.0.0.0/33", "prefix"), ("/api/v1/hosts?prefix=fe80::1%25eth0", "prefix"),
    ("/api/v1/hosts?from=2026-02-30", "from"), ("/api/v1/hosts?from=2026-02-02&to=2026-02-01", "from"),
    ("/api/v1/hosts?new=1", "new"), ("/api/v1/hosts?botnet=", "botnet"), ("/api/v1/hosts?botnet=%00", "botnet"),
    ("/api/v1/hosts?botnet=%zz", "botnet"), ("/api/v1/hosts?botnet=%ff", "botnet"),
    ("/api/v1/hosts?cursor=a%20b", "cursor"),
    ("/api/v1/hosts/999.1.1.1", "address"), ("/api/v1/hosts/192.0.2.10/days/yesterday", "date"),
    ("/api/v1/findings/xyz", "id"), ("/api/v1/search", "q"), ("/api/v1/botnets/%c3%28", "name"),
    ("/api/v1/hosts?%3Cscript%3E=1", "%3Cscript%3E"),
  ])
  func wrongParametersAreNamed(_ target: String, _ name: String) async throws {
    try await LiveStation.run { station async throws in
      let reply = try await station.get(target)
      #expect(reply.status == 400 && reply.isProblem)
      let problem = try reply.json()
      #expect((problem["detail"] as? String)?.contains("'\(name)'") == true)
      #expect(problem["status"] as? Int == 400)
      #expect((problem["type"] as? String)?.hasPrefix("urn:mothlight:problem:") == true)
    }
  }

  @Test func wrongPlacesAndMethodsAreProblems() async throws {
    try await LiveStation.run { station async throws in
      for (method, target, status, allow) in [
        ("GET", "/api", 404, nil), ("GET", "/api/v1", 404, nil), ("GET", "/api/v2/hosts", 404, nil),
        ("GET", "/api/v1/nothing", 404, nil), ("GET", "/api/v1/hosts/a/b/c/d/e", 404, nil),
        ("POST", "/api/v1/hosts", 405, "GET, HEAD"), ("DELETE", "/api/v1/cases/1", 405, "GET, HEAD"),
        ("PUT", "/api/v1/allow-rules", 405, "GET, HEAD, POST"), ("GET", "/api/v1/allow-rules/1", 405, "DELETE"),
        ("OPTIONS", "/api/v1/hosts", 405, "GET, HEAD"), ("TRACE", "/api/v1/hosts", 405, "GET, HEAD"),
        ("PATCH", "/api/v1/cases/1/state", 405, "POST"),
      ] as [(String, String, Int, String?)] {
        let reply = try await station.send(method, target)
        #expect(reply.status == status && reply.isProblem, "\(method) \(target)")
        #expect(reply.headers["allow"] == allow, "\(method) \(target)")
        #expect(reply.headers["access-control-allow-origin"] == nil)
      }
      let head = try await station.send("HEAD", "/api/v1/hosts")
      #expect(head.status == 200 && head.body.isEmpty && head.headers["etag"] != nil)
    }
  }

  @Test(arguments: [
    "/api/v1/../v1/audit", "/api/v1/%2e%2e/audit", "/api/v1/hosts/..%2f..%2faudit", "/api/v1/hosts/%2e%2e/",
    "/static/../../etc/passwd", "/static/%2e%2e%2fapp.js", "/api/v1/./audit",
  ])
  func pathsLeadNowhereElse(_ target: String) async throws {
    try await LiveStation.run { station async throws in
      let reply = try await station.get(target, as: .admin)
      #expect([400, 404].contains(reply.status))
      #expect(!reply.body.contains("\"items\"") && !reply.body.contains("root:"))
    }
  }

  /// Slashes too many change nothing about who may.
  @Test(arguments: ["//api/v1/audit", "/api//v1/audit", "/api/v1/audit/", "/api/v1//audit"])
  func slashesAreNoWayAround(_ target: String) async throws {
    try await LiveStation.run { station async throws in
      #expect(try await station.get(target, as: nil).status != 200)
      #expect(try await station.get(target, as: .viewer).status != 200)
    }
  }

  @Test func tokensAreTakenInOneFormOnly() async throws {
    try await LiveStation.run { station async throws in
      let token = station.tokens[.admin] ?? ""
      for header in [
        "Bearer", "Bearer ", "Basic \(token)", token, "Bearer \(token) x", "Bearer \(token)A", "Bearer mothlight_",
        "Bearer \(token.dropLast())", "Bearer \(Secret().token)", "Bearer " + String(repeating: "A", count: 5000),
      ] {
        let reply = try await station.get("/api/v1/audit", as: nil, headers: ["Authorization": header])
        #expect(reply.status == 401 && reply.isProblem)
        #expect(reply.headers["www-authenticate"] == "Bearer realm=\"mothlight\"")
        #expect(!reply.body.contains(token))
      }
      #expect(
        try await station.get("/api/v1/audit", as: nil, headers: ["Authorization": "bearer \(token)"]).status == 200)
      #expect(
        try await station.get("/api/v1/audit?token=\(token)", as: nil).status == 401,
        "not in addresses, which are logged")
      #expect(try await station.get("/api/v1/audit", as: nil, headers: ["Cookie": "mothlight=\(token)"]).status == 401)
    }
  }

  /// A cookie travels with requests of which its user knows nothing: it reads, and changes nothing.
  @Test func cookiesReadAndTokensChange() async throws {
    try await LiveStation.run { station async throws in
      let (_, cookie) = try await station.logIn("boss")
      let headers = ["Cookie": "mothlight=\(try #require(cookie))"]
      #expect(try await station.get("/api/v1/audit", as: nil, headers: headers).status == 200)
      let body = #"{"rule":"name:a.example","reason":"x"}"#
      let reply = try await station.send("POST", "/api/v1/allow-rules", as: nil, json: body, headers: headers)
      #expect(reply.status == 401 && reply.body.contains("needs a token"))
      // A token that is wrong is not made up for by a cookie that is right.
      let both = headers.merging(["Authorization": "Bearer \(Secret().token)"]) { $1 }
      #expect(try await station.get("/api/v1/hosts", as: nil, headers: both).status == 401)
    }
  }

  @Test func otherSitesChangeNothingOnThisMachine() async throws {
    try await LiveStation.run(users: false) { station async throws in
      let body = #"{"rule":"name:a.example","reason":"x"}"#
      func status(_ headers: [String: String], _ json: String = body) async throws -> Int {
        try await station.send("POST", "/api/v1/allow-rules", as: nil, json: json, headers: headers).status
      }
      #expect(try await status(["Origin": "https://evil.example"]) == 403)
      #expect(try await status(["Origin": "null"]) == 403)
      #expect(try await status(["Sec-Fetch-Site": "cross-site"]) == 403)
      #expect(try await status(["Sec-Fetch-Site": "same-site"]) == 403)
      for type in [
        "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/json",
        "application/json; charset=latin1",
      ] {
        #expect(try await status(["Content-Type": type]) == 415)
      }
      #expect(try await status(["Host": "evil.example"]) == 421)
      #expect(try await status([:]) == 201, "a program of this machine")
      #expect(
        try await status([
          "Origin": "http://127.0.0.1:\(station.live.port)", "Content-Type": "application/json; charset=UTF-8",
        ]) == 201)
    }
  }

  @Test(arguments: [
    "", "[]", "null", "\"x\"", "{", "{}", #"{"rule":"name:a.example"}"#, #"{"rule":1,"reason":"x"}"#,
    #"{"rule":"name:a.example","reason":"x","more":"y"}"#, #"{"rule":"name:a.example","rule":"name:b","reason":"x"}"#,
    #"{"rule":{"a":"b"},"reason":"x"}"#, #"{"rule":"name:a.example","reason":"x"} {}"#,
    #"{"rule":"name:a.example","reason":"\ud800"}"#, #"{"rule":"name:a.example","reason":"\u0000"}"#,
    #"{"rule":"name:a.example","reason":""}"#, #"{'rule':'name:a.example','reason':'x'}"#,
    #"{"rule":"name:a.example","reason":"x",}"#, #"{"rule":"name:a.example","reason":"x"/**/}"#,
    #"{"__proto__":"x","rule":"name:a.example","reason":"x"}"#,
  ])
  func wrongBodiesAreRefused(_ json: String) async throws {
    try await LiveStation.run { station async throws in
      let reply = try await station.send("POST", "/api/v1/allow-rules", as: .analyst, json: json)
      #expect(reply.status == 400 && reply.isProblem)
      #expect((try await station.get("/api/v1/allow-rules").json()["items"] as? [Any])?.isEmpty == true)
    }
  }

  /// Deep or long JSON costs one pass over what the limit lets in.
  @Test func jsonBombsAreSmall() async throws {
    try await LiveStation.run { station async throws in
      let deep = String(repeating: "[", count: 16_000)
      #expect(try await station.send("POST", "/api/v1/allow-rules", as: .analyst, json: deep).status == 400)
      let nested = String(repeating: #"{"rule":"#, count: 1500)
      #expect(try await station.send("POST", "/api/v1/allow-rules", as: .analyst, json: nested).status == 400)
      let long = #"{"rule":"name:a.example","reason":""# + String(repeating: "x", count: 20_000) + "\"}"
      let reply = try await station.send("POST", "/api/v1/allow-rules", as: .analyst, json: long)
      #expect(reply.status == 413 && reply.isProblem)
      let zipped = try await station.send(
        "POST", "/api/v1/allow-rules", as: .analyst, json: #"{"rule":"name:a.example","reason":"x"}"#,
        headers: ["Content-Encoding": "gzip"])
      #expect(zipped.status == 415)
      #expect(try await station.get("/api/v1/hosts").status == 200)
    }
  }

  /// A body without a length is bounded while it is read.
  @Test func chunkedBodiesAreBounded() async throws {
    try await LiveStation.run { station async throws in
      let chunk = "1000\r\n" + String(repeating: "x", count: 4096) + "\r\n"
      let reply = try await station.live.raw(
        "POST /api/v1/allow-rules HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
          + "Authorization: Bearer \(station.tokens[.analyst] ?? "")\r\nTransfer-Encoding: chunked\r\n\r\n"
          + String(repeating: chunk, count: 5) + "0\r\n\r\n")
      #expect(reply.status == 413)
    }
  }

  /// Two readers must not disagree on where a request ends (RFC 9112 section 6.3).
  @Test(arguments: [
    "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 5\r\nContent-Length: 6\r\n",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "Transfer-Encoding: xchunked\r\n",
    "Content-Length: +5\r\n", "Content-Length: 5, 6\r\n", "Content-Length : 5\r\n", " Content-Length: 5\r\n",
  ])
  func requestsAreNotSmuggled(_ lines: String) async throws {
    try await LiveStation.run(users: false) { station async throws in
      let smuggled = "GET /api/v1/audit HTTP/1.1\r\nHost: localhost\r\n\r\n"
      let reply = try await station.live.raw(
        "POST /api/v1/allow-rules HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\(lines)\r\n0\r\n\r\n\(smuggled)",
        seconds: 2)
      #expect(reply.status >= 400 || reply.status == 0)
      #expect(!reply.body.contains("\"items\""), "the second request was never one")
    }
  }

  @Test func methodsAreNotOverridden() async throws {
    try await LiveStation.run { station async throws in
      for header in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        let reply = try await station.send(
          "GET", "/api/v1/allow-rules?limit=1", as: .analyst, headers: [header: "POST"])
        #expect(reply.status == 200)
        #expect(
          try await station.send("POST", "/api/v1/allow-rules/1", as: .analyst, json: "{}", headers: [header: "DELETE"])
            .status == 405)
      }
      #expect(try await station.get("/api/v1/allow-rules?_method=DELETE").status == 400)
    }
  }

  @Test func headersOfProxiesTellNothing() async throws {
    try await LiveStation.run { station async throws in
      let claims = [
        "X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1", "X-Real-IP": "127.0.0.1",
        "X-Forwarded-User": "boss",
      ]
      #expect(try await station.get("/api/v1/audit", as: nil, headers: claims).status == 401)
      let reply = try await station.send(
        "POST", "/api/v1/allow-rules", as: .analyst, json: #"{"rule":"name:a.example","reason":"x"}"#,
        headers: ["X-Forwarded-For": "203.0.113.9"])
      #expect(reply.status == 201)
      let audit = try await station.live.store.audit(after: nil, limit: 1).rows
      #expect(audit.first?.actor.origin == "127.0.0.1")
    }
  }

  @Test func nobodyIsSlowedDownAfterManyMisses() async throws {
    try await LiveStation.run { station async throws in
      var statuses: [Int: Int] = [:]
      for _ in 0..<130 { statuses[try await station.get("/api/v1/hosts", as: nil).status, default: 0] += 1 }
      #expect(statuses == [401: 120, 429: 10])
      let reply = try await station.get("/api/v1/hosts", as: nil)
      #expect(reply.isProblem && reply.headers["retry-after"] == "60")
    }
  }

  @Test func formatsThatAreNotThereAreRefused() async throws {
    try await LiveStation.run { station async throws in
      for (accept, status) in [
        ("text/html", 406), ("application/xml, text/csv", 406), ("application/json;q=0", 406), ("*/*", 200),
        ("text/html, application/json;q=0.5", 200), ("application/*", 200), ("", 406),
      ] {
        let reply = try await station.get("/api/v1/overview", headers: ["Accept": accept])
        #expect(reply.status == status, "\(accept)")
        if status == 406 { #expect(reply.isProblem) }
      }
    }
  }

  @Test func troubleOfTheStoreIsAProblem() async throws {
    try await LiveStation.run { station async throws in
      for (code, status) in [
        (StoreError.Code.full, 503), (.busy, 503), (.damaged, 503), (.unknown, 500), (.refused, 409), (.absent, 404),
      ] {
        await station.live.store.fail(with: StoreError(code, "/secret/place: no such table"))
        let reply = try await station.get("/api/v1/hosts")
        #expect(reply.status == status && reply.isProblem)
        if code == .unknown { #expect(!reply.body.contains("secret")) }
      }
      await station.live.store.fail(with: nil)
      #expect(try await station.get("/api/v1/hosts").status == 200)
    }
  }
}
