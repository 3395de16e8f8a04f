/// Writes conversations as a capture: classic pcap in microseconds, Ethernet, IPv4 with correct checksums
/// (draft-ietf-opsawg-pcap, RFC 791, RFC 9293, RFC 768, RFC 1071).
///
/// Messages with a shape are written in full. Shapeless bytes are cut after `bulkOctets`, as a snap length would, with the
/// original length in the record; the bytes that were cut count as zero in the checksum.
final class PacketWriter: TrafficWriter {
  static let bulkOctets = 96
  /// The longest DNS message without extensions (RFC 1035 section 4.2.1); no message with a shape is longer here.
  static let datagramOctets = 512
  private let file: OutputFile
  private let epoch: Int64
  private var frame: [UInt8] = []
  private(set) var packets = 0

  init(_ path: String, epoch: Int64) throws(SimulationError) {
    file = try OutputFile(path)
    self.epoch = epoch
    frame.reserveCapacity(2048)
    var header: [UInt8] = []
    for word in [0xa1b2_c3d4 as UInt32, 0x0004_0002, 0, 0, 65_535, 1] { Self.little(word, into: &header) }
    try file.append(header)
  }

  var wantsPackets: Bool { true }
  func write(_ conversation: Conversation, _ summary: ConversationSummary) throws(SimulationError) {}
  func finish() throws(SimulationError) { try file.close() }

  func write(_ packet: PlannedPacket, of conversation: Conversation) throws(SimulationError) {
    let isTCP = conversation.transport == .tcp
    let transportHeader = isTCP ? (packet.flags.contains(.syn) ? 32 : 20) : 8
    let ipLength = 20 + transportHeader + packet.length
    packets += 1
    frame.removeAll(keepingCapacity: true)
    frame.append(contentsOf: repeatElement(0, count: 16))
    appendEthernet(packet, conversation)
    appendIP(packet, conversation, length: ipLength)
    let transportStart = frame.count
    if isTCP {
      appendTCP(packet, conversation)
    } else {
      appendPorts(packet, conversation)
      frame.appendNetwork16(8 + packet.length)
      frame.appendNetwork16(0)
    }
    if packet.step >= 0, packet.step < conversation.steps.count { appendPayload(packet, conversation) }
    setChecksum(packet, conversation, at: transportStart, length: transportHeader + packet.length)
    setRecordHeader(time: epoch + packet.time, original: 14 + ipLength)
    try file.append(frame)
  }

  private func setRecordHeader(time: Int64, original: Int) {
    var header: [UInt8] = []
    header.reserveCapacity(16)
    Self.little(UInt32(truncatingIfNeeded: time / 1_000_000), into: &header)
    Self.little(UInt32(truncatingIfNeeded: time % 1_000_000), into: &header)
    Self.little(UInt32(truncatingIfNeeded: frame.count - 16), into: &header)
    Self.little(UInt32(truncatingIfNeeded: original), into: &header)
    for index in 0..<16 { frame[index] = header[index] }
  }

  private func appendEthernet(_ packet: PlannedPacket, _ conversation: Conversation) {
    let from = packet.fromClient ? conversation.client : conversation.server
    let to = packet.fromClient ? conversation.server : conversation.client
    appendHardwareAddress(to)
    appendHardwareAddress(from)
    frame.appendNetwork16(0x0800)
  }

  /// Locally administered addresses made from the IP address; everything outside is behind one router; RFC 1112 for groups.
  private func appendHardwareAddress(_ address: IPAddress) {
    if address.isMulticast {
      frame.append(contentsOf: [0x01, 0x00, 0x5e])
      let low = address.v4 & 0x7f_ffff
      for shift in [16, 8, 0] as [UInt32] { frame.append(UInt8(truncatingIfNeeded: low >> shift)) }
      return
    }
    frame.append(contentsOf: [0x02, 0x4d])
    let bits = address.isPrivate ? address.v4 : 0
    frame.appendNetwork16(Int(bits >> 16))
    frame.appendNetwork16(Int(bits & 0xffff))
  }

