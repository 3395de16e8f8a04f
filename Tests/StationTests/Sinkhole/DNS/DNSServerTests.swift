import Foundation
import Mothlight
import Testing

@testable import MothlightStation

/// A server on loopback for one test.
final class RunningServer {
  let server: DNSServer
  let address: ListenAddress

  init(zones text: String = SinkFixture.zonesText, _ change: (inout DNSSettings) -> Void = { _ in }) throws {
    let settings = try SinkFixture.settings(change)
    server = try Self.opened(settings, try RunningServer.zones(text, settings))
    address = try #require(server.addresses.first)
    try server.start()
  }

  /// The number that the system gave for datagrams may be another test's for streams: then another one is asked for.
  private static func opened(_ settings: DNSSettings, _ zones: ServedZones) throws -> DNSServer {
    for _ in 0..<8 {
      if let server = try? DNSServer(settings, zones: zones) { return server }
    }
    return try DNSServer(settings, zones: zones)
  }

  /// The fixture's orders around the present day: a server has the real clock.
  static func zones(_ text: String, _ settings: DNSSettings) throws -> ServedZones {
    let day = Int(Date.now.timeIntervalSince1970 / 86_400)
    let now = text.replacing("2026-03-01\n", with: Timestamp.describe(day: day - 2) + "\n")
      .replacing("date: 2026-03-01", with: "date: " + Timestamp.describe(day: day - 9))
      .replacing("start: 2026-03-02", with: "start: " + Timestamp.describe(day: day - 8))
      .replacing("2027-03-01", with: Timestamp.describe(day: day + 300))
      .replacing("2026-07-01T00:00:00Z", with: Timestamp.describe(day: day + 300))
      .replacing("date: 2025-03-01", with: "date: " + Timestamp.describe(day: day - 100))
      .replacing("start: 2025-03-02", with: "start: " + Timestamp.describe(day: day - 99))
    return try SinkFixture.zones(now, settings)
  }

  func client(stream: Bool = false, receiveOctets: Int32? = nil, wait: Int = 2000) throws -> LoopbackClient {
    try #require(LoopbackClient(address, stream: stream, receiveOctets: receiveOctets, waitMilliseconds: wait))
  }

  func stop() -> [QueryCount] {
    var rows: [QueryCount] = []
    server.stop { rows.append($0) }
    return rows
  }
}

@Suite(.serialized) struct DNSServerTests {
  private let question = WireQuery("a.seized00.test", 1)

  @Test func answersOverUDPAndCounts() throws {
    let running = try RunningServer()
    let client = try running.client()
    for id: UInt16 in 0..<200 {
      let reply = try #require(client.ask(question.with { $0.id = id }))
      #expect(reply.id == id && reply.answers.count == 1)
    }
    #expect(try #require(client.ask(WireQuery("ended.test", 1))).code == 5)
    let rows = running.stop()
    #expect(rows.map(\.name) == ["a.seized00.test"] && rows.map(\.count) == [200])
    #expect(rows[0].resolver == IPAddress(v4: 0x7f00_0001) && rows[0].verified == 0)
    let counters = running.server.counters
    #expect(counters.queriesUDP == 201 && counters[.answer] == 200 && counters[.refused] == 1)
    #expect(counters.kernelDrops == 0 && counters.sendFailures == 0)
    #expect(running.server.prometheusText.contains("mothlight_dns_orders_served 2\nmothlight"[...].prefix(29)))
  }

  @Test func answersFromTheAddressThatWasAsked() throws {
    let running = try RunningServer { $0.listen = [ListenAddress(address: IPAddress(v4: 0), port: 0)] }
    let other = ListenAddress(address: IPAddress(v4: 0x7f00_0909), port: running.address.port)
    let client = try #require(LoopbackClient(other, stream: false))
    #expect(client.ask(question)?.answers.count == 1, "a connected socket takes replies from that address alone")
    _ = running.stop()
  }

  @Test func answersOverIPv6() throws {
    let running = try RunningServer { $0.listen = [ListenAddress(address: IPAddress(high: 0, low: 1), port: 0)] }
    #expect(try running.client().ask(question)?.answers.count == 1)
    let stream = try running.client(stream: true)
    stream.sendMessage(question.octets)
    #expect(stream.messages(1).count == 1)
    #expect(Set(running.stop().map(\.resolver)) == [IPAddress(high: 0, low: 1)])
  }

