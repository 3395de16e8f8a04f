/// Payload rules as a sinkhole asks them: which signature, and what it says beside the family that a zone or listener
/// declares.
public struct Recogniser: Sendable {
  let set: SignatureSet
  /// Which rules these are, for every record made by them; equal rules have equal versions.
  public let version: UInt32

  public init(_ signatures: [Signature]) {
    set = SignatureSet(signatures, for: .sinkhole)
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    for signature in set.signatures {
      let words = "\(signature.id)\n\(signature.evidence)\n\(signature.source)\n\(signature.shape)\n"
      for octet in words.utf8 { digest = (digest ^ UInt64(octet)) &* 0x100_0000_01b3 }
    }
    version = UInt32(truncatingIfNeeded: mix64(digest))
  }

  /// The family's name as the signatures write it, whatever the case of letters.
  public func canonical(_ family: String) -> String {
    set.signatures.first { $0.family.lowercased() == family.lowercased() }?.family ?? family
  }

  /// What a message is, before anything is known about its sender.
  enum Shape: Sendable, Equatable {
    /// Nothing that any rule or protocol knows.
    case unknown
    /// A protocol's first message, well-formed.
    case shaped
    case matched(Int)
  }

  /// - Complexity: two loads for nearly every datagram that is no bot's.
  @inline(__always)
  func shape(ofDatagram bytes: RawSpan, port: UInt16) -> Shape {
    guard set.mayMatch(datagram: bytes, fromClient: true),
      let number = set.matchNumber(datagram: bytes, serverPort: port)
    else { return .unknown }
    return .matched(number)
  }
}

/// Signature, declared family and level put together: zone's family × payload rule.
struct Recognition: Equatable {
  /// Word number of the botnet; 0: none.
  var botnet: UInt16
  var rule: UInt16
  var level: EvidenceLevel
}

/// What the recogniser knows about each signature in the tally's words, so that the receive path handles numbers.
struct RecognitionTable {
  private struct Row {
    var rule: UInt16
    var family: UInt16
    var isStrong: Bool
  }
  private let rows: [Row]

  init(_ recogniser: Recogniser, _ words: inout WordTable) {
    rows = recogniser.set.signatures.map {
      Row(rule: words.number($0.id), family: words.number($0.family), isStrong: $0.evidence == .strong)
    }
  }

  /// - Parameter declared: the family of the zone or listener; 0 when there is none.
  ///
  /// A strong signature names its family, whatever was declared: the payload is better evidence than where it was sent.
  /// A weak one recognises only what was declared.
  @inline(__always)
  func recognition(_ shape: Recogniser.Shape, declared: UInt16) -> Recognition {
    switch shape {
    case .unknown: return Recognition(botnet: declared, rule: 0, level: .connected)
    case .shaped: return Recognition(botnet: declared, rule: 0, level: .shaped)
    case .matched(let number):
      guard number < rows.count else { return Recognition(botnet: declared, rule: 0, level: .shaped) }
      let row = rows[number]
      if row.isStrong { return Recognition(botnet: row.family, rule: row.rule, level: .recognised) }
      if row.family == declared { return Recognition(botnet: declared, rule: row.rule, level: .recognised) }
      return Recognition(botnet: declared, rule: row.rule, level: .shaped)
    }
  }
}
