/// Reads Argus bidirectional flows as `ra` prints them with a header line: comma or tab, columns in any order.
///
/// Octets include the link and IP headers (Argus counts frames). Without `SrcBytes`/`SrcPkts` an answered flow's totals
/// are halved. Times have no zone and are taken as UTC.
public final class BinetflowReader: BlockReader {
  /// Called with each flow and the bytes of its `Label` column, for evaluation; never used for a verdict. The flow's source is
  /// the one that the row names, also where its direction says that the other side began: labels speak of the row.
  public var onLabel: ((Flow, UnsafeRawBufferPointer) -> Void)?

  let lines: TextLines
  private let window: ByteWindow
  let index: UInt32
  let tally: RecordTally
  private let table = ColumnTable()
  private var columns = BinetflowColumns()
  private let clock = ArgusClock()
  private var userData = UserData()
  private var sawUserData = false
  private var shown: [Observation] = []
  private var ended = false

  public convenience init(window: ByteWindow, path: String, index: UInt32) {
    self.init(window: window, path: path, index: index, linesBefore: 0)
  }

  init(window: ByteWindow, path: String, index: UInt32, linesBefore: UInt64) {
    self.window = window
    self.index = index
    lines = TextLines(window, linesBefore: linesBefore)
    tally = RecordTally(path: path, format: "binetflow")
  }

  /// Goes on where a log's columns are known already.
  init(_ window: ByteWindow, _ tally: RecordTally, columns: BinetflowColumns, index: UInt32, linesBefore: UInt64) {
    self.window = window
    self.index = index
    self.tally = tally
    self.columns = columns
    lines = TextLines(window, linesBefore: linesBefore)
  }

  public var summary: InputSummary { tally.current(window.offset) }
  var layout: LogLayout? {
    // What payloads show may come in several rows, and times of the day count on from one another.
    let isSimple = tally.hasDatesOnly && columns.isKnown && !sawUserData && !clock.countsOn && onLabel == nil
    return isSimple ? .binetflow(columns) : nil
  }
  public var progress: (read: UInt64, total: UInt64?) { (window.rawOctetsRead, window.rawOctetsTotal) }

  public func read(into batch: inout [Observation], limit: Int) throws(SourceError) -> Bool {
    let start = batch.count
    if ended { return false }
    while batch.count &- start < limit {
      guard let line = try lines.next() else {
        if window.isGrowing { break }
        ended = true
        if let error = tally.close(lines: lines, window: window) { throw error }
        userData.finish(into: &shown)
        tally.attach(shown, into: &batch)
        break
      }
      if line.count > 0 { take(line, into: &batch) }
    }
    return batch.count > start
  }

  @inline(__always)
  private func take(_ line: UnsafeRawBufferPointer, into batch: inout [Observation]) {
    // The header may come again where files were put together.
    if line[0] == 0x53 || !columns.isKnown, let header = BinetflowColumns(header: line) {
      columns = header
      sawUserData = sawUserData || header.hasUserData
      return
    }
    tally.countRecord()
    table.split(line, at: columns.separator)
    let count = table.count
    guard count == columns.count || (count == columns.count &- 1 && columns.labelIsLast) else {
      return tally.unparsed(
        line: lines.number,
        "\(count) columns where the header has \(columns.count)\(lines.cutNote)"
      )
    }
    if lines.isUnterminated, window.endedInside { return tally.unparsed(line: lines.number, "the line is cut") }
    let row = BinetflowRow(line: line, table: table.offsets, columns: columns)
    do throws(RowRefusal) {
      var flow = try row.flow(clock, RecordOrigin(input: index, record: lines.number))
      if columns.hasUserData { flow.service = readUserData(row, flow) }
      tally.emit(Observation(time: flow.first, event: .flow(flow)), into: &batch)
      if !shown.isEmpty {
        tally.attach(shown, into: &batch)
        shown.removeAll(keepingCapacity: true)
      }
      if let onLabel, columns.has(.label), columns[.label] < count {
        onLabel(row.isReversed ? flow.reversed : flow, row.bytes(.label))
      }
    } catch {
      switch error {
      case .skipped(let reason): tally.skip(reason)
      case .damaged(let reason): tally.unparsed(line: lines.number, "\(reason)")
      }
    }
  }