  @Test func severalWorkersShareAPort() throws {
    let running = try RunningServer { $0.udpWorkers = 3 }
    for _ in 0..<40 { #expect(try running.client().ask(question)?.answers.count == 1) }
    #expect(running.stop().reduce(0) { $0 + $1.count } == 40)
    #expect(running.server.counters.queriesUDP == 40)
  }

  // MARK: TCP

  @Test func streamPipelinesAndDribbles() throws {
    let running = try RunningServer()
    let client = try running.client(stream: true)
    let octets = (0..<50).flatMap { i -> [UInt8] in
      let query = question.with { $0.id = UInt16(i) }.octets
      return [0, UInt8(query.count)] + query
    }
    client.send(octets)
    #expect(client.messages(50).map(\.id) == Array(0..<50), "in order, over one connection")
    for octet in [0, UInt8(question.octets.count)] + question.octets { client.send([octet]) }
    #expect(client.messages(1).map(\.answers.count) == [1])
    #expect(running.stop().reduce(0) { $0 + $1.verified } == 51)
  }

  @Test func transferIsRefusedOverTCP() throws {
    let running = try RunningServer()
    let client = try running.client(stream: true)
    client.sendMessage(WireQuery("seized00.test", 252).octets)
    #expect(client.messages(1).map(\.code) == [5])
    _ = running.stop()
  }

  @Test func whoSendsNoQueryIsDisconnected() throws {
    let running = try RunningServer()
    for octets: [UInt8] in [[0, 3, 1, 2, 3], [0xff, 0xff, 0], [0, 31] + question.with { $0.flags = 0x8000 }.octets] {
      let client = try running.client(stream: true)
      client.send(octets)
      #expect(client.isClosedByServer)
    }
    _ = running.stop()
    #expect(running.server.counters.connectionsBroken == 3)
  }

  /// A client that sends an octet now and then is as idle as one that sends nothing.
  @Test func idleConnectionsEnd() throws {
    let running = try RunningServer { $0.tcp.idleTimeoutSeconds = 1 }
    let silent = try running.client(stream: true, wait: 4000)
    let dribbling = try running.client(stream: true, wait: 100)
    var closed = false
    for _ in 0..<40 where !closed {
      dribbling.send([0])
      closed = dribbling.receive() == []
    }
    #expect(closed || dribbling.isClosedByServer)
    #expect(silent.isClosedByServer)
    _ = running.stop()
    #expect(running.server.counters.connectionsTimedOut + running.server.counters.connectionsBroken == 2)
  }

  @Test func connectionsAreBounded() throws {
    let running = try RunningServer {
      $0.tcp.connections = 4
      $0.tcp.connectionsPerNetwork = 3
    }
    let first = try (0..<3).map { _ in try running.client(stream: true) }
    let fourth = try running.client(stream: true)
    #expect(fourth.isClosedByServer, "the network has its three")
    for client in first {
      client.sendMessage(question.octets)
      #expect(client.messages(1).count == 1)
    }
    _ = running.stop()
    #expect(running.server.counters.connectionsRefused == 1 && running.server.counters.connections == 3)
  }

  @Test func fullTableTakesTheLongestIdle() throws {
    let running = try RunningServer { $0.tcp.connections = 2 }
    let clients = try (0..<5).map { _ in
      let client = try running.client(stream: true)
      client.sendMessage(question.octets)
      #expect(client.messages(1).count == 1)
      return client
    }
    #expect(clients[0].isClosedByServer && clients[2].isClosedByServer)
    clients[4].sendMessage(question.octets)
    #expect(clients[4].messages(1).count == 1)
    _ = running.stop()
    #expect(running.server.counters.connectionsEvicted == 3)
  }

  /// Who does not take replies is not read from: the server holds a bounded number of them, and serves others.
  @Test func slowReaderIsBounded() throws {
    let running = try RunningServer { $0.tcp.idleTimeoutSeconds = 2 }
    let slow = try running.client(stream: true, receiveOctets: 4096)
    let query = question.octets
    let batch: [UInt8] = (0..<200).flatMap { _ -> [UInt8] in [0, UInt8(query.count)] + query }
    var (taken, refusals) = (0, 0)
    while refusals < 20, taken < 64 << 20 {
      let count = slow.sendWithoutWaiting(batch)
      taken += count
      if count < batch.count {
        refusals += 1
        usleep(5000)
      }
    }
    #expect(taken < 32 << 20, "the kernel's buffers are full, and nobody empties them")
    #expect(try running.client().ask(question)?.answers.count == 1)
    let other = try running.client(stream: true)
    other.sendMessage(query)
    #expect(other.messages(1).count == 1)
    _ = running.stop()
  }

  // MARK: Change while running

  @Test func newZonesAreServedWithoutAGap() throws {
    let running = try RunningServer()
    let client = try running.client()
    let new = WireQuery("new.test", 1)
    #expect(client.ask(new)?.code == 5)
    running.server.serve(
      try RunningServer.zones(
        SinkFixture.zonesText.replacing("\"deep.seized00.test\"", with: "new.test"), running.server.settings))
    var answered = false
    for _ in 0..<200 where !answered {
      #expect(client.ask(question)?.answers.count == 1)
      answered = client.ask(new)?.code == 0
    }
    #expect(answered)
    let rows = running.stop()
    #expect(Set(rows.map(\.family)) == ["Mariposa"] && rows.contains { $0.name == "new.test" })
  }

  @Test func brokenFileIsNotTaken() throws {
    let folder = try ScratchFolder()
    let settings = try SinkFixture.settings()
    let good = try folder.write("good.yaml", SinkFixture.zonesText)
    guard case .success(let zones) = Reload.read(good, settings) else {
      Issue.record("a good file was not taken")
      return
    }
    #expect(zones.orders.count == 3 && zones.nameCount == 5)
    let bad = try folder.write("bad.yaml", SinkFixture.zonesText.replacing("order: \"old\", ", with: ""))
    guard case .failure(let refusal) = Reload.read(bad, settings) else {
      Issue.record("an order without authority was taken")
      return
    }
    #expect(refusal.lines == ["\(bad):14: 'authority' lacks 'order'; this order is not served"])
    let reload = Reload(good, settings)
    for _ in 0..<500 where reload.result == nil { usleep(10_000) }
    #expect(try #require(reload.result).get().nameCount == 5)
  }

  // MARK: What goes wrong

  @Test func takenPortGivesOneLine() throws {
    let running = try RunningServer()
    for workers in [1, 2] {
      do {
        _ = try RunningServer {
          $0.listen = [running.address]
          $0.udpWorkers = workers
        }
        Issue.record("two servers share a port")
      } catch let error as ListenError {
        #expect(
          error.description
            == "udp \(running.address): Address already in use; another program has this port; see 'ss -lntup'")
      }
    }
    #expect(try running.client().ask(question)?.answers.count == 1)
    _ = running.stop()
  }

