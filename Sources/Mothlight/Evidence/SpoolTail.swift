import Glibc

/// Follows one chain of a spool while its sensor writes it: every block once, when its chain hash is right.
///
/// Segments are read in order, each from where the last call stopped. One thread owns it.
public struct SpoolTail: Sendable {
  /// Up to where a chain was read: a segment, and octets of it. Between two blocks.
  public struct Place: Sendable, Hashable {
    public var sequence: UInt64
    public var octets: UInt64
    public init(sequence: UInt64 = 0, octets: UInt64 = 0) {
      self.sequence = sequence
      self.octets = octets
    }
  }

  public let folder: String
  private let chain: SpoolFormat.Chain
  /// Up to here the records were given.
  public private(set) var place: Place
  /// Octets gone through since this tail was made, over all segments; what was verified again is not among them.
  public private(set) var octetsRead: UInt64 = 0
  /// Of the sensor, as its latest segment says.
  public private(set) var sensor = ""
  /// What is wrong with the chain, one line each, newest last; at most `troublesMost`.
  public private(set) var troubles: [String] = []
  /// How many were said since the beginning.
  public private(set) var troublesSaid: UInt64 = 0
  private var header: SpoolFormat.Header?
  private var head: [UInt8] = []
  private var records: UInt64 = 0
  /// Was said of the segment in hand.
  private var isDamaged = false
  private var previous: (head: [UInt8], key: [UInt8])?

  private static let troublesMost = 8
  /// Octets read at once: a block of the writer's is a quarter of it.
  private static let chunkOctets = 1 << 20

  /// The spool folders at `path`: itself, or those in it, as a sinkhole's processes make them.
  public static func spools(at path: String) -> [String] { SpoolReader.folders(path) }

  /// - Parameters:
  ///   - samples: follow the raw samples rather than the sightings.
  ///   - place: where to go on. What lies before it in its segment is verified again and not given.
  public init(folder: String, samples: Bool = false, from place: Place = Place()) {
    self.folder = folder
    chain = samples ? .samples : .sightings
    self.place = place
  }

  /// Reads what is there, about `octetsMost` of it.
  /// - Returns: whether more may be waiting.
  public mutating func read(octetsMost: Int = 8 << 20, _ body: (SpoolRecord) -> Void) -> Bool {
    var left = octetsMost
    while left > 0 {
      guard let (sequence, path, isLast) = segment(from: place.sequence) else { return false }
      if sequence != place.sequence { begin(sequence) }
      guard let bytes = octets(of: path) else { return false }
      let before = place
      let isOver = take(bytes, at: header == nil ? 0 : place.octets, path, body)
      octetsRead &+= place.octets &- before.octets
      left -= Int(clamping: place.octets &- before.octets) + 1
      // A segment is renamed before the next is begun: one that is open and not the last was given up in a torn block.
      if isOver || place == before && !isLast && path.hasSuffix(".open") {
        begin(sequence &+ 1)
      } else if place == before {
        return false
      }
    }
    return true
  }

  /// The segment of this sequence, or the next one that is there: expired samples leave a gap.
  private mutating func segment(from sequence: UInt64) -> (sequence: UInt64, path: String, isLast: Bool)? {
    var best: (sequence: UInt64, name: String)?
    var last: UInt64 = 0
    for name in SpoolReader.segments(folder) {
      guard let (number, _) = SpoolFolder.parse(name, chain), number >= sequence else { continue }
      last = max(last, number)
      if best.map({ number < $0.sequence }) ?? true { best = (number, name) }
    }
    guard let best else { return nil }
    if previous != nil, best.sequence > sequence {
      say("\(folder): segments \(sequence) to \(best.sequence - 1) of its \(chain.name) are missing")
      previous = nil
    }
    return (best.sequence, "\(folder)/\(best.name)", best.sequence == last)
  }

  private mutating func begin(_ sequence: UInt64) {
    place = Place(sequence: sequence)
    header = nil
    head = []
    records = 0
    isDamaged = false
  }

