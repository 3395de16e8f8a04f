/// Small UDP messages of well-known services, byte for byte.
enum SyntheticDatagrams {
  /// NTPv4 client or server packet of 48 octets (RFC 5905 section 7.3).
  /// - Parameter time: microseconds since 1970.
  static func ntp(isServer: Bool, time: Int64) -> [UInt8] {
    var out = OctetBuilder()
    out.u8(isServer ? 0x24 : 0x23)
    out.u8(isServer ? 2 : 0)
    out.u8(6)
    out.u8(isServer ? 0xe9 : 0)
    out.u32(isServer ? 0x300 : 0)
    out.u32(isServer ? 0x200 : 0)
    out.u32(isServer ? 0xc612_0a0b : 0)
    let stamp = ntpStamp(time)
    let earlier = isServer ? stamp : 0
    for value in [earlier, earlier, earlier, stamp] {
      out.u32(Int(truncatingIfNeeded: value >> 32))
      out.u32(Int(truncatingIfNeeded: value & 0xffff_ffff))
    }
    return out.octets
  }

  private static func ntpStamp(_ microseconds: Int64) -> UInt64 {
    let seconds = UInt64(clamping: microseconds / 1_000_000 + 2_208_988_800)
    let fraction = UInt64(clamping: microseconds % 1_000_000) << 32 / 1_000_000
    return seconds << 32 | fraction
  }

  /// STUN binding request or its answer with XOR-MAPPED-ADDRESS (RFC 8489 sections 5 and 14.2).
  static func stun(answerFor client: IPAddress?, port: UInt16, transaction: [UInt8]) -> [UInt8] {
    var out = OctetBuilder()
    out.u16(client == nil ? 0x0001 : 0x0101)
    out.u16(client == nil ? 0 : 12)
    out.u32(0x2112_a442)
    out.bytes(transaction.prefix(12))
    if let client {
      out.u16(0x0020)
      out.u16(8)
      out.u16(1)
      out.u16(Int(port ^ 0x2112))
      out.u32(Int(client.v4 ^ 0x2112_a442))
    }
    return out.octets
  }

  /// RTP header (RFC 3550 section 5.1) before `size` octets of media.
  static func rtp(size: Int, source: Int, _ random: inout RandomSource) -> [UInt8] {
    var out = OctetBuilder()
    out.u8(0x80)
    out.u8(96)
    out.u16(random.int(below: 65536))
    out.u32(random.int(below: 1 << 32))
    out.u32(source)
    out.random(size, &random)
    return out.octets
  }

  /// SNMPv2c get of sysUpTime.0 or its answer (RFC 3416, RFC 3418) in BER.
  static func snmp(isAnswer: Bool, request: Int, upTime: Int) -> [UInt8] {
    func block(_ tag: UInt8, _ body: [UInt8]) -> [UInt8] { [tag, UInt8(truncatingIfNeeded: body.count)] + body }
    func four(_ value: Int) -> [UInt8] {
      stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: (value & 0x7fff_ffff) >> $0) }
    }
    let name: [UInt8] = [0x06, 0x08, 0x2b, 6, 1, 2, 1, 1, 3, 0]
    let value = isAnswer ? block(0x43, four(upTime)) : [0x05, 0x00]
    let list = block(0x30, block(0x30, name + value))
    let pdu = block(isAnswer ? 0xa2 : 0xa0, block(0x02, four(request)) + [2, 1, 0, 2, 1, 0] + list)
    return block(0x30, [0x02, 0x01, 0x01] + block(0x04, Array("public".utf8)) + pdu)
  }

  /// SSDP search (UPnP Device Architecture 2.0 section 1.3.2).
  static let ssdpSearch = Array(
    "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 2\r\nST: upnp:rootdevice\r\n\r\n"
      .utf8)

  /// BitTorrent DHT ping or its answer (BEP 5).
  static func dht(isAnswer: Bool, _ random: inout RandomSource) -> [UInt8] {
    var identifier = OctetBuilder()
    identifier.random(20, &random)
    var out = OctetBuilder()
    out.text(isAnswer ? "d1:rd2:id20:" : "d1:ad2:id20:")
    out.bytes(identifier.octets)
    out.text(isAnswer ? "e1:t2:aa1:y1:re" : "e1:q4:ping1:t2:aa1:y1:qe")
    return out.octets
  }
}

/// The three datagram shapes of BFBot's channel, for test data only (sinkhole reference 3.1: Emerging Threats 2010100,
/// 2010101 and one published description). Written to files; nothing here opens a socket.
enum SyntheticBFBot {
  /// Opcode 0x61, two sequence octets, and `bpr2` under the alternating key `sequence ^ ~length`.
  static func join(sequence: (UInt8, UInt8)) -> [UInt8] {
    let word = Array("bpr2".utf8)
    let length = ~UInt8(truncatingIfNeeded: word.count)
    let key = [sequence.0 ^ length, sequence.1 ^ length]
    return [0x61, sequence.0, sequence.1] + word.enumerated().map { $0.element ^ key[$0.offset & 1] }
  }

  /// 8 octets that begin with 0x40 and end with the bot's address as the server saw it.
  static func joinAnswer(sequence: (UInt8, UInt8), bot: IPAddress) -> [UInt8] {
    [0x40, sequence.0, sequence.1, 0] + bot.networkBytes.prefix(4)
  }

  static func keepAlive(sequence: (UInt8, UInt8)) -> [UInt8] { [0x01, sequence.0, sequence.1] }
  static func acknowledgement(sequence: (UInt8, UInt8)) -> [UInt8] { [0x80, sequence.0, sequence.1] }
}
