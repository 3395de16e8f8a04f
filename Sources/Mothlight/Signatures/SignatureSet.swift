/// Signatures made ready for matching, with the look-ups that keep them off the hot path.
public struct SignatureSet: Sendable {
  public enum Use: Sendable {
    /// Decoders that look at others' traffic: signatures that need whole requests are left out.
    case passive
    case sinkhole
  }

  public let signatures: [Signature]
  private let index: [String: Int]
  private let byWay: [[Signature]]
  /// Which octet-level signatures can still match, as bits: two loads refuse nearly every payload.
  private let masks: [UInt64]
  private let requests: [String: [(shape: RequestShape, ports: Bool, signature: Int)]]
  private let hellos: [Signature]

  public init(_ all: [Signature], for use: Use) {
    let chosen = use == .sinkhole ? all : all.filter { !$0.isForSinkholeOnly }
    signatures = chosen
    index = Dictionary(chosen.enumerated().map { ($1.id, $0) }) { first, _ in first }
    let byWay = Way.allCases.map { way in Array(chosen.filter { way.takes($0) }.prefix(Way.most)) }
    self.byWay = byWay
    masks = byWay.flatMap(Self.masks)
    var requests: [String: [(shape: RequestShape, ports: Bool, signature: Int)]] = [:]
    for (number, signature) in chosen.enumerated() {
      guard case .request(let shape) = signature.shape else { continue }
      requests[shape.method, default: []].append((shape, !signature.ports.isEmpty, number))
    }
    self.requests = requests
    hellos = chosen.filter { if case .hello = $0.shape { true } else { false } }
  }

  public func signature(_ id: String) -> Signature? { index[id].map { signatures[$0] } }
}

extension SignatureSet {
  /// One transport and direction: where its masks begin in `masks`, and the signatures that their bits stand for.
  enum Way: Int, CaseIterable {
    case udpClient, udpServer, tcpClient

    /// Bits of a mask.
    static let most = 64
    /// 256 masks by first octet, then 65 by length; the last of those stands for all longer datagrams.
    static let stride = 256 &+ 65

    func takes(_ signature: Signature) -> Bool {
      guard case .octets = signature.shape else { return false }
      return (signature.transport == .udp) == (self != .tcpClient)
        && (signature.direction == .server) == (self == .udpServer)
    }
  }

  private static func masks(_ signatures: [Signature]) -> [UInt64] {
    var table = [UInt64](repeating: 0, count: Way.stride)
    for (bit, signature) in signatures.enumerated() {
      let mask = UInt64(1) << UInt64(bit)
      for first in signature.firstOctets { table[Int(first)] |= mask }
      for length in 0..<64 where signature.length.contains(length) { table[256 &+ length] |= mask }
      if signature.length.upperBound >= 64 { table[256 &+ 64] |= mask }
    }
    return table
  }

  /// Whether any octet-level signature could match; nearly always `false`, and then nothing else need be asked.
  @inline(__always)
  func mayMatch(datagram bytes: RawSpan, fromClient: Bool) -> Bool { mask(bytes, fromClient) != 0 }

  @inline(__always)
  private func mask(_ bytes: RawSpan, _ fromClient: Bool) -> UInt64 {
    guard bytes.byteCount > 0 else { return 0 }
    let base = (fromClient ? Way.udpClient : .udpServer).rawValue &* Way.stride
    return masks[base &+ Int(bytes.u8(0))] & masks[base &+ 256 &+ Swift.min(bytes.byteCount, 64)]
  }

  /// The first signature, strong ones before weak, that a datagram matches.
  func match(datagram bytes: RawSpan, serverPort: UInt16, fromClient: Bool) -> Signature? {
    best(byWay[(fromClient ? Way.udpClient : .udpServer).rawValue], mask(bytes, fromClient)) { signature in
      signature.admits(port: serverPort) ? signature.matches(bytes, isStream: false) : .no
    }.signature
  }

  /// The same question for the first octet of a client's stream.
  @inline(__always)
  func mayMatch(streamStart bytes: RawSpan) -> Bool { streamMask(bytes) != 0 }

  @inline(__always)
  private func streamMask(_ bytes: RawSpan) -> UInt64 {
    bytes.byteCount > 0 ? masks[Way.tcpClient.rawValue &* Way.stride &+ Int(bytes.u8(0))] : 0
  }

  /// The first signature that the beginning of a client's stream matches; `mayMatch` tells that more bytes could decide
  /// otherwise.
  func match(streamStart bytes: RawSpan, serverPort: UInt16) -> (signature: Signature?, mayMatch: Bool) {
    best(byWay[Way.tcpClient.rawValue], streamMask(bytes)) { signature in
      signature.admits(port: serverPort) ? signature.matches(bytes, isStream: true) : .no
    }
  }

  private func best(
    _ signatures: [Signature], _ mask: UInt64, _ result: (Signature) -> Signature.Result
  ) -> (signature: Signature?, mayMatch: Bool) {
    var weak: Signature?
    var mayMatch = false
    var left = mask
    while left != 0 {
      let signature = signatures[left.trailingZeroBitCount]
      left &= left &- 1
      switch result(signature) {
      case .no: break
      case .needsMore: mayMatch = true
      case .yes:
        if signature.evidence == .strong { return (signature, false) }
        if weak == nil { weak = signature }
      }
    }
    return (weak, mayMatch)
  }

  /// The first signature, strong ones before weak, that a request matches.
  func match(_ exchange: HTTPExchange) -> Signature? { match(RequestView(exchange)) }

  func match(_ request: RequestView) -> Signature? {
    guard let candidates = requests[request.exchange.method] else { return nil }
    var weak: Signature?
    for candidate in candidates where candidate.shape.matches(request) {
      let signature = signatures[candidate.signature]
      if candidate.ports, !signature.admits(port: request.exchange.ends.serverPort) { continue }
      if signature.evidence == .strong { return signature }
      if weak == nil { weak = signature }
    }
    return weak
  }

  /// The first signature, strong ones before weak, that a TLS hello matches; there are mostly none.
  func match(_ hello: TLSHandshake) -> Signature? {
    guard !hellos.isEmpty else { return nil }
    var weak: Signature?
    for signature in hellos {
      guard case .hello(let shape) = signature.shape, shape.matches(hello),
        signature.admits(port: hello.ends.serverPort)
      else { continue }
      if signature.evidence == .strong { return signature }
      if weak == nil { weak = signature }
    }
    return weak
  }
}

extension Signature {
  /// First octets that its tests leave possible.
  var firstOctets: [UInt8] {
    guard case .octets(let tests) = shape else { return [] }
    let wanted = tests.compactMap(\.firstOctets).map(Set.init)
    return (UInt8.min...UInt8.max).filter { octet in wanted.allSatisfy { $0.contains(octet) } }
  }
}
