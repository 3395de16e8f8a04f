/// Opens the inputs of a run, one after the other, and numbers every file among them.
///
/// Numbering: an input takes the next free number, a folder one for each of its members (`FolderReader.members`, in
/// order of path). So `RecordOrigin.input` is an index into `inputs`, whatever was given. An input that cannot be opened
/// takes a number too and stands there with its error.
public final class Inputs {
  private enum Slot {
    case failed(InputSummary)
    case reader(any RecordReader)
    case folder(FolderReader)
  }

  private var slots: [Slot] = []
  private var next: UInt32 = 0
  /// Path of each input by its number.
  private(set) var paths: [String] = []
  private let seen = SeenFiles()

  public init() {}

  /// Opens a file, a folder or (`-`) standard input.
  /// - Throws: besides what the readers throw, `duplicate` when the same file or content was opened before.
  public func open(path: String) throws(SourceError) -> any RecordReader {
    do throws(SourceError) {
      if path != "-", SpoolReader.recognises(path) {
        let reader = try SpoolRecordReader(path: path)
        slots.append(.reader(reader))
        next &+= 1
        paths.append(path)
        return reader
      }
      if FolderListing.isFolder(path) {
        let folder = try FolderReader(path: path, index: next, seen: seen)
        slots.append(.folder(folder))
        let members = folder.members
        next &+= UInt32(clamping: members.count)
        paths += members.map(\.path)
        return folder
      }
      if let file = SeenFiles.file(at: path), let earlier = seen.earlier(file) {
        throw SourceError(
          .duplicate, "\(path): is the same as \(earlier), which was given before; it is not counted twice")
      }
      let reader = try Self.open(path: path, index: next)
      slots.append(.reader(reader))
      next &+= 1
      paths.append(path)
      return reader
    } catch {
      var summary = InputSummary(path: path)
      summary.error = error
      slots.append(.failed(summary))
      next &+= 1
      paths.append(path)
      throw error
    }
  }

  /// What happened to each file so far; the position is `RecordOrigin.input`.
  public var inputs: [InputSummary] {
    slots.flatMap { slot -> [InputSummary] in
      switch slot {
      case .failed(let summary): [summary]
      case .reader(let reader): [reader.summary]
      case .folder(let folder): folder.members
      }
    }
  }

  /// Recognises one input by its content and makes its reader, without looking for duplicates.
  /// - Parameter index: goes into `RecordOrigin.input`; the members of a folder count on from it.
  public static func open(path: String, index: UInt32) throws(SourceError) -> any RecordReader {
    if path == "-" {
      let window = try ByteWindow(standardInputNamed: "standard input")
      return try reader(window, path: "standard input", index: index, isFile: false)
    }
    if FolderListing.isFolder(path) { return try FolderReader(path: path, index: index, seen: SeenFiles()) }
    return try reader(try ByteWindow(path: path), path: path, index: index, isFile: true)
  }

  static func reader(
    _ window: ByteWindow, path: String, index: UInt32, isFile: Bool
  ) throws(SourceError) -> any RecordReader {
    let format = try FormatSniffer.sniff(window)
    switch format {
    case .pcap, .pcapng: return try CaptureReader(window: window, path: path, index: index)
    case .zeekTSV, .zeekJSON: return ZeekReader(window: window, path: path, index: index, format: format)
    case .eve: return EVEReader(window: window, path: path, index: index)
    case .binetflow: return BinetflowReader(window: window, path: path, index: index)
    case .nfcapd:
      guard isFile, !window.isCompressed else {
        throw SourceError(.unreadable, "\(path): nfdump reads nfcapd files from disk only; unpack it and give its path")
      }
      return try NfcapdReader(path: path, index: index, total: window.rawOctetsTotal)
    case .headerlessTSV:
      throw SourceError(
        .unknownFormat,
        "\(path): looks like a Zeek log whose #fields header is missing; put the header back in front of it")
    case .empty:
      if let damage = window.damage { throw SourceError(.damaged, damage) }
      throw SourceError(.empty, "\(path): is empty; give a file with records")
    case .unknown(let what):
      throw SourceError(
        .unknownFormat,
        "\(path): is \(what); give a pcap, Zeek, Suricata EVE, Argus binetflow or nfcapd file")
    }
  }
}
