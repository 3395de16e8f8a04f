/// When a machine is on, by its own clock: a function of machine and day, so that nothing is stored.
enum CensusSchedule {
  static let alwaysOn = UInt8(0)
  static let home = UInt8(1)
  static let office = UInt8(2)
  static let sporadic = UInt8(3)
  /// At work, on the way and at home.
  static let laptop = UInt8(4)

  /// Where a laptop is.
  enum Place: Int { case home, work, mobile }

  /// Saturday and Sunday; 1970-01-01 was a Thursday.
  @inline(__always)
  static func isWeekend(_ day: Int) -> Bool { (day + 3) % 7 >= 5 }

  /// Hours on of a local day, counted from its midnight: one bit each; those past 24 belong to the next day.
  @inline(__always)
  static func sessions(_ behaviour: UInt8, _ draw: UInt64, _ day: Int) -> UInt64 {
    let today = RandomSource.mix(draw ^ UInt64(truncatingIfNeeded: day) &* 0x9e37_79b9_7f4a_7c15)
    let whole = UInt64(0xff_ffff)
    switch behaviour {
    case alwaysOn:
      // One day in 32 it is off for up to eight hours.
      guard today & 31 == 0 else { return whole }
      return whole & ~span(Int(today >> 8 & 15), 1 + Int(today >> 16 & 7))
    case home:
      guard today & 255 < 140 + (draw & 127) * 7 / 8 else { return 0 }
      if isWeekend(day) { return span(9 + Int(today >> 8 & 7), 2 + Int(today >> 16 & 7)) }
      return span(15 + Int(draw >> 8 & 3) + Int(today >> 8 & 3), 2 + Int(today >> 16 & 3) + Int(draw >> 16 & 1))
    case office:
      guard !isWeekend(day), today & 15 != 0 else { return 0 }
      // One in eight stays on for the night.
      if draw >> 24 & 7 == 0 { return whole }
      return span(7 + Int(draw >> 8 & 1) + Int(today >> 8 & 1), 8 + Int(today >> 16 & 1))
    case laptop:
      var bits: UInt64 = 0
      if !isWeekend(day), today & 7 != 0 { bits |= span(9, 8) | (today >> 8 & 1) << 8 | (today >> 9 & 1) << 17 }
      if today >> 16 & 3 != 0 { bits |= span(19, 2 + Int(today >> 20 & 3)) }
      if isWeekend(day), today & 1 == 0 { bits |= span(11, 3) }
      return bits
    default:
      guard today & 255 < 26 + (draw & 63) else { return 0 }
      return span(8 + Int(today >> 8 & 15) % 14, 1 + Int(today >> 16 & 1) + Int(today >> 17 & 1))
    }
  }

  @inline(__always)
  private static func span(_ from: Int, _ length: Int) -> UInt64 {
    (UInt64(1) << UInt64(length) &- 1) << UInt64(from)
  }

  /// The hour before a UTC day (bit 0), its 24 hours, and the hour after.
  @inline(__always)
  static func mask(_ behaviour: UInt8, _ draw: UInt64, utcDay: Int, timeZone: Int) -> UInt32 {
    let local = utcDay * 24 + timeZone
    let day = local / 24
    let offset = local - day * 24
    let before = sessions(behaviour, draw, day - 1) >> 23
    let bits = before | sessions(behaviour, draw, day) << 1 | sessions(behaviour, draw, day + 1) << 25
    return UInt32(truncatingIfNeeded: bits >> UInt64(offset)) & 0x3ff_ffff
  }

  /// Where a laptop is at a local time.
  @inline(__always)
  static func place(_ draw: UInt64, _ day: Int, _ clock: Int) -> Place {
    if isWeekend(day) {
      return clock < 18 && RandomSource.mix(draw ^ UInt64(truncatingIfNeeded: day)) & 3 == 0 ? .mobile : .home
    }
    return clock >= 9 && clock < 17 ? .work : clock == 8 || clock == 17 ? .mobile : .home
  }
}
