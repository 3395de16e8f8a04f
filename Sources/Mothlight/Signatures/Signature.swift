/// One published shape of a bot's traffic, as a row of data: it can recognise, and holds nothing to send.
public struct Signature: Sendable {
  /// What a match is worth by itself.
  public enum Evidence: String, Sendable, CaseIterable {
    /// Forty fixed bits or more, or several independent oddities: chance and ordinary software do not make it.
    case strong
    /// A hint that other traffic shares; counts only with behaviour, and names nothing.
    case weak
  }

  /// How well the shape itself is known.
  public enum Confidence: String, Sendable, CaseIterable {
    /// Two independent publications say the same.
    case corroborated
    /// One publication says it, and it was read.
    case published
    /// Our conclusion from what is published.
    case inferred
    /// Common knowledge whose source was not read again.
    case unverified

    /// Whether a shape so known may be `strong`.
    var canConvict: Bool { self == .corroborated || self == .published }
  }

  /// Who sent the octets.
  public enum Direction: String, Sendable, CaseIterable { case client, server }

  /// All that a sinkhole may ever do about a match: a word, never octets.
  public enum Reply: String, Sendable, CaseIterable {
    case none, close, http404
    case http200Empty = "http200-empty"
  }

  /// What such a message tells about a person: to be dropped before anything is kept.
  public enum PersonalData: String, Sendable, CaseIterable {
    case userName = "user_name"
    case hostName = "host_name"
    case machineID = "machine_id"
    case location
    case windowTitle = "window_title"
    case credentials
    case body
  }

  /// What is looked at.
  enum Shape: Sendable {
    /// The octets of a datagram, or the first ones of a stream; all must hold.
    case octets([OctetTest])
    case request(RequestShape)
    case hello(HelloShape)
  }

  public let id: String
  /// The botnet or kit as most publications call it.
  public let family: String
  public let transport: Transport
  public let direction: Direction
  public let evidence: Evidence
  public let confidence: Confidence
  /// Where the shape was published.
  public let source: String
  /// Server ports; empty for any.
  let ports: [ClosedRange<UInt16>]
  /// Octets of a datagram, or that a stream must have shown.
  let length: ClosedRange<Int>
  let shape: Shape
  /// It needs what the passive decoders do not keep: bodies, values of header fields.
  public let isForSinkholeOnly: Bool
  public let reply: Reply
  public let personalData: [PersonalData]
  /// What in the message tells one machine from another; `nil` for most families.
  let identity: SignatureIdentity?
  /// Year or month, as `2008` or `2008-11`, where known.
  public let firstSeen: String?
  public let lastSeen: String?

  /// Ids that one detector counts by itself, as their parts gain from each other; an operator may replace these alone.
  static let mariposaPrefix = "bfbot-"

  enum Result { case no, yes, needsMore }

  /// How far into a stream a signature may look.
  static let streamOctets = 512

  func admits(port: UInt16) -> Bool { ports.isEmpty || ports.contains { $0.contains(port) } }

  /// - Parameter isStream: bytes are a beginning that may go on, so lengths are lower bounds.
  func matches(_ bytes: RawSpan, isStream: Bool) -> Result {
    guard case .octets(let tests) = shape else { return .no }
    if !isStream, !length.contains(bytes.byteCount) { return .no }
    var result = bytes.byteCount < length.lowerBound ? Result.needsMore : .yes
    for test in tests {
      switch test.check(bytes, isStream: isStream) {
      case .no: return .no
      case .needsMore: result = .needsMore
      case .yes: break
      }
    }
    if result == .needsMore, !isStream || bytes.byteCount >= Self.streamOctets { return .no }
    return result
  }

  /// The share of random messages of a fitting length and port that match; `nil` when it cannot be told.
  var chance: Double? {
    guard case .octets(let tests) = shape else { return nil }
    let most = transport == .udp ? length.upperBound : Self.streamOctets
    return tests.reduce(1) { $0 * $1.chance(among: most) }
  }
}
