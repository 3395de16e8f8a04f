import CLinux
import Glibc
import Mothlight

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
