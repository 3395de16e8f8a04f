import CLinux
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

/// A socket that is closed with its owner.
struct Socket: ~Copyable {
  let descriptor: Int32
  /// Where it listens; with the port that the kernel chose when 0 was asked for.
  let address: ListenAddress

  /// Opens and binds; listening sockets listen.
  init(_ address: ListenAddress, _ options: SocketOptions) throws(ListenError) {
    let isV4 = address.address.isV4
    let what = options.isStream ? "tcp" : "udp"
    descriptor = clinux_socket(isV4 ? 1 : 0, options.isStream ? 1 : 0)
    guard descriptor >= 0 else {
      self.address = address
      throw .opening(what, address, errno)
    }
    do throws(Refusal) {
      try Self.set(descriptor, options, isV4: isV4)
      var end = clinux_end(address)
      guard clinux_bind(descriptor, &end) == 0 else { throw Refusal(code: errno) }
      if options.isStream, listen(descriptor, options.backlog) != 0 { throw Refusal(code: errno) }
      var bound = clinux_end()
      guard clinux_name(descriptor, &bound) == 0 else { throw Refusal(code: errno) }
      self.address = ListenAddress(address: address.address, port: bound.port)
    } catch {
      self.address = address
      throw .opening(what, address, error.code)
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  private struct Refusal: Error { var code: Int32 }

  private static func set(_ fd: Int32, _ options: SocketOptions, isV4: Bool) throws(Refusal) {
    func must(_ result: Int32) throws(Refusal) { if result != 0 { throw Refusal(code: errno) } }
    let (v4, transparent): (Int32, Int32) = (isV4 ? 1 : 0, options.isTransparent ? 1 : 0)
    try must(clinux_set_common(fd, v4, transparent))
    if options.isStream {
      try must(clinux_set_reuse_address(fd))
    } else {
      try must(clinux_set_datagram(fd, v4, transparent, options.isShared ? 1 : 0, options.receiveBufferOctets))
    }
  }

  /// Octets of the receive buffer as the kernel granted them, its own overhead included.
  var receiveBufferOctets: Int { Int(clinux_receive_buffer(descriptor)) }
}

struct SocketOptions {
  var isStream: Bool
  var isTransparent = false
  /// SO_REUSEPORT: several sockets on one port, each with a buffer of its own.
  var isShared = false
  var receiveBufferOctets: Int32 = 8 << 20
  var backlog: Int32 = 4096
}

extension clinux_end {
  init(_ address: ListenAddress) {
    self.init()
    port = address.port
    is_v4 = address.address.isV4 ? 1 : 0
    is_known = 1
    withUnsafeMutableBytes(of: &self.address) { octets in
      octets.storeBytes(of: address.address.high.bigEndian, toByteOffset: 0, as: UInt64.self)
      octets.storeBytes(of: address.address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
  }

  var ip: IPAddress {
    withUnsafeBytes(of: address) { octets in
      IPAddress(
        high: octets.loadUnaligned(fromByteOffset: 0, as: UInt64.self).bigEndian,
        low: octets.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian)
    }
  }
}
