import Glibc

/// A rollup on disk: `state.rollup` with samples and counts, and files of cells to which closed periods are appended.
///
/// | file | holds | kept |
/// |---|---|---|
/// | `state.rollup` | samples, total, counts; replaced as a whole | for ever |
/// | `minutes-2026-11-25.cells` | minutes of one day | as `RollupLimits.minutesKeptHours` |
/// | `hours-2026-11-25.cells` | hours of one day | as `RollupLimits.hoursKeptDays` |
/// | `days-2026-11.cells` | days of one month | for ever |
///
/// One process writes a folder. After a crash it holds what was written last; build it again from the spool, since reading the same
/// rows into it twice would count contacts twice (not addresses, tags or machines).
public struct RollupFolder {
  private static let state = "state.rollup"
  private static let suffix = ".cells"
  /// Largest file believed.
  private static let fileOctetsMost = 1 << 32

  public let path: String
  /// Files whose end is known to be whole.
  private var whole: Set<String> = []
  private var compacted: Set<String> = []

  /// - Throws: `file` when the folder is not there and cannot be made.
  public init(_ path: String) throws(SketchError) {
    self.path = path
    if !SpoolDisk.isFolder(path), mkdir(path, 0o750) != 0 {
      throw .file("\(path): cannot make the folder: \(String(cString: strerror(errno)))")
    }
  }

  /// Whether something was written here.
  public var isWritten: Bool { access("\(path)/\(Self.state)", R_OK) == 0 }

  /// Appends closed periods, which leave the memory, replaces the state, and deletes files past their retention.
  /// - Parameter hour: open periods that ended before it are closed first; `nil`: all.
  /// - Throws: `file`; what could not be written stays in memory.
  public mutating func write(_ rollup: inout CensusRollup, closingBefore hour: UInt32? = nil) throws(SketchError) {
    rollup.close(before: hour ?? .max)
    for kind in CellStore.Kind.allCases {
      let closed = rollup.closed(kind)
      var files: [String: [UInt8]] = [:]
      for (period, body) in closed { files[Self.name(kind, period), default: []] += SketchFrame.encoded(.cells, body) }
      for (name, octets) in files.sorted(by: { $0.key < $1.key }) { try append(octets, to: name) }
      rollup.forgetClosed(kind)
    }
    try replace(Self.state, with: rollup.serialisedState)
    expire(rollup)
    let month = Self.name(.days, rollup.newestHour / 24)
    for name in SpoolDisk.names(in: path) where name.hasPrefix("days-") && name < month {
      try compact(name, of: rollup)
    }
  }

  /// Days are written in parts, hour by hour; those of past months are put together once. A file with damage is left as it is.
  private mutating func compact(_ name: String, of rollup: CensusRollup) throws(SketchError) {
    guard !compacted.contains(name) else { return }
    compacted.insert(name)
    var month = try CensusRollup(
      botnet: rollup.botnet, sensors: rollup.sensors, keyID: rollup.keyID, keys: nil, limits: rollup.limits)
    var isWhole = true
    month.readCells(try contents(name)[...]) { _ in isWhole = false }
    let parts = month.days.allClosed.count
    guard isWhole, month.days.putTogether(), month.days.allClosed.count < parts else { return }
    try replace(name, with: month.days.allClosed.flatMap { SketchFrame.encoded(.cells, $0.body) })
  }

  /// - Parameters:
  ///   - keys: to add rows; without them the rollup can be read and merged.
  ///   - withCells: `false` to go on writing with little memory.
  ///   - damage: told for each part that cannot be read and is left out.
  /// - Throws: `file`, `damaged`, `unsupportedVersion`, `differentKeys`.
  public func read(
    keys: TagKeys? = nil, limits: RollupLimits = RollupLimits(), withCells: Bool = true,
    damage: (String) -> Void = { _ in }
  ) throws(SketchError) -> CensusRollup {
    var rollup = try CensusRollup(serialised: contents(Self.state), keys: keys, limits: limits)
    guard withCells else { return rollup }
    for name in SpoolDisk.names(in: path) where name.hasSuffix(Self.suffix) {
      do throws(SketchError) {
        rollup.readCells(try contents(name)[...]) { damage("\(path)/\(name): \($0)") }
      } catch {
        damage("\(error)")
      }
    }
    return rollup
  }

  private static func name(_ kind: CellStore.Kind, _ period: UInt32) -> String {
    switch kind {
    case .hours: "hours-\(Timestamp.describe(day: Int(period / 24)))\(suffix)"
    case .minutes: "minutes-\(Timestamp.describe(day: Int(period / 24)))\(suffix)"
    case .days: "days-\(Timestamp.describe(day: Int(period)).dropLast(3))\(suffix)"
    }
  }

  private func contents(_ name: String) throws(SketchError) -> [UInt8] {
    do throws(SpoolError) {
      return try SpoolDisk.contents(of: "\(path)/\(name)", most: Self.fileOctetsMost)
    } catch { throw .file(error.message) }
  }

  /// A crash may have left half a frame; what follows it could not be found.
  private mutating func cutTornEnd(_ name: String) throws(SketchError) {
    guard !whole.contains(name) else { return }
    whole.insert(name)
    guard access("\(path)/\(name)", F_OK) == 0 else { return }
    let octets = try contents(name)
    var rest = octets[...]
    while let end = SketchFrame.promisedEnd(rest) { rest = octets[end...] }
    if !rest.isEmpty, truncate("\(path)/\(name)", off_t(rest.startIndex)) != 0 {
      throw .file("\(path)/\(name): cannot cut a torn end: \(String(cString: strerror(errno)))")
    }
  }

  private mutating func append(_ octets: [UInt8], to name: String) throws(SketchError) {
    try cutTornEnd(name)
    try put(octets, "\(path)/\(name)", O_WRONLY | O_CREAT | O_APPEND)
  }

  private func replace(_ name: String, with octets: [UInt8]) throws(SketchError) {
    let new = "\(path)/\(name).new"
    try put(octets, new, O_WRONLY | O_CREAT | O_TRUNC)
    do throws(SpoolError) {
      try SpoolDisk().rename(new, to: "\(path)/\(name)")
    } catch { throw .file(error.message) }
  }

  private func put(_ octets: [UInt8], _ file: String, _ flags: Int32) throws(SketchError) {
    let descriptor = open(file, flags | O_CLOEXEC | O_NOFOLLOW, 0o640)
    guard descriptor >= 0 else { throw .file("\(file): cannot be opened: \(String(cString: strerror(errno)))") }
    let disk = SpoolDisk()
    defer { disk.close(descriptor) }
    do throws(SpoolError) {
      try disk.write(octets, to: descriptor)
      try disk.synchronise(descriptor)
    } catch { throw .file("\(file): \(error.message)") }
  }

  private func expire(_ rollup: CensusRollup) {
    let hours = Self.name(.hours, rollup.firstHourKept)
    let minutes = Self.name(.minutes, rollup.firstMinutesHourKept)
    // Names of one kind sort by their date.
    for name in SpoolDisk.names(in: path) where name.hasSuffix(Self.suffix) {
      if name.hasPrefix("hours-") && name < hours || name.hasPrefix("minutes-") && name < minutes {
        unlink("\(path)/\(name)")
      }
    }
  }
}
