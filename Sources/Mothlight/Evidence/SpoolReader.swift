/// Reads a spool folder or one segment: verifies chain, order and signatures, and gives every record that they vouch for.
///
/// What is damaged costs itself. What follows it in its segment is read where the signature vouches for it: blocks without a
/// gap up to a valid seal.
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
  /// Segments of each sensor: one spool, or one segment alone.
  private let spools: [[String]]
  private let isOneFile: Bool

  /// - Parameter path: a segment, a spool folder, or a folder that holds nothing but folders, some of them spools.
  /// - Throws: `notASpool` when there is no segment.
  public init(path: String) throws(SpoolError) {
    self.path = path
    let folders = Self.folders(path)
    isOneFile = folders.isEmpty
    if isOneFile {
      let head = try SpoolDisk.isFolder(path) ? [] : SpoolDisk.contents(of: path, most: 0)
      guard SpoolSegment.isSegment(head) else {
        throw SpoolError(.notASpool, "\(path): holds no spool segment; give the folder that a sinkhole writes")
      }
      spools = [[path]]
    } else {
      spools = folders.map { folder in Self.segments(folder).map { "\(folder)/\($0)" } }
    }
  }

  /// The newest segments alone, for a look at what goes on: chains are not held against what came before.
  /// - Parameter newest: segments of each chain and spool.
  public init(path: String, newest: Int) throws(SpoolError) {
    self.path = path
    isOneFile = false
    spools = Self.folders(path).map { folder in
      let names = Self.segments(folder)
      return SpoolFormat.Chain.allCases.flatMap { chain in
        names.filter { SpoolFolder.parse($0, chain) != nil }.suffix(max(1, newest)).map { "\(folder)/\($0)" }
      }
    }
    guard !spools.isEmpty else { throw SpoolError(.notASpool, "\(path): holds no spool segment yet") }
  }

  /// Every segment with the time of its first octet, as its header says, earliest first. Those without a header are left out.
  func inOrderOfTime() -> [(start: Timestamp, path: String)] {
    spools.flatMap { $0 }.compactMap { path in
      guard let head = try? SpoolDisk.contents(of: path, most: 0), let header = SpoolFormat.Header(head) else {
        return nil
      }
      return (header.start, path)
    }.sorted { ($0.start, $0.path) < ($1.start, $1.path) }
  }

  static func segments(_ folder: String) -> [String] {
    SpoolDisk.names(in: folder).filter(SpoolFolder.isSegmentName)
  }

  /// The spool folders at `path`: itself, or those in it when it holds folders only, as a sinkhole's processes make them.
  static func folders(_ path: String) -> [String] {
    if !segments(path).isEmpty { return [path] }
    let inside = SpoolDisk.names(in: path).map { "\(path)/\($0)" }
    guard inside.allSatisfy(SpoolDisk.isFolder) else { return [] }
    return inside.filter { !segments($0).isEmpty }
  }

  /// Whether `path` is a segment or a folder with some.
  public static func recognises(_ path: String) -> Bool {
    if SpoolDisk.isFolder(path) { return !folders(path).isEmpty }
    return (try? SpoolDisk.contents(of: path, most: 0)).map { SpoolSegment.isSegment($0) } ?? false
  }

  /// Octets of all segments, for progress.
  public var segmentCount: Int { spools.reduce(0) { $0 + $1.count } }

  /// Reads everything, sightings before samples, in order of segments.
  /// - Returns: a line for each segment.
  public func read(
    _ body: (SpoolRecord) -> Void, after: (_ segmentsDone: Int) -> Void = { _ in }
  ) -> [SegmentReport] {
    var reports: [SegmentReport] = []
    for spool in spools {
      // A segment alone is of either chain.
      for chain in isOneFile ? [.sightings] : SpoolFormat.Chain.allCases {
        var previous: (sequence: UInt64, head: [UInt8], key: [UInt8])?
        for file in spool where isOneFile || SpoolFolder.parse(SpoolFolder.name(of: file), chain) != nil {
          reports.append(read(file, after: &previous, body))
          after(reports.count)
        }
      }
    }
    return reports
  }

  private func read(
    _ file: String, after previous: inout (sequence: UInt64, head: [UInt8], key: [UInt8])?,
    _ body: (SpoolRecord) -> Void
  ) -> SegmentReport {
    do throws(SpoolError) {
      let segment = try SpoolSegment.scan(file, body)
      let report = report(segment, file, after: previous)
      if let header = segment.header { previous = (header.sequence, segment.lastHead, header.publicKey) }
      return report
    } catch {
      return SegmentReport(
        path: file, sensor: "", records: 0, isVerified: false, isOpen: false, damage: error.message, octets: 0,
        goodOctets: 0)
    }
  }

  /// What a damage cost.
  private static func words(_ rescue: SpoolSegment.Rescue?) -> String {
    guard let rescue else { return "" }
    return
      "; \(rescue.recordsLost) records are lost up to byte \(rescue.offset), from where the signature vouches again"
  }

  private func report(
    _ segment: SpoolSegment, _ file: String, after previous: (sequence: UInt64, head: [UInt8], key: [UInt8])?
  ) -> SegmentReport {
    let isOpen = file.hasSuffix(".open")
    var damage = segment.damage.map { "\($0), at byte \(segment.goodOctets)" + Self.words(segment.rescue) }
    if damage == nil, let header = segment.header, let previous {
      if header.publicKey != previous.key {
        damage = "signed by another key than the segment before"
      } else if header.sequence != previous.sequence &+ 1 {
        // Expired samples leave a gap at the beginning only.
        damage = "segments \(previous.sequence &+ 1) to \(header.sequence &- 1) are missing before it"
      } else if header.previous != previous.head {
        damage = "does not follow the segment before it: that one was changed or cut"
      }
    }
    // The tail of a segment that is being written may be on its way; anything else is damage there, too.
    if isOpen, segment.isTorn { damage = nil }
    if damage == nil, !segment.isSealed, !isOpen { damage = "was never sealed" }
    return SegmentReport(
      path: file, sensor: segment.header?.sensor ?? "", records: segment.records + (segment.rescue?.records ?? 0),
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

  /// A segment a second for three hundred years; a larger number is nobody's but an enemy's.
  static let sequenceMost: UInt64 = 9_999_999_999

  /// Sequence and suffix of a segment of `chain`.
  static func parse(_ name: String, _ chain: SpoolFormat.Chain) -> (sequence: UInt64, suffix: String)? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1] == "open" || parts[1] == "sealed" else { return nil }
    let stem = parts[0].split(separator: "-", omittingEmptySubsequences: false)
    guard stem.count == 2, stem[1] == chain.name, let sequence = UInt64(stem[0]), sequence <= sequenceMost
    else { return nil }
    return (sequence, String(parts[1]))
  }
}
