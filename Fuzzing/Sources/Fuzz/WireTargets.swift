@testable import Mothlight

private let ends = Endpoints(
  client: IPAddress(v4: 0x0a00_0001), server: IPAddress(v4: 0xc633_6401), clientPort: 40_000, serverPort: 443,
  transport: .tcp)

/// Link layer to transport, then the meter: first octet chooses the link type.
func fuzzPacket(_ bytes: RawSpan) {
  guard bytes.byteCount > 1 else { return }
  let links = LinkType.supported.sorted { $0.rawValue < $1.rawValue }
  let link = links[Int(bytes.u8(0)) % links.count]
  var meter = Meter(input: 0, limit: 16)
  var out: [Observation] = []
  var at = 1
  var record: UInt64 = 0
  // The rest is cut into frames of a length given by their first octet.
  while at < bytes.byteCount, record < 64 {
    let end = min(bytes.byteCount, at + 1 + Int(bytes.u8(at)))
    let frame = bytes.extracting((at + 1)..<end)
    var headers = PacketHeaders()
    record += 1
    if PacketDecoder.decode(frame, link: link, into: &headers) == .decoded {
      let key = meter.key(&headers)
      meter.add(headers, key, frame, at: Timestamp(seconds: Int64(record) * 7), record: record, into: &out)
    }
    at = end
  }
  _ = meter.finish(into: &out)
}

func fuzzDNS(_ bytes: RawSpan) {
  guard bytes.byteCount > 0 else { return }
  var decoder = DatagramDecoder()
  var out: [Observation] = []
  var dns = ends
  dns.serverPort = 53
  dns.transport = .udp
  _ = decoder.decode(bytes, ends: dns, fromClient: true, at: Timestamp(seconds: 1), into: &out)
  _ = decoder.decode(bytes, ends: dns, fromClient: false, at: Timestamp(seconds: 2), into: &out)
  decoder.finish(into: &out)
}

func fuzzDatagram(_ bytes: RawSpan) {
  var decoder = DatagramDecoder()
  var out: [Observation] = []
  var udp = ends
  udp.transport = .udp
  _ = decoder.decode(bytes, ends: udp, fromClient: true, at: Timestamp(seconds: 1), into: &out)
  decoder.finish(into: &out)
}

/// TLS, HTTP, SSH and DNS over TCP: the first octet says where to cut and which side speaks.
func fuzzStream(_ bytes: RawSpan) {
  guard bytes.byteCount > 1 else { return }
  var decoder = StreamDecoder(ends: ends)
  var out: [Observation] = []
  let cut = 1 + Int(bytes.u8(0)) % bytes.byteCount
  _ = decoder.feed(bytes.extracting(1..<max(1, cut)), fromClient: true, at: Timestamp(seconds: 1), into: &out)
  _ = decoder.feed(
    bytes.extracting(max(1, cut)..<bytes.byteCount), fromClient: bytes.u8(0) & 1 == 0, at: Timestamp(seconds: 2),
    into: &out)
  decoder.skip(fromClient: true)
  _ = decoder.feed(bytes, fromClient: false, at: Timestamp(seconds: 3), into: &out)
  decoder.finish(at: Timestamp(seconds: 4), into: &out)
}

func fuzzAddress(_ bytes: RawSpan) {
  bytes.withUnsafeBytes { raw in
    guard let address = IPAddress(ascii: raw) else { return }
    let text = address.description
    precondition(IPAddress(text) == address, "an address must survive its own text: \(text)")
  }
}
