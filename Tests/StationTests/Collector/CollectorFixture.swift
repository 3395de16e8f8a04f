import Mothlight
import MothlightStation
import Synchronization
import Testing

/// Keeps what it is offered, by lane.
final class KeepingSink: ObservationSink {
  private let state = Mutex<[Observatory.Lane: [Observation]]>([:])
  let takes: Bool
  init(takes: Bool = true) { self.takes = takes }

  func send(_ batch: [Observation]) async { _ = offer(batch, in: .whole) }
  func offer(_ batch: [Observation]) -> Bool { offer(batch, in: .whole) }
  func offer(_ batch: [Observation], in lane: Observatory.Lane) -> Bool {
    guard takes else { return false }
    state.withLock { $0[lane, default: []] += batch }
    return true
  }

  func flows(_ lane: Observatory.Lane = .whole) -> [Flow] {
    state.withLock { $0[lane] ?? [] }.compactMap { if case .flow(let flow) = $0.event { flow } else { nil } }
  }
}

/// A collector on a free port of loopback, stopped at the end of `body`.
struct RunningCollector {
  let source: CollectorSource
  let sink: KeepingSink
  let port: UInt16

  static func run(
    _ change: (inout CollectorSettings) -> Void = { _ in }, sink: KeepingSink = KeepingSink(),
    _ body: (RunningCollector) async throws -> Void
  ) async throws -> (flows: KeepingSink, health: SourceHealth) {
    var settings = CollectorSettings(name: "flows", listen: .anyPort)
    change(&settings)
    let source = CollectorSource(settings)
    let task = Task { () -> SourceError? in
      do throws(SourceError) {
        try await source.run(into: sink)
        return nil
      } catch { return error }
    }
    let isUp = await waits { source.meter.health.state == .running }
    try #require(isUp)
    let place = source.meter.health.place
    let port = try #require(UInt16(place.split(separator: ":").last ?? ""))
    do {
      try await body(RunningCollector(source: source, sink: sink, port: port))
    } catch {
      task.cancel()
      throw error
    }
    task.cancel()
    #expect(await task.value == nil)
    return (sink, source.meter.health)
  }

  /// Until `condition` holds; at most ten seconds.
  static func waits(_ condition: () -> Bool) async -> Bool {
    for _ in 0..<6000 {
      if condition() { return true }
      try? await Task.sleep(for: .milliseconds(10))
    }
    return condition()
  }

  /// Until `count` datagrams have been counted.
  func waits(datagrams count: Int) async -> Bool {
    await Self.waits { Int(source.meter.health.details["datagrams"] ?? "") ?? 0 >= count }
  }
}

/// Packets of exporters, put together by hand; times are now.
enum ExportedPacket {
  private static func u16(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }
  private static func u32(_ value: Int) -> [UInt8] { u16(value >> 16 & 0xffff) + u16(value & 0xffff) }

  static func netflow5(port: Int, seconds: Int, sampling: Int = 0, sequence: Int = 0) -> [UInt8] {
    let header = u16(5) + u16(1) + u32(100_000) + u32(seconds) + u32(0) + u32(sequence) + u16(0) + u16(sampling)
    let ends = u32(0x0a00_0005) + u32(0xc633_6407) + u32(0) + u32(0)
    let counts = u32(3) + u32(180) + u32(95_000) + u32(99_000)
    return header + ends + counts + u16(port) + u16(443) + [0, 2, 6, 0] + [UInt8](repeating: 0, count: 8)
  }

  private static let fields: [(Int, Int)] = [
    (8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (2, 4), (1, 4), (150, 4), (151, 4),
  ]

  private static func sets(_ kind: Int, port: Int, seconds: Int) -> [UInt8] {
    let template = u16(256) + u16(fields.count) + fields.flatMap { u16($0.0) + u16($0.1) }
    let record =
      u32(0x0a00_0005) + u32(0xc633_6407) + u16(port) + u16(53) + [17] + u32(2) + u32(120) + u32(seconds - 2)
      + u32(seconds - 1)
    return u16(kind) + u16(4 + template.count) + template + u16(256) + u16(4 + record.count) + record
  }

  static func netflow9(port: Int, seconds: Int) -> [UInt8] {
    u16(9) + u16(2) + u32(100_000) + u32(seconds) + u32(0) + u32(1) + sets(0, port: port, seconds: seconds)
  }

  static func ipfix(port: Int, seconds: Int) -> [UInt8] {
    let content = sets(2, port: port, seconds: seconds)
    return u16(10) + u16(16 + content.count) + u32(seconds) + u32(0) + u32(1) + content
  }

  static func sflow(port: Int) -> [UInt8] {
    let udp = u16(port) + u16(53) + u16(8) + u16(0)
    let ip = [0x45, 0] + u16(28) + u32(0) + [64, 17, 0, 0] + u32(0x0a00_0005) + u32(0xc633_6407) + udp
    let header = u32(11) + u32(28) + u32(0) + u32(28) + ip
    let record = u32(1) + u32(header.count) + header
    let sample = u32(1) + u32(0) + u32(100) + u32(100) + u32(0) + u32(1) + u32(2) + u32(1) + record
    return u32(5) + u32(1) + u32(0x7f00_0001) + u32(0) + u32(0) + u32(1000) + u32(1) + u32(1) + u32(sample.count)
      + sample
  }
}
