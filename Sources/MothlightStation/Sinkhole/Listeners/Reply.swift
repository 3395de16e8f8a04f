import Mothlight

/// What the optional field `X-Sinkhole` says, so that others do not take a sinkhole for what it stands in for (Rahbarinia et al.,
/// LEET 2013). Of the operator's configuration only, and printable ASCII: it cannot begin another field or a body.
public struct SinkholeHeader: Sendable, Hashable {
  public static let octetsMost = 64
  public let value: String

  /// `nil` unless the text is 1 to 64 printable characters of ASCII without spaces at its ends.
  public init?(_ text: String) {
    guard (1...Self.octetsMost).contains(text.utf8.count), text.utf8.allSatisfy({ (0x20...0x7e).contains($0) }),
      text.utf8.first != 0x20, text.utf8.last != 0x20
    else { return nil }
    value = text
  }
}

/// The two messages with their optional field, made once at the start.
struct ReplyOctets: Sendable {
  private let octets: [Reply: [UInt8]]

  init(_ header: SinkholeHeader?) {
    octets = Dictionary(
      uniqueKeysWithValues: Reply.allCases.compactMap { reply in
        guard let text = reply.octets else { return nil }
        var whole = text.withUTF8Buffer { Array($0) }
        // In front of the empty line.
        if let header { whole.insert(contentsOf: Array("X-Sinkhole: \(header.value)\r\n".utf8), at: whole.count - 2) }
        return (reply, whole)
      })
  }

  subscript(reply: Reply) -> [UInt8]? { octets[reply] }
}

/// All that a listener can ever send to a peer: nothing, or one of two constant messages. There is no case that carries
/// octets, so neither a configuration nor a signature can add one.
public enum Reply: Sendable, Hashable, CaseIterable {
  case none, close, http404, http200Empty

  /// RFC 9110 sections 15.5.5 and 15.3.1, without a field that tells which program answers.
  var octets: StaticString? {
    switch self {
    case .none, .close: nil
    case .http404: "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    case .http200Empty: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    }
  }
}
