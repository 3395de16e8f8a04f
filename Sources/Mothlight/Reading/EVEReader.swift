/// Reads Suricata's EVE log: flow, dns, tls, quic, http and ssh events; alerts and the rest are counted by type.
public final class EVEReader: RecordReader {
  let lines: TextLines
  private let window: ByteWindow
  private let index: UInt32
  private let tally: RecordTally
  private var lookups = EVELookups()
  private var joined: [Observation] = []
  private var ended = false

  public convenience init(window: ByteWindow, path: String, index: UInt32) {
    self.init(window: window, path: path, index: index, linesBefore: 0)
  }

  init(window: ByteWindow, path: String, index: UInt32, linesBefore: UInt64) {
    self.window = window
    self.index = index
    lines = TextLines(window, linesBefore: linesBefore)
    tally = RecordTally(path: path, format: "eve-json")
  }

  public var summary: InputSummary { tally.current(window.offset) }
  public var progress: (read: UInt64, total: UInt64?) { (window.rawOctetsRead, window.rawOctetsTotal) }

  public func read(into batch: inout [Observation], limit: Int) throws(SourceError) -> Bool {
    let start = batch.count
    if ended { return false }
    while batch.count - start < limit {
      guard let line = try lines.next() else {
        if window.isGrowing { break }
        ended = true
        lookups.finish(into: &joined)
        handOnJoined(into: &batch)
        if let error = tally.close(lines: lines, window: window) { throw error }
        break
      }
      if line.count > 0 { take(line, into: &batch) }
    }
    return batch.count > start
  }

  private func take(_ line: UnsafeRawBufferPointer, into batch: inout [Observation]) {
    tally.countRecord()
    guard let record = EVERecord(line) else {
      return tally.unparsed(
        line: lines.number,
        "no complete JSON object\(lines.cutNote)")
    }
    let origin = RecordOrigin(input: index, record: lines.number)
    do throws(RowRefusal) {
      if let event = try event(record, origin) { tally.emit(event, into: &batch) }
    } catch {
      switch error {
      case .skipped(let reason): tally.skip(reason)
      case .damaged(let reason): tally.unparsed(line: lines.number, "\(reason)")
      }
    }
    if !joined.isEmpty { handOnJoined(into: &batch) }
  }

  /// Where the first row stands that is still held to be joined; `nil` without one.
  var heldFrom: UInt64? { lookups.heldFrom }

  /// Gives what is held to be joined: nothing came for long.
  func releaseHeld(into batch: inout [Observation]) {
    lookups.finish(into: &joined)
    handOnJoined(into: &batch)
  }

  private func handOnJoined(into batch: inout [Observation]) {
    for observation in joined { tally.emit(observation, into: &batch) }
    joined.removeAll(keepingCapacity: true)
  }

  /// `nil` when the event is held or left out.
  private func event(_ record: EVERecord, _ origin: RecordOrigin) throws(RowRefusal) -> Observation? {
    guard let kind = record.bytes("event_type") else { throw .damaged("no event_type") }
    let word = ShortWord(kind)
    if word == "flow" {
      let flow = try record.flow(origin)
      return Observation(time: flow.first, event: .flow(flow))
    }
    guard word == "dns" || word == "tls" || word == "quic" || word == "http" || word == "ssh" else {
      tally.skip(named: "event_type \(LogText.json(kind, escaped: false, limit: 32))")
      return nil
    }
    guard let time = record.time("timestamp") else { throw .skipped(RecordTally.noUsableTime) }
    if word == "dns" {
      try lookups.take(record, at: time, origin, offset: window.offset, into: &joined)
      return nil
    }
    let name: StaticString = word == "tls" ? "tls" : word == "quic" ? "quic" : word == "http" ? "http" : "ssh"
    guard let inner = record.object(name) else { throw .damaged("event without the object of its type") }
    switch word {
    case "http": return Observation(time: time, event: .http(try record.exchange(inner, origin)))
    case "ssh": return Observation(time: time, event: .ssh(try record.secureShell(inner, origin)))
    default:
      return Observation(time: time, event: .tls(try record.handshake(inner, origin, isQUIC: word == "quic")))
    }
  }
}
