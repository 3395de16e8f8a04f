import CLinux
import Glibc
import Mothlight

/// TCP listeners and their connections: reads a first message, lets the tally judge it, sends at most one constant reply.
///
/// The only octets that ever leave are those of `Reply`; inside TLS, where a port answers it, and then in TLS's own records.
final class StreamReceiver {
  struct Counters {
    var accepted: UInt64 = 0
    var decided: UInt64 = 0
    var timedOut: UInt64 = 0
    var refusedBySource: UInt64 = 0
    /// The oldest connection made room for a new one.
    var evicted: UInt64 = 0
    /// Closed at once, as no descriptor was left and nothing was open that could make room.
    var refusedByFiles: UInt64 = 0
    var replies: UInt64 = 0
    /// Handshakes begun, and hellos that were beyond a budget of theirs.
    var tlsBegun: UInt64 = 0
    var tlsRefused: UInt64 = 0
    var octets: UInt64 = 0
  }

  struct Port: ~Copyable {
    let socket: Socket
    let declared: UInt16
    let reply: Reply?
    let isTransparent: Bool
    let terminatesTLS: Bool
  }

  /// Connections accepted from one port before the others get their turn.
  private static let acceptsMost = 64
  /// Octets thrown away of one connection in a turn.
  private static let discardMost = 1 << 20

  let ports: [Boxed<Port>]
  private let replies: ReplyOctets
  let tally: CheckInTally
  let dialogues: DialogueReader
  private let limits: ListenerConfiguration.Limits
  private let epoll: Int32
  private let tokenBase: UInt64
  var slab: ConnectionSlab
  private var small: BlockPool
  private var large: BlockPool
  private var bySource: [IPAddress: Int] = [:]
  let scratch: UnsafeMutablePointer<UInt8>
  private var fresh: [(descriptor: Int32, ends: Endpoints)] = []
  private let spare: SpareDescriptor
  /// Ports that are not watched until the next tick: the kernel could give neither a descriptor nor memory.
  private var paused: [Int] = []
  private var portToken: UInt64 = 0
  var counters = Counters()
  let termination: TLSTermination?
  /// By number of the connection; none outlives its own.
  var sessions: [Int: TLSSession] = [:]
  let outgoing: UnsafeMutablePointer<UInt8>
  static let outgoingOctets = 16_384

  /// A reference, as arrays take no types that cannot be copied.
  final class Boxed<Value: ~Copyable> {
    let value: Value
    init(_ value: consuming Value) { self.value = value }
  }

  /// - Parameters:
  ///   - epoll: watched for the connections, too.
  ///   - tokenBase: the event token of connection 0.
  ///   - spare: what is left when no descriptor is.
  init(
    _ listeners: [(listener: ListenerConfiguration.Listener, declared: UInt16)], limits: ListenerConfiguration.Limits,
    header: SinkholeHeader?, tally: CheckInTally, dialogues: DialogueReader, epoll: Int32, tokenBase: UInt64,
    spare: SpareDescriptor
  ) throws(ListenError) {
    replies = ReplyOctets(header)
    ports = try listeners.map { item throws(ListenError) in
      let socket = try Socket(
        item.listener.address, SocketOptions(isStream: true, isTransparent: item.listener.isTransparent))
      return Boxed(
        Port(
          socket: socket, declared: item.declared, reply: item.listener.reply,
          isTransparent: item.listener.isTransparent, terminatesTLS: item.listener.terminatesTLS))
    }
    termination = listeners.contains { $0.listener.terminatesTLS } ? try TLSTermination(limits.tls) : nil
    outgoing = .allocate(capacity: Self.outgoingOctets)
    self.limits = limits
    self.tally = tally
    self.dialogues = dialogues
    self.epoll = epoll
    self.tokenBase = tokenBase
    self.spare = spare
    slab = ConnectionSlab(limit: limits.connections)
    small = BlockPool(octets: DialogueReader.unknownOctetsMost, limit: limits.blocks)
    large = BlockPool(octets: DialogueReader.knownOctetsMost, limit: limits.largeBlocks)
    scratch = .allocate(capacity: DialogueReader.knownOctetsMost)
    fresh.reserveCapacity(Self.acceptsMost)
  }

  deinit {
    for connection in slab.all where connection.descriptor >= 0 { close(connection.descriptor) }
    scratch.deallocate()
    outgoing.deallocate()
  }

