import Testing

@testable import Mothlight

@Suite struct TimeZonesTests {
  @Test(arguments: [
    ("IN", 5), ("MX", -6), ("BR", -3), ("KR", 9), ("CO", -5), ("RU", 3), ("EG", 2), ("GB", 0), ("NZ", 12),
  ])
  func mostPeopleOf(_ country: String, _ hours: Int8) {
    #expect(TimeZones.hoursEast(of: CountryCode(country)) == hours)
  }

  @Test func unknownIsZero() { #expect(TimeZones.hoursEast(of: .unknown) == 0) }
}
