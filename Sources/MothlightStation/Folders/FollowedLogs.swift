import Mothlight

/// The logs of one folder: which are new, which have grown, been cut, renamed, packed or gone.
final class FollowedLogs {
  /// Open at a time: each has a window of 320 KiB.
  static let openMost = 64
  /// Silence after which a log is closed until it grows, seconds.
  static let idleSeconds = 3600.0
  /// New files looked at in one go: a folder of a year's logs must not hold up those that are written now.
  private static let looksMost = 1024
  /// Suricata's look-ups are held for an answer; after so much silence none comes, seconds.
  private static let joiningSeconds = 30.0
  /// A file that could not be read is tried again after so long.
  private static let retrySeconds = 60.0

  let settings: FolderSettings
  let keeper: PositionKeeper
  let meter: SourceMeter
  private var scan: FolderScan
  var logs: [FileIdentity: FollowedLog] = [:]
  /// Which file has the content of a key in hand: of two copies one is read.
  var owners: [String: FileIdentity] = [:]
  private var lengths: Set<Int> = []
  /// Columns of the latest header of each kind of log.
  var columns: [String: [String]] = [:]
  /// Files last written before it are history, nanoseconds since 1970.
  private let historyEnds: Int64

  init(_ settings: FolderSettings, _ keeper: PositionKeeper, _ meter: SourceMeter) {
    self.settings = settings
    self.keeper = keeper
    self.meter = meter
    scan = FolderScan(root: settings.path)
    lengths = ContentKey.lengths(of: keeper.keys)
    let from = keeper.lastSeen.map { Timestamp(seconds: $0) } ?? Clock.now()
    historyEnds = from.advanced(bySeconds: -settings.historySeconds).nanoseconds
  }

  /// Finds what has changed since the last call.
  /// - Throws: `notFound`, `unreadable` when the folder is gone.
  func look() throws(SourceError) {
    // Logs in hand come first: a key that a copy shares is free only when its owner has been cut.
    for log in logs.values where log.log != nil { lookAtOpen(log) }
    if let files = try scan.files() { reconcile(files) }
    lookAtNew()
    for log in logs.values where log.log != nil { retire(log) }
  }

  private func reconcile(_ files: [FolderScan.File]) {
    var seen: Set<FileIdentity> = []
    for file in files {
      guard seen.insert(file.identity).inserted else { continue }
      guard let log = logs[file.identity] else {
        logs[file.identity] = FollowedLog(file)
        continue
      }
      let before = log.file
      log.isGone = false
      log.file.path = file.path
      switch log.state {
      case .open: continue
      case .waiting: log.file = file
      case .new: log.file = file
      case .leftOut, .closed:
        guard before.octets != file.octets || before.modified != file.modified else { continue }
        log.file = file
        log.state = .new
      }
    }
    for (identity, log) in logs where !seen.contains(identity) {
      log.isGone = true
      if log.log == nil { drop(identity) }
    }
    if scan.refused > 0 {
      say("\(settings.path): more than \(FolderScan.filesMost) files; \(scan.refused) are left out")
    }
  }

  private func drop(_ identity: FileIdentity) {
    if let key = logs[identity]?.key, owners[key.text] == identity { owners[key.text] = nil }
    logs[identity] = nil
  }

  /// Has an open log grown, or been cut or written over?
  private func lookAtOpen(_ log: FollowedLog) {
    guard let open = log.log, let (now, links) = FolderScan.File.of(open.descriptor, path: log.file.path) else {
      return
    }
    if links == 0 { log.isGone = true }
    guard now.octets != log.file.octets || now.modified != log.file.modified else { return }
    let path = log.file.path
    guard log.isSameContent(now) else {
      // What was read of the old content is sent; the rest of it is in a copy, or lost.
      release(log)
      log.file = now
      log.file.path = path
      log.state = .new
      return
    }
    log.file = now
    log.file.path = path
    log.changed = .now
    log.hasNews = true
    lengthen(log)
  }

  /// A longer beginning tells more: two logs may share a header.
  private func lengthen(_ log: FollowedLog) {
    guard let open = log.log, let key = log.key, key.octets < ContentKey.octetsMost, !log.isCompressed,
      let head = FollowedLog.head(of: open.descriptor, octets: ContentKey.octetsMost), head.count > key.octets
    else { return }
    let longer = ContentKey(head)
    keeper.rename(key.text, to: longer.text)
    owners[key.text] = nil
    owners[longer.text] = log.file.identity
    lengths.insert(longer.octets)
    log.key = longer
  }