  private func appendIP(_ packet: PlannedPacket, _ conversation: Conversation, length: Int) {
    let start = frame.count
    let from = packet.fromClient ? conversation.client : conversation.server
    let to = packet.fromClient ? conversation.server : conversation.client
    // 255 for mDNS (RFC 6762 section 11); fewer hops are left of what came from outside.
    let hops =
      to.isMulticast ? (conversation.serverPort == 5353 ? 255 : 4) : from.isPrivate ? 64 : 64 - Int(from.mixed % 14) - 4
    frame.append(0x45)
    frame.append(0)
    frame.appendNetwork16(length)
    frame.appendNetwork16(Int(truncatingIfNeeded: RandomSource.mix(conversation.serial ^ UInt64(packets)) & 0xffff))
    frame.appendNetwork16(0x4000)
    frame.append(UInt8(truncatingIfNeeded: hops))
    frame.append(conversation.transport.rawValue)
    frame.appendNetwork16(0)
    for bits in [from.v4, to.v4] {
      frame.appendNetwork16(Int(bits >> 16))
      frame.appendNetwork16(Int(bits & 0xffff))
    }
    let sum = ~InternetChecksum.fold(InternetChecksum.sum(frame, from: start, 0))
    frame[start + 10] = UInt8(truncatingIfNeeded: sum >> 8)
    frame[start + 11] = UInt8(truncatingIfNeeded: sum)
  }

  private func appendPorts(_ packet: PlannedPacket, _ conversation: Conversation) {
    frame.appendNetwork16(Int(packet.fromClient ? conversation.clientPort : conversation.serverPort))
    frame.appendNetwork16(Int(packet.fromClient ? conversation.serverPort : conversation.clientPort))
  }

  private func appendTCP(_ packet: PlannedPacket, _ conversation: Conversation) {
    let hasOptions = packet.flags.contains(.syn)
    appendPorts(packet, conversation)
    for word in [packet.sequence, packet.acknowledgement] {
      frame.appendNetwork16(Int(word >> 16))
      frame.appendNetwork16(Int(word & 0xffff))
    }
    frame.append(hasOptions ? 0x80 : 0x50)
    frame.append(packet.flags.rawValue)
    let isBareReset = packet.flags.contains(.reset)
    frame.appendNetwork16(isBareReset ? 0 : hasOptions ? 64_240 : 4096)
    frame.appendNetwork16(0)
    frame.appendNetwork16(0)
    // MSS 1460, SACK permitted, window scale 7 (RFC 9293 section 3.2, RFC 2018, RFC 7323).
    if hasOptions { frame.append(contentsOf: [2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7]) }
  }

  private func appendPayload(_ packet: PlannedPacket, _ conversation: Conversation) {
    let range = packet.offset..<(packet.offset + packet.length)
    switch conversation.steps[packet.step].payload {
    case .bytes(let bytes):
      // Long texts are cut like bulk once the first two segments have shown what they are, and media datagrams at once.
      let isLater =
        packet.offset >= 2 * ConversationPackets.segment
        || conversation.transport != .tcp && range.count > Self.datagramOctets
      let shown = isLater ? min(range.count, Self.bulkOctets) : range.count
      frame.append(contentsOf: bytes[range.lowerBound..<min(bytes.count, range.lowerBound + shown)])
      setRest(
        isLater && shown < range.count ? bytes[(range.lowerBound + shown)..<min(bytes.count, range.upperBound)] : [])
    case .opaque:
      // Clear HTTP is whole: a body with holes would make a reader lose its place in the stream.
      if conversation.service == "http" {
        appendText(count: range.count, from: packet.offset)
      } else {
        appendFiller(count: min(range.count, Self.bulkOctets), salt: conversation.serial ^ UInt64(packet.offset))
      }
      rest = 0
    case .tls(let plain):
      appendRecords(range, plain: plain, salt: conversation.serial ^ UInt64(packet.offset))
      rest = 0
    }
  }

  /// Checksum of what was cut, when it is not zero.
  private var rest: UInt64 = 0

