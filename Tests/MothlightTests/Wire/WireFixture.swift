@testable import Mothlight

/// Builds messages byte by byte, so that no test depends on a captured file.
enum WireFixture {
  static let tcp = Endpoints(
    client: IPAddress(v4: 0xc0a8_0105), server: IPAddress(v4: 0xc000_0250), clientPort: 50_000, serverPort: 443,
    transport: .tcp)

  static func ends(_ port: UInt16, _ transport: Transport = .tcp, clientPort: UInt16 = 50_000) -> Endpoints {
    Endpoints(
      client: tcp.client, server: tcp.server, clientPort: clientPort, serverPort: port, transport: transport)
  }

  static func at(_ seconds: Int64) -> Timestamp { Timestamp(seconds: 1_700_000_000 + seconds) }

  static func hex(_ text: String) -> [UInt8] {
    var out: [UInt8] = []
    var high: UInt8?
    for c in text.utf8 {
      guard let digit = hexDigit(c) else { continue }
      if let h = high {
        out.append(h << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    return out
  }

  static func word(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }
  static func vector8(_ body: [UInt8]) -> [UInt8] { [UInt8(body.count)] + body }
  static func vector16(_ body: [UInt8]) -> [UInt8] { word(body.count) + body }
  static func words(_ values: [UInt16]) -> [UInt8] { values.flatMap { word(Int($0)) } }

  // MARK: TLS

  static func tlsExtension(_ type: UInt16, _ body: [UInt8]) -> [UInt8] { word(Int(type)) + vector16(body) }

  static func clientHelloBody(version: Int = 0x0303, ciphers: [UInt16], extensions: [[UInt8]]?) -> [UInt8] {
    var body = word(version) + [UInt8](repeating: 7, count: 32) + [0]
    body += vector16(words(ciphers))
    body += [1, 0]
    if let extensions { body += vector16(extensions.flatMap { $0 }) }
    return body
  }

  static func serverName(_ name: String) -> [UInt8] {
    tlsExtension(0, vector16([0] + vector16(Array(name.utf8))))
  }

  static func alpn(_ names: [String]) -> [UInt8] {
    tlsExtension(16, vector16(names.flatMap { vector8(Array($0.utf8)) }))
  }

  /// The order and values of FoxIO's published JA4 example, with GREASE added.
  static var chromeHello: [UInt8] {
    let ciphers: [UInt16] = [
      0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d,
      0x002f, 0x0035,
    ]
    let algorithms: [UInt16] = [0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601]
    return clientHelloBody(
      ciphers: ciphers,
      extensions: [
        tlsExtension(0x1a1a, []), serverName("Example.ORG"), tlsExtension(0x17, []), tlsExtension(0xff01, [0]),
        tlsExtension(10, vector16(words([0x3a3a, 0x001d, 0x0017, 0x0018]))), tlsExtension(11, vector8([0])),
        tlsExtension(0x23, []), alpn(["h2", "http/1.1"]), tlsExtension(5, [1, 0, 0, 0, 0]),
        tlsExtension(13, vector16(words(algorithms))), tlsExtension(0x12, []), tlsExtension(0x33, [0, 0]),
        tlsExtension(0x2d, [1, 1]), tlsExtension(0x2b, vector8(words([0x4a4a, 0x0304, 0x0303]))),
        tlsExtension(0x1b, [2, 0, 2]), tlsExtension(0x4469, [0, 0]), tlsExtension(0x5a5a, [0]),
        tlsExtension(0x15, [0, 0, 0]),
      ])
  }

  static func serverHelloBody(cipher: UInt16, extensions: [[UInt8]], random: [UInt8]? = nil) -> [UInt8] {
    var body = word(0x0303)
    body += random ?? [UInt8](repeating: 9, count: 32)
    body += [0] + word(Int(cipher)) + [0]
    return body + vector16(extensions.flatMap { $0 })
  }

  static func handshake(_ type: UInt8, _ body: [UInt8]) -> [UInt8] {
    [type, UInt8(body.count >> 16 & 255)] + word(body.count & 0xffff) + body
  }

  /// One record per `recordOctets` of the message.
  static func records(_ message: [UInt8], type: UInt8 = 22, recordOctets: Int = 16_384) -> [UInt8] {
    var out: [UInt8] = []
    var i = 0
    while i < message.count {
      let end = min(i + recordOctets, message.count)
      out += [type, 3, 1] + vector16(Array(message[i..<end]))
      i = end
    }
    return out
  }

  /// A self-signed P-256 certificate made with `openssl req -x509` for these tests.
  static let certificate = hex(
    """
    308201c73082016da00302010202141cb7bf9ca906cccd54a49a99baec45b51ed14020300a06082a8648ce3d0403023039310b3009060355
    04061302444531143012060355040a0c0b4d6f74682c204c696768743114301206035504030c0b6578616d706c652e6f7267301e170d3236
    313132333133303830375a170d3336313132303133303830375a3039310b300906035504061302444531143012060355040a0c0b4d6f7468
    2c204c696768743114301206035504030c0b6578616d706c652e6f72673059301306072a8648ce3d020106082a8648ce3d03010703420004
    d95fabf6e4b8d7cdfbf79dced361abd962e9517f9ad9f77af1a56702b126aaab7f70b0859b3c5550a928565256c2aa47f26137021a172487
    d5e2f3d03bb40eeda3533051301d0603551d0e041604148632964949bc8ec4c5cc4dbd7255912d4003e11e301f0603551d23041830168014
    8632964949bc8ec4c5cc4dbd7255912d4003e11e300f0603551d130101ff040530030101ff300a06082a8648ce3d04030203480030450221
    00b7348c653a6eb11f2955b5860750e0f5e8bc5b736e98d6f969851e07ce4f2f55022022106deb910b038aaef979d3621351618b4780c790
    78f188189d01f3da8c65a2
    """)

  static var certificateMessage: [UInt8] {
    let entry = [UInt8(0)] + word(certificate.count) + certificate
    return handshake(11, [0] + word(entry.count) + entry)
  }

  // MARK: DNS

  static func name(_ text: String) -> [UInt8] {
    text.split(separator: ".").flatMap { vector8(Array($0.utf8)) } + [0]
  }

  static func query(id: Int, _ text: String, type: Int = 1) -> [UInt8] {
    var out = word(id) + [1, 0]
    out += words([1, 0, 0, 0])
    out += name(text)
    out += word(type)
    return out + [0, 1]
  }

  /// An answer whose owner names are pointers to the question.
  static func answer(
    id: Int, _ text: String, type: Int = 1, code: UInt8 = 0, records: [(type: Int, ttl: Int, data: [UInt8])] = []
  ) -> [UInt8] {
    var out = word(id)
    out += [0x81, 0x80 | code]
    out += words([1, UInt16(records.count), 0, 0])
    out += name(text)
    out += word(type)
    out += [0, 1]
    for record in records {
      out += [0xc0, 0x0c]
      out += word(record.type)
      out += [0, 1, 0, 0]
      out += word(record.ttl)
      out += vector16(record.data)
    }
    return out
  }

  // MARK: Running

  /// Feeds pieces in order and finishes.
  static func run(_ pieces: [(fromClient: Bool, bytes: [UInt8])], _ ends: Endpoints = tcp) -> (
    events: [Observation], decoder: StreamDecoder
  ) {
    var decoder = StreamDecoder(ends: ends)
    var out: [Observation] = []
    for piece in pieces {
      if !decoder.feed(piece.bytes.span.bytes, fromClient: piece.fromClient, at: at(0), into: &out) { break }
    }
    decoder.finish(at: at(9), into: &out)
    return (out, decoder)
  }

  /// The same bytes, each piece cut into `size` octets.
  static func cut(_ pieces: [(fromClient: Bool, bytes: [UInt8])], _ size: Int) -> [(fromClient: Bool, bytes: [UInt8])] {
    pieces.flatMap { piece in
      stride(from: 0, to: piece.bytes.count, by: size).map {
        (piece.fromClient, Array(piece.bytes[$0..<min($0 + size, piece.bytes.count)]))
      }
    }
  }

  /// A small generator with a fixed seed (Steele, Lea, Flood 2014: SplitMix64).
  struct Random: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
      return z ^ (z >> 31)
    }
  }
}

extension Observation {
  var tls: TLSHandshake? { if case .tls(let e) = event { e } else { nil } }
  var http: HTTPExchange? { if case .http(let e) = event { e } else { nil } }
  var dns: DNSLookup? { if case .dns(let e) = event { e } else { nil } }
  var ssh: SSHHandshake? { if case .ssh(let e) = event { e } else { nil } }
  var rule: String? { if case .payload(let e) = event { e.rule } else { nil } }
}
