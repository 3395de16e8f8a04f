import Foundation
import Glibc
import Mothlight
import Synchronization

@testable import MothlightStation

/// Collects records on the writing thread.
final class SharedRecords: Sendable {
  private let kept = Mutex<[SpoolRecord]>([])
  func append(_ record: SpoolRecord) { kept.withLock { $0.append(record) } }
  var all: [SpoolRecord] { kept.withLock { $0 } }
  var sightings: [Sighting] { all.compactMap { if case .sighting(let row) = $0 { row } else { nil } } }
}

private final class SharedSink: SpoolSink {
  private let records: SharedRecords
  init(_ records: SharedRecords) { self.records = records }
  func append(_ record: SpoolRecord) { records.append(record) }
  func flush(now: Timestamp) {}
}

/// Listeners in a thread of their own, as in the program.
final class RunningListeners: Sendable {
  struct Ports: Sendable {
    var udp: [UInt16] = []
    var tcp: [UInt16] = []
    var metrics: UInt16 = 0
  }
  private struct State {
    var ports: Ports?
    var failure: String?
    var counters: CheckInTally.Counters?
    var streams: StreamReceiver.Counters?
    var sources = 0
  }

  let records = SharedRecords()
  private let stop = StopSignal()
  private let state = Mutex(State())
  private let opened = DispatchSemaphore(value: 0)
  private let ended = DispatchSemaphore(value: 0)

  init(_ configuration: ListenerConfiguration) throws {
    let thread = Thread { [self] in
      run(configuration)
      ended.signal()
    }
    thread.start()
    opened.wait()
    if let failure = state.withLock({ $0.failure }) { throw ListenError(failure) }
  }

  private func run(_ configuration: ListenerConfiguration) {
    do {
      let records = records
      let listeners = try Listeners(configuration, stop: stop) { SharedSink(records) }
      state.withLock {
        $0.ports = Ports(
          udp: listeners.datagramAddresses.map(\.port), tcp: listeners.streamAddresses.map(\.port),
          metrics: listeners.metricsAddress?.port ?? 0)
      }
      opened.signal()
      listeners.run()
      state.withLock {
        $0.counters = listeners.counters
        $0.streams = listeners.streamCounters
        $0.sources = listeners.tally.sources
      }
    } catch {
      state.withLock { $0.failure = "\(error)" }
      opened.signal()
    }
  }

  var ports: Ports { state.withLock { $0.ports ?? Ports() } }

  /// Drains and ends; seconds that it took.
  @discardableResult
  func end() -> Double {
    let start = Date()
    stop.raise()
    _ = ended.wait(timeout: .now() + .seconds(20))
    return Date().timeIntervalSince(start)
  }

  var counters: CheckInTally.Counters { state.withLock { $0.counters ?? CheckInTally.Counters() } }
  var streams: StreamReceiver.Counters { state.withLock { $0.streams ?? StreamReceiver.Counters() } }
  var sources: Int { state.withLock { $0.sources } }

  static func configuration(
    _ listeners: [ListenerConfiguration.Listener], change: (inout ListenerConfiguration) -> Void = { _ in }
  ) -> ListenerConfiguration {
    var configuration = ListenerConfiguration()
    configuration.listeners = listeners
    configuration.tally.sourcesV4 = 1 << 14
    configuration.tally.sourcesV6 = 1 << 10
    configuration.limits.timeoutSeconds = 1
    change(&configuration)
    return configuration
  }
}

extension ListenAddress {
  static let anyPort = ListenAddress(address: IPAddress(v4: 0x7f00_0001), port: 0)
}

/// A peer on loopback: the machine that checks in. It can reach nothing else.
struct LoopbackPeer {
  let descriptor: Int32

  /// - Parameter source: last three octets of its address within 127/8; 0 for 127.0.0.1.
  init?(port: UInt16, isStream: Bool, source: UInt32 = 0) {
    descriptor = socket(AF_INET, Int32(isStream ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue), 0)
    guard descriptor >= 0 else { return nil }
    var limit = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    if source > 0 {
      var own = Self.name(0x7f00_0000 | source & 0xff_ffff, 0)
      let result = Self.with(&own) { bind(descriptor, $0, $1) }
      guard result == 0 else { return nil }
    }
    var peer = Self.name(0x7f00_0001, port)
    guard Self.with(&peer, { connect(descriptor, $0, $1) }) == 0 else {
      close(descriptor)
      return nil
    }
  }

  private static func name(_ address: UInt32, _ port: UInt16) -> sockaddr_in {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = address.bigEndian
    return name
  }

  private static func with(
    _ name: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    withUnsafePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }

  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool { Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count }

  /// Everything until the other side closes; `nil` when it does not within the limit.
  func readToEnd() -> [UInt8]? {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count == 0 { return all }
      if count < 0 { return errno == ECONNRESET ? all : nil }
      all += buffer[..<count]
    }
  }

  /// Octets that wait now.
  func readNow() -> Int {
    var buffer = [UInt8](repeating: 0, count: 4096)
    return max(0, recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT)))
  }

  func end() { close(descriptor) }
}
