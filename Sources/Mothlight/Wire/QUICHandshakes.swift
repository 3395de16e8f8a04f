/// Puts the ClientHello of each QUIC connection together from its first Initial packets, oldest connection out first.
struct QUICHandshakes {
  private struct Key: Hashable {
    var client: IPAddress
    var server: IPAddress
    var clientPort: UInt16
    var serverPort: UInt16
  }

  private struct Entry {
    var began: Timestamp
    var destinationID: [UInt8]
    var keys: QUIC.Keys
    var crypto = QUICCryptoStream()
    var isDone = false
    /// Packets that did not open: each costs a decryption, so few are allowed.
    var failures = 0
  }

  /// Connections between their first Initial and their whole ClientHello: at most some 20 KiB each, mostly 2 KiB.
  private static let limit = 1024
  private static let failureLimit = 8

  private var entries: [Key: Entry] = [:]
  private var order: [Key] = []
  private var head = 0
  private let prints = FingerprintCache()

  /// Takes a datagram of the client; the handshake and its beginning once the ClientHello is whole.
  mutating func take(
    _ datagram: RawSpan, ends: Endpoints, at time: Timestamp
  ) -> (event: TLSHandshake, began: Timestamp)? {
    let key = Key(client: ends.client, server: ends.server, clientPort: ends.clientPort, serverPort: ends.serverPort)
    if let entry = entries[key], entry.isDone || entry.failures >= Self.failureLimit { return nil }
    var start: Int? = 0
    // A datagram holds few coalesced packets (RFC 9000 section 12.2).
    for _ in 0..<4 {
      guard let at = start else { break }
      var next: Int?
      do {
        if let packet = try QUIC.Initial(datagram, at: at, next: &next) { open(packet, in: datagram, key, at: time) }
      } catch {
        break
      }
      start = next
    }
    guard var entry = entries[key], !entry.isDone, let message = entry.crypto.clientHello else { return nil }
    entry.isDone = true
    entry.crypto = QUICCryptoStream()
    entries[key] = entry
    do {
      let hello = try TLSClientHello(message.span.bytes)
      let event = TLSHandshake(
        ends: ends, version: hello.version, serverName: hello.serverName, alpn: hello.alpn, ja3: hello.ja3(prints),
        ja4: hello.ja4(isQUIC: true, prints), isQUIC: true, anomalies: hello.anomalies)
      return (event, entry.began)
    } catch {
      return nil
    }
  }

  private mutating func open(_ packet: QUIC.Initial, in datagram: RawSpan, _ key: Key, at time: Timestamp) {
    if var entry = entries[key] {
      if let plain = try? entry.keys.open(packet, in: datagram) {
        entry.crypto.read(frames: plain.span.bytes)
      } else if entry.destinationID != packet.destinationID {
        // After a Retry the client starts again under another identifier (RFC 9001 section 5.2).
        let keys = QUIC.Keys(version: packet.version, destinationID: packet.destinationID)
        entry.failures &+= 1
        if let plain = try? keys.open(packet, in: datagram) {
          entry.keys = keys
          entry.destinationID = packet.destinationID
          entry.crypto = QUICCryptoStream()
          entry.crypto.read(frames: plain.span.bytes)
        }
      } else {
        entry.failures &+= 1
      }
      entries[key] = entry
      return
    }
    let keys = QUIC.Keys(version: packet.version, destinationID: packet.destinationID)
    var entry = Entry(began: time, destinationID: packet.destinationID, keys: keys)
    if let plain = try? keys.open(packet, in: datagram) {
      entry.crypto.read(frames: plain.span.bytes)
    } else {
      entry.failures = 1
    }
    if order.count &- head >= Self.limit {
      entries[order[head]] = nil
      head &+= 1
      if head >= Self.limit {
        order.removeFirst(head)
        head = 0
      }
    }
    entries[key] = entry
    order.append(key)
  }
}

/// The CRYPTO stream of one connection's Initial packets: fragments in any order until the first message is whole.
struct QUICCryptoStream {
  private var octets: [UInt8] = []
  /// Ranges that were written, sorted and not touching.
  private var filled: [Range<Int>] = []

  /// Chrome cuts its hello into some ten pieces on purpose.
  private static let rangeLimit = 64

  /// The first message's body when it is a whole ClientHello.
  var clientHello: [UInt8]? {
    guard let first = filled.first, first.lowerBound == 0, first.upperBound >= 4, octets[0] == 1 else { return nil }
    let length = Int(octets[1]) << 16 | Int(octets[2]) << 8 | Int(octets[3])
    return first.upperBound &- 4 >= length ? Array(octets[4..<(4 &+ length)]) : nil
  }

  /// Reads the frames that may stand in an Initial (RFC 9000 section 12.4); stops at any other.
  mutating func read(frames: RawSpan) {
    var cursor = WireCursor(frames)
    do {
      while cursor.remaining > 0 {
        switch try cursor.quicInteger() {
        case 0, 1: break
        case let type where type == 2 || type == 3:
          _ = try cursor.quicInteger()
          _ = try cursor.quicInteger()
          let ranges = try cursor.quicInteger()
          _ = try cursor.quicInteger()
          for _ in 0..<Swift.min(ranges, cursor.remaining) {
            _ = try cursor.quicInteger()
            _ = try cursor.quicInteger()
          }
          if type == 3 { for _ in 0..<3 { _ = try cursor.quicInteger() } }
        case 6:
          let offset = try cursor.quicInteger()
          let piece = try cursor.take(try cursor.quicInteger())
          insert(piece, at: offset)
        default: return
        }
      }
    } catch {
      return
    }
  }

  private mutating func insert(_ piece: RawSpan, at offset: Int) {
    let count = piece.byteCount
    guard count > 0, offset <= Limits.streamPrefixOctets, offset &+ count <= Limits.streamPrefixOctets,
      filled.count < Self.rangeLimit
    else { return }
    if octets.count < offset &+ count {
      octets.append(contentsOf: repeatElement(0, count: offset &+ count &- octets.count))
    }
    for i in 0..<count { octets[offset &+ i] = piece.u8(i) }
    var merged = offset..<(offset &+ count)
    var rest: [Range<Int>] = []
    for range in filled {
      if range.upperBound < merged.lowerBound || range.lowerBound > merged.upperBound {
        rest.append(range)
      } else {
        merged = Swift.min(range.lowerBound, merged.lowerBound)..<Swift.max(range.upperBound, merged.upperBound)
      }
    }
    rest.append(merged)
    filled = rest.sorted { $0.lowerBound < $1.lowerBound }
  }
}
