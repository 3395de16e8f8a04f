/// A reader of lines that can let others read parts of its log, as long as a row means the same without the rows before it.
protocol BlockReader: RecordReader {
  var lines: TextLines { get }
  /// Goes into `RecordOrigin.input`.
  var index: UInt32 { get }
  var tally: RecordTally { get }
  /// How rows are read at this place; `nil` while a row may depend on others before it.
  var layout: LogLayout? { get }
}

/// How the rows of a log are read: what its header said. A part of the log can be read elsewhere if this is the same behind it.
enum LogLayout: Sendable, Equatable {
  case zeekTSV(ZeekHeader, ZeekLogKind)
  case zeekJSON(ZeekLogKind)
  case binetflow(BinetflowColumns)

  /// - Parameter index: goes into `RecordOrigin.input`.
  func reader(of block: LogBlock, index: UInt32) -> any BlockReader {
    let window = ByteWindow(block, name: "")
    let tally = RecordTally()
    switch self {
    case .zeekTSV(let header, let kind):
      return ZeekReader(window, tally, header, kind, index: index, linesBefore: block.linesBefore)
    case .zeekJSON(let kind):
      return ZeekReader(window, tally, nil, kind, index: index, linesBefore: block.linesBefore)
    case .binetflow(let columns):
      return BinetflowReader(window, tally, columns: columns, index: index, linesBefore: block.linesBefore)
    }
  }
}