  var addresses: [ListenAddress] { ports.map { $0.value.socket.address } }
  var open: Int { slab.count }
  var blocksInUse: Int { small.used + large.used }
  var blocksRefused: UInt64 { small.refused &+ large.refused }

  /// - Parameter token: of the first port; the others follow.
  func watch(token: UInt64) -> Bool {
    portToken = token
    return ports.enumerated().allSatisfy { number, port in
      clinux_epoll_add(epoll, port.value.socket.descriptor, token &+ UInt64(number)) == 0
    }
  }

  /// No new connections; those that are open go on to their verdict.
  func stopListening() {
    paused = []
    for port in ports { _ = clinux_epoll_remove(epoll, port.value.socket.descriptor) }
  }

  // MARK: Accepting

  func accept(port number: Int, now: Int64) {
    guard ports.indices.contains(number) else { return }
    fresh.removeAll(keepingCapacity: true)
    for _ in 0..<Self.acceptsMost {
      var peer = clinux_end()
      let descriptor = clinux_accept(ports[number].value.socket.descriptor, &peer)
      if descriptor < 0 {
        guard makesRoom(port: number, errno) else { break }
        continue
      }
      counters.accepted &+= 1
      fresh.append((descriptor, ends(of: descriptor, peer, ports[number].value)))
    }
    for connection in fresh { begin(connection.descriptor, connection.ends, port: number, now: now) }
  }

  /// After an accept that failed: whether another try can do better.
  ///
  /// A connection that cannot be taken in would wake the loop for ever, so it never stays where it is: the oldest makes room, or
  /// the spare descriptor takes the new one in and closes it, or the port is let alone until the next tick.
  private func makesRoom(port number: Int, _ code: Int32) -> Bool {
    switch code {
    case EMFILE, ENFILE:
      if slab.oldest >= 0 {
        evictOldest()
        return true
      }
      if let peer = spare.refuse(on: ports[number].value.socket.descriptor) {
        counters.accepted &+= 1
        counters.refusedByFiles &+= 1
        let socket = ports[number].value.socket.address
        let ends = Endpoints(
          client: peer.ip, server: socket.address, clientPort: peer.port, serverPort: socket.port, transport: .tcp)
        if tally.selects(ends.client) { tally.silence(ends, declared: ports[number].value.declared) }
        return true
      }
      pause(number)
      return false
    case ENOMEM, ENOBUFS:
      evictOldest()
      pause(number)
      return false
    // The peer has gone again (accept(2) hands on errors of the new connection).
    case ECONNABORTED, EINTR, EPROTO: return true
    default: return false
    }
  }

  private func pause(_ number: Int) {
    if clinux_epoll_remove(epoll, ports[number].value.socket.descriptor) == 0 { paused.append(number) }
  }

  private func ends(of descriptor: Int32, _ peer: clinux_end, _ port: borrowing Port) -> Endpoints {
    var (address, number) = (port.socket.address.address, port.socket.address.port)
    if port.isTransparent || port.socket.address.isWildcard {
      var local = clinux_end()
      if clinux_name(descriptor, &local) == 0 { (address, number) = (local.ip, local.port) }
    }
    return Endpoints(client: peer.ip, server: address, clientPort: peer.port, serverPort: number, transport: .tcp)
  }

  private func begin(_ descriptor: Int32, _ ends: Endpoints, port number: Int, now: Int64) {
    guard tally.selects(ends.client) else {
      // Sampled out: counted there, and costs no more than this.
      close(descriptor)
      return
    }
    guard bySource[Self.holder(ends.client), default: 0] < limits.connectionsPerSource else {
      counters.refusedBySource &+= 1
      tally.silence(ends, declared: ports[number].value.declared)
      close(descriptor)
      return
    }
    let count = clinux_read(descriptor, scratch, DialogueReader.knownOctetsMost)
    if count >= 0 || (errno != EAGAIN && errno != EINTR) {
      counters.octets &+= UInt64(max(0, count))
      var scanned = 0
      let bytes = UnsafeRawBufferPointer(start: scratch, count: max(0, count))
      if let verdict = dialogues.read(bytes, isEnd: count <= 0, ends: ends, scanned: &scanned) {
        if terminates(verdict, port: number, ends, now: now) {
          if let index = hold(descriptor, ends, port: number, bytes: nil, scanned: 0, isDecided: false, now: now) {
            beginTLS(index, verdict, bytes)
          }
          return
        }
        finish(verdict, descriptor, ends, bytes, port: number)
        if holdsOpen(port: number), count > 0 {
          hold(descriptor, ends, port: number, bytes: nil, scanned: 0, isDecided: true, now: now)
        } else {
          close(descriptor)
        }
        return
      }
      hold(descriptor, ends, port: number, bytes: bytes, scanned: scanned, isDecided: false, now: now)
      return
    }
    hold(descriptor, ends, port: number, bytes: nil, scanned: 0, isDecided: false, now: now)
  }

