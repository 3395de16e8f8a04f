import Glibc

/// Reads one Zeek log, tab-separated or JSON lines: conn, dns, http, ssl, ssh and irc; other kinds are counted and left out.
///
/// Octets of a flow are `orig_ip_bytes`/`resp_ip_bytes` where the log has them, else the payload counts.
public final class ZeekReader: BlockReader {
  let lines: TextLines
  private let window: ByteWindow
  let index: UInt32
  private let isJSON: Bool
  private var kind: ZeekLogKind
  let tally: RecordTally
  private let table = ColumnTable()
  private var header = ZeekHeader()
  private let columns: UnsafeMutablePointer<Int16>
  private let parser: ZeekJSONParser?
  private var placeholders = ZeekPlaceholders()
  private var ended = false

  /// - Parameter format: what `FormatSniffer` said of the window: `.zeekTSV` or `.zeekJSON`.
  public convenience init(window: ByteWindow, path: String, index: UInt32, format: InputFormat) {
    self.init(window: window, path: path, index: index, format: format, linesBefore: 0)
  }

  init(window: ByteWindow, path: String, index: UInt32, format: InputFormat, linesBefore: UInt64) {
    self.window = window
    self.index = index
    lines = TextLines(window, linesBefore: linesBefore)
    switch format {
    case .zeekJSON(let kind):
      isJSON = true
      self.kind = kind
    case .zeekTSV(let kind):
      isJSON = false
      self.kind = kind
    default:
      isJSON = false
      kind = .other("log")
    }
    parser = isJSON ? ZeekJSONParser() : nil
    tally = RecordTally(path: path, format: format.name)
    columns = .allocate(capacity: ZeekField.count)
    columns.initialize(repeating: -1, count: ZeekField.count)
    placeholders.set(header)
  }

  /// Goes on where a log's layout is known already.
  ///
  /// - Parameter header: `nil` for JSON.
  init(
    _ window: ByteWindow, _ tally: RecordTally, _ header: ZeekHeader?, _ kind: ZeekLogKind, index: UInt32,
    linesBefore: UInt64
  ) {
    self.window = window
    self.index = index
    self.tally = tally
    self.kind = kind
    lines = TextLines(window, linesBefore: linesBefore)
    columns = .allocate(capacity: ZeekField.count)
    columns.initialize(repeating: -1, count: ZeekField.count)
    isJSON = header == nil
    parser = isJSON ? ZeekJSONParser() : nil
    if let header { self.header = header }
    placeholders.set(self.header)
    findColumns()
  }

  deinit {
    columns.deallocate()
    placeholders.deallocate()
  }

  public var summary: InputSummary { tally.current(window.offset) }
  /// Columns by the latest header; empty for JSON.
  var columnNames: [String] { header.fields }
  var layout: LogLayout? {
    guard tally.hasDatesOnly, !isOther else { return nil }
    return isJSON ? .zeekJSON(kind) : header.columnCount > 0 ? .zeekTSV(header, kind) : nil
  }
  private var isOther: Bool {
    if case .other = kind { true } else { false }
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
        break
      }
      guard line.count > 0 else { continue }
      if isJSON { readJSON(line, into: &batch) } else { readTSV(line, into: &batch) }
    }
    return batch.count > start
  }

  @inline(__always)
  private func readTSV(_ line: UnsafeRawBufferPointer, into batch: inout [Observation]) {
    if line[0] == 0x23 { return readHeader(line) }
    if tally.isEmpty {
      let stripped = ZeekHeader.withoutLead(line)
      if stripped.first == 0x23 { return readHeader(stripped) }
    }
    tally.countRecord()
    if case .other(let name) = kind { return skipOther(name) }
    table.split(line, at: header.separator)
    guard table.count == header.columnCount else {
      return tally.unparsed(
        line: lines.number, "\(table.count) columns where the header has \(header.columnCount)\(lines.cutNote)")
    }
    if lines.isUnterminated, window.endedInside { return tally.unparsed(line: lines.number, "the line is cut") }
    var row = line
    if header.lastIsGlued { row = unglued(line) }
    take(
      ZeekTSVRow(
        line: row, columns: UnsafePointer(columns), table: table.offsets, unset: header.unset.first ?? 0x2d,
        placeholders: placeholders, setSeparator: header.setSeparator), into: &batch)
  }

  /// Cuts the label columns off that are glued to the last column with three spaces.
  private func unglued(_ line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let from = Int(table.offsets[table.count &- 1])
    var i = from
    while i &+ 2 < line.count {
      if line[i] == 0x20, line[i &+ 1] == 0x20, line[i &+ 2] == 0x20 {
        table.shorten(to: i)
        return line
      }
      i &+= 1
    }
    return line
  }

  private func readHeader(_ line: UnsafeRawBufferPointer) {
    header.read(line)
    placeholders.set(header)
    guard line.starts(with: "#fields".utf8) else { return }
    kind = header.kind
    findColumns()
  }

  private func findColumns() {
    columns.update(repeating: -1, count: ZeekField.count)
    for (column, name) in header.fields.enumerated().prefix(ColumnTable.maximumColumns) {
      if let field = ZeekField.byName[name] { columns[Int(field.rawValue)] = Int16(truncatingIfNeeded: column) }
    }
  }

  @inline(__always)
  private func readJSON(_ line: UnsafeRawBufferPointer, into batch: inout [Observation]) {
    if line[0] == 0x23 { return }
    tally.countRecord()
    guard let row = parser?.parse(line) else {
      return tally.unparsed(line: lines.number, "no complete JSON object\(lines.cutNote)")
    }
    if let path = row.bytes(.path) {
      let name = String(decoding: path.prefix(64), as: UTF8.self)
      kind = ZeekLogKind(path: name) ?? .other(name)
    }
    if case .other(let name) = kind { return skipOther(name) }
    take(row, into: &batch)
  }

  private func skipOther(_ name: String) { tally.skip(named: "zeek \(name) log: not one that is read") }

  /// Maps one row; generic, so that each syntax gets its own straight code.
  @inline(__always)
  private func take(_ row: some ZeekRow, into batch: inout [Observation]) {
    let origin = RecordOrigin(input: index, record: lines.number)
    do throws(RowRefusal) {
      if case .conn = kind {
        let flow = try row.flow(origin)
        return tally.emit(Observation(time: flow.first, event: .flow(flow)), into: &batch)
      }
      guard let time = row.time else { throw .skipped(RecordTally.noUsableTime) }
      tally.emit(Observation(time: time, event: try event(row, origin)), into: &batch)
    } catch {
      switch error {
      case .skipped(let reason): tally.skip(reason)
      case .damaged(let reason): tally.unparsed(line: lines.number, "\(reason)\(lines.cutNote)")
      }
    }
  }

  private func event(_ row: some ZeekRow, _ origin: RecordOrigin) throws(RowRefusal) -> Observation.Event {
    switch kind {
    case .conn: .flow(try row.flow(origin))
    case .dns: .dns(try row.lookup(origin))
    case .http: .http(try row.exchange(origin))
    case .ssl: .tls(try row.handshake(origin))
    case .ssh: .ssh(try row.secureShell(origin))
    case .irc: .irc(try row.chat(origin))
    case .other: throw .skipped("zeek log of another kind")
    }
  }
}
