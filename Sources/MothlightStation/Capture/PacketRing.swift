import CLinux
import Glibc
import Mothlight
import Synchronization

/// The kernel's ring of one interface.
///
/// `@unchecked Sendable`: it goes from `InterfaceSource.prepare` to the capture thread, and one of them uses it at a time.
final class PacketRing: @unchecked Sendable {
  let ring: OpaquePointer
  /// LINKTYPE of the frames.
  let link: UInt16
  /// Frames without their link header, of whatever protocol.
  let isCooked: Bool
  /// The loopback interface: it shows every frame twice, and the first showing is passed over; 0: none is watched.
  let loopback: Int32
  /// As the kernel granted it.
  var octets: Int { Int(clinux_ring_octets(ring)) }

  private static let anyInterface = "any"
  private enum Hardware {
    static let ethernet: Int32 = 1
    static let loopback: Int32 = 772
    static let wireless: [Int32: UInt16] = [801: 105, 802: 119, 803: 127]
  }
  /// The loopback interface has this number in every namespace.
  private static let loopbackNumber: Int32 = 1

  /// - Throws: `notFound`, `notPermitted`, `unavailable`; one line that says what to do.
  init(_ settings: InterfaceSettings) throws(SourceError) {
    if let namespace = settings.networkNamespace, clinux_enter_network(namespace) != 0 {
      throw SourceError(
        errno == EPERM ? .notPermitted : .notFound,
        "\(settings.interface): cannot enter the network namespace \(namespace): \(String(cString: strerror(errno)))")
    }
    var index: Int32 = 0
    var kind: Int32 = -1
    if settings.interface != Self.anyInterface {
      kind = clinux_interface_kind(settings.interface, &index)
      guard kind >= 0 else { throw Self.error(clinux_ring_name, errno, settings) }
    }
    let base: FilterProgram.Base
    switch kind {
    case Hardware.ethernet, Hardware.loopback:
      (isCooked, link, base) = (false, 1, .ethernet)
    default:
      if let radio = Hardware.wireless[kind] {
        (isCooked, link, base) = (false, radio, .other)
      } else {
        (isCooked, link, base) = (true, 101, .network)
      }
    }
    loopback = kind == Hardware.loopback ? index : kind < 0 ? Self.loopbackNumber : 0
    let snap = UInt32(clamping: max(64, min(settings.snapOctets, 262_144)))
    guard let program = FilterProgram.compile(settings.filter, base: base, snapOctets: snap) else {
      throw SourceError(
        .unavailable,
        base == .other
          ? "\(settings.interface): a radio in monitor mode takes no filter; leave `filter` out"
          : "\(settings.interface): the filter is too long for the kernel; make it shorter")
    }
    var options = clinux_ring_options()
    options.snap_octets = snap
    options.ring_octets = UInt32(clamping: min(settings.ringOctets, 1 << 30))
    options.block_milliseconds = 50
    options.is_promiscuous = settings.isPromiscuous ? 1 : 0
    var step = clinux_ring_done
    guard
      let opened = clinux_ring_open(
        index, isCooked ? 1 : 0, &options, program, UInt32(clamping: program.count), &step)
    else { throw Self.error(step, errno, settings) }
    ring = opened
  }

  deinit { clinux_ring_close(ring) }

  private static func error(_ step: clinux_ring_step, _ code: Int32, _ settings: InterfaceSettings) -> SourceError {
    let name = settings.interface
    let why = String(cString: strerror(code))
    switch (step, code) {
    case (_, ENODEV), (_, ENXIO):
      return SourceError(.notFound, "\(name): there is no such interface; `ip link` shows those that are there")
    case (_, ENETDOWN):
      return SourceError(.unavailable, "\(name): the interface is down; start it with `ip link set \(name) up`")
    case (clinux_ring_socket, EPERM), (clinux_ring_socket, EACCES), (clinux_ring_promiscuous, EPERM):
      return SourceError(
        .notPermitted,
        "\(name): no permission to capture; give the program `setcap cap_net_raw+ep`, or its systemd unit "
          + "AmbientCapabilities=CAP_NET_RAW")
    case (clinux_ring_socket, EAFNOSUPPORT):
      return SourceError(.unavailable, "\(name): this kernel has no packet sockets (CONFIG_PACKET)")
    case (clinux_ring_filter, _):
      return SourceError(.unavailable, "\(name): the kernel does not take the filter (\(why))")
    case (clinux_ring_memory, _):
      return SourceError(.unavailable, "\(name): no memory for a ring of 4 MiB (\(why))")
    default: return SourceError(.unavailable, "\(name): cannot be opened (\(why))")
    }
  }

  /// What stopped a capture that was running.
  static func ended(_ code: Int32, _ settings: InterfaceSettings) -> SourceError {
    if code == ENETDOWN || code == ENODEV || code == ENXIO {
      return SourceError(.unavailable, "\(settings.interface): the interface went down or away; it is looked for again")
    }
    return SourceError(.unavailable, "\(settings.interface): capture stopped (\(String(cString: strerror(code))))")
  }
}

/// Ends a thread that waits in poll(2).
final class WakeUp: Sendable {
  let descriptor: Int32
  private let isRaised = Mutex(false)

  init() { descriptor = clinux_event_make() }
  deinit { if descriptor >= 0 { close(descriptor) } }

  func raise() {
    isRaised.withLock { $0 = true }
    if descriptor >= 0 { _ = clinux_event_raise(descriptor) }
  }
  var wasRaised: Bool { isRaised.withLock { $0 } }
}