  /// The unread octets of a segment. Without a header in hand it is read from its beginning.
  private func octets(of path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    let size = UInt64(clamping: status.st_size)
    let from = header == nil ? 0 : place.octets
    guard size > from else { return nil }
    // What was read before a restart is verified again; the last block of a chunk may be longer than it.
    let known = min(header == nil ? place.octets : 0, UInt64(SpoolFormat.segmentOctetsMost))
    let block = UInt64(SpoolFormat.payloadOctetsMost + SpoolFormat.blockHeadOctets + SpoolFormat.hashOctets)
    let count = Int(min(size &- from, known &+ UInt64(Self.chunkOctets) &+ block))
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let got = bytes.withUnsafeMutableBytes {
        pread(descriptor, $0.baseAddress?.advanced(by: done), count - done, off_t(clamping: from &+ UInt64(done)))
      }
      if got < 0, errno == EINTR { continue }
      if got <= 0 { break }
      done += got
    }
    return Array(bytes.prefix(done))
  }

  /// Takes whole blocks; `true` when the segment is over.
  /// - Parameter base: where in the segment `bytes` begin.
  private mutating func take(
    _ bytes: [UInt8], at base: UInt64, _ path: String, _ body: (SpoolRecord) -> Void
  ) -> Bool {
    var at = 0
    if header == nil {
      guard bytes.count >= SpoolFormat.headerOctets else { return false }
      guard takeHeader(bytes, path) else { return true }
      at = SpoolFormat.headerOctets
    }
    let given = place.octets
    while at < bytes.count {
      if bytes[at] == SpoolFormat.sealMark {
        guard bytes.count - at >= SpoolFormat.sealOctets else { break }
        seal(bytes, at, path)
        octetsRead &+= UInt64(SpoolFormat.sealOctets)
        return true
      }
      do throws(BlockDefect) {
        let block = try SpoolSegment.Block(bytes, at, after: head)
        if base &+ UInt64(at) >= given { for record in block.records { body(record) } }
        records &+= block.count
        head = block.hash
        at = block.end
        place.octets = max(place.octets, base &+ UInt64(at))
      } catch {
        return isBroken(error, path, at: base &+ UInt64(at), body)
      }
    }
    return false
  }

  /// Takes the header; `false` when there is none to go by.
  private mutating func takeHeader(_ bytes: [UInt8], _ path: String) -> Bool {
    guard let header = SpoolFormat.Header(bytes) else {
      say("\(path): has no header of a segment; it was left out")
      return false
    }
    if let previous {
      if header.publicKey != previous.key {
        say("\(path): is signed by another key than the segment before")
      } else if header.previous != previous.head {
        say("\(path): does not follow the segment before it: that one was changed or cut")
      }
    }
    self.header = header
    sensor = header.sensor
    head = SpoolFormat.hash(Array(bytes[..<SpoolFormat.headerOctets]))
    place.octets = max(place.octets, UInt64(SpoolFormat.headerOctets))
    return true
  }

  private mutating func seal(_ bytes: [UInt8], _ at: Int, _ path: String) {
    var cursor = SpoolCursor(bytes[(at + 1)..<(at + SpoolFormat.sealOctets)])
    guard let header, let count = cursor.fixed(UInt64.self), let end = cursor.fixed(UInt64.self),
      let signature = cursor.take(SpoolFormat.signatureOctets)
    else { return }
    let over = SpoolFormat.sealed(head, records: count, end: Timestamp(nanoseconds: Int64(bitPattern: end)))
    if count != records || !SpoolKey.isValid(signature, over: over, by: header.publicKey) {
      say("\(path): its signature is wrong; its blocks agree with each other")
    }
    previous = (head, header.publicKey)
  }

  /// What is cut may be on its way. Anything else ends the segment, but for what its seal vouches for behind the damage.
  private mutating func isBroken(
    _ defect: BlockDefect, _ path: String, at octet: UInt64, _ body: (SpoolRecord) -> Void
  ) -> Bool {
    guard path.hasSuffix(".sealed") else {
      if !defect.isCut, !isDamaged {
        say("\(path): \(defect.words), at byte \(octet); it is tried again when it is sealed")
      }
      isDamaged = isDamaged || !defect.isCut
      return false
    }
    var segment = SpoolSegment()
    segment.header = header
    segment.goodOctets = Int(clamping: octet)
    segment.records = records
    var lost = ""
    previous = nil
    if let bytes = try? SpoolDisk.contents(of: path, most: SpoolFormat.segmentOctetsMost),
      let rescue = SpoolSegment.Rescue.read(bytes, after: segment, body), let header
    {
      lost = "; \(rescue.recordsLost) records are lost up to byte \(rescue.offset)"
      previous = (rescue.head, header.publicKey)
    }
    say("\(path): \(defect.words), at byte \(octet)\(lost)")
    return true
  }

  private mutating func say(_ trouble: String) {
    troubles.append(trouble)
    if troubles.count > Self.troublesMost { troubles.removeFirst() }
    troublesSaid &+= 1
  }
}
