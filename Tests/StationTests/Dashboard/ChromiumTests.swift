import Foundation
import Mothlight
import Testing

@testable import MothlightStation

/// Pages as a browser shows them: in light and dark, at a desk and on a phone. Pictures stay in `.build/screenshots`.
@Suite(.serialized, .enabled(if: Chromium.path != nil, "needs Debian's package chromium"))
struct ChromiumTests {
  private static let pages: [(name: String, path: String)] = [
    ("today", "/"), ("hosts", "/hosts"), ("host", "/hosts/10.20.4.37"), ("findings", "/findings"),
    ("botnets", "/botnets"),
    ("botnet", "/botnets/Mariposa%2FBFBot"), ("networks", "/networks"), ("network", "/networks/NL"),
    ("cases", "/cases?state=all"),
    ("case", "/cases/3"), ("allow", "/allow"), ("sensors", "/sensors"), ("census", "/census"),
    ("search", "/search?q=10.20.7"),
    ("about", "/about"), ("audit", "/audit"),
  ]

  static func folder() throws -> URL {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<4 { url.deleteLastPathComponent() }
    url.appendPathComponent(".build/screenshots")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    return url
  }

  /// What is wrong with a page for those who use a keyboard, a reader, or weak eyes (WCAG 2.2: 1.3.1, 1.4.3, 2.4.1, 4.1.2).
  private static let audit = """
    (() => {
      const out = [], seen = e => e.getClientRects().length > 0 && getComputedStyle(e).visibility !== 'hidden';
      for (const e of document.querySelectorAll('input:not([type=hidden]),select'))
        if (!e.labels.length && !e.getAttribute('aria-label')) out.push('no label: ' + e.outerHTML.slice(0, 80));
      for (const e of document.querySelectorAll('thead th')) if (e.scope !== 'col') out.push('no scope: ' + e.outerHTML);
      for (const e of document.querySelectorAll('main svg[role=img]')) if (!e.querySelector('title')) out.push('no title: svg');
      for (const e of document.querySelectorAll('[aria-labelledby]'))
        for (const id of e.getAttribute('aria-labelledby').split(' ')) if (!document.getElementById(id)) out.push('no such label: ' + id);
      const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
      for (const id of new Set(ids.filter((id, i) => ids.indexOf(id) !== i))) out.push('twice: #' + id);
      if (document.querySelectorAll('h1').length !== 1) out.push('headings of the first level: ' + document.querySelectorAll('h1').length);
      if (!document.querySelector('main') || !document.querySelector('nav[aria-label]') || !document.querySelector('a.skip')) out.push('landmarks');
      const rgb = c => (c.match(/[\\d.]+/g) || []).map(Number);
      const light = ([r, g, b]) => { const f = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
      const ground = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
      const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), done = new Set();
      while (walk.nextNode()) {
        const e = walk.currentNode.parentElement;
        if (!walk.currentNode.data.trim() || done.has(e) || e.closest('svg,.vh,.skip,script,dialog,option') || !seen(e)) continue;
        done.add(e);
        const a = light(rgb(getComputedStyle(e).color)), b = light(ground(e));
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) out.push('contrast ' + ratio.toFixed(2) + ': ' + e.outerHTML.slice(0, 90));
      }
      return out.slice(0, 12).join('\\n');
    })()
    """

  @Test(.timeLimit(.minutes(3))) func everyPageInBothThemesAndOnAPhone() async throws {
    let found = try await PagesTests.demo { live in
      let port = live.port
      return try await Chromium.work {
        let browser = try Chromium()
        let folder = try Self.folder()
        var found: [String] = []
        for (width, scheme, mark) in [(1280, "light", ""), (1280, "dark", "-dark"), (390, "light", "-phone")] {
          try browser.size(width, width < 600 ? 800 : 900)
          try browser.prefer(scheme)
          for page in Self.pages {
            let name = page.name + mark
            found += try browser.open("http://127.0.0.1:\(port)\(page.path)").map { "\(name): \($0)" }
            let wide = try browser.evaluate("document.documentElement.scrollWidth") as? Int ?? 0
            if wide > width { found.append("\(name): \(wide) px wide") }
            let dark = try browser.evaluate("getComputedStyle(document.body).backgroundColor") as? String
            if (dark == "rgb(21, 24, 27)") != (scheme == "dark") { found.append("\(name): ground \(dark ?? "none")") }
            let audit = try browser.evaluate(Self.audit) as? String ?? "no audit"
            if !audit.isEmpty { found.append("\(name): \(audit)") }
            try browser.picture(to: folder.appendingPathComponent("\(name).png"))
          }
        }
        return found
      }
    }
    #expect(found == [])
  }

