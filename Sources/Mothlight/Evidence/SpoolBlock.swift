/// Why a block cannot be used.
struct BlockDefect: Error {
  var words: String
  /// There are fewer octets than its head says, or fewer than a head has.
  var isCut: Bool
  init(_ words: String, isCut: Bool = false) {
    self.words = words
    self.isCut = isCut
  }
}

extension SpoolSegment {
  /// One block that agrees with the chain.
  struct Block {
    var records: [SpoolRecord] = []
    /// As its head says; kinds of a later version are counted and not decoded.
    var count: UInt64
    var hash: [UInt8]
    /// Where the next one begins.
    var end: Int

    /// - Parameter head: chain hash of the block before.
    init(_ bytes: [UInt8], _ at: Int, after head: [UInt8]) throws(BlockDefect) {
      guard let (length, count) = Self.head(bytes, at) else {
        throw BlockDefect(
          "the head of a block is cut or wrong", isCut: bytes.count - at < SpoolFormat.blockHeadOctets)
      }
      let start = at + SpoolFormat.blockHeadOctets
      let payloadEnd = start + length
      guard payloadEnd + SpoolFormat.hashOctets <= bytes.count else { throw BlockDefect("a block is cut", isCut: true) }
      let payload = Array(bytes[start..<payloadEnd])
      hash = SpoolFormat.hash(head, Array(bytes[at..<start]), payload)
      end = payloadEnd + SpoolFormat.hashOctets
      self.count = UInt64(count)
      guard bytes[payloadEnd..<end].elementsEqual(hash) else {
        throw BlockDefect("the chain hash of a block is wrong")
      }
      var decoder = SpoolDecoder(payload)
      while let record = decoder.next() { records.append(record) }
      guard !decoder.isDamaged, records.count <= count else { throw BlockDefect("a block holds what is no record") }
    }

    /// Length of the payload and number of records; `nil` when no block can begin here.
    static func head(_ bytes: [UInt8], _ at: Int) -> (length: Int, records: Int)? {
      guard bytes.count - at >= SpoolFormat.blockHeadOctets, bytes[at] == SpoolFormat.blockMark else { return nil }
      var cursor = SpoolCursor(bytes[at + 1..<at + SpoolFormat.blockHeadOctets])
      guard let length = cursor.fixed(UInt32.self), let count = cursor.fixed(UInt32.self),
        length <= SpoolFormat.payloadOctetsMost
      else { return nil }
      return (Int(length), Int(count))
    }
  }

  /// The blocks between a damaged place and the seal.
  ///
  /// The signature is over the last chain hash, which stands in front of the seal; blocks that reach it without a gap are
  /// therefore vouched for, and nothing else is: a payload may hold octets that look like a block.
  struct Rescue: Equatable {
    /// Where the vouched part begins.
    var offset: Int
    var records: UInt64
    /// Of the segment, as signed, that are neither before the damage nor behind it.
    var recordsLost: UInt64
    var head: [UInt8]

    /// Work allowed, as a multiple of the file: an enemy can write many places that look like a block's head.
    private static let workMost = 4

    static func read(_ bytes: [UInt8], after damaged: SpoolSegment, _ body: (SpoolRecord) -> Void) -> Rescue? {
      let sealAt = bytes.count - SpoolFormat.sealOctets
      let least = damaged.goodOctets + SpoolFormat.hashOctets
      guard let header = damaged.header, sealAt >= least, bytes[sealAt] == SpoolFormat.sealMark else { return nil }
      let last = Array(bytes[sealAt - SpoolFormat.hashOctets..<sealAt])
      var cursor = SpoolCursor(bytes[sealAt + 1..<bytes.count])
      guard let count = cursor.fixed(UInt64.self), let end = cursor.fixed(UInt64.self),
        let signature = cursor.take(SpoolFormat.signatureOctets),
        SpoolKey.isValid(
          signature,
          over: SpoolFormat.sealed(last, records: count, end: Timestamp(nanoseconds: Int64(bitPattern: end))),
          by: header.publicKey)
      else { return nil }
      var rescue = Rescue(offset: sealAt, records: 0, recordsLost: 0, head: last)
      let found = firstChained(bytes, from: least, to: sealAt)
      if let found {
        rescue.offset = found.offset
        for block in found.blocks {
          rescue.records &+= block.count
          for record in block.records { body(record) }
        }
      }
      let kept = damaged.records &+ rescue.records
      rescue.recordsLost = count > kept ? count - kept : 0
      return rescue
    }

    /// The earliest place from which blocks follow each other up to the seal.
    private static func firstChained(_ bytes: [UInt8], from least: Int, to sealAt: Int) -> (
      offset: Int, blocks: [Block]
    )? {
      var work = bytes.count * workMost
      var at = least
      while at < sealAt, work > 0 {
        if let (length, _) = Block.head(bytes, at), at + length <= sealAt {
          var blocks: [Block] = []
          var next = at
          var head = Array(bytes[at - SpoolFormat.hashOctets..<at])
          while next < sealAt, let block = try? Block(bytes, next, after: head) {
            work -= block.end - next
            blocks.append(block)
            head = block.hash
            next = block.end
          }
          if next == sealAt { return (at, blocks) }
          work -= length
        }
        at += 1
      }
      return nil
    }
  }
}
