import Crypto

/// One segment file read from its first octet: what of it is whole, chained and signed.
struct SpoolSegment {
  var header: SpoolFormat.Header?
  /// Octets of the file.
  var octets = 0
  /// Octets up to the end of the last whole block, or of the seal.
  var goodOctets = 0
  var records: UInt64 = 0
  var head: [UInt8] = []
  /// Time of the last record that has one.
  var lastTime: Timestamp?
  var isSealed = false
  var isSignatureValid = false
  /// The octets end inside a block or the seal, as they do while one is written.
  var isTorn = false
  /// Why reading stopped before the end; `nil` when it did not.
  var damage: String?
  /// What of the part behind a damage the seal vouches for.
  var rescue: Rescue?

  /// Reads and verifies; records go to `body` block by block, only from blocks whose chain hash is right.
  /// - Throws: `unreadable`.
  static func scan(_ path: String, _ body: (SpoolRecord) -> Void = { _ in }) throws(SpoolError) -> SpoolSegment {
    let bytes = try SpoolDisk.contents(of: path, most: SpoolFormat.segmentOctetsMost)
    guard bytes.count <= SpoolFormat.segmentOctetsMost else {
      throw SpoolError(.unreadable, "\(path): is larger than any segment; it was not written by this program")
    }
    return scan(octets: bytes, body)
  }

  static func scan(octets bytes: [UInt8], _ body: (SpoolRecord) -> Void = { _ in }) -> SpoolSegment {
    var segment = SpoolSegment()
    segment.octets = bytes.count
    guard let header = SpoolFormat.Header(bytes) else {
      segment.damage = "no whole header"
      return segment
    }
    segment.header = header
    segment.goodOctets = SpoolFormat.headerOctets
    segment.head = SpoolFormat.hash(Array(bytes[..<SpoolFormat.headerOctets]))
    var at = SpoolFormat.headerOctets
    while at < bytes.count, !segment.isSealed {
      guard let next = segment.step(bytes, at, header, body) else { break }
      at = next
      segment.goodOctets = at
    }
    if segment.isSealed, at < bytes.count { segment.damage = "octets after the seal" }
    if segment.damage != nil, !segment.isSealed { segment.rescue = Rescue.read(bytes, after: segment, body) }
    return segment
  }

  /// Chain hash that the next segment names.
  var lastHead: [UInt8] { rescue?.head ?? head }

  /// Where the next block begins; `nil` and `damage` when this one is not whole.
  private mutating func step(
    _ bytes: [UInt8], _ at: Int, _ header: SpoolFormat.Header, _ body: (SpoolRecord) -> Void
  ) -> Int? {
    if bytes[at] == SpoolFormat.sealMark { return seal(bytes, at, header) }
    guard bytes[at] == SpoolFormat.blockMark else {
      damage = "no block begins here"
      return nil
    }
    let block: Block
    do throws(BlockDefect) { block = try Block(bytes, at, after: head) } catch {
      damage = error.words
      isTorn = error.isCut
      return nil
    }
    for record in block.records {
      if let time = record.time { lastTime = max(lastTime ?? time, time) }
      body(record)
    }
    records &+= block.count
    head = block.hash
    return block.end
  }

  private mutating func seal(_ bytes: [UInt8], _ at: Int, _ header: SpoolFormat.Header) -> Int? {
    guard bytes.count - at >= SpoolFormat.sealOctets else {
      damage = "the seal is cut"
      isTorn = true
      return nil
    }
    var cursor = SpoolCursor(bytes[(at + 1)..<(at + SpoolFormat.sealOctets)])
    guard let count = cursor.fixed(UInt64.self), let end = cursor.fixed(UInt64.self),
      let signature = cursor.take(SpoolFormat.signatureOctets)
    else { return nil }
    let over = SpoolFormat.sealed(head, records: count, end: Timestamp(nanoseconds: Int64(bitPattern: end)))
    isSealed = true
    isSignatureValid = count == records && SpoolKey.isValid(signature, over: over, by: header.publicKey)
    if !isSignatureValid { damage = "the signature is wrong" }
    return at + SpoolFormat.sealOctets
  }

  /// Chain hash at the end of a segment, for the header of the next.
  static func chainHead(of path: String) -> [UInt8]? {
    guard let segment = try? scan(path), segment.header != nil else { return nil }
    return segment.lastHead
  }

  /// Whether octets begin like a segment.
  static func isSegment(_ bytes: some Collection<UInt8>) -> Bool { bytes.starts(with: SpoolFormat.magic) }
}

extension SpoolRecord {
  /// Records of the chain that is deleted after a while.
  var expires: Bool { if case .sample = self { true } else { false } }

  /// When what it tells of began.
  var firstTime: Timestamp? { if case .sighting(let sighting) = self { sighting.first } else { time } }

  /// When it was, for records that say so.
  var time: Timestamp? {
    switch self {
    case .sighting(let sighting): sighting.last
    case .sample(let sample, _): sample.time
    case .dnsCount(let count): Timestamp(seconds: Int64(count.hour) * 3600)
    case .notice(let notice): notice.time
    }
  }
}