  /// What the payload columns show goes to `shown`, behind the flow it belongs to.
  private func readUserData(_ row: BinetflowRow, _ flow: Flow) -> Service {
    let source = row.bytes(.srcUdata)
    let destination = row.bytes(.dstUdata)
    if source.count == 0 && destination.count == 0 { return .unknown }
    return userData.decode(
      source: source, destination: destination, of: flow, isReversed: row.isReversed, into: &shown)
  }
}

/// A column of `ra`'s output that is read; any other is ignored.
enum BinetflowField: Int, CaseIterable {
  case startTime, dur, proto, srcAddr, sport, dir, dstAddr, dport, state, totPkts, totBytes, srcBytes, srcPkts
  case dstBytes, dstPkts, srcUdata, dstUdata, label
}

/// Which column holds what, from the header line.
struct BinetflowColumns: Sendable, Equatable {
  private var places = [Int](repeating: -1, count: BinetflowField.allCases.count)
  private(set) var count = 0
  private(set) var separator: UInt8 = 0x2c
  private(set) var labelIsLast = false
  private(set) var hasUserData = false

  var isKnown: Bool { count > 0 }
  subscript(_ field: BinetflowField) -> Int { places[field.rawValue] }
  func has(_ field: BinetflowField) -> Bool { places[field.rawValue] >= 0 }

  init() {}

  /// `nil` when the line is no header with at least a time, a protocol and two addresses.
  init?(header line: UnsafeRawBufferPointer) {
    guard line.starts(with: "StartTime".utf8) else { return nil }
    separator = line.contains(0x09) ? 0x09 : 0x2c
    let names = line.split(separator: separator, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self).lowercased() }
    guard names.count <= ColumnTable.maximumColumns else { return nil }
    for field in BinetflowField.allCases {
      if let place = names.firstIndex(of: "\(field)".lowercased()) { places[field.rawValue] = place }
    }
    guard has(.startTime), has(.proto), has(.srcAddr), has(.dstAddr) else { return nil }
    count = names.count
    labelIsLast = self[.label] == count - 1
    hasUserData = has(.srcUdata) || has(.dstUdata)
  }
}

/// `StartTime` in its spellings: date and time, seconds since the epoch, or the time of day alone.
final class ArgusClock {
  private var dateLow: UInt64 = 0
  private var dateHigh: UInt16 = 0
  private var dateNanoseconds: Int64 = 0
  private var lastTimeOfDay: Int64 = 0
  private var daysPassed: Int64 = 0
  /// A time of the day was read, and the next one may be of the day after.
  var countsOn: Bool { lastTimeOfDay != 0 || daysPassed != 0 }
  private static let nanosecondsPerDay: Int64 = 86_400_000_000_000

  @inline(__always)
  func parse(_ text: UnsafeRawBufferPointer) -> Timestamp? {
    guard text.count >= 19, let base = text.baseAddress else { return parseOther(text) }
    // The date changes once a day: compare its ten bytes with the last one's.
    let low = base.loadUnaligned(as: UInt64.self)
    let high = base.loadUnaligned(fromByteOffset: 8, as: UInt16.self)
    if low != dateLow || high != dateHigh {
      guard let day = ASCIINumber.day(text) else { return parseOther(text) }
      dateLow = low
      dateHigh = high
      dateNanoseconds = Int64(day) &* Self.nanosecondsPerDay
    }
    guard let time = ASCIINumber.timeOfDay(text, from: 11) else { return nil }
    return Timestamp(nanoseconds: dateNanoseconds &+ time.nanoseconds)
  }

  private func parseOther(_ text: UnsafeRawBufferPointer) -> Timestamp? {
    if let seconds = ASCIINumber.nanoseconds(text) { return Timestamp(nanoseconds: seconds) }
    guard text.count >= 8, let time = ASCIINumber.timeOfDay(text, from: 0), time.end == text.count else { return nil }
    // A time of day that falls by more than half a day has passed midnight.
    if time.nanoseconds < lastTimeOfDay - Self.nanosecondsPerDay / 2, daysPassed < 10_000 { daysPassed += 1 }
    lastTimeOfDay = time.nanoseconds
    return Timestamp(nanoseconds: daysPassed * Self.nanosecondsPerDay + time.nanoseconds)
  }
}
