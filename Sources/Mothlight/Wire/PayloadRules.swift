import Synchronization

/// The signatures that the passive decoders hold against traffic: one set for the whole process, chosen before the first
/// packet, so that the hot path reads a constant.
public enum PayloadRules {
  private struct Choice {
    var set: SignatureSet?
    var isTaken = false
  }

  private static let choice = Mutex(Choice())

  /// Sets what is recognised from now on; `false` when something was already looked at with another set.
  public static func use(_ signatures: [Signature]) -> Bool {
    let set = SignatureSet(signatures, for: .passive)
    return choice.withLock {
      guard !$0.isTaken else { return false }
      $0.set = set
      return true
    }
  }

  private static let active: SignatureSet = choice.withLock {
    $0.isTaken = true
    return $0.set ?? SignatureSet(SignatureFile.builtin?.signatures ?? [], for: .passive)
  }

  public static var all: [Signature] { active.signatures }
  public static func rule(_ id: String) -> Signature? { active.signature(id) }

  /// Whether any octet-level signature could match; nearly always `false`, and then nothing else need be asked.
  @inline(__always)
  static func mayMatch(datagram bytes: RawSpan, fromClient: Bool) -> Bool {
    active.mayMatch(datagram: bytes, fromClient: fromClient)
  }

  /// The first signature, strong ones before weak, that a datagram matches.
  static func match(datagram bytes: RawSpan, serverPort: UInt16, fromClient: Bool) -> Signature? {
    active.match(datagram: bytes, serverPort: serverPort, fromClient: fromClient)
  }

  /// The same question for the first octet of a client's stream.
  @inline(__always)
  static func mayMatch(streamStart bytes: RawSpan) -> Bool { active.mayMatch(streamStart: bytes) }

  /// The first signature that the beginning of a client's stream matches; `mayMatch` tells that more bytes could decide
  /// otherwise.
  static func match(streamStart bytes: RawSpan, serverPort: UInt16) -> (rule: Signature?, mayMatch: Bool) {
    let (signature, mayMatch) = active.match(streamStart: bytes, serverPort: serverPort)
    return (signature, mayMatch)
  }

  /// The first signature, strong ones before weak, that a request matches.
  static func match(_ exchange: HTTPExchange) -> Signature? { active.match(exchange) }

  /// The same for a TLS hello.
  static func match(_ hello: TLSHandshake) -> Signature? { active.match(hello) }
}
