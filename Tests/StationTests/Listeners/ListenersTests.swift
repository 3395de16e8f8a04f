import Foundation
import Glibc
import Mothlight
import Testing

@testable import MothlightStation

@Suite(.serialized) struct ListenersTests {
  static let join: [UInt8] = [0x61, 0x01, 0x02, 0x98, 0x89, 0x88, 0xcb]

  static func wait(_ seconds: Double = 5, until isTrue: () -> Bool) {
    let end = Date().addingTimeInterval(seconds)
    while !isTrue(), Date() < end { usleep(10_000) }
  }

  /// Every source counts once, and not one octet comes back.
  @Test func datagramsAreCountedAndNeverAnswered() throws {
    let running = try RunningListeners(
      RunningListeners.configuration([.init(.anyPort, .udp, family: "Mariposa", sockets: 2)]))
    var peers: [LoopbackPeer] = []
    for source in 1...200 as ClosedRange<UInt32> {
      let peer = try #require(LoopbackPeer(port: running.ports.udp[0], isStream: false, source: 0x01_0000 | source))
      #expect(peer.send(Self.join) && peer.send([1, 2, 3]))
      peers.append(peer)
    }
    usleep(200_000)
    #expect(peers.allSatisfy { $0.readNow() == 0 })
    for peer in peers { peer.end() }
    #expect(running.end() < 5)
    #expect(running.ports.udp.count == 2 && Set(running.ports.udp).count == 1)
    #expect(running.counters.checkIns == 400 && running.sources == 200)
    let rows = running.records.sightings
    #expect(rows.count == 200 && rows.allSatisfy { $0.botnet == "Mariposa" && $0.count == 2 })
    #expect(rows.allSatisfy { $0.level == .recognised })
  }

  @Test func repliesAreThoseOfTheEnum() throws {
    let running = try RunningListeners(
      RunningListeners.configuration([
        .init(.anyPort, .tcp), .init(.anyPort, .tcp, reply: .http200Empty), .init(.anyPort, .tcp, reply: .close),
        .init(.anyPort, .tcp, reply: Reply.none),
      ]))
    let request = Array("POST /gate.php HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nabcd".utf8)
    var answers: [[UInt8]?] = []
    for port in running.ports.tcp {
      let peer = try #require(LoopbackPeer(port: port, isStream: true))
      #expect(peer.send(request))
      answers.append(peer.readToEnd())
      peer.end()
    }
    let known = Reply.allCases.map { $0.octets.map { Array("\($0)".utf8) } ?? [] }
    #expect(answers == [known[2], known[3], [], []])
    // Octets that are no request get none, wherever they arrive.
    var peers: [LoopbackPeer] = []
    for port in running.ports.tcp {
      for bytes in [Array("P[endof]".utf8), [0x16, 3, 1, 0], [0xff, 0xff], Array("NICK a\r\nUSER b\r\n".utf8)] {
        let peer = try #require(LoopbackPeer(port: port, isStream: true))
        #expect(peer.send(bytes))
        peers.append(peer)
      }
    }
    for peer in peers {
      #expect(peer.readToEnd() == [])
      peer.end()
    }
    running.end()
    #expect(running.streams.accepted == 20 && running.streams.decided == 20 && running.streams.replies == 2)
    #expect(running.records.sightings.contains { $0.botnet == "njRAT" && $0.level == .recognised })
  }

