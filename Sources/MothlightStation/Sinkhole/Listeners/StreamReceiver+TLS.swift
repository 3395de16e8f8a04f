import CLinux
import Glibc
import Mothlight

/// Connections whose TLS is answered. Inside, a first message is read and judged as on any other port; outside, nothing is
/// sent but the records of TLS.
extension StreamReceiver {
  /// Whether a hello on this port is to be answered, and may be now.
  func terminates(_ verdict: DialogueReader.Verdict, port: Int, _ ends: Endpoints, now: Int64) -> Bool {
    guard let termination, verdict.isTLS, ports[port].value.terminatesTLS else { return false }
    guard termination.admits(Self.holder(ends.client), open: sessions.count, now: now) else {
      counters.tlsRefused &+= 1
      return false
    }
    return true
  }

  /// Begins the handshake with what was read so far; the connection is held and undecided.
  func beginTLS(_ index: Int, _ verdict: DialogueReader.Verdict, _ bytes: UnsafeRawBufferPointer) {
    let server = slab[index].ends.server
    guard let session = termination?.session(for: verdict.serverName, at: server, hello: verdict), session.take(bytes)
    else {
      conclude(index, verdict, bytes)
      return
    }
    giveBack(index)
    slab[index].scanned = 0
    sessions[index] = session
    counters.tlsBegun &+= 1
    advance(index, session)
  }

  /// Readable, closed or failed.
  func serve(_ index: Int, _ session: TLSSession) {
    let count = clinux_read(slab[index].descriptor, scratch, DialogueReader.knownOctetsMost)
    if count < 0, errno == EAGAIN || errno == EINTR { return }
    counters.octets &+= UInt64(max(0, count))
    guard count > 0, session.take(UnsafeRawBufferPointer(start: scratch, count: count)) else {
      concludeTLS(index, session)
      return
    }
    advance(index, session)
  }

  private func advance(_ index: Int, _ session: TLSSession) {
    while true {
      let room = DialogueReader.knownOctetsMost - Int(slab[index].filled)
      let progress = session.advance(into: UnsafeMutableRawBufferPointer(start: scratch, count: room))
      switch progress {
      case .needsMore:
        if !flush(index, session) { concludeTLS(index, session) }
        return
      case .over:
        // An alert says why.
        _ = flush(index, session)
        concludeTLS(index, session)
        return
      case .plain(let count):
        let bytes = UnsafeRawBufferPointer(start: scratch, count: count)
        let isStored = store(bytes, index)
        let all = UnsafeRawBufferPointer(start: slab[index].block, count: Int(slab[index].filled))
        var scanned = Int(slab[index].scanned)
        let isEnd = !isStored || all.count >= DialogueReader.knownOctetsMost
        let seen = isStored ? all : bytes
        if let verdict = dialogues.read(seen, isEnd: isEnd, ends: slab[index].ends, scanned: &scanned) {
          conclude(index, verdict, seen)
          return
        }
        slab[index].scanned = UInt16(clamping: scanned)
      }
    }
  }

  /// Judged by what was said inside, or else by the hello.
  func concludeTLS(_ index: Int, _ session: TLSSession) {
    let bytes = UnsafeRawBufferPointer(start: slab[index].block, count: Int(slab[index].filled))
    var scanned = Int(slab[index].scanned)
    if !bytes.isEmpty,
      let verdict = dialogues.read(bytes, isEnd: true, ends: slab[index].ends, scanned: &scanned)
    {
      conclude(index, verdict, bytes)
    } else {
      conclude(index, session.hello, UnsafeRawBufferPointer(start: nil, count: 0))
    }
  }

  /// Sends what TLS has to say; `false` when the peer takes none: a flight of a handshake fits into any fresh buffer.
  func flush(_ index: Int, _ session: TLSSession) -> Bool {
    while true {
      let count = session.give(into: UnsafeMutableRawBufferPointer(start: outgoing, count: Self.outgoingOctets))
      if count == 0 { return true }
      if clinux_send(slab[index].descriptor, outgoing, count) != count { return false }
    }
  }
}