  private func lookAtNew() {
    let now = ContinuousClock.now
    let new = logs.values.filter { log in
      if case .new = log.state { return log.notBefore <= now && log.file.octets != log.lookedOctets }
      return false
    }
    guard !new.isEmpty else { return }
    lengths = ContentKey.lengths(of: keeper.keys + owners.keys)
    for log in new.sorted(by: { $0.file.path < $1.file.path }).prefix(Self.looksMost) { lookAtNew(log) }
  }

  private func lookAtNew(_ log: FollowedLog) {
    guard log.file.modified >= historyEnds else {
      log.state = .leftOut
      return
    }
    guard log.file.octets > 0 else { return }
    do throws(SourceError) {
      let head = try LogHead(path: log.file.path)
      if head.isCompressed, Clock.now().nanoseconds &- log.file.modified < Int64(settings.settleSeconds * 1e9) {
        return
      }
      guard let format = head.format else {
        // No whole line yet.
        log.lookedOctets = log.file.octets
        return
      }
      guard format.isLog else { return leaveOut(log, format) }
      take(log, head, format)
    } catch {
      log.notBefore = .now + .seconds(Self.retrySeconds)
      // Gone between two looks is the way of logs; anything else is said.
      if error.code != .notFound { say(error.message) }
    }
  }

  private func take(_ log: FollowedLog, _ head: LogHead, _ format: InputFormat) {
    let known = lengths.sorted(by: >).lazy.filter { $0 <= head.octets.count }
      .map { ContentKey(head.octets.prefix($0)) }.first {
        self.keeper.mark($0.text) != nil || self.owners[$0.text] != nil
      }
    let key = known ?? ContentKey(head.octets)
    if let owner = owners[key.text], owner != log.file.identity { return }
    log.format = format
    log.isCompressed = head.isCompressed
    log.first = head.first
    log.key = key
    lengths.insert(key.octets)
    if let mark = keeper.mark(key.text) {
      let isRead = log.isCompressed ? FollowedLog.unpackedOctets(log.file.path).map { UInt64($0) } : log.file.octets
      if isRead == mark.octets & (log.isCompressed ? 0xffff_ffff : .max), mark.held == 0 {
        log.state = .closed
        return
      }
      // It goes on somewhere behind its first record.
      if mark.octets > 0 { log.first = nil }
    }
    owners[key.text] = log.file.identity
    log.state = .waiting
  }

  private func leaveOut(_ log: FollowedLog, _ format: InputFormat) {
    log.state = .leftOut
    let reason =
      switch format {
      case .zeekTSV(.other(let name)), .zeekJSON(.other(let name)): "zeek \(name) log: not one that is read"
      case .pcap, .pcapng, .nfcapd: "files: captures belong into a folder of captures"
      case .headerlessTSV: "files: Zeek log without its #fields header"
      default: "files: not a log that is read"
      }
    meter.update { $0.skipped[reason, default: 0] &+= 1 }
  }

  /// Ends a log that is gone and silent; closes one that is silent for long.
  private func retire(_ log: FollowedLog) {
    guard let open = log.log, !log.hasNews, log.held.isEmpty else { return }
    let silent = (ContinuousClock.now - log.changed) / .seconds(1)
    if log.isGone, silent >= settings.settleSeconds {
      // Its writer has let go of it: what stands in its last line is all that will.
      log.heldFrom = open.position
      try? open.finish(into: &log.held)
      log.hasNews = !log.held.isEmpty
      if !log.hasNews { release(log) }
      if log.log == nil { drop(log.file.identity) }
    } else if silent >= Self.joiningSeconds, open.position.heldOctets > 0 {
      log.heldFrom = open.position
      open.releaseHeld(into: &log.held)
      log.hasNews = true
    } else if silent >= Self.idleSeconds {
      release(log)
      log.state = .closed
    }
  }

  /// Closes a log; its content may be taken up by another file.
  func release(_ log: FollowedLog) {
    count(log)
    if let key = log.key, owners[key.text] == log.file.identity { owners[key.text] = nil }
    log.state = .closed
    log.held = []
    log.hasNews = false
    log.lookedOctets = nil
  }

  func say(_ trouble: String) { meter.update { $0.trouble = trouble } }
}
