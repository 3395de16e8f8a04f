import Foundation
import Glibc
import Mothlight
import Testing

@testable import MothlightStation

/// A live interface, in a namespace of its own.
@Suite(.serialized, .enabled(if: NetworkLab.isPossible, "needs root and ip to make network namespaces"))
struct InterfaceSourceTests {
  private func start(_ source: InterfaceSource, _ sink: CollectingSink) -> Task<SourceError?, Never> {
    Task { () -> SourceError? in
      do throws(SourceError) {
        try await source.run(into: sink)
        return nil
      } catch { return error }
    }
  }

  /// The same hosts, flows, look-ups and requests as reading a file with the same frames, and not one frame lost.
  @Test func seesWhatAFileShows() async throws {
    let lab = try NetworkLab()
    let source = InterfaceSource(lab.settings())
    let sink = CollectingSink()
    let task = start(source, sink)
    #expect(await eventually { source.meter.health.state == .running })
    let frames = SmallTraffic.frames(2000)
    #expect(try lab.send(frames) == frames.count)
    #expect(await eventually { source.meter.health.records == UInt64(frames.count) })
    // What is read from the content is there before the flows end.
    #expect(await eventually { sink.observations.count { if case .http = $0.event { true } else { false } } == 1000 })
    task.cancel()
    #expect(await task.value == nil)
    let scratch = try ScratchFolder()
    let path = scratch.path + "/same.pcap"
    try Data(SmallTraffic.capture(frames)).write(to: URL(fileURLWithPath: path))
    let reader = try Inputs.open(path: path, index: 0)
    var expected: [Observation] = []
    while try reader.read(into: &expected, limit: 512) {}
    #expect(expected.count > 3000)
    #expect(SmallTraffic.words(sink.observations) == SmallTraffic.words(expected))
    let health = source.meter.health
    #expect(health.dropped == [:] && health.unparsed == 0 && health.skipped == [:], "\(health)")
    #expect(health.used == UInt64(expected.count))
    #expect(health.octets == UInt64(frames.reduce(0) { $0 + $1.count }))
    let age = Clock.now().seconds(since: try #require(health.newest))
    #expect(age > -1 && age < 60, "times are the kernel's")
  }

  /// The interface is deleted and made again under its name: the source fails, waits, and goes on.
  @Test func comesBackWithItsInterface() async throws {
    let lab = try NetworkLab()
    let source = InterfaceSource(lab.settings())
    let sink = CollectingSink()
    var backoff = Backoff.Settings()
    backoff.firstSeconds = 0.05
    backoff.mostSeconds = 0.2
    let supervisor = Supervisor(board: StatusBoard(at: Clock.now()), backoff: backoff) { _ in sink }
    await supervisor.start(source)
    #expect(await eventually { source.meter.health.state == .running })
    let frames = SmallTraffic.frames(40)
    #expect(try lab.send(frames) == frames.count)
    #expect(await eventually { source.meter.health.records == UInt64(frames.count) })
    #expect(lab.disconnect())
    #expect(await eventually { source.meter.health.state == .waiting })
    let trouble = source.meter.health.trouble ?? ""
    #expect(trouble.contains("went down or away") || trouble.contains("no such interface"), "\(trouble)")
    #expect(sink.flows.count > 20, "what was open was told")
    #expect(lab.connect())
    #expect(await eventually { source.meter.health.state == .running })
    #expect(source.meter.health.restarts > 0 && source.meter.health.trouble == nil)
    #expect(try lab.send(frames) == frames.count)
    #expect(await eventually { source.meter.health.records == UInt64(2 * frames.count) })
    #expect(await supervisor.stopAll(patienceSeconds: 30) == [])
  }

  /// The kernel leaves out what the filter does not want.
  @Test func filtersInTheKernel() async throws {
    let lab = try NetworkLab()
    var settings = lab.settings()
    settings.filter = try CaptureFilter("udp port 53 and not host 10.0.0.3")
    let source = InterfaceSource(settings)
    let sink = CollectingSink()
    let task = start(source, sink)
    #expect(await eventually { source.meter.health.state == .running })
    let frames = SmallTraffic.frames(200)
    #expect(try lab.send(frames) == frames.count)
    #expect(await eventually { source.meter.health.records == 80 })
    task.cancel()
    #expect(await task.value == nil)
    #expect(source.meter.health.records == 80)
    #expect(sink.flows.allSatisfy { $0.destinationPort == 53 && $0.source != IPAddress("10.0.0.3") })
    #expect(sink.flows.count == 40)
  }

  /// Opened before it runs; what comes until then waits in the ring, and what does not fit is counted.
  @Test func preparedFirst() async throws {
    let lab = try NetworkLab()
    var settings = lab.settings()
    settings.ringOctets = 4 << 20
    let source = InterfaceSource(settings)
    try source.prepare()
    let big = (0..<8000).map { n in
      Frames.ethernet(
        Frames.v4(
          Frames.udp(1000 + n % 4000, 9, [UInt8](repeating: 7, count: 1200)), 0x0a00_0001, 0xc000_0201, transport: 17))
    }
    #expect(try lab.send(big) == big.count)
    let sink = CollectingSink()
    let task = start(source, sink)
    #expect(
      await eventually {
        let health = source.meter.health
        return health.records + (health.dropped["kernel"] ?? 0) == UInt64(big.count)
      })
    let health = source.meter.health
    #expect(health.dropped["kernel"] ?? 0 > 1000 && health.records > 1000, "\(health)")
    task.cancel()
    #expect(await task.value == nil)
  }

