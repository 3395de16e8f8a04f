import Glibc
import Mothlight
import Testing

@testable import MothlightStation

@Suite struct CollectorSourceTests {
  private var seconds: Int { Int(time(nil)) }

  /// Four formats on one port, each from an exporter of its own.
  @Test func allFormatsOnOnePort() async throws {
    let now = seconds
    let (sink, health) = try await RunningCollector.run { running in
      let packets = [
        ExportedPacket.netflow5(port: 5000, seconds: now), ExportedPacket.netflow9(port: 9000, seconds: now),
        ExportedPacket.ipfix(port: 10_000, seconds: now), ExportedPacket.sflow(port: 6343), [1, 2, 3],
      ]
      for (n, packet) in packets.enumerated() {
        let peer = try #require(LoopbackPeer(port: running.port, isStream: false, source: UInt32(n + 2)))
        peer.send(packet)
        close(peer.descriptor)
      }
      #expect(await running.waits(datagrams: 5))
      #expect(running.source.meter.health.state == .running)
    }
    #expect(Set(sink.flows().map(\.sourcePort)) == [5000, 9000, 10_000])
    #expect(sink.flows(.sampled).map(\.sourcePort) == [6343])
    #expect(health.records == 4 && health.used == 4 && health.unparsed == 0)
    #expect(health.skipped == ["unknown_format": 1])
    #expect(health.dropped.isEmpty && health.trouble == nil)
    // Three of four are whole.
    #expect(!health.isSampled)
    #expect(health.details["exporters"] == "4")
    #expect(health.details["exporter 127.0.0.4 domain 1, IPFIX"] == "1 records, 1 templates")
    #expect(health.details.values.contains("1 records, sampled 1 in 100"))
    let newest = try #require(health.newest)
    #expect(abs(newest.seconds - Double(now)) < 30)
  }

  @Test func sampledExportersAreSaidToBe() async throws {
    let now = seconds
    let (sink, health) = try await RunningCollector.run { running in
      let peer = try #require(LoopbackPeer(port: running.port, isStream: false))
      peer.send(ExportedPacket.netflow5(port: 5000, seconds: now, sampling: 1000))
      close(peer.descriptor)
      #expect(await running.waits(datagrams: 1))
    }
    #expect(sink.flows().isEmpty && sink.flows(.sampled).count == 1)
    #expect(health.isSampled)
    // The rate multiplies nothing.
    #expect(sink.flows(.sampled).first?.sourceOctets == 180)
  }

  @Test func wrongClocksAreTold() async throws {
    let now = seconds
    let (sink, health) = try await RunningCollector.run { running in
      let peer = try #require(LoopbackPeer(port: running.port, isStream: false))
      peer.send(ExportedPacket.netflow5(port: 5000, seconds: now - 86_400))
      close(peer.descriptor)
      #expect(await running.waits(datagrams: 1))
    }
    let flow = try #require(sink.flows().first)
    #expect(abs(flow.last.seconds - Double(now)) < 30)
    #expect(health.trouble?.contains("times are corrected; set up NTP there") == true)
  }

  @Test func lostDatagramsAreCounted() async throws {
    let now = seconds
    let (_, health) = try await RunningCollector.run { running in
      let peer = try #require(LoopbackPeer(port: running.port, isStream: false))
      for sequence in [0, 1, 7] {
        peer.send(ExportedPacket.netflow5(port: 5000 + sequence, seconds: now, sequence: sequence))
      }
      close(peer.descriptor)
      #expect(await running.waits(datagrams: 3))
    }
    #expect(health.dropped == ["lost_records": 5])
  }

  /// A pipeline without room loses observations, never the collector its pace.
  @Test func fullQueueIsCounted() async throws {
    let now = seconds
    let (sink, health) = try await RunningCollector.run(sink: KeepingSink(takes: false)) { running in
      let peer = try #require(LoopbackPeer(port: running.port, isStream: false))
      for n in 0..<20 { peer.send(ExportedPacket.netflow5(port: 5000 + n, seconds: now, sequence: n)) }
      close(peer.descriptor)
      #expect(await running.waits(datagrams: 20))
    }
    #expect(sink.flows().isEmpty)
    #expect(health.records == 20 && health.used == 0)
    #expect(health.dropped == ["queue": 20])
  }

  /// A small buffer and a flood: the kernel's drops are counted, and with them every datagram is accounted for.
  @Test func kernelDropsAreCounted() async throws {
    let now = seconds
    var sent: UInt64 = 0
    let (_, health) = try await RunningCollector.run {
      $0.receiveBufferOctets = 4096
    } _: { running in
      let peer = try #require(LoopbackPeer(port: running.port, isStream: false))
      let packet = ExportedPacket.netflow5(port: 5000, seconds: now)
      for _ in 0..<20_000 where peer.send(packet) { sent += 1 }
      close(peer.descriptor)
      _ = await RunningCollector.waits {
        let health = running.source.meter.health
        return health.records + (health.dropped["kernel"] ?? 0) >= sent
      }
    }
    #expect(health.records + (health.dropped["kernel"] ?? 0) == sent)
    #expect(health.dropped["kernel"] ?? 0 > 0)
  }

  @Test func aTakenPortIsOneLine() async throws {
    _ = try await RunningCollector.run { running in
      let listen = ListenAddress(address: IPAddress(v4: 0x7f00_0001), port: running.port)
      let second = CollectorSource(CollectorSettings(name: "second", listen: listen))
      await #expect(throws: SourceError(.unavailable, "")) { try await second.run(into: KeepingSink()) }
      do throws(SourceError) {
        try await second.run(into: KeepingSink())
      } catch {
        #expect(
          error.message.contains("127.0.0.1:\(running.port)") && error.message.contains("another program has this port")
        )
        #expect(!error.message.contains("\n"))
      }
    }
  }

  /// Started again after a failure or a stop, it goes on counting where it was.
  @Test func countersOutliveARestart() async throws {
    let now = seconds
    let sink = KeepingSink()
    let source = CollectorSource(CollectorSettings(name: "flows", listen: .anyPort))
    for round in 1...2 {
      let task = Task { try await source.run(into: sink) }
      #expect(await RunningCollector.waits { source.meter.health.state == .running })
      let port = try #require(UInt16(source.meter.health.place.split(separator: ":").last ?? ""))
      let peer = try #require(LoopbackPeer(port: port, isStream: false))
      peer.send(ExportedPacket.netflow5(port: 5000, seconds: now))
      close(peer.descriptor)
      #expect(await RunningCollector.waits { source.meter.health.records >= UInt64(round) })
      task.cancel()
      try await task.value
      source.meter.enter(.stopped, at: Clock.now())
    }
    #expect(source.meter.health.records == 2 && sink.flows().count == 2)
  }

  @Test func stopsAtOnce() async throws {
    let source = CollectorSource(CollectorSettings(name: "flows", listen: .anyPort))
    let task = Task { try await source.run(into: KeepingSink()) }
    #expect(await RunningCollector.waits { source.meter.health.state == .running })
    let began = ContinuousClock.now
    task.cancel()
    try await task.value
    #expect(ContinuousClock.now - began < .seconds(5))
  }
}
