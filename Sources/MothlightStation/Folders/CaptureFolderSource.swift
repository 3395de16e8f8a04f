import Crypto
import Glibc
import Mothlight

/// Reads each file of a folder once, when it is whole: pcap, pcapng, nfcapd, binetflow, and whole logs. Files are neither moved
/// nor deleted; a file that was read is known by its content, also under another name.
public final class CaptureFolderSource: LiveSource {
  public let settings: FolderSettings
  public let meter: SourceMeter
  public var name: String { settings.name }
  private let keeper: PositionKeeper

  public init(_ settings: FolderSettings) {
    self.settings = settings
    meter = SourceMeter(name: settings.name, kind: "captures", place: settings.path, at: Clock.now())
    keeper = PositionKeeper(path: settings.positionsPath, keeping: settings.keeping)
  }

  /// With `PositionKeeping.whenTold`: everything sent so far is safe, and not to be sent again after a restart.
  public func commit() { keeper.commit() }

  /// - Throws: `notFound`, `unreadable` of the folder or its positions; `unavailable` when another process has them.
  public func run(into sink: any ObservationSink) async throws(SourceError) {
    try keeper.open()
    let folder = DropFolder(settings, keeper, meter)
    var isRunning = false
    while !Task.isCancelled {
      let ready = try folder.look()
      if !isRunning {
        meter.update { $0.trouble = nil }
        meter.enter(.running, at: Clock.now())
        isRunning = true
      }
      for file in ready where !Task.isCancelled { await folder.read(file, into: sink) }
      keeper.synchronise()
      folder.show()
      if ready.isEmpty { try? await Task.sleep(for: .seconds(settings.pollSeconds)) }
    }
    keeper.synchronise()
  }
}

/// What is in the folder, and what became of it.
final class DropFolder {
  /// Files still being written by nfcapd, or by programs that rename what is whole.
  private static let unfinished = [".tmp", ".part", ".partial", ".writing"]
  private static let unfinishedPrefix = "nfcapd.current"
  /// A file that could not be read for a reason that may pass is tried again after so long.
  private static let retrySeconds = 60.0

  private struct Seen {
    var file: FolderScan.File
    /// Since when it looks like that.
    var since = ContinuousClock.now
    var isDone = false
    var notBefore = ContinuousClock.now
  }

  private let settings: FolderSettings
  private let keeper: PositionKeeper
  private let meter: SourceMeter
  private var scan: FolderScan
  private var seen: [FileIdentity: Seen] = [:]
  private let historyEnds: Int64
  private var filesRead = 0

  init(_ settings: FolderSettings, _ keeper: PositionKeeper, _ meter: SourceMeter) {
    self.settings = settings
    self.keeper = keeper
    self.meter = meter
    scan = FolderScan(root: settings.path)
    historyEnds = keeper.lastSeen != nil ? .min : Clock.now().advanced(bySeconds: -settings.historySeconds).nanoseconds
  }

  /// Files that are whole and were not read, in order of their times.
  func look() throws(SourceError) -> [FolderScan.File] {
    guard let files = try scan.files() else { return [] }
    let now = ContinuousClock.now
    let wall = Clock.now().nanoseconds
    var ready: [FolderScan.File] = []
    var present: [FileIdentity: Seen] = [:]
    for file in files where Self.isFinished(file.path) {
      var entry = seen[file.identity] ?? Seen(file: file)
      let isNew = seen[file.identity] == nil
      if entry.file.octets != file.octets || entry.file.modified != file.modified {
        entry = Seen(file: file)
      }
      entry.file = file
      let isSettled = (now - entry.since) / .seconds(1) >= settings.settleSeconds
      let cameWhole = isNew && wall &- file.modified > Int64(settings.settleSeconds * 1e9)
      if file.modified < historyEnds { entry.isDone = true }
      if !entry.isDone, file.octets > 0, isSettled || cameWhole, entry.notBefore <= now { ready.append(file) }
      // What came whole stays so until it changes.
      if cameWhole { entry.since = now - .seconds(settings.settleSeconds) }
      present[file.identity] = entry
    }
    seen = present
    if scan.refused > 0 {
      let refused = scan.refused
      meter.update {
        $0.trouble = "\(self.settings.path): \(refused) files beyond \(FolderScan.filesMost) are left out"
      }
    }
    return ready.sorted { ($0.modified, $0.path) < ($1.modified, $1.path) }
  }

