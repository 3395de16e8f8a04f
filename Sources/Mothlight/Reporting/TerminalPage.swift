/// Lines for a terminal of known width. Foreign text is made visible first, and no line is ever wider than the page.
struct TerminalPage: Sendable {
  enum Style: Sendable { case plain, bold, dim, infected, suspicious }

  struct Span: Sendable {
    var text: String
    var style: Style
    init(_ text: String, _ style: Style = .plain) {
      self.text = VisibleText.escaped(text)
      self.style = style
    }
  }

  let width: Int
  let colour: Bool
  private(set) var text = ""

  /// - Parameter width: columns; fewer than 40 cannot hold an address and a verdict, so 40 is the least.
  init(width: Int, colour: Bool) {
    self.width = max(40, min(width, 400))
    self.colour = colour
  }

  mutating func drain() -> String {
    defer { text = "" }
    return text
  }

  mutating func blank() { text += "\n" }

  mutating func heading(_ title: String) { line([Span(title, .bold)]) }

  mutating func line(_ plain: String, indent: Int = 0) { line([Span(plain)], indent: indent) }

  /// One line, cut with `…` where the page ends.
  mutating func line(_ spans: [Span], indent: Int = 0) {
    text += String(repeating: " ", count: min(indent, width))
    var room = width &- indent
    for span in spans where room > 0 && !span.text.isEmpty {
      let shown = VisibleText.clipped(span.text, to: room)
      room &-= VisibleText.width(shown)
      append(shown, span.style)
    }
    text += "\n"
  }

  private mutating func append(_ shown: String, _ style: Style) {
    guard colour, style != .plain, !shown.isEmpty else {
      text += shown
      return
    }
    switch style {
    case .plain: break
    case .bold: text += "\u{1b}[1m"
    case .dim: text += "\u{1b}[2m"
    case .infected: text += "\u{1b}[1;31m"
    case .suspicious: text += "\u{1b}[33m"
    }
    text += shown
    text += "\u{1b}[0m"
  }

  /// Words wrapped between `indent` and the page's end; lines after the first begin at `hanging`.
  mutating func paragraph(_ words: String, indent: Int = 0, hanging: Int? = nil, style: Style = .plain) {
    var column = indent
    let next = hanging ?? indent
    for part in Self.wrapped(VisibleText.escaped(words), first: width &- indent, rest: width &- next) {
      line([Span(part, style)], indent: column)
      column = next
    }
  }

  /// A label and a wrapped text beside it.
  mutating func entry(_ label: String, _ words: String, indent: Int = 2, gap: Int = 13, style: Style = .plain) {
    let start = indent &+ gap
    var head = Self.padded(label, gap)
    for part in Self.wrapped(VisibleText.escaped(words), first: width &- start, rest: width &- start) {
      line([Span(head, .dim), Span(part, style)], indent: indent)
      head = String(repeating: " ", count: gap)
    }
  }

  /// `text` filled with spaces to `columns`; text that is wider is cut.
  static func padded(_ text: String, _ columns: Int) -> String {
    let shown = VisibleText.clipped(VisibleText.escaped(text), to: columns)
    return shown + String(repeating: " ", count: max(0, columns &- VisibleText.width(shown)))
  }

  static func rightAligned(_ text: String, _ columns: Int) -> String {
    let shown = VisibleText.clipped(VisibleText.escaped(text), to: columns)
    return String(repeating: " ", count: max(0, columns &- VisibleText.width(shown))) + shown
  }

  /// Breaks at spaces, and inside a word only when it is wider than a line of its own.
  /// - Complexity: O(length).
  static func wrapped(_ text: String, first: Int, rest: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    var used = 0
    var room = max(8, first)
    func flush() {
      lines.append(line)
      line = ""
      used = 0
      room = max(8, rest)
    }
    for word in text.split(separator: " ") {
      let w = VisibleText.width(String(word))
      if used > 0, used &+ 1 &+ w > room { flush() }
      if used > 0 {
        line += " "
        used &+= 1
      }
      guard w > room else {
        line += word
        used &+= w
        continue
      }
      for scalar in word.unicodeScalars {
        let s = VisibleText.width(scalar)
        if used &+ s > room { flush() }
        line.unicodeScalars.append(scalar)
        used &+= s
      }
    }
    if used > 0 || lines.isEmpty { flush() }
    return lines
  }
}