  /// One octet at a time, for ever: the time limit ends it, and what was said counts.
  @Test func slowPeersRunOutOfTime() throws {
    let running = try RunningListeners(RunningListeners.configuration([.init(.anyPort, .tcp)]))
    let peers = try (0..<50).map { _ in try #require(LoopbackPeer(port: running.ports.tcp[0], isStream: true)) }
    let request = Array("GET / HTTP/1.1\r\nX-a: b\r\n".utf8)
    let start = Date()
    for octet in request {
      for peer in peers { peer.send([octet]) }
      usleep(60_000)
      if Date().timeIntervalSince(start) > 1.3 { break }
    }
    for peer in peers {
      #expect(peer.readToEnd() != nil)
      peer.end()
    }
    running.end()
    #expect(running.streams.timedOut == 50 && running.streams.decided == 50)
    #expect(running.counters.checkIns == 50)
  }

  /// Idle connections fill the table; newcomers are still heard.
  @Test func idleConnectionsMakeRoom() throws {
    let running = try RunningListeners(
      RunningListeners.configuration([.init(.anyPort, .tcp)]) {
        $0.limits.connections = 64
        $0.limits.connectionsPerSource = 100
        $0.limits.timeoutSeconds = 60
      })
    let idle = try (0..<90).map { _ in try #require(LoopbackPeer(port: running.ports.tcp[0], isStream: true)) }
    let peer = try #require(LoopbackPeer(port: running.ports.tcp[0], isStream: true, source: 0x020202))
    #expect(peer.send(Array("P[endof]".utf8)))
    #expect(peer.readToEnd() == [])
    for peer in idle { peer.end() }
    peer.end()
    #expect(running.end() < 5)
    #expect(running.streams.evicted >= 26)
    #expect(running.counters.checkIns == 91)
  }

  @Test func oneSourceHasItsShareOfConnections() throws {
    let running = try RunningListeners(
      RunningListeners.configuration([.init(.anyPort, .tcp)]) { $0.limits.connectionsPerSource = 10 })
    let peers = try (0..<30).map { _ in try #require(LoopbackPeer(port: running.ports.tcp[0], isStream: true)) }
    usleep(100_000)
    for peer in peers { peer.end() }
    running.end()
    #expect(running.streams.refusedBySource == 20)
    #expect(running.counters.checkIns == 30)
  }

  @Test func metricsAndHealth() throws {
    let running = try RunningListeners(
      RunningListeners.configuration([.init(.anyPort, .udp)]) { $0.metrics = .anyPort })
    func get(_ target: String) throws -> String {
      let peer = try #require(LoopbackPeer(port: running.ports.metrics, isStream: true))
      defer { peer.end() }
      #expect(peer.send(Array("GET \(target) HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)))
      return String(decoding: try #require(peer.readToEnd()), as: UTF8.self)
    }
    let peer = try #require(LoopbackPeer(port: running.ports.udp[0], isStream: false))
    #expect(peer.send(Self.join))
    usleep(50_000)
    #expect(try get("/healthz").hasSuffix("\r\n\r\nok\n"))
    let page = try get("/metrics")
    #expect(page.contains("\nmothlight_sinkhole_check_ins_total 1\n"))
    #expect(page.contains("mothlight_sinkhole_check_ins_by_level_total{level=\"recognised\"} 1\n"))
    #expect(page.contains("\nmothlight_sinkhole_kernel_drops_total 0\n"))
    #expect(try get("/other").hasPrefix("HTTP/1.1 404 "))
    peer.end()
    running.end()
  }

  @Test func badPlacesAreToldInOneLine() throws {
    let running = try RunningListeners(RunningListeners.configuration([.init(.anyPort, .tcp)]))
    let taken = ListenAddress(address: ListenAddress.anyPort.address, port: running.ports.tcp[0])
    func failure(_ listener: ListenerConfiguration.Listener) -> String {
      do {
        let other = try RunningListeners(RunningListeners.configuration([listener]))
        other.end()
        return ""
      } catch { return "\(error)" }
    }
    #expect(failure(.init(taken, .tcp)).contains("another program has this port"))
    let foreign = ListenAddress(address: v4("192.0.2.77"), port: 0)
    #expect(failure(.init(foreign, .udp)).contains("no interface of this machine"))
    #expect(failure(.init(.anyPort, .udp, reply: .http404)).contains("never answered"))
    running.end()
  }

  private func v4(_ text: String) -> IPAddress { IPAddress(text) ?? .unspecified }
}
