import Mothlight

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