  /// A pipeline without room loses observations, counted; the frames were read.
  @Test func aFullQueueIsCounted() async throws {
    let lab = try NetworkLab()
    let source = InterfaceSource(lab.settings())
    let sink = CollectingSink()
    sink.closeDoor()
    let task = start(source, sink)
    #expect(await eventually { source.meter.health.state == .running })
    let frames = SmallTraffic.frames(400)
    #expect(try lab.send(frames) == frames.count)
    #expect(await eventually { source.meter.health.records == UInt64(frames.count) })
    task.cancel()
    #expect(await task.value == nil)
    let health = source.meter.health
    #expect(health.used == 0 && health.dropped["queue"] ?? 0 > 400)
  }

  /// Loopback shows each frame as it goes and as it comes.
  @Test(arguments: ["lo", "any"])
  func loopbackCountsOnce(interface: String) async throws {
    let lab = try NetworkLab()
    let source = InterfaceSource(lab.settings(interface))
    let sink = CollectingSink()
    let task = start(source, sink)
    #expect(await eventually { source.meter.health.state == .running })
    // A ping of five, with its echoes.
    let frames = (0..<5).map { n in
      [UInt8](repeating: 0, count: 12) + [8, 0]
        + Frames.v4(Frames.udp(7000, 7001, [UInt8(n)]), 0x7f00_0001, 0x7f00_0001, transport: 17)
    }
    #expect(try lab.send(frames, on: "lo") == 5)
    #expect(await eventually { source.meter.health.records >= 5 })
    try await Task.sleep(for: .milliseconds(200))
    task.cancel()
    #expect(await task.value == nil)
    let flow = try #require(sink.flows.first { $0.destinationPort == 7001 || $0.sourcePort == 7001 })
    #expect(flow.sourcePackets + flow.destinationPackets == 5)
  }

  @Test func missingAndDown() async throws {
    let lab = try NetworkLab()
    let missing = await start(InterfaceSource(lab.settings("eth9")), CollectingSink()).value
    #expect(
      missing?.code == .notFound && missing?.message.contains("ip link") == true, "\(String(describing: missing))")
    #expect(lab.inside("ip link set \(NetworkLab.watched) down"))
    let down = await start(InterfaceSource(lab.settings()), CollectingSink()).value
    #expect(down?.code == .unavailable && down?.message.contains("is down") == true, "\(String(describing: down))")
    var settings = lab.settings()
    settings.networkNamespace = "/nonexistent/ns"
    #expect(throws: SourceError(.notFound, "")) { try InterfaceSource(settings).prepare() }
    #expect(lab.inside("ip link set \(NetworkLab.watched) up"))
    let long = lab.settings(String(repeating: "x", count: 40))
    #expect(throws: SourceError(.notFound, "")) { try InterfaceSource(long).prepare() }
  }

  /// Silence does not keep what was seen: a look-up's flow comes after a minute, a long connection's part after its timeout.
  @Test func partsComeWhileTheWireIsSilent() async throws {
    let lab = try NetworkLab()
    var settings = lab.settings()
    settings.activeTimeoutSeconds = 1
    let source = InterfaceSource(settings)
    let sink = CollectingSink()
    let task = start(source, sink)
    #expect(await eventually { source.meter.health.state == .running })
    let open = Array(SmallTraffic.frames(1).prefix(4))
    #expect(try lab.send(open) == 4)
    #expect(await eventually { sink.flows.count == 1 })
    #expect(sink.flows.first?.anomalies.contains(.cutByTimeout) == true)
    task.cancel()
    #expect(await task.value == nil)
    #expect(sink.flows.count == 1, "its part was told, and nothing came since")
  }
}
