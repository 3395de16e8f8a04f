import CLinux
import Foundation
import Glibc
import Mothlight

@testable import MothlightStation

/// A network namespace of its own with two interfaces that are one cable. What a test sends stays in it.
final class NetworkLab {
  let name = "mothlight-\(UInt32.random(in: 0 ... .max))"
  var path: String { "/run/netns/\(name)" }
  static let watched = "watched0"
  static let sending = "sending0"

  /// Whether namespaces can be made here: root, and `ip`.
  static let isPossible: Bool = {
    guard geteuid() == 0, let lab = try? NetworkLab() else { return false }
    return lab.isMade
  }()

  private(set) var isMade = false

  init() throws {
    guard run(["netns", "add", name]) else { return }
    // No neighbour discovery of the kernel's between the frames that are counted.
    guard
      inside("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6")
    else { return }
    isMade = connect()
  }

  deinit { _ = run(["netns", "del", name]) }

  /// Makes both interfaces and starts them.
  func connect() -> Bool {
    inside(
      "ip link add \(Self.watched) type veth peer name \(Self.sending) && ip link set \(Self.watched) up && ip link set \(Self.sending) up && ip link set lo up"
    )
  }

  func disconnect() -> Bool { inside("ip link del \(Self.watched)") }

  @discardableResult
  func inside(_ command: String) -> Bool { run(["netns", "exec", name, "sh", "-c", command]) }

  private func run(_ arguments: [String]) -> Bool {
    let process = Process()
    guard let tool = (["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"] as [String]).first(where: { access($0, X_OK) == 0 })
    else {
      return false
    }
    process.executableURL = URL(fileURLWithPath: tool)
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  func settings(_ interface: String = NetworkLab.watched) -> InterfaceSettings {
    var settings = InterfaceSettings(interface: interface)
    settings.networkNamespace = path
    settings.ringOctets = 8 << 20
    return settings
  }

  /// Puts frames on the cable, from its other end; how many went.
  func send(_ frames: [[UInt8]], on interface: String = NetworkLab.sending, pauseEvery: Int = 64) throws -> Int {
    let sent = Handover<Int>()
    let path = path
    try WorkerThread {
      var count = 0
      defer { sent.put(count) }
      var index: Int32 = 0
      guard clinux_enter_network(path) == 0, clinux_interface_kind(interface, &index) >= 0 else { return }
      let descriptor = socket(17, Int32(SOCK_RAW.rawValue), 0)
      guard descriptor >= 0 else { return }
      defer { close(descriptor) }
      // struct sockaddr_ll: family, protocol, interface, then what is not asked for.
      var place = [UInt8](repeating: 0, count: 20)
      place[0] = 17
      withUnsafeBytes(of: index) { for (n, octet) in $0.enumerated() { place[4 + n] = octet } }
      for frame in frames {
        let result = place.withUnsafeBytes { raw in
          raw.withMemoryRebound(to: sockaddr.self) { name in
            sendto(descriptor, frame, frame.count, 0, name.baseAddress, socklen_t(20))
          }
        }
        if result == frame.count { count += 1 }
        if pauseEvery > 0, count % pauseEvery == 0 { usleep(200) }
      }
    }.join()
    return sent.take() ?? 0
  }
}

/// Traffic of a small network: web pages, look-ups, a scan, an echo.
enum SmallTraffic {
  private static let home: UInt32 = 0x0a00_0000
  private static let far: UInt32 = 0xc633_6400

  static func frames(_ count: Int) -> [[UInt8]] {
    (0..<count).flatMap { n -> [[UInt8]] in
      switch n % 4 {
      case 0, 1: page(n)
      case 2: lookUp(n)
      default: [attempt(n)]
      }
    }
  }

  private static func frame(_ body: [UInt8], _ source: UInt32, _ destination: UInt32, _ transport: UInt8) -> [UInt8] {
    Frames.ethernet(Frames.v4(body, source, destination, transport: transport))
  }

  private static func page(_ n: Int) -> [[UInt8]] {
    let (us, them, port) = (home + UInt32(n % 20 + 1), far + UInt32(n % 90 + 1), 20_000 + n)
    let request = Array("GET /page\(n) HTTP/1.1\r\nHost: host\(n % 30).example\r\nUser-Agent: test\r\n\r\n".utf8)
    let reply = Array("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".utf8)
    func out(_ flags: UInt8, _ sequence: Int, _ payload: [UInt8] = []) -> [UInt8] {
      frame(Frames.tcp(port, 80, flags: flags, sequence, payload), us, them, 6)
    }
    func back(_ flags: UInt8, _ sequence: Int, _ payload: [UInt8] = []) -> [UInt8] {
      frame(Frames.tcp(80, port, flags: flags, sequence, payload), them, us, 6)
    }
    return [
      out(2, 1000), back(0x12, 5000), out(0x10, 1001), out(0x18, 1001, request), back(0x18, 5001, reply),
      out(0x11, 1001 + request.count), back(0x11, 5001 + reply.count), out(0x10, 1002 + request.count),
    ]
  }

  private static func lookUp(_ n: Int) -> [[UInt8]] {
    let (us, them, port) = (home + UInt32(n % 20 + 1), home + 254, 30_000 + n)
    let label = Array("n\(n)".utf8)
    let question = [UInt8(label.count)] + label + [7] + Array("example".utf8) + [0, 0, 1, 0, 1]
    let query = Frames.be16(n) + [1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + question
    let answer =
      Frames.be16(n) + [0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0] + question + [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]
      + [198, 51, 100, UInt8(n % 250)]
    return [
      frame(Frames.udp(port, 53, query), us, them, 17), frame(Frames.udp(53, port, answer), them, us, 17),
    ]
  }

  private static func attempt(_ n: Int) -> [UInt8] {
    frame(Frames.tcp(50_000 + n % 5000, 23, flags: 2, 7), home + 99, far + UInt32(n % 250), 6)
  }

  /// The frames as a capture file, a millisecond apart.
  static func capture(_ frames: [[UInt8]]) -> [UInt8] {
    func le32(_ v: Int) -> [UInt8] { Frames.be32(v).reversed() }
    var out: [UInt8] = [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0] + le32(0) + le32(0) + le32(65_535) + le32(1)
    for (n, frame) in frames.enumerated() {
      out += le32(1_763_000_000 + n / 1000) + le32(n % 1000 * 1000) + le32(frame.count) + le32(frame.count) + frame
    }
    return out
  }

  /// What an observation says but for its time and number.
  static func words(_ observations: [Observation]) -> [String] {
    observations.map { o in
      switch o.event {
      case .flow(var flow):
        flow.first = Timestamp(seconds: 0)
        flow.last = flow.first
        flow.origin = RecordOrigin()
        return "\(flow)"
      case .dns(let lookup): return "dns \(lookup.ends.client) \(lookup.name) \(lookup.addresses)"
      case .http(let exchange): return "http \(exchange.ends.client) \(exchange.ends.clientPort) \(exchange.target)"
      default: return "other"
      }
    }.sorted()
  }
}