  /// Whose share of connections it is: an IPv6 network of 64 bits is one customer's (RFC 6177), however many addresses he uses.
  static func holder(_ address: IPAddress) -> IPAddress {
    address.isV4 ? address : IPAddress(high: address.high, low: 0)
  }

  /// `reply: none` leaves the closing to the peer, until its time is up.
  private func holdsOpen(port: Int) -> Bool { ports[port].value.reply == Reply.none }

  /// - Returns: its number, unless it is over already.
  @discardableResult
  private func hold(
    _ descriptor: Int32, _ ends: Endpoints, port: Int, bytes: UnsafeRawBufferPointer?, scanned: Int, isDecided: Bool,
    now: Int64
  ) -> Int? {
    if slab.isFull { evictOldest() }
    var connection = Connection()
    connection.descriptor = descriptor
    connection.listener = UInt16(clamping: port)
    connection.ends = ends
    connection.isDecided = isDecided
    connection.scanned = UInt16(clamping: scanned)
    connection.deadline = now &+ Int64(limits.timeoutSeconds) &* 1000
    let index = slab.insert(connection)
    bySource[Self.holder(ends.client), default: 0] += 1
    if let bytes, !store(bytes, index) {
      decide(index, isEnd: true, extra: bytes)
      return nil
    }
    if clinux_epoll_add(epoll, descriptor, tokenBase &+ UInt64(truncatingIfNeeded: index)) != 0 {
      decide(index, isEnd: true, extra: nil)
      return nil
    }
    return index
  }

  // MARK: Reading

  /// Readable, closed or failed.
  func serve(_ index: Int, now: Int64) {
    guard slab.all.indices.contains(index), slab[index].descriptor >= 0 else { return }
    if let session = sessions[index] { return serve(index, session) }
    if slab[index].isDecided {
      let count = clinux_discard(slab[index].descriptor, Self.discardMost)
      if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { release(index) }
      return
    }
    let filled = Int(slab[index].filled)
    let room = DialogueReader.knownOctetsMost - filled
    let count = clinux_read(slab[index].descriptor, scratch, room)
    if count < 0, errno == EAGAIN || errno == EINTR { return }
    counters.octets &+= UInt64(max(0, count))
    let bytes = UnsafeRawBufferPointer(start: scratch, count: max(0, count))
    guard filled > 0 else {
      var scanned = 0
      if let verdict = dialogues.read(bytes, isEnd: count <= 0, ends: slab[index].ends, scanned: &scanned) {
        judge(index, verdict, bytes, now: now)
      } else {
        slab[index].scanned = UInt16(clamping: scanned)
        if !store(bytes, index) { decide(index, isEnd: true, extra: bytes) }
      }
      return
    }
    let isStored = count <= 0 || store(bytes, index)
    decide(index, isEnd: count <= 0 || !isStored, extra: nil, now: now)
  }

