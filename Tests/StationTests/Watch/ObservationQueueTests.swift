import Mothlight
import Testing

@testable import MothlightStation

@Suite struct ObservationQueueTests {
  private static func part(_ count: Int, at second: Int64 = 0) -> ObservationQueue.Part {
    let ends = Endpoints(
      client: IPAddress(v4: 0xc000_0201), server: IPAddress(v4: 0xc000_0202), clientPort: 1, serverPort: 53,
      transport: .udp)
    let lookup = DNSLookup(ends: ends, name: "a.example", type: 1)
    let one = Observation(time: Timestamp(seconds: second), event: .dns(lookup))
    return ObservationQueue.Part(lane: .whole, batch: [Observation](repeating: one, count: count))
  }

  @Test func offersAreRefusedWhenFullAndTakenAgainWhenRead() async throws {
    let queue = ObservationQueue(capacity: 10)
    #expect(queue.offer(Self.part(6)))
    #expect(!queue.offer(Self.part(6)))
    #expect(queue.offer(Self.part(4)))
    let parts = try #require(await queue.next())
    #expect(parts.map(\.batch.count) == [6, 4])
    #expect(queue.offer(Self.part(6)))
  }

  @Test func aBatchLargerThanTheQueueGetsThroughAlone() async throws {
    let queue = ObservationQueue(capacity: 10)
    #expect(queue.offer(Self.part(25)))
    #expect(!queue.offer(Self.part(1)))
    #expect(try #require(await queue.next()).map(\.batch.count) == [25])
  }

  @Test func sendersWaitAndNothingIsLostOrReordered() async {
    let queue = ObservationQueue(capacity: 8)
    let senders = (0..<4).map { sender in
      Task {
        for n in 0..<200 { await queue.send(Self.part(3, at: Int64(sender * 1000 + n))) }
      }
    }
    let reader = Task {
      var seen: [Int64] = []
      while let parts = await queue.next() {
        seen += parts.map { Int64($0.batch[0].time.seconds) }
      }
      return seen
    }
    for sender in senders { await sender.value }
    queue.finish()
    let seen = await reader.value
    #expect(seen.count == 800)
    for sender in 0..<4 {
      let own = seen.filter { $0 / 1000 == sender }
      #expect(own == own.sorted())
    }
  }

  @Test func finishingFreesEverybody() async {
    let queue = ObservationQueue(capacity: 2)
    #expect(queue.offer(Self.part(2)))
    let sender = Task { await queue.send(Self.part(2)) }
    try? await Task.sleep(for: .milliseconds(20))
    queue.finish()
    await sender.value
    #expect(await queue.next()?.count == 1)
    #expect(await queue.next() == nil)
    #expect(!queue.offer(Self.part(1)))
  }
}