  /// The pages around users: logging in, one's account, all users. Logged in as a person does it.
  @Test(.timeLimit(.minutes(3))) func pagesOfUsersInBothThemesAndOnAPhone() async throws {
    let found = try await LiveStation.run { station in
      let port = station.live.port
      return try await Chromium.work {
        let browser = try Chromium()
        let folder = try Self.folder()
        var found: [String] = []
        for (width, scheme, mark) in [(1280, "light", ""), (1280, "dark", "-dark"), (390, "light", "-phone")] {
          try browser.size(width, width < 600 ? 800 : 900)
          try browser.prefer(scheme)
          func look(_ name: String, _ complaints: [String]) throws {
            found += complaints.map { "\(name)\(mark): \($0)" }
            let wide = try browser.evaluate("document.documentElement.scrollWidth") as? Int ?? 0
            if wide > width { found.append("\(name)\(mark): \(wide) px wide") }
            let audit = (try browser.evaluate(Self.audit) as? String ?? "no audit").split(separator: "\n")
              // There is nowhere to go before one is known.
              .filter { name != "log-in" || $0 != "landmarks" }
            found += audit.map { "\(name)\(mark): \($0)" }
            try browser.picture(to: folder.appendingPathComponent("\(name)\(mark).png"))
          }
          try look("log-in", try browser.open("http://127.0.0.1:\(port)/log-in"))
          _ = try browser.evaluate(
            "document.getElementById('name').value = 'boss'; document.getElementById('password').value = '\(LiveStation.password)'; document.querySelector('form.act button').click(); 0"
          )
          let end = Date().addingTimeInterval(20)
          while Date() < end,
            (try? browser.evaluate("location.pathname === '/' && document.readyState === 'complete'")) as? Bool != true
          {
            usleep(50_000)
          }
          try look("account", try browser.open("http://127.0.0.1:\(port)/account"))
          if try browser.evaluate("document.body.innerText.includes('You are boss')") as? Bool != true {
            found.append("account\(mark): nobody is logged in")
          }
          try look("users", try browser.open("http://127.0.0.1:\(port)/users"))
          // Out again, for the next round.
          _ = try browser.evaluate("document.querySelector('footer form[action=\"/log-out\"] button').click(); 0")
          while Date() < end,
            (try? browser.evaluate("location.pathname === '/log-in' && document.readyState === 'complete'")) as? Bool
              != true
          {
            usleep(50_000)
          }
        }
        return found
      }
    }
    #expect(found == [])
  }

