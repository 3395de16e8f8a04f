import Mothlight

/// Follows the logs of a folder while they are written, renamed, cut, packed and put away: every row once.
///
/// A log is known by its content's beginning, whatever its name, inode or packing, so a rotated log goes on where it was left.
/// Rows of all logs are sent in order of time, as far as they are there.
public final class LogFolderSource: LiveSource {
  public let settings: FolderSettings
  public let meter: SourceMeter
  public var name: String { settings.name }
  private let keeper: PositionKeeper

  public init(_ settings: FolderSettings) {
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
