import Mothlight

/// Why a page is not shown: one sentence, and a way back.
struct FailurePage {
  let status: Int
  let message: String
  let theme: Ask.Theme

  private var title: Markup {
    switch status {
    case 403: "This is not for you to see"
    case 404: "Nothing is here"
    case 409: "This could not be done"
    case 503: "Not now"
    case 500...: "Something went wrong"
    default: "This could not be understood"
    }
  }

  var text: String {
    let choice: Markup = theme == .auto ? "" : " data-theme=\"\(theme.rawValue)\""
    let page: Markup = """
      <!DOCTYPE html>
      <html lang="en"\(choice)><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
      <title>\(title) – Mothlight</title><link rel="stylesheet" href="/static/style.css">\
      <link rel="icon" type="image/svg+xml" href="/static/moth.svg"></head>
      <body class="dash"><header class="top"><a class="home" href="/">\(SVG.moth)<span><b>Mothlight</b> \
      <small>botnet observatory</small></span></a></header>
      <main id="main"><h1>\(title)</h1><p class="lead"><bdi>\(message)</bdi></p>
      <p><a href="/">To the first page</a></p><p class="sub">HTTP \(status)</p></main></body></html>

      """
    return page.text
  }
}
