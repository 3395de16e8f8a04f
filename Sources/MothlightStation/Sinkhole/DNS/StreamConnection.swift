import CLinux
import Glibc
import Mothlight

/// One TCP connection: octets of a query that is not complete yet, and replies that the client has not taken yet.
struct StreamConnection {
  enum Bound {
    /// Octets of one query with its length. Longer ones close the connection: nothing that is answered needs them.
    static let query = 2 + 2048
    /// Octets of replies that wait for the client. While they do, nothing more is read from it.
    static let replies = 2 * (2 + DNSAnswerer.Bound.reply)
  }

  var descriptor: Int32
  var source: IPAddress
  /// Network that it is counted under.
  var network: IPAddress
  /// Millisecond in which it came or completed a query; a client that dribbles grows old.
  var active: Int64
  var received = 0
  var waiting = 0
  var sent = 0
  var wantsWrite = false

  enum Progress {
    case open
    /// The other end is done, or gone.
    case ended
    /// It sent what is no query.
    case broken
  }
}

/// The two buffers of a connection's slot, made when it is first used and kept for the next one.
struct StreamBuffers {
  let query: UnsafeMutableRawPointer
  let replies: UnsafeMutableRawPointer

  init() {
    query = .allocate(byteCount: StreamConnection.Bound.query, alignment: 16)
    replies = .allocate(byteCount: StreamConnection.Bound.replies, alignment: 16)
  }

  func free() {
    query.deallocate()
    replies.deallocate()
  }
}

extension StreamConnection {
  /// Reads, answers and writes as far as it goes without waiting.
  mutating func serve(_ buffers: StreamBuffers, _ answerer: inout DNSAnswerer, _ clock: WorkerClock) -> Progress {
    // One client at a time gets so much; the rest of what it sent waits in the kernel.
    for round in 0..<16 {
      guard answerAll(buffers, &answerer, clock) else {
        _ = flush(buffers)
        return .broken
      }
      guard flush(buffers) else { return .ended }
      if waiting > sent || round == 15 { return .open }
      // Every complete query is answered, so there is room for more.
      let count = recv(descriptor, buffers.query + received, Bound.query &- received, Int32(MSG_DONTWAIT))
      if count == 0 { return .ended }
      if count < 0 { return errno == EAGAIN || errno == EINTR ? .open : .ended }
      received &+= count
    }
    return .open
  }

  /// Every complete query in the buffer, as long as there is room for its reply; `false` when it holds what is none.
  private mutating func answerAll(
    _ buffers: StreamBuffers, _ answerer: inout DNSAnswerer, _ clock: WorkerClock
  ) -> Bool {
    var at = 0
    var isSound = true
    while received &- at >= 2 {
      let length = Int(UnsafeRawPointer(buffers.query).loadUnaligned(fromByteOffset: at, as: UInt16.self).bigEndian)
      guard length >= 12, length &+ 2 <= Bound.query else {
        isSound = false
        break
      }
      guard received &- at >= length &+ 2 else { break }
      if Bound.replies &- waiting < 2 &+ DNSAnswerer.Bound.reply {
        guard flush(buffers), waiting == sent else { break }
      }
      let query = UnsafeRawBufferPointer(start: buffers.query + at + 2, count: length)
      let context = QueryContext(
        source: source, transport: .tcp, second: clock.second, millisecond: clock.millisecond)
      let room = UnsafeMutableRawBufferPointer(
        start: buffers.replies + waiting + 2, count: DNSAnswerer.Bound.reply)
      let reply = answerer.answer(query, context, into: room)
      // A packet that wants no reply wants no connection either.
      guard reply > 0 else {
        isSound = false
        break
      }
      buffers.replies.storeBytes(
        of: UInt16(truncatingIfNeeded: reply).bigEndian, toByteOffset: waiting, as: UInt16.self)
      waiting &+= 2 &+ reply
      at &+= length &+ 2
      active = clock.millisecond
    }
    if at > 0 {
      memmove(buffers.query, buffers.query + at, received &- at)
      received &-= at
    }
    return isSound
  }

  /// Writes what waits; `false` when the client is gone.
  private mutating func flush(_ buffers: StreamBuffers) -> Bool {
    while sent < waiting {
      let count = clinux_server_send(descriptor, buffers.replies + sent, waiting &- sent)
      if count < 0 {
        if errno == EINTR { continue }
        return errno == EAGAIN
      }
      sent &+= count
    }
    (sent, waiting) = (0, 0)
    return true
  }
}
