import Foundation
import Mothlight

/// What the terminal can do, asked once.
enum Terminal {
  static var errorIsTerminal: Bool { isatty(2) == 1 }

  /// Colours on a terminal only, and never against the NO_COLOR convention (no-color.org).
  static var wantsColour: Bool {
    let environment = ProcessInfo.processInfo.environment
    return isatty(1) == 1 && environment["NO_COLOR"] == nil && environment["TERM"] != "dumb"
  }

  static var width: Int {
    var size = winsize()
    if ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 { return Int(size.ws_col) }
    return ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) }.map { max(40, min(400, $0)) } ?? 100
  }

  /// One line on standard error, made visible: names and arguments may carry escape sequences.
  static func complain(_ message: String) {
    write("mothlight: \(printable(message))\n", to: 2)
  }

  /// Writes all of `text`; `false` when the descriptor takes no more. Never traps, unlike `FileHandle`.
  @discardableResult
  static func write(_ text: String, to descriptor: Int32) -> Bool {
    var copy = text
    return copy.withUTF8 { buffer in
      var offset = 0
      while offset < buffer.count {
        let written = Foundation.write(descriptor, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
        if written < 0 {
          if errno == EINTR { continue }
          return false
        }
        offset += written
      }
      return true
    }
  }

  /// Control characters as escapes; line ends stay.
  static func printable(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { VisibleText.escaped(String($0)) }.joined(
      separator: "\n")
  }
}

/// Something that went wrong while working, as opposed to a wrong command line: one line, no usage.
struct Failure: Error {
  var message: String
  init(_ message: String) { self.message = message }
}

/// Bar with share, rate and remaining time on standard error, redrawn at most ten times a second.
struct ProgressBar {
  let isShown: Bool
  private let start = ContinuousClock.now
  private var lastDraw = ContinuousClock.now
  private var hasDrawn = false

  init(isShown: Bool) { self.isShown = isShown }

  mutating func update(_ read: UInt64, of total: UInt64?) {
    guard isShown else { return }
    let now = ContinuousClock.now
    guard lastDraw.duration(to: now) > .milliseconds(100) else { return }
    lastDraw = now
    hasDrawn = true
    let seconds = max(
      0.001,
      Double(start.duration(to: now).components.seconds) + Double(start.duration(to: now).components.attoseconds)
        * 1e-18)
    let rate = Double(read) / seconds
    var line = "\r\u{1b}[K"
    if let total, total > 0 {
      let share = min(1, Double(read) / Double(total))
      let filled = Int(share * 24)
      let left = rate > 0 ? Double(total - min(read, total)) / rate : 0
      line += "[\(String(repeating: "#", count: filled))\(String(repeating: ".", count: 24 - filled))] "
      line += "\(Int(share * 100)) %  \(Int(rate / 1e6)) MB/s  \(Int(left.rounded(.up))) s left"
    } else {
      line += "\(read / 1_000_000) MB  \(Int(rate / 1e6)) MB/s"
    }
    Terminal.write(line, to: 2)
  }

  mutating func clear() {
    if hasDrawn { Terminal.write("\r\u{1b}[K", to: 2) }
  }
}
