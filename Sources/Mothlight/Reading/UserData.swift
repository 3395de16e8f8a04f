/// The first payload octets of each side that Argus kept (`s[48]=…`, `d[48]=…` in base64), to be decoded.
///
/// Argus glues the payloads of a flow together, so of several datagrams only the first of each side is decoded.
struct UserData {
  private var datagrams = DatagramDecoder()

  /// Decodes one row's payloads, appends what they show and returns what they were recognised as.
  mutating func decode(
    source: UnsafeRawBufferPointer, destination: UnsafeRawBufferPointer, of flow: Flow, isReversed: Bool,
    into out: inout [Observation]
  ) -> Service {
    let client = Self.payload(isReversed ? destination : source)
    let server = Self.payload(isReversed ? source : destination)
    if client.isEmpty && server.isEmpty { return .unknown }
    let ends = Endpoints(
      client: flow.source, server: flow.destination, clientPort: flow.sourcePort, serverPort: flow.destinationPort,
      transport: flow.transport, origin: flow.origin)
    if flow.transport == .tcp {
      var stream = StreamDecoder(ends: ends)
      if !client.isEmpty { _ = stream.feed(client.span.bytes, fromClient: true, at: flow.first, into: &out) }
      if !server.isEmpty { _ = stream.feed(server.span.bytes, fromClient: false, at: flow.first, into: &out) }
      stream.finish(at: flow.first, into: &out)
      return stream.service
    }
    guard flow.transport == .udp else { return .unknown }
    datagrams.expire(before: flow.first, into: &out)
    var service = Service.unknown
    if !client.isEmpty {
      service = datagrams.decode(client.span.bytes, ends: ends, fromClient: true, at: flow.first, into: &out)
    }
    if !server.isEmpty {
      let answer = datagrams.decode(server.span.bytes, ends: ends, fromClient: false, at: flow.first, into: &out)
      if service == .unknown { service = answer }
    }
    return service
  }

  /// What still waited for an answer at the end of input.
  mutating func finish(into out: inout [Observation]) { datagrams.finish(into: &out) }

  /// The octets behind `s[N]=`; empty when the column is in no known form.
  static func payload(_ text: UnsafeRawBufferPointer) -> [UInt8] {
    guard text.count > 4, text[1] == 0x5b, let equals = text.prefix(16).firstIndex(of: 0x3d), text[equals - 1] == 0x5d
    else { return [] }
    return Base64.decode(UnsafeRawBufferPointer(rebasing: text[(equals + 1)...]))
  }
}
