/// Reads a spool folder or one segment: verifies chain, order and signatures, and gives every record that they vouch for.
///
/// What is damaged costs itself and what follows it in its segment, never what came before or other segments.
public struct SpoolReader: Sendable {
  /// What was found of one segment.
  public struct SegmentReport: Sendable, Equatable {
    public var path: String
    public var sensor: String
    public var records: UInt64
    /// Sealed with a valid signature, and the predecessor is the one it names.
    public var isVerified: Bool
    /// Still being written, or left so by a crash.
    public var isOpen: Bool
    /// What is wrong, with its place; `nil` when nothing is.
    public var damage: String?
    /// Octets of the file, and of its whole part.
    public var octets: Int
    public var goodOctets: Int
  }

  public let path: String
  private let files: [String]

  /// - Throws: `notASpool` when there is no segment.
  public init(path: String) throws(SpoolError) {
    self.path = path
    let names = SpoolDisk.names(in: path).filter(SpoolFolder.isSegmentName)
    if names.isEmpty {
      guard FolderListing.isFolder(path) ? false : SpoolSegment.isSegment(try SpoolDisk.contents(of: path, most: 0))
      else {
        throw SpoolError(.notASpool, "\(path): holds no spool segment; give the folder that a sinkhole writes")
      }
      files = [path]
    } else {
      files = names.map { "\(path)/\($0)" }
    }
  }

  /// Whether `path` is a segment or a folder with some.
  public static func recognises(_ path: String) -> Bool {
    let names = SpoolDisk.names(in: path)
    if !names.isEmpty { return names.contains(where: SpoolFolder.isSegmentName) }
    return (try? SpoolDisk.contents(of: path, most: 0)).map { SpoolSegment.isSegment($0) } ?? false
  }

  /// Octets of all segments, for progress.
  public var segmentCount: Int { files.count }

  /// Reads everything, sightings before samples, in order of segments.
  /// - Returns: a line for each segment.
  public func read(
    _ body: (SpoolRecord) -> Void, after: (_ segmentsDone: Int) -> Void = { _ in }
  ) -> [SegmentReport] {
    var reports: [SegmentReport] = []
    for chain in SpoolFormat.Chain.allCases {
      var previous: (sequence: UInt64, head: [UInt8], key: [UInt8])?
      for file in files where files.count == 1 || SpoolFolder.parse(SpoolFolder.name(of: file), chain) != nil {
        if files.count == 1, !reports.isEmpty { break }
        let segment: SpoolSegment
        do throws(SpoolError) {
          segment = try SpoolSegment.scan(file, body)
        } catch {
          reports.append(
            SegmentReport(
              path: file, sensor: "", records: 0, isVerified: false, isOpen: false, damage: error.message, octets: 0,
              goodOctets: 0))
          continue
        }
        reports.append(report(segment, file, after: previous))
        if let header = segment.header { previous = (header.sequence, segment.head, header.publicKey) }
        after(reports.count)
      }
    }
    return reports
  }

  private func report(
    _ segment: SpoolSegment, _ file: String, after previous: (sequence: UInt64, head: [UInt8], key: [UInt8])?
  ) -> SegmentReport {
    let isOpen = file.hasSuffix(".open")
    var damage = segment.damage.map { "\($0), at byte \(segment.goodOctets)" }
    if damage == nil, let header = segment.header, let previous {
      if header.publicKey != previous.key {
        damage = "signed by another key than the segment before"
      } else if header.sequence != previous.sequence + 1 {
        // Expired samples leave a gap at the beginning only.
        damage = "segments \(previous.sequence + 1) to \(header.sequence &- 1) are missing before it"
      } else if header.previous != previous.head {
        damage = "does not follow the segment before it: that one was changed or cut"
      }
    }
    // The tail of a segment that is being written may be on its way.
    if isOpen, segment.damage != nil, segment.header != nil { damage = nil }
    if damage == nil, !segment.isSealed, !isOpen { damage = "was never sealed" }
    return SegmentReport(
      path: file, sensor: segment.header?.sensor ?? "", records: segment.records,
      isVerified: damage == nil && segment.isSealed && segment.isSignatureValid, isOpen: isOpen, damage: damage,
      octets: segment.octets, goodOctets: segment.goodOctets)
  }
}

/// Names of the files in a spool folder.
enum SpoolFolder {
  static func name(of path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

  static func isSegmentName(_ name: String) -> Bool {
    SpoolFormat.Chain.allCases.contains { parse(name, $0) != nil }
  }

  /// Sequence and suffix of a segment of `chain`.
  static func parse(_ name: String, _ chain: SpoolFormat.Chain) -> (sequence: UInt64, suffix: String)? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1] == "open" || parts[1] == "sealed" else { return nil }
    let stem = parts[0].split(separator: "-", omittingEmptySubsequences: false)
    guard stem.count == 2, stem[1] == chain.name, let sequence = UInt64(stem[0]) else { return nil }
    return (sequence, String(parts[1]))
  }
}
