/// Reads first messages of streams: the seam between a listener, which has sockets, and the rules, which have none.
public final class DialogueReader {
  public static let unknownOctetsMost = Dialogue.unknownOctetsMost
  public static let knownOctetsMost = Dialogue.knownOctetsMost

  private let recogniser: Recogniser
  private let prints = FingerprintCache()

  public init(_ recogniser: Recogniser) { self.recogniser = recogniser }

  /// What a first message amounts to.
  public struct Verdict {
    let dialogue: Dialogue
    /// Reply that the matching signature asks for; `nil` without one.
    public let signatureReply: Signature.Reply?
    public var isHTTP: Bool { dialogue.isHTTP }
    public var isTLS: Bool { if case .tls = dialogue.content { true } else { false } }
    /// Name that a TLS client asks for.
    public var serverName: String? { if case .tls(let hello) = dialogue.content { hello.serverName } else { nil } }
    /// Connected and said nothing.
    public var isSilence: Bool { if case .silence = dialogue.content { true } else { false } }
    /// Id of the matching signature.
    public let rule: String?
  }

  /// - Parameters:
  ///   - bytes: all octets so far; at most `knownOctetsMost` are needed.
  ///   - isEnd: nothing more will come or be kept.
  ///   - scanned: progress of earlier calls on the same stream.
  /// - Returns: `nil` while more octets could change the verdict.
  public func read(
    _ bytes: UnsafeRawBufferPointer, isEnd: Bool, ends: Endpoints, scanned: inout Int
  ) -> Verdict? {
    let isFull = bytes.count >= Self.knownOctetsMost
    guard
      let dialogue = Dialogue.read(
        bytes.bytes, isEnd: isEnd || isFull, ends: ends, scanned: &scanned, recogniser, prints)
    else { return nil }
    guard case .matched(let number) = dialogue.shape else {
      return Verdict(dialogue: dialogue, signatureReply: nil, rule: nil)
    }
    let signature = recogniser.set.signatures[number]
    return Verdict(dialogue: dialogue, signatureReply: signature.reply, rule: signature.id)
  }
}