  /// The first page and a host's page on paper: nothing of the screen's furniture, nothing cut off. The sheets stay beside the pictures.
  @Test(.timeLimit(.minutes(2))) func pagesArePrinted() async throws {
    let sheets = try await PagesTests.demo { live in
      let port = live.port
      return try await Chromium.work {
        let browser = try Chromium()
        let folder = try Self.folder()
        try browser.size(1280, 900)
        var sheets: [String: Int] = [:]
        for (name, path) in [("today", "/"), ("host", "/hosts/10.20.4.37")] {
          _ = try browser.open("http://127.0.0.1:\(port)\(path)")
          let reply = try browser.call(
            "Page.printToPDF", ["printBackground": false, "paperWidth": 8.27, "paperHeight": 11.69])
          let octets = try #require((reply["data"] as? String).flatMap { Data(base64Encoded: $0) })
          try octets.write(to: folder.appendingPathComponent("\(name).pdf"))
          _ = try browser.call("Emulation.setEmulatedMedia", ["media": "print"])
          // A sheet of A4 between its margins.
          try browser.size(718, 1000)
          let seen = try browser.evaluate(
            "[...document.querySelectorAll('nav, form, dialog, .search, .pager, button')].filter(e => e.getClientRects().length > 0).length"
          )
          sheets["\(name) furniture"] = seen as? Int
          sheets["\(name) too wide"] = max(
            0, (try browser.evaluate("document.documentElement.scrollWidth") as? Int ?? 999) - 718)
          sheets["\(name) marked"] =
            try browser.evaluate(
              "[...document.querySelectorAll('.tlp')].filter(e => e.getClientRects().length > 0).length") as? Int
          _ = try browser.call("Emulation.setEmulatedMedia", ["media": ""])
          try browser.size(1280, 900)
        }
        return sheets
      }
    }
    #expect(
      sheets == [
        "today furniture": 0, "today too wide": 0, "today marked": 2, "host furniture": 0, "host too wide": 0,
        "host marked": 2,
      ])
  }

  /// A script that came through would set `window.alert` off; the policy would say so on the console as well.
  @Test(.timeLimit(.minutes(2))) func hostileTextRunsNothing() async throws {
    let found = try await LiveDashboard.run(
      store: HostileStation.store(), registry: HostileStation.Registry(),
      census: DemoCensus.Shelf(botnet: HostileStation.text), networks: HostileStation.Networks(),
      board: HostileStation.board(), clock: DemoStation.now
    ) { live in
      let port = live.port
      return try await Chromium.work {
        let browser = try Chromium()
        _ = try browser.call(
          "Page.addScriptToEvaluateOnNewDocument", ["source": "window.alert = () => { window.hit = true }"])
        var found: [String] = []
        let name = Form.encoded(HostileStation.text)
        for path in [
          "/", "/hosts/10.9.9.9", "/botnets/\(name)", "/cases/1", "/allow", "/sensors", "/networks",
          "/search?q=\(name)", "/audit", "/census",
        ] {
          found += try browser.open("http://127.0.0.1:\(port)\(path)").map { "\(path): \($0)" }
          if try browser.evaluate("window.hit === true || document.querySelector('main img, main script') !== null")
            as? Bool != false
          {
            found.append("\(path): ran")
          }
        }
        return found
      }
    }
    #expect(found == [])
  }

  @Test(.timeLimit(.minutes(2))) func keysLiveUpdatesAndThemes() async throws {
    let found = try await PagesTests.demo { live in
      let port = live.port
      let browser = try await Chromium.work { try Box(Chromium()) }
      let before = try await Chromium.work { try Self.walkByKeys(browser.value, port) }
      var late = DemoStation.hostDays(back: 0).filter { $0.verdict == .infected }
      late[0].host = DemoStation.address("10.20.15.1")
      try await live.store.keep([late[0]], run: "late", at: DemoStation.now)
      live.board.publish(.judged(day: DemoStation.lastDay, changed: 1))
      return try await Chromium.work { before + (try Self.seeTheChange(browser.value, port)) }
    }
    #expect(found == [])
  }

  /// Handed from one thread to the next, never used by two.
  private final class Box: @unchecked Sendable {
    let value: Chromium
    init(_ value: Chromium) { self.value = value }
  }

  private static func walkByKeys(_ browser: Chromium, _ port: Int) throws -> [String] {
    var found: [String] = []
    func expect(_ expression: String, _ what: String) throws {
      let end = Date().addingTimeInterval(10)
      while Date() < end {
        // A page that is just being left cannot be asked.
        if (try? browser.evaluate(expression)) as? Bool == true { return }
        usleep(50_000)
      }
      found.append(what)
    }
    _ = try browser.open("http://127.0.0.1:\(port)/")
    try browser.press("g")
    try browser.press("h")
    try expect("location.pathname === '/hosts' && document.readyState === 'complete'", "g h leads to the hosts")
    try browser.press("j")
    try expect("document.activeElement.matches('tbody th a')", "j goes to a row")
    try browser.press("/")
    try expect("document.activeElement.id === 'q'", "/ goes to the search")
    try browser.press("Escape")
    try browser.press("?")
    try expect("document.getElementById('keys').open", "? shows the keys")
    _ = try browser.evaluate(
      "document.getElementById('keys').close(); document.querySelector('.themes button[value=dark]').click()")
    try expect(
      "document.documentElement.dataset.theme === 'dark' && location.pathname === '/hosts'",
      "dark is chosen, on the same page")
    _ = try browser.open("http://127.0.0.1:\(port)/")
    try expect("getComputedStyle(document.body).backgroundColor === 'rgb(21, 24, 27)'", "dark stays")
    try expect("document.getElementById('live').textContent === 'Live.'", "the stream is open")
    _ = try browser.evaluate("window.marker = 1; document.querySelector('#q').value = 'typing'; 0")
    return found + browser.complaints()
  }

  private static func seeTheChange(_ browser: Chromium, _ port: Int) throws -> [String] {
    let end = Date().addingTimeInterval(20)
    while Date() < end {
      if try browser.evaluate("document.body.textContent.includes('5 machines are infected')") as? Bool == true {
        let kept =
          try browser.evaluate("window.marker === 1 && document.querySelector('#q').value === 'typing'") as? Bool
        return kept == true ? browser.complaints() : ["the page was loaded anew"]
      }
      usleep(100_000)
    }
    return ["the change was never shown"]
  }
}
