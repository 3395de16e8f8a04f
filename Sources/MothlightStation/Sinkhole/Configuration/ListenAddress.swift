import Glibc
import Mothlight

/// An address and port to listen on.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
  public var address: IPAddress
  public var port: UInt16

  public init(address: IPAddress, port: UInt16) {
    self.address = address
    self.port = port
  }

  /// Reads `127.0.0.1:80`, `[::1]:80`; `nil` for anything else. Names are not looked up.
  public init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let digits = text[text.index(after: colon)...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 &- 0x30 < 10 }), let port = UInt16(digits) else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("[") {
      guard host.hasSuffix("]") else { return nil }
      host = host.dropFirst().dropLast()
    } else if host.contains(":") {
      return nil
    }
    guard let address = IPAddress(host), address.isV4 == !host.contains(":") else { return nil }
    self.init(address: address, port: port)
  }

  public var description: String { address.isV4 ? "\(address):\(port)" : "[\(address)]:\(port)" }

  /// Every address of this machine, or of all with a transparent socket.
  var isWildcard: Bool { address.isV4 ? address.v4 == 0 : address.isUnspecified }
}

/// One line: what could not be opened, why, what to do.
public struct ListenError: Error, Sendable, Equatable, CustomStringConvertible {
  public var description: String
  public init(_ description: String) { self.description = description }

  static func opening(_ what: String, _ address: ListenAddress, _ code: Int32) -> ListenError {
    let advice: String
    switch code {
    case EADDRINUSE: advice = "another program has this port; see 'ss -lntup'"
    case EACCES, EPERM:
      advice =
        address.port < 1024
        ? "ports below 1024 need root or CAP_NET_BIND_SERVICE at start" : "start as root or with CAP_NET_ADMIN"
    case EADDRNOTAVAIL: advice = "no interface of this machine has this address"
    case EMFILE, ENFILE: advice = "raise the limit of open files (LimitNOFILE)"
    default: advice = "check the address"
    }
    return ListenError("\(what) \(address): \(String(cString: strerror(code))); \(advice)")
  }
}
