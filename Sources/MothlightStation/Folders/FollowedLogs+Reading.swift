import Mothlight

/// Rows of all logs in one stream, by their times.
extension FollowedLogs {
  /// Rows sent between two looks at the folder.
  static let rowsMost = 1 << 16

  /// Sends what is there, up to `rowsMost`.
  /// - Returns: whether there may be more.
  func read(into sink: any ObservationSink) async -> Bool {
    var batch: [Observation] = []
    batch.reserveCapacity(Limits.batch * 2)
    var touched: [ObjectIdentifier: FollowedLog] = [:]
    var left = Self.rowsMost
    while left > 0, !Task.isCancelled {
      openDue()
      guard let (log, bound) = earliest() else { break }
      repeat {
        touched[ObjectIdentifier(log)] = log
        batch += log.held
        left -= log.held.count
        advance(log)
      } while !log.held.isEmpty && log.headTime <= bound && batch.count < Limits.batch
      if batch.count >= Limits.batch { await send(&batch, &touched, to: sink) }
    }
    await send(&batch, &touched, to: sink)
    return left <= 0
  }

  private func send(
    _ batch: inout [Observation], _ touched: inout [ObjectIdentifier: FollowedLog], to sink: any ObservationSink
  ) async {
    if !batch.isEmpty { await sink.send(batch) }
    let newest = batch.map(\.time).max()
    let used = UInt64(batch.count)
    for log in touched.values {
      if let key = log.key {
        let position = log.sentUpTo
        keeper.put(key.text, octets: position.octets, lines: position.lines, held: position.heldOctets)
      }
      count(log)
      noteColumns(log)
      // A packed log is over when it has been read.
      if log.isCompressed, !log.hasNews, log.held.isEmpty {
        if let damage = log.log?.damage { say("\(damage)") }
        release(log)
      }
    }
    meter.update { health in
      health.used &+= used
      if let newest { health.newest = max(newest, health.newest ?? newest) }
    }
    batch.removeAll(keepingCapacity: true)
    touched.removeAll(keepingCapacity: true)
  }

  /// The open log with the earliest row, and the time up to which it may go on alone.
  private func earliest() -> (log: FollowedLog, bound: Timestamp)? {
    var best: FollowedLog?
    var bound = Timestamp.distantFuture
    for log in logs.values where log.log != nil {
      if log.held.isEmpty, log.hasNews { advance(log) }
      guard !log.held.isEmpty else { continue }
      guard let other = best else {
        best = log
        continue
      }
      if (log.headTime, log.file.path) < (other.headTime, other.file.path) {
        bound = min(bound, other.headTime)
        best = log
      } else {
        bound = min(bound, log.headTime)
      }
    }
    guard let best else { return nil }
    if let next = nextWaiting?.first { bound = min(bound, max(next, best.headTime)) }
    return (best, bound)
  }

  /// Reads the next row of a log.
  private func advance(_ log: FollowedLog) {
    do throws(SourceError) {
      if try log.refill() { return }
      log.hasNews = false
    } catch {
      say(error.message)
      release(log)
      log.notBefore = .now + .seconds(60)
      log.state = .new
    }
  }

  /// The log that is to be opened next: one whose beginning is not known, or the earliest.
  private var nextWaiting: FollowedLog? {
    logs.values.filter { if case .waiting = $0.state { true } else { false } }
      .min { ($0.first ?? .distantPast, $0.file.path) < ($1.first ?? .distantPast, $1.file.path) }
  }

  /// Opens logs whose first row may be next, as many as may be open.
  private func openDue() {
    while let log = nextWaiting {
      let open = logs.values.filter { $0.log != nil }
      let earliest = open.lazy.filter { !$0.held.isEmpty }.map(\.headTime).min()
      if let earliest, let first = log.first, first > earliest { return }
      if open.count >= Self.openMost {
        // The one that was silent for the longest gives way, until it grows.
        guard
          let idle = open.filter({ $0.held.isEmpty && !$0.hasNews && !$0.isGone }).min(by: { $0.changed < $1.changed })
        else { return }
        release(idle)
      }
      self.open(log)
    }
  }

  private func open(_ log: FollowedLog) {
    guard let key = log.key, let format = log.format else {
      log.state = .new
      return
    }
    let mark = keeper.mark(key.text)
    do throws(SourceError) {
      let opened = try GrowingLog(
        path: log.file.path, format: format, index: settings.input,
        from: GrowingLog.Position(
          octets: mark?.octets ?? 0, lines: mark?.lines ?? 0, heldOctets: mark?.held ?? 0))
      log.state = .open(opened)
      let summary = opened.summary
      log.counted = (summary.records, summary.unparsed, opened.position.octets, summary.skipped)
      log.hasNews = true
      log.changed = .now
    } catch {
      if error.code != .notFound { say(error.message) }
      release(log)
      log.state = .new
      log.notBefore = .now + .seconds(60)
    }
  }

  // MARK: books

  /// Hands on to the meter what was read of a log since the last time.
  func count(_ log: FollowedLog) {
    guard let open = log.log else { return }
    let summary = open.summary
    let octets = open.position.octets
    let before = log.counted
    log.counted = (summary.records, summary.unparsed, octets, summary.skipped)
    meter.update { health in
      health.records &+= summary.records &- before.records
      health.unparsed &+= summary.unparsed &- before.unparsed
      if octets > before.octets { health.octets &+= octets &- before.octets }
      for (reason, count) in summary.skipped where count > before.skipped[reason] ?? 0 {
        health.skipped[reason, default: 0] &+= count &- (before.skipped[reason] ?? 0)
      }
      if summary.unparsed > before.unparsed, let first = summary.firstUnparsed {
        health.trouble = "\(log.file.path): \(first)"
      }
      health.isSampled = health.isSampled || summary.isSampled
    }
  }

  /// Says when a kind of log has other columns than before.
  private func noteColumns(_ log: FollowedLog) {
    guard let names = log.log?.columns, !names.isEmpty, let kind = log.format?.name else { return }
    guard let before = columns.updateValue(names, forKey: kind), before != names else { return }
    let added = names.filter { !before.contains($0) }.map { "+\($0)" }
    let gone = before.filter { !names.contains($0) }.map { "-\($0)" }
    let what = (added + gone).prefix(8).joined(separator: " ")
    say(
      "\(log.file.path): \(kind) has other columns than before (\(what.isEmpty ? "another order" : what)); it is read by its new header"
    )
  }

  /// What is seen of the folder now.
  func show() {
    let open = logs.values.count { $0.log != nil }
    let waiting = logs.values.count { if case .waiting = $0.state { true } else { false } }
    let (files, trouble, forgotten) = (logs.count, keeper.trouble, keeper.forgotten)
    meter.update { health in
      health.details["files"] = String(files)
      health.details["logs open"] = String(open)
      health.details["logs waiting"] = String(waiting)
      if let trouble { health.trouble = trouble }
      if forgotten > 0 { health.dropped["positions"] = forgotten }
    }
  }
}
