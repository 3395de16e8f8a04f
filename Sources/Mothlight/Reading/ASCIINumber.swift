/// Numbers and dates in ASCII, parsed without making a `String`; `nil` for anything that is not one.
enum ASCIINumber {
  /// Decimal digits only; `nil` when empty, foreign or beyond 18 digits.
  @inline(__always)
  static func unsigned(_ text: UnsafeRawBufferPointer) -> UInt64? {
    guard text.count > 0, text.count <= 18 else { return nil }
    var value: UInt64 = 0
    for byte in text {
      let digit = byte &- 0x30
      if digit > 9 { return nil }
      value = value &* 10 &+ UInt64(digit)
    }
    return value
  }

  /// A port, decimal or `0x` hexadecimal; `nil` beyond 65535.
  @inline(__always)
  static func port(_ text: UnsafeRawBufferPointer) -> UInt16? {
    guard text.count > 0, text.count <= 6 else { return nil }
    if text.count > 2, text[1] | 0x20 == 0x78, text[0] == 0x30 {
      var value: UInt32 = 0
      for i in 2..<text.count {
        guard let digit = hexDigit(text[i]) else { return nil }
        value = value << 4 | UInt32(digit)
      }
      return UInt16(truncatingIfNeeded: value)
    }
    return unsigned(text).flatMap { UInt16(exactly: $0) }
  }

  /// Seconds with up to nine decimals, as nanoseconds; a sign and an exponent are understood.
  @inline(__always)
  static func nanoseconds(_ text: UnsafeRawBufferPointer) -> Int64? {
    let count = text.count
    guard count > 0, count <= 48 else { return nil }
    var i = 0
    var whole: Int64 = 0
    while i < count {
      let digit = text[i] &- 0x30
      if digit > 9 { break }
      whole = whole &* 10 &+ Int64(digit)
      i &+= 1
    }
    // Ten digits reach the year 2286; anything odd takes the slow way.
    guard i > 0, i <= 10, whole < 9_200_000_000 else { return slowNanoseconds(text) }
    if i == count { return whole &* 1_000_000_000 }
    guard text[i] == 0x2e else { return slowNanoseconds(text) }
    i &+= 1
    var fraction: Int64 = 0
    var digits = 0
    while i < count {
      let digit = text[i] &- 0x30
      if digit > 9 { return slowNanoseconds(text) }
      if digits < 9 {
        fraction = fraction &* 10 &+ Int64(digit)
        digits &+= 1
      }
      i &+= 1
    }
    return whole &* 1_000_000_000 &+ fraction &* powersOfTen(9 &- digits)
  }

  @inline(__always)
  private static func powersOfTen(_ n: Int) -> Int64 {
    switch n {
    case 0: 1
    case 1: 10
    case 2: 100
    case 3: 1000
    case 4: 10_000
    case 5: 100_000
    case 6: 1_000_000
    case 7: 10_000_000
    case 8: 100_000_000
    default: 1_000_000_000
    }
  }

  private static func slowNanoseconds(_ text: UnsafeRawBufferPointer) -> Int64? {
    guard text.allSatisfy({ ($0 &- 0x30) < 10 || $0 == 0x2e || $0 == 0x2d || $0 == 0x2b || $0 | 0x20 == 0x65 }),
      let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite
    else { return nil }
    // Milliseconds since the epoch, as some JSON writers are set to give.
    let seconds = value > 1e11 ? value / 1000 : value
    guard seconds > -9.2e9, seconds < 9.2e9 else { return nil }
    return Int64((seconds * 1e9).rounded())
  }

  /// A count that may be written as `12`, `12.0` or `1.2e1`.
  static func count(_ text: UnsafeRawBufferPointer) -> UInt64? {
    if let plain = unsigned(text) { return plain }
    guard text.count > 0, text.count <= 48, let value = Double(String(decoding: text, as: UTF8.self)), value >= 0,
      value < 9e18
    else { return nil }
    return UInt64(value)
  }

  /// Two decimal digits at `at`; 255 when they are none.
  @inline(__always)
  static func twoDigits(_ text: UnsafeRawBufferPointer, _ at: Int) -> UInt8 {
    let tens = text[at] &- 0x30
    let ones = text[at &+ 1] &- 0x30
    return tens > 9 || ones > 9 ? 255 : tens &* 10 &+ ones
  }

  /// Days since the epoch for `YYYY?MM?DD` in the first ten bytes.
  static func day(_ text: UnsafeRawBufferPointer) -> Int? {
    guard text.count >= 10 else { return nil }
    let century = twoDigits(text, 0)
    let year = twoDigits(text, 2)
    let month = twoDigits(text, 5)
    let day = twoDigits(text, 8)
    guard century >= 17, century <= 21, year < 100, (1...12).contains(month), (1...31).contains(day) else { return nil }
    return CivilDate.daysSinceEpoch(year: Int(century) * 100 + Int(year), month: Int(month), day: Int(day))
  }

  /// Nanoseconds of the day for `HH:MM:SS[.fraction]` and where it ends.
  @inline(__always)
  static func timeOfDay(_ text: UnsafeRawBufferPointer, from: Int) -> (nanoseconds: Int64, end: Int)? {
    guard text.count &- from >= 8, text[from &+ 2] == 0x3a, text[from &+ 5] == 0x3a else { return nil }
    let hour = twoDigits(text, from)
    let minute = twoDigits(text, from &+ 3)
    let second = twoDigits(text, from &+ 6)
    guard hour < 24, minute < 60, second < 61 else { return nil }
    var i = from &+ 8
    var fraction: Int64 = 0
    var digits = 0
    if i < text.count, text[i] == 0x2e || text[i] == 0x2c {
      i &+= 1
      while i < text.count, text[i] &- 0x30 < 10 {
        if digits < 9 {
          fraction = fraction &* 10 &+ Int64(text[i] &- 0x30)
          digits &+= 1
        }
        i &+= 1
      }
    }
    let seconds = Int64(hour) &* 3600 &+ Int64(minute) &* 60 &+ Int64(second)
    return (seconds &* 1_000_000_000 &+ fraction &* powersOfTen(9 &- digits), i)
  }

  /// ISO 8601 date and time with `Z`, `+0200`, `+02:00` or nothing (then UTC).
  static func iso8601(_ text: UnsafeRawBufferPointer) -> Timestamp? {
    guard text.count >= 19, text[10] == 0x54 || text[10] == 0x20, let day = day(text),
      let (nanoseconds, end) = timeOfDay(text, from: 11)
    else { return nil }
    var offset: Int64 = 0
    if end < text.count, text[end] == 0x2b || text[end] == 0x2d {
      guard text.count - end >= 5 else { return nil }
      let hours = twoDigits(text, end + 1)
      let at = text[end + 3] == 0x3a ? end + 4 : end + 3
      guard at + 2 <= text.count else { return nil }
      let minutes = twoDigits(text, at)
      guard hours < 24, minutes < 60 else { return nil }
      offset = (Int64(hours) * 3600 + Int64(minutes) * 60) * (text[end] == 0x2d ? -1 : 1)
    }
    return Timestamp(seconds: Int64(day) * 86_400 - offset, nanoseconds: nanoseconds)
  }
}
