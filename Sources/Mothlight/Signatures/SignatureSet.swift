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
  /// The place in `signatures` of each of `byWay`.
  private let numbers: [[Int]]
  /// Which octet-level signatures can still match, as bits: two loads refuse nearly every payload.
  private let masks: [UInt64]
  private let requests: [String: [(shape: RequestShape, ports: Bool, signature: Int)]]
  private let hellos: [(number: Int, shape: HelloShape)]

  public init(_ all: [Signature], for use: Use) {
    let chosen = use == .sinkhole ? all : all.filter { !$0.isForSinkholeOnly }
    signatures = chosen
    index = Dictionary(chosen.enumerated().map { ($1.id, $0) }) { first, _ in first }
    numbers = Way.allCases.map { way in
      Array(chosen.indices.filter { way.takes(chosen[$0]) }.prefix(Way.most))
    }
    let byWay = numbers.map { $0.map { chosen[$0] } }
    self.byWay = byWay
    masks = byWay.flatMap(Self.masks)
    var requests: [String: [(shape: RequestShape, ports: Bool, signature: Int)]] = [:]
    for (number, signature) in chosen.enumerated() {
      guard case .request(let shape) = signature.shape else { continue }
      requests[shape.method, default: []].append((shape, !signature.ports.isEmpty, number))
    }
    self.requests = requests
    hellos = chosen.enumerated().compactMap { number, signature in
      if case .hello(let shape) = signature.shape { (number, shape) } else { nil }
    }
  }

  public func signature(_ id: String) -> Signature? { index[id].map { signatures[$0] } }

  /// Its place in `signatures`.
  func number(of id: String) -> Int? { index[id] }
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
    let way = fromClient ? Way.udpClient : .udpServer
    return best(byWay[way.rawValue], mask(bytes, fromClient)) { signature in
      signature.admits(port: serverPort) ? signature.matches(bytes, isStream: false) : .no
    }.bit.map { byWay[way.rawValue][$0] }
  }

  /// The same for a client's datagram, as a place in `signatures`.
  func matchNumber(datagram bytes: RawSpan, serverPort: UInt16) -> Int? {
    let way = Way.udpClient.rawValue
    return best(byWay[way], mask(bytes, true)) { signature in
      signature.admits(port: serverPort) ? signature.matches(bytes, isStream: false) : .no
    }.bit.map { numbers[way][$0] }
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
    let (number, mayMatch) = matchNumber(streamStart: bytes, serverPort: serverPort)
    return (number.map { signatures[$0] }, mayMatch)
  }

  /// The same as a place in `signatures`.
  func matchNumber(streamStart bytes: RawSpan, serverPort: UInt16) -> (number: Int?, mayMatch: Bool) {
    let way = Way.tcpClient.rawValue
    let (bit, mayMatch) = best(byWay[way], streamMask(bytes)) { signature in
      signature.admits(port: serverPort) ? signature.matches(bytes, isStream: true) : .no
    }
    return (bit.map { numbers[way][$0] }, mayMatch)
  }

  private func best(
    _ signatures: [Signature], _ mask: UInt64, _ result: (Signature) -> Signature.Result
  ) -> (bit: Int?, mayMatch: Bool) {
    var weak: Int?
    var mayMatch = false
    var left = mask
    while left != 0 {
      let bit = left.trailingZeroBitCount
      left &= left &- 1
      switch result(signatures[bit]) {
      case .no: break
      case .needsMore: mayMatch = true
      case .yes:
        if signatures[bit].evidence == .strong { return (bit, false) }
        if weak == nil { weak = bit }
      }
    }
    return (weak, mayMatch)
  }

  /// The first signature, strong ones before weak, that a request matches.
  func match(_ exchange: HTTPExchange) -> Signature? { matchNumber(RequestView(exchange)).map { signatures[$0] } }

  func match(_ request: RequestView) -> Signature? { matchNumber(request).map { signatures[$0] } }

  /// The same as a place in `signatures`, for a request whose fields and body may be there, too.
  func matchNumber(_ request: RequestView) -> Int? {
    guard let candidates = requests[request.exchange.method] else { return nil }
    var weak: Int?
    for candidate in candidates where candidate.shape.matches(request) {
      if candidate.ports, !signatures[candidate.signature].admits(port: request.exchange.ends.serverPort) { continue }
      if signatures[candidate.signature].evidence == .strong { return candidate.signature }
      if weak == nil { weak = candidate.signature }
    }
    return weak
  }

  /// The first signature, strong ones before weak, that a TLS hello matches; there are mostly none.
  func match(_ hello: TLSHandshake) -> Signature? { matchNumber(hello).map { signatures[$0] } }

  func matchNumber(_ hello: TLSHandshake) -> Int? {
    var weak: Int?
    for (number, shape) in hellos where shape.matches(hello) {
      guard signatures[number].admits(port: hello.ends.serverPort) else { continue }
      if signatures[number].evidence == .strong { return number }
      if weak == nil { weak = number }
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
