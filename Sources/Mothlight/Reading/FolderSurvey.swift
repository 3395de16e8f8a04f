/// Looks at every file of a folder once: what it is, when it begins, whether it is a copy of another.
struct FolderSurvey {
  /// Counts and warnings of what is left out.
  private(set) var summary: InputSummary
  private var looks: [Look: String] = [:]
  private static let namedFiles = 5

  /// Why a file is left out; the reasons are data.
  private enum Reason {
    static let copy = "files: copy of another"
    static let empty = "files: empty"
    static let noLog = "files: not a log or capture"
    static let zeekBegin = "files: zeek "
    static let zeekEnd = " log, not one that is read"
    static func zeek(_ name: String) -> String { zeekBegin + name + zeekEnd }
  }

  init(summary: InputSummary) { self.summary = summary }

  /// The kind and first two records of a log: equal in a copy that was labelled, renamed or rewritten as JSON.
  private struct Look: Hashable {
    var kind: String
    var records: [Record]
    struct Record: Hashable {
      var time: Timestamp
      var source: IPAddress
      var destination: IPAddress
      var sourcePort: UInt16
      var destinationPort: UInt16
    }
  }

  mutating func members(of path: String, index: UInt32, seen: SeenFiles) throws(SourceError) -> [FolderMember] {
    var members: [FolderMember] = []
    for file in try FolderListing.files(below: path, warnings: &summary.warnings) {
      if let earlier = seen.earlier(file) {
        leaveOut(Reason.copy, "\(file.path): same content as \(earlier); read once")
        continue
      }
      let number = index &+ UInt32(clamping: members.count)
      if let member = look(at: file, index: number) { members.append(member) }
    }
    return members
  }

  private mutating func leaveOut(_ reason: String, _ warning: String?) {
    summary.skipped[reason, default: 0] &+= 1
    if let warning, summary.skipped[reason] ?? 0 <= UInt64(Self.namedFiles) { summary.warnings.append(warning) }
  }

  /// `nil` when the file is not to be read.
  private mutating func look(at file: FolderListing.File, index: UInt32) -> FolderMember? {
    var entry = InputSummary(path: file.path)
    do throws(SourceError) {
      let window = try ByteWindow(path: file.path)
      let format = try FormatSniffer.sniff(window)
      entry.format = format.name
      switch format {
      case .zeekTSV(.other(let name)), .zeekJSON(.other(let name)):
        leaveOut(Reason.zeek(name), nil)
        return nil
      case .unknown:
        leaveOut(Reason.noLog, nil)
        return nil
      case .empty where window.damage == nil:
        leaveOut(Reason.empty, nil)
        return nil
      case .pcap, .pcapng:
        return FolderMember(
          file: file, index: index, first: Self.firstPacket(window), summary: entry, isCapture: true)
      default: break
      }
      let reader = try Inputs.reader(window, path: file.path, index: index, isFile: true)
      var records: [Observation] = []
      do throws(SourceError) { _ = try reader.read(into: &records, limit: 2) } catch {
        guard error.code == .empty, window.damage == nil else { throw error }
        // A header without rows.
        leaveOut(Reason.empty, nil)
        return nil
      }
      let look = Look(kind: Self.kind(format), records: records.prefix(2).map(Self.record))
      if let earlier = looks[look] {
        leaveOut(Reason.copy, "\(file.path): begins with the same records as \(earlier); read once")
        return nil
      }
      looks[look] = file.path
      return FolderMember(
        file: file, index: index, first: records.first?.time ?? .distantPast, summary: entry, isCapture: false)
    } catch {
      if entry.format == "unknown" {
        leaveOut(Reason.noLog, error.message)
        return nil
      }
      entry.error = error
      return FolderMember(file: file, index: index, first: .distantFuture, summary: entry, isCapture: false)
    }
  }

  private static func kind(_ format: InputFormat) -> String {
    switch format {
    case .zeekTSV(let kind), .zeekJSON(let kind): "zeek \(kind.name)"
    default: format.name
    }
  }

  private static func record(_ observation: Observation) -> Look.Record {
    switch observation.event {
    case .flow(let flow):
      Look.Record(
        time: observation.time, source: flow.source, destination: flow.destination, sourcePort: flow.sourcePort,
        destinationPort: flow.destinationPort)
    case .dns(let event): record(observation.time, event.ends)
    case .tls(let event): record(observation.time, event.ends)
    case .http(let event): record(observation.time, event.ends)
    case .ssh(let event): record(observation.time, event.ends)
    case .payload(let event): record(observation.time, event.ends)
    case .irc(let event): record(observation.time, event.ends)
    }
  }

  private static func record(_ time: Timestamp, _ ends: Endpoints) -> Look.Record {
    Look.Record(
      time: time, source: ends.client, destination: ends.server, sourcePort: ends.clientPort,
      destinationPort: ends.serverPort)
  }

  /// Time of a pcap's first packet from its header; `.distantPast` for pcapng, which is then opened first.
  private static func firstPacket(_ window: ByteWindow) -> Timestamp {
    let bytes = window.bytes
    guard bytes.count >= 32 else { return .distantPast }
    let isLittle = bytes[0] == 0xd4 || bytes[0] == 0x4d || bytes[0] == 0x34
    func word(_ at: Int) -> Int64 {
      let raw = bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)
      return Int64(isLittle ? UInt32(littleEndian: raw) : UInt32(bigEndian: raw))
    }
    guard word(0) != 0x0a0d_0d0a else { return .distantPast }
    return Timestamp(seconds: word(24), nanoseconds: word(28) &* (word(0) == 0xa1b2_3c4d ? 1 : 1000))
  }

  /// What was left out, as people read it.
  static func words(of skipped: [String: UInt64]) -> String {
    skipped.sorted { $0.key < $1.key }.map { phrase($0.value, $0.key) }.joined(separator: "; ")
  }

  private static func phrase(_ count: UInt64, _ reason: String) -> String {
    let isOne = count == 1
    switch reason {
    case Reason.copy: return isOne ? "1 copy of another file" : "\(count) copies of other files"
    case Reason.empty: return isOne ? "1 empty file" : "\(count) empty files"
    case Reason.noLog: return isOne ? "1 file that is no log or capture" : "\(count) files that are no logs or captures"
    default:
      let name = reason.dropFirst(Reason.zeekBegin.count).dropLast(Reason.zeekEnd.count)
      return "\(count) Zeek \(name) \(isOne ? "log" : "logs"), a kind that is not read"
    }
  }

  /// Why nothing of the folder can be used.
  func error(_ members: [FolderMember]) -> SourceError {
    let path = summary.path
    let errors = members.compactMap(\.currentSummary.error)
    if let only = errors.first, errors.count == members.count {
      guard errors.count > 1 else { return only }
      let code = errors.allSatisfy { $0 == only } ? only.code : .nothingUsable
      return SourceError(code, "\(path): none of its \(errors.count) logs can be used; the first: \(only.message)")
    }
    let left = Self.words(of: summary.skipped)
    return SourceError(
      .noLogs,
      "\(path): holds no capture or log that I can read; give a folder with pcap, Zeek, EVE, binetflow or nfcapd files"
        + (left.isEmpty ? "" : " (left out: \(left))"))
  }
}
