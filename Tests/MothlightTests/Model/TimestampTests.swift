import Testing

@testable import Mothlight

@Suite struct TimestampTests {
  @Test(arguments: [
    (Int64(0), "1970-01-01T00:00:00.000000Z"), (1_267_574_400, "2010-03-03T00:00:00.000000Z"),
    (951_782_400, "2000-02-29T00:00:00.000000Z"), (4_294_967_295, "2106-02-07T06:28:15.000000Z"),
    (-1, "1969-12-31T23:59:59.000000Z"),
  ])
  func printsRFC3339(seconds: Int64, text: String) {
    #expect(Timestamp(seconds: seconds).description == text)
  }

  /// Property: civil date and back for every day of eight centuries.
  @Test func civilDatesRoundTrip() {
    for day in stride(from: -146_097, through: 146_097, by: 1) {
      let date = CivilDate.from(daysSinceEpoch: day)
      #expect(CivilDate.daysSinceEpoch(year: date.year, month: date.month, day: date.day) == day)
    }
  }

  @Test func extremesSaturateInsteadOfTrapping() {
    #expect(Timestamp(seconds: .max) == .distantFuture)
    #expect(Timestamp(seconds: .min) == .distantPast)
    #expect(Timestamp.distantFuture.advanced(bySeconds: 1e300) == .distantFuture)
    #expect(Timestamp.distantFuture.seconds(since: .distantPast) > 1e10)
    #expect(Timestamp(secondsSinceEpoch: .nan).nanoseconds == 0)
    #expect(Timestamp(seconds: -1).day == -1 && Timestamp(seconds: -1).hour == -1)
  }
}
