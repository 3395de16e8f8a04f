/// Keeps the books of one reader: what was used, skipped, unparsed, and what the clock of the records is worth.
///
/// Clocks: a time before 1980 counts from an unknown moment (sensor without a clock, or times cut to start at 0).
/// Such records are usable as long as their clock moves; a record that says exactly zero, in whatever time zone, is
/// kept back until another one shows that it does, and refused otherwise.
///
/// A class, so that the counters in a reader's inner loop need no exclusivity check of the whole.
final class RecordTally {
  static let noUsableTime: StaticString = "no usable time"
  static let lineTooLong: StaticString = "line longer than 1 MiB"
  /// 1980-01-01: no IP traffic was logged before it.
  static let absoluteFrom: Int64 = 315_532_800 * 1_000_000_000
  static let maximumHeld = 4096
  static let maximumReasons = 64

  var summary: InputSummary
  private var used: UInt64 = 0
  private var records: UInt64 = 0
  private var first = Int64.max
  private var last = Int64.min
  private var skipped: [(reason: StaticString, count: UInt64)] = []
  private var sawAbsolute = false
  private var sawRelative = false
  private var held: [Observation] = []
  /// The log began elsewhere.
  private let isContinued: Bool

  init(path: String, format: String) {
    summary = InputSummary(path: path, format: format)
    isContinued = false
  }

  /// The books of a part in the middle of a log whose times are dates.
  init() {
    summary = InputSummary(path: "")
    isContinued = true
    sawAbsolute = true
  }

  /// No record was seen so far.
  @inline(__always) var isEmpty: Bool { records == 0 && !isContinued }
  /// Times are dates so far and none waits for another: the next record is taken for what it is.
  var hasDatesOnly: Bool { sawAbsolute && !sawRelative && held.isEmpty }
  @inline(__always) func countRecord() { records &+= 1 }

  /// Hands an observation on, unless its clock is not to be trusted.
  @inline(__always)
  func emit(_ observation: Observation, into batch: inout [Observation]) {
    let time = observation.time.nanoseconds
    if time >= Self.absoluteFrom {
      sawAbsolute = true
      note(time)
      batch.append(observation)
    } else {
      emitRelative(observation, into: &batch)
    }
  }

  /// Hands on what was found inside a record that has been counted already, under the same rule for clocks.
  func attach(_ observations: [Observation], into batch: inout [Observation]) {
    for observation in observations where sawRelative || observation.time.nanoseconds >= Self.absoluteFrom {
      batch.append(observation)
    }
  }

  @inline(__always)
  private func note(_ time: Int64) {
    used &+= 1
    if time < first { first = time }
    if time > last { last = time }
  }

  private func emitRelative(_ observation: Observation, into batch: inout [Observation]) {
    let time = observation.time.nanoseconds
    guard time > -50_400_000_000_000 else { return skip(Self.noUsableTime) }
    // The epoch as any time zone writes it: a quarter of an hour on the dot within 14 h of it.
    let isZero = time < 50_400_000_000_001 && time % 900_000_000_000 == 0
    if isZero, !sawRelative {
      if !sawAbsolute, held.count < Self.maximumHeld {
        held.append(observation)
      } else {
        skip(Self.noUsableTime)
      }
      return
    }
    sawRelative = true
    release(into: &batch)
    note(time)
    batch.append(observation)
  }

  private func release(into batch: inout [Observation]) {
    for observation in held {
      note(observation.time.nanoseconds)
      batch.append(observation)
    }
    held.removeAll()
  }

  func skip(_ reason: StaticString, _ count: UInt64 = 1) {
    if count == 0 { return }
    for i in skipped.indices where skipped[i].reason.utf8Start == reason.utf8Start {
      skipped[i].count &+= count
      return
    }
    skipped.append((reason, count))
  }

  func skip(named reason: String, _ count: UInt64 = 1) {
    if count == 0 { return }
    // Names come from the input, so their number must not be up to it.
    let isKnown = summary.skipped[reason] != nil || summary.skipped.count < Self.maximumReasons
    summary.skipped[isKnown ? reason : "other kinds of record", default: 0] &+= count
  }

  func unparsed(line: UInt64, _ reason: @autoclosure () -> String) {
    summary.unparsed &+= 1
    if summary.firstUnparsed == nil { summary.firstUnparsed = "line \(line): \(reason())" }
  }

  func warn(_ text: String) {
    if !summary.warnings.contains(text) { summary.warnings.append(text) }
  }

  /// Records were left out by a name that they gave: how many names are kept depends on those before.
  var namesSkipped: Bool { !summary.skipped.isEmpty }

  /// What the books of a part amount to.
  struct Part: Sendable {
    fileprivate var summary: InputSummary
    fileprivate var records: UInt64
    fileprivate var used: UInt64
    fileprivate var first: Int64
    fileprivate var last: Int64
    fileprivate var skipped: [(reason: StaticString, count: UInt64)]
  }

  var part: Part {
    Part(summary: summary, records: records, used: used, first: first, last: last, skipped: skipped)
  }

  /// Adds the books of the part that comes next, in which nothing was left out by name.
  func add(_ part: Part) {
    records &+= part.records
    used &+= part.used
    first = min(first, part.first)
    last = max(last, part.last)
    for (reason, count) in part.skipped { skip(reason, count) }
    summary.unparsed &+= part.summary.unparsed
    if summary.firstUnparsed == nil { summary.firstUnparsed = part.summary.firstUnparsed }
    for warning in part.summary.warnings { warn(warning) }
  }

  /// The summary as it stands.
  func current(_ octets: UInt64) -> InputSummary {
    var s = summary
    s.octets = octets
    s.records = records
    s.used = used
    for (reason, count) in skipped { s.skipped["\(reason)", default: 0] &+= count }
    if used > 0 {
      s.first = Timestamp(nanoseconds: first)
      s.last = Timestamp(nanoseconds: last)
    }
    s.clockIsRelative = sawRelative
    if sawRelative, used > 0 {
      s.warnings.append(
        "\(s.path): its clock starts near 1970, so times count from an unknown moment and dates mean nothing"
      )
    }
    return s
  }

  /// Closes the books: what was held back is refused, a cut stream is named. `nil` when something was usable.
  func close(lines: TextLines?, window: ByteWindow) -> SourceError? {
    skip(Self.noUsableTime, UInt64(held.count))
    held.removeAll()
    if let lines { skip(Self.lineTooLong, lines.tooLong) }
    if let damage = window.damage { warn(damage) }
    guard used == 0 else { return nil }
    let now = current(window.offset)
    let path = summary.path
    let untimed = now.skipped["\(Self.noUsableTime)"] ?? 0
    let error: SourceError
    if untimed > 0 {
      error = SourceError(
        .noUsableTime,
        "\(path): none of its \(untimed) records has a usable time (1970 or none); nothing was scored; export it with times"
      )
    } else if let damage = now.firstUnparsed {
      error = SourceError(
        .nothingUsable, "\(path): no line could be read as \(summary.format); the first damage is in \(damage)")
    } else if records == 0 {
      error = SourceError(.empty, "\(path): holds no records; give a file that does")
    } else {
      let reasons = now.skipped.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }.joined(separator: ", ")
      error = SourceError(.nothingUsable, "\(path): nothing in it can be used (\(reasons))")
    }
    summary.error = error
    return error
  }
}
