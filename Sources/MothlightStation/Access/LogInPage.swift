import Mothlight

/// The page to log in: a name, a password, and nothing that tells who is known here.
struct LogInPage {
  var token: String
  var next: String
  var complaint: String?
  var theme: Ask.Theme

  var text: String {
    let choice: Markup = theme == .auto ? "" : " data-theme=\"\(theme.rawValue)\""
    let alert: Markup = complaint.map { "<p class=\"warn\" role=\"alert\">\($0)</p>" } ?? ""
    let page: Markup = """
      <!DOCTYPE html>
      <html lang="en"\(choice)><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="robots" content="noindex"><title>Log in – Mothlight</title><link rel="stylesheet" href="\(Asset.style.path)">\
      <link rel="icon" type="image/svg+xml" href="\(Asset.icon.path)"></head>
      <body class="station"><header class="top"><a class="home" href="/">\(SVG.moth)<span><b>Mothlight</b> \
      <small>botnet observatory</small></span></a></header>
      <main id="main"><h1>Log in</h1>
      \(alert)<form method="post" action="/log-in" class="act open narrow"><input type="hidden" name="csrf" value="\(token)">\
      <input type="hidden" name="next" value="\(next)">
      <p><label for="name">Name</label><input id="name" name="name" autocomplete="username" autocapitalize="none" \
      spellcheck="false" maxlength="\(UserName.octetsMost)" required autofocus></p>
      <p><label for="password">Password</label><input id="password" name="password" type="password" \
      autocomplete="current-password" maxlength="\(PasswordRule.octetsMost)" required></p>
      <p><button class="do">Log in</button></p></form>
      <p class="sub">Users are kept with <code>mothlight users</code> on the station itself.</p></main></body></html>

      """
    return page.text
  }
}
