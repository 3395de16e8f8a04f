import Mothlight

/// A folder into which Zeek or Suricata writes.
public struct LogFolderSettings: Sendable, Hashable {
  /// Of the source, unique within a station.
  public var name: String
  public var path: String
  /// Where it is kept how far each log was read; its folder must be there.
  public var positionsPath: String
  public var keeping = PositionKeeping.atOnce
  public var pollSeconds = 1.0
  /// At the first start, logs that were last written to longer ago are left alone; later, those that were finished so long
  /// before the last run's end.
  public var historySeconds = 86_400.0
  /// A packed log is read, and an unfinished last line of a log that is gone is taken, after so much silence.
  public var settleSeconds = 5.0
  /// `RecordOrigin.input` of its observations.
  public var input: UInt32 = 0

  public init(name: String, path: String, positionsPath: String) {
    self.name = name
    self.path = path
    self.positionsPath = positionsPath
  }
}

/// Follows the logs of a folder while they are written, renamed, cut, packed and put away: every row once.
///
/// A log is known by its content's beginning, whatever its name, inode or packing, so a rotated log goes on where it was left.
/// Rows of all logs are sent in order of time, as far as they are there.
public final class LogFolderSource: LiveSource {
  public let settings: LogFolderSettings
  public let meter: SourceMeter
  public var name: String { settings.name }
  private let keeper: PositionKeeper

  public init(_ settings: LogFolderSettings) {
    self.settings = settings
    meter = SourceMeter(name: settings.name, kind: "folder", place: settings.path, at: Clock.now())
    keeper = PositionKeeper(path: settings.positionsPath, keeping: settings.keeping)
  }

  /// With `PositionKeeping.whenTold`: everything sent so far is safe, and not to be sent again after a restart.
  public func commit() { keeper.commit() }

  /// - Throws: `notFound`, `unreadable` of the folder or its positions; `unavailable` when another process has them.
  public func run(into sink: any ObservationSink) async throws(SourceError) {
    try keeper.open()
    let logs = FollowedLogs(settings, keeper, meter)
    var isRunning = false
    while !Task.isCancelled {
      try logs.look()
      if !isRunning {
        meter.update { $0.trouble = nil }
        meter.enter(.running, at: Clock.now())
        isRunning = true
      }
      let mayHaveMore = await logs.read(into: sink)
      keeper.synchronise()
      logs.show()
      if !mayHaveMore { try? await Task.sleep(for: .seconds(settings.pollSeconds)) }
    }
    keeper.synchronise()
  }
}