  private func setRest(_ bytes: ArraySlice<UInt8>) {
    rest = bytes.isEmpty ? 0 : InternetChecksum.sum(Array(bytes), from: 0, 0)
  }

  private func appendFiller(count: Int, salt: UInt64) {
    var state = RandomSource.mix(salt)
    var left = count
    while left > 0 {
      state = RandomSource.mix(state &+ 0x9e37_79b9_7f4a_7c15)
      for shift in 0..<min(8, left) { frame.append(UInt8(truncatingIfNeeded: state >> UInt64(shift * 8))) }
      left -= 8
    }
  }

  private static let text = Array("A body of simulated text that says nothing and harms no one.\n".utf8)

  private func appendText(count: Int, from offset: Int) {
    for index in offset..<(offset + count) { frame.append(Self.text[index % Self.text.count]) }
  }

  /// TLS records of `plain` octets of application data, from any place within them.
  private func appendRecords(_ range: Range<Int>, plain: Int, salt: UInt64) {
    let full = Conversation.TLSRecord.plain + Conversation.TLSRecord.overhead
    let start = frame.count
    let shown = min(range.count, Self.bulkOctets)
    appendFiller(count: shown, salt: salt)
    var record = range.lowerBound / full
    while record * full < range.lowerBound + shown {
      let inside = max(0, min(Conversation.TLSRecord.plain, plain - record * Conversation.TLSRecord.plain)) + 17
      let header: [UInt8] = [0x17, 3, 3, UInt8(truncatingIfNeeded: inside >> 8), UInt8(truncatingIfNeeded: inside)]
      for index in 0..<5 {
        let place = record * full + index - range.lowerBound
        if place >= 0, place < shown { frame[start + place] = header[index] }
      }
      record += 1
    }
  }

  private func setChecksum(_ packet: PlannedPacket, _ conversation: Conversation, at start: Int, length: Int) {
    var sum = UInt64(conversation.transport.rawValue) + UInt64(length)
    for address in [conversation.client.v4, conversation.server.v4] {
      sum += UInt64(address >> 16) + UInt64(address & 0xffff)
    }
    sum = InternetChecksum.sum(frame, from: start, sum)
    if packet.length > 0 {
      // What was cut begins at an even offset: header and `bulkOctets` are even.
      sum += rest
      rest = 0
    }
    var check = ~InternetChecksum.fold(sum)
    let isTCP = conversation.transport == .tcp
    // RFC 768: a computed zero is sent as all ones.
    if !isTCP, check == 0 { check = 0xffff }
    let place = start + (isTCP ? 16 : 6)
    frame[place] = UInt8(truncatingIfNeeded: check >> 8)
    frame[place + 1] = UInt8(truncatingIfNeeded: check)
  }

  private static func little(_ value: UInt32, into out: inout [UInt8]) {
    for shift in [0, 8, 16, 24] as [UInt32] { out.append(UInt8(truncatingIfNeeded: value >> shift)) }
  }
}

/// The ones' complement sum of RFC 1071.
enum InternetChecksum {
  /// Sum of 16-bit words from `start` to the end; an odd last byte counts as the upper half of a word.
  static func sum(_ bytes: [UInt8], from start: Int, _ initial: UInt64) -> UInt64 {
    bytes.withUnsafeBufferPointer { buffer in
      var total = initial
      var index = start
      while index + 1 < buffer.count {
        total &+= UInt64(buffer[index]) << 8 | UInt64(buffer[index + 1])
        index += 2
      }
      if index < buffer.count { total &+= UInt64(buffer[index]) << 8 }
      return total
    }
  }

  static func fold(_ sum: UInt64) -> UInt16 {
    var folded = sum
    while folded >> 16 != 0 { folded = (folded & 0xffff) + folded >> 16 }
    return UInt16(truncatingIfNeeded: folded)
  }
}

extension [UInt8] {
  fileprivate mutating func appendNetwork16(_ value: Int) {
    append(UInt8(truncatingIfNeeded: value >> 8))
    append(UInt8(truncatingIfNeeded: value))
  }
}
