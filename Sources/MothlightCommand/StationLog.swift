import Foundation
import Logging
import Mothlight
import MothlightStation

/// What a station has to say to its operator: a line each on standard error, as text or as JSON.
struct StationLog: Sendable {
  enum Level: String, Sendable { case info, warning, error }

  let format: StationConfiguration.LogFormat

  func callAsFunction(_ level: Level = .info, _ message: String, at time: Timestamp = StationLog.now()) {
    Terminal.write(line(level, message, time) + "\n", to: 2)
  }

  func callAsFunction(_ message: String) { self(.info, message) }

  func line(_ level: Level, _ message: String, _ time: Timestamp) -> String {
    let second = time.description.prefix(19) + "Z"
    let message = Terminal.printable(message)
    guard format == .json else { return "\(second) \(level == .info ? "" : "\(level.rawValue): ")\(message)" }
    let body = ["time": String(second), "level": level.rawValue, "message": message]
    let octets = try? JSONSerialization.data(withJSONObject: body, options: [.sortedKeys, .withoutEscapingSlashes])
    return octets.map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  static func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
  }

  /// For libraries that log by swift-log: warnings and worse.
  var logger: Logger {
    var logger = Logger(label: "station") { _ in StationLogHandler(log: self) }
    logger.logLevel = .warning
    return logger
  }
}

private struct StationLogHandler: LogHandler {
  let log: StationLog
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.warning

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    log(event.level >= .error ? .error : .warning, "\(event.message)")
  }

  func log(
    level: Logger.Level, message: Logger.Message, metadata: Logger.Metadata?, source: String, file: String,
    function: String, line: UInt
  ) {
    log(level >= .error ? .error : .warning, "\(message)")
  }
}
