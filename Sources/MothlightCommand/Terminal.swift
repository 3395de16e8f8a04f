import Foundation

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

  /// One line on standard error.
  static func complain(_ message: String) {
    FileHandle.standardError.write(Data("mothlight: \(message)\n".utf8))
  }
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
    FileHandle.standardError.write(Data(line.utf8))
  }

  mutating func clear() {
    if hasDrawn { FileHandle.standardError.write(Data("\r\u{1b}[K".utf8)) }
  }
}
