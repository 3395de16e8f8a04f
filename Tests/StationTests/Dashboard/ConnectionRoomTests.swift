import Foundation
import Mothlight
import Synchronization
import Testing

@testable import MothlightStation

/// Who leaves when all places are taken.
@Suite struct ConnectionRoomTests {
  private final class Guests: Sendable {
    let left = Mutex<[Int]>([])
    func enter(_ number: Int, _ room: ConnectionRoom) -> ConnectionRoom.Place {
      room.enter { self.left.withLock { $0.append(number) } }
    }
  }

  @Test func whoWaitedLongestMakesRoom() {
    let (room, guests) = (ConnectionRoom(most: 3), Guests())
    let places = (0..<3).map { guests.enter($0, room) }
    #expect(guests.left.withLock { $0 } == [])
    // The first is served, the second waits anew since it was served.
    places[0].works()
    places[1].works()
    places[1].waits()
    _ = guests.enter(3, room)
    #expect(guests.left.withLock { $0 } == [2])
    _ = guests.enter(4, room)
    #expect(guests.left.withLock { $0 } == [2, 1])
    #expect(room.count == 3 && room.sentAway == 2)
    room.left(places[0])
    room.left(places[0])
    _ = guests.enter(5, room)
    #expect(room.count == 3 && room.sentAway == 2, "a place that became free is taken first")
  }

  @Test func nobodyLeavesWhileAllAreServed() {
    let (room, guests) = (ConnectionRoom(most: 2), Guests())
    for n in 0..<2 { guests.enter(n, room).works() }
    let late = guests.enter(2, room)
    #expect(guests.left.withLock { $0 } == [] && room.sentAway == 0 && room.count == 3)
    // The newcomer is the only one that keeps us waiting.
    _ = guests.enter(3, room)
    #expect(guests.left.withLock { $0 } == [2])
    withExtendedLifetime(late) {}
  }

  /// Many connections that never ask: somebody who does is answered at once, and who listens to events goes on.
  @Test func silentConnectionsAreNoWall() async throws {
    var settings = DashboardSettings()
    settings.connectionsMost = 16
    let tally = HTTPTally()
    try await LiveDashboard.run(settings: settings, tally: tally) { live in
      let listener = try PageWire(port: live.port)
      try listener.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(await listener.wait { $0.read(until: "retry: ", seconds: 10) }.contains("text/event-stream"))
      var silent: [PageWire] = []
      for n in 0..<60 {
        let wire = try PageWire(port: live.port)
        if n % 3 == 0 { try wire.send("GET / HTTP/1.1\r\nHost: loc") }
        if n % 3 == 1 { try wire.send("POST /allow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\na") }
        silent.append(wire)
        guard n % 10 == 9 else { continue }
        let clock = ContinuousClock()
        let start = clock.now
        #expect(try await live.get("/").status == 200)
        #expect(start.duration(to: clock.now) < .seconds(5))
      }
      let first = silent[0]
      #expect(await first.wait { $0.isClosed(seconds: 10) }, "the first of them had to leave")
      live.board.publish(.census)
      #expect(await listener.wait { $0.read(until: "event: census", seconds: 10) }.contains("event: census"))
      let counts = tally.counts
      #expect(counts.connections <= 16 && counts.sentAway >= 40, "\(counts)")
    }
    #expect(tally.counts.connections == 0)
  }

  @Test func aFirstRequestHasATime() async throws {
    var settings = DashboardSettings()
    settings.firstRequestSeconds = 1
    try await LiveDashboard.run(settings: settings) { live in
      let silent = try PageWire(port: live.port)
      let slow = try PageWire(port: live.port)
      let kept = try PageWire(port: live.port)
      try kept.send("GET /about HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(await kept.wait { $0.read(until: "</html>", seconds: 10) }.contains("200 OK"))
      let drip = await slow.wait { wire in
        (0..<60).first { _ in
          usleep(200_000)
          return (try? wire.send("G")) == nil
        }
      }
      #expect(drip != nil, "octets now and then do not keep it")
      #expect(await silent.wait { $0.isClosed(seconds: 10) })
      try kept.send("GET /about HTTP/1.1\r\nHost: localhost\r\n\r\n")
      #expect(await kept.wait { $0.read(until: "</html>", seconds: 10) }.contains("200 OK"), "later ones have longer")
    }
  }
}
