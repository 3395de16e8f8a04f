import Foundation
import Glibc

/// A headless Chromium, spoken to over pipes (Chrome DevTools Protocol with `--remote-debugging-pipe`: descriptors 3 and 4,
/// messages end with a zero octet). Blocking: use it off the tasks' threads.
final class Chromium {
  static let path = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].first {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  struct Trouble: Error, CustomStringConvertible {
    let description: String
  }

  private let process = Process()
  private let folder: URL
  private let toBrowser: Int32
  private let fromBrowser: Int32
  private var buffer: [UInt8] = []
  private var number = 0
  private var session: String?
  private var events: [[String: Any]] = []

  init() throws {
    guard let program = Self.path else { throw Trouble(description: "no chromium") }
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("mothlight-chromium-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let (input, output) = (folder.appendingPathComponent("in").path, folder.appendingPathComponent("out").path)
    guard mkfifo(input, 0o600) == 0, mkfifo(output, 0o600) == 0 else { throw Trouble(description: "no pipes") }
    // Open both ways, so that neither end waits for the other.
    toBrowser = Glibc.open(input, O_RDWR | O_CLOEXEC)
    fromBrowser = Glibc.open(output, O_RDWR | O_CLOEXEC)
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    let script =
      "exec \"$1\" --headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run --remote-debugging-pipe "
      + "--user-data-dir=\"$2\" 3<\"$3\" 4>\"$4\""
    process.arguments = ["-c", script, "sh", program, folder.appendingPathComponent("profile").path, input, output]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    let target = try call("Target.createTarget", ["url": "about:blank"])["targetId"] as? String ?? ""
    session = try call("Target.attachToTarget", ["targetId": target, "flatten": true])["sessionId"] as? String
    for domain in ["Page", "Runtime", "Log", "Network"] { _ = try call("\(domain).enable") }
  }

  deinit {
    process.terminate()
    process.waitUntilExit()
    close(toBrowser)
    close(fromBrowser)
    try? FileManager.default.removeItem(at: folder)
  }

  func call(_ method: String, _ parameters: [String: Any] = [:]) throws -> [String: Any] {
    number += 1
    var message: [String: Any] = ["id": number, "method": method, "params": parameters]
    if let session { message["sessionId"] = session }
    var octets = try JSONSerialization.data(withJSONObject: message) + [0]
    while !octets.isEmpty {
      let count = octets.withUnsafeBytes { write(toBrowser, $0.baseAddress, $0.count) }
      guard count > 0 else { throw Trouble(description: "chromium takes no message") }
      octets = octets.dropFirst(count)
    }
    while true {
      let reply = try receive(seconds: 60)
      guard reply["id"] as? Int == number else {
        events.append(reply)
        continue
      }
      if let error = reply["error"] { throw Trouble(description: "\(method): \(error)") }
      return reply["result"] as? [String: Any] ?? [:]
    }
  }

  private func receive(seconds: Double) throws -> [String: Any] {
    let end = Date().addingTimeInterval(seconds)
    var searched = 0
    while true {
      if let zero = buffer[searched...].firstIndex(of: 0) {
        let message = Data(buffer[..<zero])
        buffer.removeSubrange(...zero)
        return try JSONSerialization.jsonObject(with: message) as? [String: Any] ?? [:]
      }
      searched = buffer.count
      var entry = pollfd(fd: fromBrowser, events: Int16(POLLIN), revents: 0)
      let left = end.timeIntervalSinceNow
      guard left > 0, poll(&entry, 1, Int32(left * 1000)) > 0 else {
        throw Trouble(description: "chromium says nothing")
      }
      var part = [UInt8](repeating: 0, count: 1 << 16)
      let count = part.withUnsafeMutableBytes { read(fromBrowser, $0.baseAddress, $0.count) }
      buffer += part.prefix(max(0, count))
    }
  }

  private func wait(for method: String) throws {
    while true {
      if let at = events.firstIndex(where: { $0["method"] as? String == method }) {
        events.remove(at: at)
        return
      }
      events.append(try receive(seconds: 60))
    }
  }

  func size(_ width: Int, _ height: Int) throws {
    _ = try call(
      "Emulation.setDeviceMetricsOverride",
      ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600])
  }

  /// - Parameter scheme: `light` or `dark`, as the system would have it.
  func prefer(_ scheme: String) throws {
    _ = try call("Emulation.setEmulatedMedia", ["features": [["name": "prefers-color-scheme", "value": scheme]]])
  }

  /// Opens a page and waits until all of it is loaded.
  /// - Returns: what the page wrote to the console as errors or warnings, policy violations and uncaught errors among them.
  func open(_ address: String) throws -> [String] {
    events.removeAll()
    _ = try call("Page.navigate", ["url": address])
    try wait(for: "Page.loadEventFired")
    _ = try evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")
    return complaints()
  }

  func complaints() -> [String] {
    events.compactMap { event in
      let parameters = event["params"] as? [String: Any] ?? [:]
      switch event["method"] as? String {
      case "Runtime.exceptionThrown": return "uncaught: \(parameters)"
      case "Log.entryAdded": return "log: \(parameters)"
      case "Runtime.consoleAPICalled": return "console: \(parameters)"
      default: return nil
      }
    }
  }

  /// The value of an expression, promises awaited.
  func evaluate(_ expression: String) throws -> Any? {
    let reply = try call(
      "Runtime.evaluate", ["expression": expression, "awaitPromise": true, "returnByValue": true])
    if let error = reply["exceptionDetails"] { throw Trouble(description: "\(error)") }
    return (reply["result"] as? [String: Any])?["value"]
  }

  func press(_ key: String) throws {
    for type in ["keyDown", "keyUp"] {
      _ = try call(
        "Input.dispatchKeyEvent", ["type": type, "key": key, "text": type == "keyDown" && key.count == 1 ? key : ""])
    }
  }

  /// The whole page as a picture, to at most `heightMost`.
  func picture(to file: URL, heightMost: Int = 4000) throws {
    let size = try call("Page.getLayoutMetrics")["cssContentSize"] as? [String: Any] ?? [:]
    let (width, height) = (size["width"] as? Double ?? 800, min(Double(heightMost), size["height"] as? Double ?? 600))
    let clip: [String: Any] = ["x": 0, "y": 0, "width": width, "height": height, "scale": 1]
    let reply = try call("Page.captureScreenshot", ["format": "png", "captureBeyondViewport": true, "clip": clip])
    guard let text = reply["data"] as? String, let octets = Data(base64Encoded: text) else {
      throw Trouble(description: "no picture")
    }
    try octets.write(to: file)
  }

  /// Runs blocking work on a thread of its own.
  static func work<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
  }
}
