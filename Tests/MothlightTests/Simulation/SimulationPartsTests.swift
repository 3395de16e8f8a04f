import Testing

@testable import Mothlight

@Suite("Simulation parts") struct SimulationPartsTests {
  @Test func queueIsStable() {
    var queue = EventQueue<Int>()
    var random = RandomSource(seed: 1)
    for index in 0..<2000 { queue.push(index, at: Int64(random.int(below: 50))) }
    var last: (time: Int64, event: Int) = (-1, -1)
    var count = 0
    while let next = queue.pop() {
      #expect(next.time > last.time || (next.time == last.time && next.event > last.event))
      last = next
      count += 1
    }
    #expect(count == 2000)
  }

  @Test func onlineHours() {
    let hours = OnlineHours(intervals: [10...20, 30...40])
    #expect(hours.next(0) == 10)
    #expect(hours.next(15) == 15)
    #expect(hours.next(20) == 30)
    #expect(hours.next(40) == nil)
    #expect(hours.remaining(12) == 8)
    #expect(hours.remaining(25) == 0)
    let day = OnlineHours(intervals: [0...172_800]).limited(toHours: 2)
    #expect(day.intervals == [0...7200, 86_400...93_600])
    var random = RandomSource(seed: 2)
    let office = OnlineHours(hoursPerDay: 8, length: 3 * 86_400, startOfDay: 12 * 3600, random: &random)
    // Begins at noon in the middle of a working day, and sees all of the next two and the morning of a fourth.
    #expect(office.intervals.count == 4)
    #expect(office.intervals[0].lowerBound == 0)
  }

  @Test func outsideAddresses() {
    #expect(Outside.addresses(of: "a.example") == Outside.addresses(of: "a.example"))
    let range = Prefix(IPAddress(v4: 0xc612_0000), length: 15)
    #expect((0..<200).allSatisfy { range.contains(Outside.addresses(of: "n\($0).example", count: 2)[1]) })
    var random = RandomSource(seed: 5)
    for _ in 0..<2000 {
      let stranger = Outside.stranger(&random)
      #expect(stranger.isUnicastHost && !stranger.isPrivate && !range.contains(stranger))
    }
  }

  @Test func numbersInLogs() {
    #expect(LogRow.seconds(1_772_409_604_371_566) == "1772409604.371566")
    #expect(LogRow.seconds(39) == "0.000039")
    #expect(LogRow.argusTime(1_772_409_604_371_566) == "2026/03/02 00:00:04.371566")
    #expect(LogRow.short(600) == "600")
    #expect(LogRow.short(0.25) == "0.25")
    #expect(LogRow.csvField("a,b\"c") == "\"a,b\"\"c\"")
    #expect(ZeekWriter.identifier(.max).count == 18)
  }

  @Test func internetChecksumExample() {
    // RFC 1071 section 3: 00 01 f2 03 f4 f5 f6 f7 sums to ddf2.
    #expect(InternetChecksum.fold(InternetChecksum.sum([0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7], from: 0, 0)) == 0xddf2)
    #expect(InternetChecksum.fold(InternetChecksum.sum([0xff], from: 0, 0)) == 0xff00)
  }
}