  /// Keeps undecided octets; `false` when there is no block for them.
  func store(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Bool {
    guard let from = bytes.baseAddress, bytes.count > 0 else { return true }
    let filled = Int(slab[index].filled)
    let needed = filled + bytes.count
    guard needed <= DialogueReader.knownOctetsMost else { return false }
    let wantsLarge = needed > DialogueReader.unknownOctetsMost
    if slab[index].block == nil || (wantsLarge && !slab[index].isLarge) {
      guard let block = wantsLarge ? large.take() : small.take() else { return false }
      if let old = slab[index].block {
        block.update(from: old, count: filled)
        small.give(old)
      }
      slab[index].block = block
      slab[index].isLarge = wantsLarge
    }
    guard let block = slab[index].block else { return false }
    UnsafeMutableRawPointer(block + filled).copyMemory(from: from, byteCount: bytes.count)
    slab[index].filled = UInt16(clamping: needed)
    return true
  }

  /// Asks for a verdict on what is stored, or on `extra` when it could not be stored.
  ///
  /// - Parameter now: given where a handshake may still begin.
  private func decide(_ index: Int, isEnd: Bool, extra: UnsafeRawBufferPointer?, now: Int64? = nil) {
    let bytes = extra ?? UnsafeRawBufferPointer(start: slab[index].block, count: Int(slab[index].filled))
    var scanned = Int(slab[index].scanned)
    if let verdict = dialogues.read(bytes, isEnd: isEnd, ends: slab[index].ends, scanned: &scanned) {
      if let now { judge(index, verdict, bytes, now: now) } else { conclude(index, verdict, bytes) }
    } else {
      slab[index].scanned = UInt16(clamping: scanned)
    }
  }

  private func judge(
    _ index: Int, _ verdict: DialogueReader.Verdict, _ bytes: UnsafeRawBufferPointer, now: Int64
  ) {
    if terminates(verdict, port: Int(slab[index].listener), slab[index].ends, now: now) {
      beginTLS(index, verdict, bytes)
    } else {
      conclude(index, verdict, bytes)
    }
  }

  // MARK: Ending

  func conclude(_ index: Int, _ verdict: DialogueReader.Verdict, _ bytes: UnsafeRawBufferPointer) {
    let port = Int(slab[index].listener)
    let session = sessions.removeValue(forKey: index)
    finish(verdict, slab[index].descriptor, slab[index].ends, bytes, port: port, inside: session)
    if let session {
      _ = flush(index, session)
      _ = clinux_discard(slab[index].descriptor, Self.discardMost)
    }
    giveBack(index)
    if holdsOpen(port: port), !verdict.isSilence, session == nil {
      slab[index].isDecided = true
    } else {
      release(index)
    }
  }

  /// Tells the tally and sends the reply, if there is one.
  private func finish(
    _ verdict: DialogueReader.Verdict, _ descriptor: Int32, _ ends: Endpoints, _ bytes: UnsafeRawBufferPointer,
    port: Int, inside session: TLSSession? = nil
  ) {
    counters.decided &+= 1
    tally.conversation(verdict, ends, bytes, declared: ports[port].value.declared)
    let reply = verdict.isHTTP ? replies[ports[port].value.reply ?? Reply(verdict.signatureReply)] : nil
    if let session {
      if session.end(with: reply) { counters.replies &+= 1 }
      return
    }
    guard let text = reply else { return }
    if clinux_send(descriptor, text, text.count) > 0 { counters.replies &+= 1 }
    // What is unread would turn the close into a reset, and the reply be lost.
    _ = clinux_discard(descriptor, Self.discardMost)
  }

  func giveBack(_ index: Int) {
    guard let block = slab[index].block else { return }
    if slab[index].isLarge { large.give(block) } else { small.give(block) }
    slab[index].block = nil
    slab[index].filled = 0
  }

  private func release(_ index: Int) {
    giveBack(index)
    let source = Self.holder(slab[index].ends.client)
    if let count = bySource[source] { bySource[source] = count > 1 ? count - 1 : nil }
    close(slab[index].descriptor)
    slab.remove(index)
  }

  private func evictOldest() {
    guard slab.oldest >= 0 else { return }
    counters.evicted &+= 1
    expire(Int(slab.oldest))
  }

  private func expire(_ index: Int) {
    if let session = sessions[index] {
      concludeTLS(index, session)
    } else if !slab[index].isDecided {
      decide(index, isEnd: true, extra: nil)
    }
    // Decided now and held open by `reply: none`: its time is up all the same.
    if slab[index].descriptor >= 0 { release(index) }
  }

  /// Ends what has run out of time, and watches again what was paused.
  func expire(now: Int64) {
    for number in paused {
      _ = clinux_epoll_add(epoll, ports[number].value.socket.descriptor, portToken &+ UInt64(number))
    }
    paused.removeAll(keepingCapacity: true)
    while slab.oldest >= 0, slab[Int(slab.oldest)].deadline <= now {
      counters.timedOut &+= 1
      expire(Int(slab.oldest))
    }
  }

  /// Ends everything, judged by what it has said.
  func endAll() { while slab.oldest >= 0 { expire(Int(slab.oldest)) } }

  /// Milliseconds of the monotonic clock; `nil` when nothing is open.
  var nextDeadline: Int64? { slab.oldest >= 0 ? slab[Int(slab.oldest)].deadline : nil }
}

extension Reply {
  /// What a signature asks for; without one a request gets 404.
  init(_ reply: Signature.Reply?) {
    switch reply {
    case Signature.Reply.none?, nil: self = .http404
    case .close?: self = .close
    case .http404?: self = .http404
    case .http200Empty?: self = .http200Empty
    }
  }
}
