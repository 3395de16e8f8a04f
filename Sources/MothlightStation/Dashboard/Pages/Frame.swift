import Mothlight

/// What every page has around its content: the mark, the ways to the other pages, the search, and who looks.
struct Frame {
  enum Tab: String, CaseIterable {
    case today, hosts, botnets, networks, findings, cases, allow, sensors, census

    var path: String { self == .today ? "/" : "/" + rawValue }
    var label: Markup {
      switch self {
      case .today: "Today"
      case .hosts: "Hosts"
      case .botnets: "Botnets"
      case .networks: "Networks"
      case .findings: "Findings"
      case .cases: "Cases"
      case .allow: "Allow rules"
      case .sensors: "Sensors"
      case .census: "Census"
      }
    }
    /// The key after `g` that leads here.
    var key: Markup {
      switch self {
      case .today: "t"
      case .hosts: "h"
      case .botnets: "b"
      case .networks: "n"
      case .findings: "f"
      case .cases: "c"
      case .allow: "a"
      case .sensors: "s"
      case .census: "u"
      }
    }
  }

  let ask: Ask
  let version: String
  /// How far the page may go; `nil` for pages that tell of no machine.
  var marking: TLP?

  func page(_ title: String, _ tab: Tab?, _ main: Markup) -> String {
    let theme: Markup = ask.theme == .auto ? "" : " data-theme=\"\(ask.theme.rawValue)\""
    let scheme: Markup = ask.theme == .auto ? "light dark" : "\(ask.theme.rawValue)"
    let page: Markup = """
      <!DOCTYPE html>
      <html lang="en"\(theme)><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="\(scheme)"><meta name="referrer" content="same-origin">
      <title>\(title) – Mothlight</title>
      <link rel="stylesheet" href="\(Asset.style.path)"><link rel="icon" type="image/svg+xml" href="\(Asset.icon.path)">
      <script src="\(Asset.script.path)" defer></script></head>
      <body class="station"><a class="skip" href="#main">To the content</a>
      <header class="top"><a class="home" href="/" aria-label="Mothlight, to the first page">\(SVG.moth)\
      <span><b>Mothlight</b> <small>botnet observatory</small></span></a>\(mark)
      <form class="search" role="search" action="/search" method="get"><label class="vh" for="q">Search</label>\
      <input id="q" name="q" type="search" maxlength="200" placeholder="address, name, botnet" value="\(tab == nil ? ask.query["q"] ?? "" : "")">\
      <button>Search</button></form>
      <nav aria-label="Pages"><ul>\(tabs(tab))</ul></nav></header>
      <main id="main" tabindex="-1">
      \(main)</main>
      \(foot)\(keys)</body></html>

      """
    return page.text
  }

  private func tabs(_ current: Tab?) -> Markup {
    Tab.allCases.reduce(into: "") { out, tab in
      let mark: Markup = tab == current ? " aria-current=\"page\"" : ""
      out += "<li><a href=\"\(tab.path)\" data-key=\"\(tab.key)\"\(mark)>\(tab.label)</a></li>"
    }
  }

  private var foot: Markup {
    let themes = Ask.Theme.allCases.reduce(into: "" as Markup) { out, theme in
      let label: Markup = theme == .auto ? "As the system" : theme == .light ? "Light" : "Dark"
      out += """
        <button name="to" value="\(theme.rawValue)" aria-pressed="\(theme == ask.theme ? "true" : "false")">\(label)</button>
        """
    }
    let logOut: Markup =
      ask.visitor.logOutPath.map { path in
        "<a href=\"/account\">Account</a> <form method=\"post\" action=\"\(path)\">\(csrf)<button class=\"plain\">Log out</button></form>"
      } ?? ""
    return """
      <footer><div class="who"><span><b>\(ask.visitor.name)</b>, \(ask.visitor.role.rawValue)</span>\(logOut)
      <form method="post" action="/theme" class="themes"><span id="themes">Colours</span> <span role="group" aria-labelledby="themes">\
      \(csrf)<input type="hidden" name="back" value="\(ask.target)">\(themes)</span></form>
      <span class="hint">Keys: press <kbd>?</kbd></span></div>
      <p>\(mark)Mothlight \(version). All times are UTC. <a href="/about">About, and what Mothlight never does</a>.
      <span id="live" role="status"></span></p></footer>

      """
  }

  private var mark: Markup {
    marking.map { "<b class=\"tlp tlp-\($0.cssWord)\">\($0.marking)</b> " } ?? ""
  }

  var csrf: Markup { "<input type=\"hidden\" name=\"csrf\" value=\"\(ask.visitor.csrfToken)\">" }

  private var keys: Markup {
    let tabs = Tab.allCases.reduce(into: "" as Markup) { out, tab in
      out += "<dt><kbd>g</kbd> <kbd>\(tab.key)</kbd></dt><dd>\(tab.label)</dd>"
    }
    return """
      <dialog id="keys" aria-labelledby="keys-title"><h2 id="keys-title">Keys</h2><dl class="keys">
      <dt><kbd>/</kbd></dt><dd>Search</dd>\(tabs)<dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>Next and previous row</dd>
      <dt><kbd>?</kbd></dt><dd>These keys</dd></dl><form method="dialog"><button>Close</button></form></dialog>

      """
  }
}

extension TLP {
  /// Of the style sheet: the page's policy forbids colours in its own text.
  var cssWord: String { self == .amberStrict ? "amber" : rawValue.lowercased() }
}
