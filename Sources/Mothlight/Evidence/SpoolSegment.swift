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
  /// Why reading stopped before the end; `nil` when it did not.
  var damage: String?

  /// Reads and verifies; records go to `body` block by block, only from blocks whose chain hash is right.
  /// - Throws: `unreadable`.
  static func scan(_ path: String, _ body: (SpoolRecord) -> Void = { _ in }) throws(SpoolError) -> SpoolSegment {
    try scan(octets: SpoolDisk.contents(of: path, most: 1 << 32), body)
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
    return segment
  }

  /// Where the next block begins; `nil` and `damage` when this one is not whole.
  private mutating func step(
    _ bytes: [UInt8], _ at: Int, _ header: SpoolFormat.Header, _ body: (SpoolRecord) -> Void
  ) -> Int? {
    if bytes[at] == SpoolFormat.sealMark { return seal(bytes, at, header) }
    guard bytes[at] == SpoolFormat.blockMark else {
      damage = "no block begins here"
      return nil
    }
    var cursor = SpoolCursor(bytes[at..<min(bytes.count, at + SpoolFormat.blockHeadOctets)].dropFirst())
    guard let length = cursor.fixed(UInt32.self), let count = cursor.fixed(UInt32.self),
      length <= SpoolFormat.payloadOctetsMost
    else {
      damage = "the head of a block is cut or wrong"
      return nil
    }
    let start = at + SpoolFormat.blockHeadOctets
    let end = start + Int(length)
    guard end + SpoolFormat.hashOctets <= bytes.count else {
      damage = "a block is cut"
      return nil
    }
    let payload = Array(bytes[start..<end])
    let chained = SpoolFormat.hash(head, Array(bytes[at..<start]), payload)
    guard chained == Array(bytes[end..<end + SpoolFormat.hashOctets]) else {
      damage = "the chain hash of a block is wrong"
      return nil
    }
    var decoder = SpoolDecoder(payload)
    var found: [SpoolRecord] = []
    while let record = decoder.next() { found.append(record) }
    guard !decoder.isDamaged, found.count <= Int(count) else {
      damage = "a block holds what is no record"
      return nil
    }
    for record in found {
      if let time = record.time { lastTime = max(lastTime ?? time, time) }
      body(record)
    }
    records += UInt64(count)
    head = chained
    return end + SpoolFormat.hashOctets
  }

  private mutating func seal(_ bytes: [UInt8], _ at: Int, _ header: SpoolFormat.Header) -> Int? {
    guard bytes.count - at >= SpoolFormat.sealOctets else {
      damage = "the seal is cut"
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
    return segment.head
  }

  /// Whether octets begin like a segment.
  static func isSegment(_ bytes: some Collection<UInt8>) -> Bool { bytes.starts(with: SpoolFormat.magic) }
}

extension SpoolRecord {
  /// Records of the chain that is deleted after a while.
  var expires: Bool { if case .sample = self { true } else { false } }

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
