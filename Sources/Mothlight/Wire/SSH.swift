import Crypto

/// The algorithm lists of an SSH KEXINIT (RFC 4253 section 7.1).
struct SSHKeyExchange {
  /// kex, host key, encryption ×2, MAC ×2, compression ×2 (client to server first), languages ×2.
  private var lists: [String]

  /// - Parameter payload: the packet's payload, message number 20 included.
  init(_ payload: RawSpan) throws(DecodeError) {
    var cursor = WireCursor(payload)
    guard try cursor.u8() == 20 else { throw .malformed }
    try cursor.skip(16)
    lists = []
    for _ in 0..<10 {
      let list = try cursor.take(Int(try cursor.u32()))
      lists.append(list.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
    }
  }

  /// HASSH (Reardon 2018): MD5 of kex, encryption, MAC and compression lists, client to server.
  var hassh: String { digest([0, 2, 4, 6]) }
  /// The same of a server's lists, server to client.
  var hasshServer: String { digest([0, 3, 5, 7]) }

  private func digest(_ chosen: [Int]) -> String {
    let text = chosen.map { lists[$0] }.joined(separator: ";")
    return Hex.encode(Insecure.MD5.hash(data: Array(text.utf8)))
  }
}

/// Follows one SSH connection up to both key exchange offers.
struct SSHConversation {
  /// One direction: the banner line, then the first binary packet.
  private struct Lane {
    var buffer: [UInt8] = []
    var banner: String?
    var keyExchange: SSHKeyExchange?
    var isDone = false
    var isMalformed = false

    /// RFC 4253 section 4.2 allows 255 octets, and a server other lines before.
    static let prefaceOctets = 2048

    mutating func append(_ bytes: RawSpan) {
      guard !isDone else { return }
      buffer.append(bytes, upTo: Limits.streamPrefixOctets)
      if banner == nil { readBanner() }
      if banner != nil, !isDone { readPacket() }
      if !isDone, buffer.count >= Limits.streamPrefixOctets { giveUp(malformed: true) }
      if isDone { buffer = [] }
    }

    mutating func giveUp(malformed: Bool) {
      isDone = true
      isMalformed = isMalformed || malformed
      buffer = []
    }

    private mutating func readBanner() {
      var start = 0
      while let end = buffer.span.bytes.firstOffset(of: 0x0a, from: start) {
        let next = end &+ 1
        if buffer.span.bytes.has("SSH-", at: start) {
          let stop = end > start && buffer[end &- 1] == 0x0d ? end &- 1 : end
          isMalformed = stop &- start > 253
          banner = WireText.printable(buffer.span.bytes.extracting(start..<stop), limit: 255)
          // Protocol 1 has no KEXINIT; 1.99 means both (RFC 4253 section 5.1).
          if buffer.span.bytes.has("SSH-1.", at: start), !buffer.span.bytes.has("SSH-1.99", at: start) { isDone = true }
          buffer.removeFirst(next)
          return
        }
        start = next
      }
      if buffer.count > Self.prefaceOctets { giveUp(malformed: true) }
    }

    private mutating func readPacket() {
      guard buffer.count >= 6 else { return }
      let length = Int(buffer.span.bytes.u32(0))
      let padding = Int(buffer[4])
      guard length <= 35_000, length > padding &+ 1, buffer[5] == 20 else { return giveUp(malformed: true) }
      guard buffer.count >= 4 &+ length else { return }
      do {
        keyExchange = try SSHKeyExchange(buffer.span.bytes.extracting(5..<(4 &+ length &- padding)))
      } catch {
        isMalformed = true
      }
      isDone = true
    }
  }

  private var client = Lane()
  private var server = Lane()
  private let began: Timestamp

  init(at time: Timestamp) { began = time }

  var isDone: Bool { client.isDone && server.isDone }
  var anomalies: Anomalies { client.isMalformed || server.isMalformed ? .malformedSSH : [] }

  mutating func feed(_ bytes: RawSpan, fromClient: Bool) {
    if fromClient { client.append(bytes) } else { server.append(bytes) }
  }

  mutating func skip(fromClient: Bool) {
    if fromClient { client.giveUp(malformed: false) } else { server.giveUp(malformed: false) }
  }

  func handshake(_ ends: Endpoints) -> (event: SSHHandshake, began: Timestamp)? {
    guard client.banner != nil || server.banner != nil else { return nil }
    let event = SSHHandshake(
      ends: ends, clientBanner: client.banner, serverBanner: server.banner, hassh: client.keyExchange?.hassh,
      hasshServer: server.keyExchange?.hasshServer, anomalies: anomalies)
    return (event, began)
  }
}
