import Testing

@testable import Mothlight

@Suite struct ExportClockTests {
  /// RFC 5905: 1970 is 2,208,988,800 s after 1900; era 1 begins on 2036-02-07T06:28:16Z.
  @Test(
    arguments: [
      (0x83aa_7e80_0000_0000, 0), (0x83aa_7e80_8000_0000, 500_000_000),
      (0xffff_ffff_0000_0000, 2_085_978_495_000_000_000),
      (0x0000_0000_0000_0000, 2_085_978_496_000_000_000), (0x0000_0001_4000_0000, 2_085_978_497_250_000_000),
    ] as [(UInt64, Int64)])
  func ntpTimes(_ ntp: UInt64, _ nanoseconds: Int64) {
    #expect(ExportClock.nanoseconds(ntp: ntp) == nanoseconds)
  }

  @Test func largeTimesSaturate() {
    #expect(ExportClock.nanoseconds(milliseconds: .max) == .max)
    #expect(ExportClock.nanoseconds(seconds: .max) == .max)
    #expect(ExportClock.adding(1, to: .max) == .max)
    #expect(ExportClock.adding(-1, to: .min) == .min)
    let clock = ExportClock(exported: .max, uptimeMilliseconds: 0)
    #expect(clock.time(uptime: 1) == .max)
  }

  /// Uptime counts modulo 2^32: what is ahead by less than half of it lies in the past.
  @Test func uptimeIsNearTheExport() {
    let clock = ExportClock(exported: 1_000_000_000_000, uptimeMilliseconds: 5000)
    #expect(clock.time(uptime: 4000) == 999_000_000_000)
    #expect(clock.time(uptime: UInt64(UInt32.max) - 999) == 994_000_000_000)
    #expect(clock.time(uptime: 5500) == 1_000_500_000_000)
    #expect(ExportClock(exported: 0).time(uptime: 1) == nil)
  }

  /// A field of a length that its element cannot have is passed over, and scopes are about something else.
  @Test func elementsFitTheirLength() {
    #expect(ExportElement(8, enterprise: 0, length: 4) == .sourceV4)
    #expect(ExportElement(8, enterprise: 0, length: 3) == .ignored)
    #expect(ExportElement(27, enterprise: 0, length: 4) == .ignored)
    #expect(ExportElement(1, enterprise: 0, length: 9) == .ignored)
    #expect(ExportElement(1, enterprise: 0, length: 3) == .octets)
    #expect(ExportElement(1, enterprise: 9, length: 4) == .ignored)
    #expect(ExportElement(1, enterprise: 29_305, length: 4) == .answerOctets)
    #expect(ExportElement(302, enterprise: 0, length: 8, isScope: true) == .sampler)
    #expect(ExportElement(4, enterprise: 0, length: 1, isScope: true) == .ignored)
  }
}