  @Test func addressAndPermissionGiveOneLine() throws {
    let foreign = ListenAddress(address: IPAddress(v4: 0xc000_0201), port: 5353)
    #expect(
      throws: ListenError(
        "udp 192.0.2.1:5353: Cannot assign requested address; no interface of this machine has this address")
    ) {
      try RunningServer { $0.listen = [foreign] }
    }
    let low = ListenAddress(address: IPAddress(v4: 0x7f00_0001), port: 53)
    #expect(
      ListenError.opening("udp", low, EACCES).description
        == "udp 127.0.0.1:53: Permission denied; ports below 1024 need root or CAP_NET_BIND_SERVICE at start")
  }

  /// Thirty thousand damaged datagrams, then a question.
  @Test func malformedFloodKeepsServing() throws {
    let running = try RunningServer()
    let client = try running.client(wait: 50)
    var generator = SplitMix(state: 11)
    var (sent, received) = (0, 0)
    for _ in 0..<30_000 {
      let query = QueryMutations.next(&generator)
      client.send(query)
      sent += query.count
    }
    while let reply = client.receive() { received += reply.count }
    #expect(received < 3 * sent)
    let asking = try running.client()
    #expect(asking.ask(question)?.answers.count == 1)
    let stream = try running.client(stream: true)
    stream.sendMessage(question.octets)
    #expect(stream.messages(1).count == 1)
    _ = running.stop()
    let counters = running.server.counters
    #expect(counters.queriesUDP > 0 && counters[.formerr] > 0 && counters.bytesOut < 3 * counters.bytesIn)
  }
}