  private static func isFinished(_ path: String) -> Bool {
    let name = path.split(separator: "/").last ?? ""
    return !unfinished.contains { name.hasSuffix($0) } && !name.hasPrefix(unfinishedPrefix)
  }

  /// Reads one file from where it was left.
  func read(_ file: FolderScan.File, into sink: any ObservationSink) async {
    guard let key = Self.key(of: file) else { return postpone(file) }
    let mark = keeper.mark(key)
    // `lines` 1: read to its end.
    if mark?.lines == 1 { return finish(file) }
    var summary = InputSummary(path: file.path)
    do throws(SourceError) {
      let reader = try Inputs.open(path: file.path, index: settings.input)
      defer { summary = reader.summary }
      try await pass(reader, key, from: mark?.octets ?? 0, into: sink)
    } catch {
      switch error.code {
      case .toolMissing, .toolFailed, .notFound, .limit, .notPermitted, .unavailable:
        meter.update { $0.trouble = error.message }
        return postpone(file)
      case .unreadable where access(file.path, R_OK) != 0:
        meter.update { $0.trouble = error.message }
        return postpone(file)
      default: summary.error = error
      }
    }
    guard !Task.isCancelled else { return }
    keeper.put(key, octets: keeper.mark(key)?.octets ?? 0, lines: 1)
    count(summary, file)
    filesRead += 1
    finish(file)
  }

  /// Readers give the same observations each time, so those that were sent are passed over by their number.
  private func pass(
    _ reader: any RecordReader, _ key: String, from sent: UInt64, into sink: any ObservationSink
  ) async throws(SourceError) {
    var done: UInt64 = 0
    var batch: [Observation] = []
    while !Task.isCancelled, try reader.read(into: &batch, limit: Limits.batch) {
      let before = done
      done &+= UInt64(batch.count)
      if done > sent {
        let skipped = sent > before ? Int(sent &- before) : 0
        let rest = skipped > 0 ? Array(batch[skipped...]) : batch
        await sink.send(rest)
        keeper.put(key, octets: done, lines: 0)
        let newest = rest.map(\.time).max()
        meter.update { health in
          health.used &+= UInt64(rest.count)
          if let newest { health.newest = max(newest, health.newest ?? newest) }
        }
      }
      batch.removeAll(keepingCapacity: true)
    }
  }

  /// Its size, and a hash over its first and last 64 KiB.
  private static func key(of file: FolderScan.File) -> String? {
    let descriptor = open(file.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var hash = SHA256()
    var edge = [UInt8](repeating: 0, count: 65_536)
    for offset in [0, file.octets > 65_536 ? file.octets - 65_536 : 0] {
      let count = pread(descriptor, &edge, edge.count, off_t(clamping: offset))
      guard count >= 0 else { return nil }
      hash.update(data: edge.prefix(count))
    }
    let digest = hash.finalize().prefix(16).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    return "capture:\(file.octets):\(digest)"
  }

  private func finish(_ file: FolderScan.File) { seen[file.identity]?.isDone = true }
  private func postpone(_ file: FolderScan.File) {
    seen[file.identity]?.notBefore = .now + .seconds(Self.retrySeconds)
  }

  private func count(_ summary: InputSummary, _ file: FolderScan.File) {
    meter.update { health in
      health.octets &+= file.octets
      health.records &+= summary.records
      health.unparsed &+= summary.unparsed
      for (reason, count) in summary.skipped { health.skipped[reason, default: 0] &+= count }
      health.isSampled = health.isSampled || summary.isSampled
      if let error = summary.error {
        health.skipped["files: could not be read", default: 0] &+= 1
        health.trouble = error.message
      } else if let warning = summary.warnings.first {
        health.trouble = warning.hasPrefix(file.path) ? warning : "\(file.path): \(warning)"
      }
    }
  }

  func show() {
    let (files, read, trouble) = (seen.count, filesRead, keeper.trouble)
    let waiting = seen.values.count { !$0.isDone }
    meter.update { health in
      health.details["files"] = String(files)
      health.details["files read"] = String(read)
      health.details["files waiting"] = String(waiting)
      if let trouble { health.trouble = trouble }
    }
  }
}
