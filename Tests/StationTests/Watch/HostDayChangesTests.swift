import Mothlight
import Testing

@testable import MothlightStation

@Suite("Host-days worth writing")
struct HostDayChangesTests {
  private let host = IPAddress(v4: 0x0a00_0001)
  private let now = Timestamp(nanoseconds: 0)

  private func days(_ days: ClosedRange<Int>, _ verdict: Verdict = .noSign) -> [HostDay] {
    days.map { LiveStation.hostDay(host, verdict, [], day: $0) }
  }

  @Test func theSameIsNotWrittenAgainUntilItIsOld() {
    var changes = HostDayChanges()
    #expect(changes.changed(days(1...2), at: now).count == 2)
    changes.acknowledge(days(1...2), at: now)
    #expect(changes.changed(days(1...2), at: now.advanced(bySeconds: 899)).isEmpty)
    #expect(changes.changed(days(1...2), at: now.advanced(bySeconds: 900)).count == 2)
    #expect(changes.changed(days(1...2, .suspicious), at: now).count == 2)
  }

  @Test("A station of months remembers two days, not all")
  func daysThatAreOverAreForgotten() {
    var changes = HostDayChanges()
    for day in 1...400 {
      changes.acknowledge(days(day...day), at: now)
      changes.forget(before: day - 1)
      #expect(changes.count <= 2)
    }
    #expect(changes.changed(days(399...400), at: now).isEmpty)
    #expect(changes.changed(days(398...398), at: now).count == 1)
  }
}
