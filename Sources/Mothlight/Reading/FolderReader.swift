/// Reads a folder of logs and captures as one input: files are recognised by content, records are merged by time.
///
/// A file is opened when the merge reaches its first record, so a year of rotated logs needs few open files. Copies of
/// one log (the same file, the same bytes, or the same first two records of one kind) are read once.
public final class FolderReader: RecordReader {
  /// Files open at a time; a capture weighs more because each holds a flow table.
  static let openWeightLimit = 256
  static let captureWeight = 64

  private let path: String
  private var files: [FolderMember]
  /// Positions in `files` still to be opened, by first record, latest first.
  private var closed: [Int]
  private var open: [Int] = []
  private var base: InputSummary
  private var doneOctets: UInt64 = 0
  private let totalOctets: UInt64

  /// - Parameter index: `RecordOrigin.input` of the first member; member `k` has `index + k`.
  /// - Throws: `noLogs` when nothing in it can be read.
  init(path: String, index: UInt32, seen: SeenFiles) throws(SourceError) {
    self.path = path
    base = InputSummary(path: path, format: "folder")
    var survey = FolderSurvey(summary: base)
    files = try survey.members(of: path, index: index, seen: seen)
    base = survey.summary
    let files = files
    guard files.contains(where: { $0.summary.error == nil }) else {
      let error = survey.error(files)
      throw error
    }
    if files.contains(where: \.isCapture), files.contains(where: { !$0.isCapture }) {
      base.warnings.append(
        "\(path): holds captures and logs; where they show the same traffic it counts twice, so give one of them")
    }
    totalOctets = files.reduce(0) { $0 &+ $1.file.octets }
    closed = files.indices.filter { files[$0].summary.error == nil }
      .sorted { (files[$0].first, $0) > (files[$1].first, $1) }
  }

  /// One summary per file that was read, by `RecordOrigin.input` minus the folder's index.
  public var members: [InputSummary] { files.map(\.currentSummary) }

  /// What was left out of the folder and why, apart from what its members say.
  var ownWarnings: [String] {
    let left = FolderSurvey.words(of: base.skipped)
    return base.warnings + (left.isEmpty ? [] : ["\(path): left out: \(left)"])
  }

  public var progress: (read: UInt64, total: UInt64?) {
    (open.reduce(doneOctets) { $0 &+ (files[$1].reader?.progress.read ?? 0) }, totalOctets)
  }

  /// All members together.
  public var summary: InputSummary {
    var all = base
    let members = files.map(\.currentSummary)
    all.format = "folder (\(Set(members.map(\.format)).sorted().joined(separator: ", ")))"
    for member in members { all.add(member) }
    return all
  }

  public func read(into batch: inout [Observation], limit: Int) throws(SourceError) -> Bool {
    let start = batch.count
    while batch.count - start < limit {
      openDue()
      guard let (earliest, bound) = choose() else { break }
      files[earliest].emit(until: bound, limit: limit - (batch.count - start), into: &batch)
      if files[earliest].isDrained, !files[earliest].refill() { close(earliest) }
    }
    if batch.count == start, base.error == nil, !files.contains(where: { $0.currentSummary.used > 0 }) {
      let error = FolderSurvey(summary: base).error(files)
      base.error = error
      throw error
    }
    return batch.count > start
  }

  /// Opens what begins before the earliest record at hand, as far as the limit allows.
  private func openDue() {
    while let candidate = closed.last {
      let weight = open.reduce(0) { $0 + files[$1].weight }
      if !open.isEmpty {
        guard weight + files[candidate].weight <= Self.openWeightLimit,
          let earliest = open.map({ files[$0].headTime }).min(), files[candidate].first <= earliest
        else { return }
      }
      closed.removeLast()
      files[candidate].open()
      if files[candidate].refill() {
        open.append(candidate)
      } else {
        doneOctets &+= files[candidate].file.octets
      }
    }
  }

  /// The member with the earliest record, and the time up to which it may go on alone.
  private func choose() -> (member: Int, bound: Timestamp)? {
    guard var best = open.first else { return nil }
    var bound = Timestamp.distantFuture
    for candidate in open.dropFirst() {
      if (files[candidate].headTime, candidate) < (files[best].headTime, best) {
        bound = min(bound, files[best].headTime)
        best = candidate
      } else {
        bound = min(bound, files[candidate].headTime)
      }
    }
    if let next = closed.last { bound = min(bound, max(files[next].first, files[best].headTime)) }
    return (best, bound)
  }

  private func close(_ member: Int) {
    files[member].close()
    doneOctets &+= files[member].file.octets
    open.removeAll { $0 == member }
  }
}

/// One file of a folder: closed, open with some records at hand, or done.
struct FolderMember {
  let file: FolderListing.File
  let index: UInt32
  /// Time of the first record; `.distantPast` when it could not be told without reading.
  var first: Timestamp
  var summary: InputSummary
  let isCapture: Bool
  private(set) var reader: (any RecordReader)?
  private var batch: [Observation] = []
  private var position = 0

  init(file: FolderListing.File, index: UInt32, first: Timestamp, summary: InputSummary, isCapture: Bool) {
    self.file = file
    self.index = index
    self.first = first
    self.summary = summary
    self.isCapture = isCapture
  }

  var weight: Int { isCapture ? FolderReader.captureWeight : 1 }
  var currentSummary: InputSummary { reader?.summary ?? summary }
  var isDrained: Bool { position >= batch.count }
  var headTime: Timestamp { position < batch.count ? batch[position].time : .distantFuture }

  mutating func open() {
    do throws(SourceError) {
      reader = try Inputs.reader(try ByteWindow(path: file.path), path: file.path, index: index, isFile: true)
    } catch {
      summary.error = error
    }
  }

  /// Reads the next batch; `false` at the end or on an error, which then stands in the summary.
  mutating func refill() -> Bool {
    batch.removeAll(keepingCapacity: true)
    position = 0
    guard let reader else { return false }
    do throws(SourceError) {
      if try reader.read(into: &batch, limit: Limits.batch) { return true }
    } catch {
      close()
      summary.error = error
      return false
    }
    close()
    return false
  }

  /// Hands on records in their order while they are not later than `bound`; the first one always.
  mutating func emit(until bound: Timestamp, limit: Int, into out: inout [Observation]) {
    let end = min(batch.count, position + max(1, limit))
    var i = position
    repeat { i += 1 } while i < end && batch[i].time <= bound
    out.append(contentsOf: batch[position..<min(i, batch.count)])
    position = i
  }

  mutating func close() {
    if let reader { summary = reader.summary }
    reader = nil
    batch = []
    position = 0
  }
}

extension InputSummary {
  /// Adds one member's books to the folder's.
  mutating func add(_ member: InputSummary) {
    octets &+= member.octets
    records &+= member.records
    used &+= member.used
    unparsed &+= member.unparsed
    for (reason, count) in member.skipped { skipped[reason, default: 0] &+= count }
    if firstUnparsed == nil, let damage = member.firstUnparsed { firstUnparsed = "\(member.path): \(damage)" }
    warnings += member.warnings
    if let error = member.error { warnings.append(error.message) }
    if let time = member.first { first = first.map { min($0, time) } ?? time }
    if let time = member.last { last = last.map { max($0, time) } ?? time }
    clockIsRelative = clockIsRelative || member.clockIsRelative
    isSampled = isSampled || member.isSampled
  }
}
