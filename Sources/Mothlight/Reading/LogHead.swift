/// The beginning of a log, by which its content is known again under another name, inode or compression.
public struct LogHead: Sendable {
  /// What it is; `nil` while it has no whole line yet.
  public let format: InputFormat?
  public let isCompressed: Bool
  /// Unpacked octets from its first one, as far as they were there, at most `octetsMost`.
  public let octets: [UInt8]
  /// Time of the first record among them.
  public let first: Timestamp?

  /// Enough for a header and a first row of every log that is read.
  public static let octetsMost = 1 << 16

  /// Opens a file and looks at its beginning.
  /// - Throws: `notFound`, `unreadable`.
  public init(path: String) throws(SourceError) {
    let window = try ByteWindow(path: path)
    _ = try window.fill(atLeast: Self.octetsMost)
    isCompressed = window.isCompressed
    let bytes = UnsafeRawBufferPointer(rebasing: window.bytes.prefix(Self.octetsMost))
    octets = Array(bytes)
    let whole = (bytes.lastIndex(of: 0x0a) ?? -1) + 1
    let isLong = bytes.count == Self.octetsMost
    guard whole > 0 || isLong else {
      format = nil
      first = nil
      return
    }
    let format = FormatSniffer.format(of: UnsafeRawBufferPointer(rebasing: bytes.prefix(isLong ? bytes.count : whole)))
    first = format.isLog ? Self.firstTime(Array(octets.prefix(whole)), path) : nil
    // A header that is not whole yet tells nothing.
    if case .headerlessTSV = format, !isLong, octets.first == 0x23 { self.format = nil } else { self.format = format }
  }

  private static func firstTime(_ octets: [UInt8], _ path: String) -> Timestamp? {
    let window = ByteWindow(source: ArraySource(octets), name: path)
    guard
      let reader = try? Inputs.reader(window, path: path, index: 0, isFile: false)
    else { return nil }
    var batch: [Observation] = []
    _ = try? reader.read(into: &batch, limit: 1)
    return batch.first?.time
  }
}

extension InputFormat {
  /// Lines that can be read while their writer is at work.
  public var isLog: Bool {
    switch self {
    case .zeekTSV(.other), .zeekJSON(.other): false
    case .zeekTSV, .zeekJSON, .eve, .binetflow: true
    default: false
    }
  }
}
