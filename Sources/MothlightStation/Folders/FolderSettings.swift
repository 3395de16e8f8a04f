import Mothlight

/// A folder that a source follows, and what it has read of it.
public struct FolderSettings: Sendable, Hashable {
  /// Of the source, unique within a station.
  public var name: String
  public var path: String
  /// Where it is kept what was read; its folder must be there.
  public var positionsPath: String
  public var keeping = PositionKeeping.atOnce
  public var pollSeconds = 1.0
  /// Silence after which a file is taken to be whole.
  public var settleSeconds: Double
  /// At the first start, what was last written to longer ago is left alone.
  public var historySeconds: Double
  /// `RecordOrigin.input` of its observations.
  public var input: UInt32 = 0

  private init(_ name: String, _ path: String, _ positionsPath: String, settle: Double, history: Double) {
    self.name = name
    self.path = path
    self.positionsPath = positionsPath
    settleSeconds = settle
    historySeconds = history
  }

  /// A folder into which Zeek or Suricata writes. A packed log is read, and an unfinished last line of a log that is gone is taken,
  /// after five seconds of silence. Logs older than a day are left alone; at a later start, those that were finished a day before
  /// the last run's end.
  public static func logs(name: String, path: String, positionsPath: String) -> FolderSettings {
    FolderSettings(name, path, positionsPath, settle: 5, history: 86_400)
  }

  /// A folder into which captures or flow files are put. A file is whole when neither its size nor its time has changed for ten
  /// seconds; one that arrives with an older time, by a rename or a copy that keeps times, is read at once. All are read, however old:
  /// they were put there to be read.
  public static func captures(name: String, path: String, positionsPath: String) -> FolderSettings {
    FolderSettings(name, path, positionsPath, settle: 10, history: .infinity)
  }
}
