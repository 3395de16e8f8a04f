/// Cuts one direction of an HTTP/1 connection into heads, passing over bodies without keeping them.
struct HTTPLane {
  private enum Place: Equatable {
    case head
    case body(left: UInt64)
    /// In a chunk-size line; the value so far and whether its digits have ended.
    case chunkSize(UInt64, digitsDone: Bool)
    case chunkData(left: UInt64)
    /// In the trailer; octets of the present line.
    case trailer(lineOctets: Int)
    /// Lost: the next segment that looks like the start of a message is taken for one.
    case seek
    case closed
  }

  private var place = Place.head
  private var buffer: [UInt8] = []
  /// How far the buffer was searched for the empty line.
  private var searched = 0
  private let isRequest: Bool

  init(isRequest: Bool) { self.isRequest = isRequest }

  var isClosed: Bool { place == .closed }
  /// A head has begun and is not complete.
  var pendingHead: [UInt8] { place == .head ? buffer : [] }

  enum Outcome {
    case needsMore
    /// A head that is whole inside the bytes given, which is the usual case and needs no copy.
    case inPlace(Range<Int>)
    case head([UInt8])
    case tooLong([UInt8])
  }

  /// Takes bytes from `offset` on until a head is complete; `offset` moves past what was used.
  mutating func next(_ bytes: RawSpan, from offset: inout Int) -> Outcome {
    while offset < bytes.byteCount {
      switch place {
      case .closed: offset = bytes.byteCount
      case .head: return readHead(bytes, from: &offset)
      case .seek:
        let rest = bytes.from(offset)
        let starts = isRequest ? HTTP.startsRequest(rest) : HTTP.startsResponse(rest)
        if starts == true { place = .head } else { offset = bytes.byteCount }
      case .body(let left):
        let taken = take(left, bytes, &offset)
        place = left == taken ? .head : .body(left: left &- taken)
      case .chunkData(let left):
        let taken = take(left, bytes, &offset)
        place = left == taken ? .chunkSize(0, digitsDone: false) : .chunkData(left: left &- taken)
      case .chunkSize, .trailer:
        stepChunk(bytes.u8(offset))
        offset &+= 1
      }
    }
    return .needsMore
  }

  private func take(_ left: UInt64, _ bytes: RawSpan, _ offset: inout Int) -> UInt64 {
    let taken = Swift.min(left, UInt64(clamping: bytes.byteCount &- offset))
    offset &+= Int(clamping: taken)
    return taken
  }

  private mutating func readHead(_ bytes: RawSpan, from offset: inout Int) -> Outcome {
    // Empty lines before a start line are to be ignored (RFC 9112 section 2.2).
    while buffer.isEmpty, offset < bytes.byteCount, bytes.u8(offset) == 0x0d || bytes.u8(offset) == 0x0a {
      offset &+= 1
    }
    guard offset < bytes.byteCount else { return .needsMore }
    if buffer.isEmpty {
      let rest = bytes.from(offset)
      let starts = isRequest ? HTTP.startsRequest(rest) : HTTP.startsResponse(rest)
      if starts == true, let length = HTTP.headLength(rest, from: 0), length <= Limits.streamPrefixOctets {
        offset &+= length
        return .inPlace((offset &- length)..<offset)
      }
    }
    let before = buffer.count
    let taken = buffer.append(bytes.from(offset), upTo: Limits.streamPrefixOctets)
    if before < 16, !looksLikeStart() {
      place = .seek
      buffer = []
      offset = bytes.byteCount
      return .needsMore
    }
    if let length = HTTP.headLength(buffer.span.bytes, from: searched) {
      offset &+= length &- before
      let head = Array(buffer[0..<length])
      buffer = []
      searched = 0
      return .head(head)
    }
    offset &+= taken
    searched = Swift.max(0, buffer.count &- 3)
    if buffer.count >= Limits.streamPrefixOctets {
      let head = buffer
      buffer = []
      searched = 0
      place = .seek
      offset = bytes.byteCount
      return .tooLong(head)
    }
    return .needsMore
  }

  private func looksLikeStart() -> Bool {
    (isRequest ? HTTP.startsRequest(buffer.span.bytes) : HTTP.startsResponse(buffer.span.bytes)) != false
  }

  /// Chunked coding, RFC 9112 section 7.1.
  private mutating func stepChunk(_ byte: UInt8) {
    switch place {
    case .chunkSize(let size, let digitsDone):
      if byte == 0x0a {
        // The data's own line end counts with it.
        place = size == 0 ? .trailer(lineOctets: 0) : .chunkData(left: size &+ 2)
      } else if !digitsDone, let digit = hexDigit(byte), size < 1 << 56 {
        place = .chunkSize(size << 4 | UInt64(digit), digitsDone: false)
      } else if byte == 0x3b || byte == 0x0d || byte == 0x20 || digitsDone {
        place = .chunkSize(size, digitsDone: true)
      } else {
        place = .seek
      }
    case .trailer(let lineOctets):
      if byte == 0x0a {
        place = lineOctets == 0 ? .head : .trailer(lineOctets: 0)
      } else if byte != 0x0d {
        place = .trailer(lineOctets: lineOctets < 1 << 20 ? lineOctets &+ 1 : lineOctets)
      }
    default: break
    }
  }

  /// Says what follows the head that was just handed out.
  mutating func expect(_ body: HTTP.Body) {
    switch body {
    case .none: place = .head
    case .length(let count): place = .body(left: count)
    case .chunked: place = .chunkSize(0, digitsDone: false)
    case .unknown: place = .seek
    }
  }

  /// Bytes are missing here.
  mutating func loseTrack() {
    guard place != .closed else { return }
    place = .seek
    buffer = []
    searched = 0
  }

  mutating func close() {
    place = .closed
    buffer = []
  }
}
