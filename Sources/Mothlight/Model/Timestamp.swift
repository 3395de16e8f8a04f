/// A moment of event time, in nanoseconds since 1970-01-01T00:00:00Z without leap seconds.
///
/// Covers the years 1678 to 2262, so a capture clock beyond 2038 is representable.
public struct Timestamp: Hashable, Comparable, Sendable, BitwiseCopyable {
  /// Nanoseconds since the Unix epoch; negative before it.
  public var nanoseconds: Int64

  @inlinable public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// Seconds and a fraction in nanoseconds; saturates instead of overflowing.
  public init(seconds: Int64, nanoseconds: Int64 = 0) {
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflow2) = product.addingReportingOverflow(nanoseconds)
    self.nanoseconds = overflow || overflow2 ? (seconds < 0 ? .min : .max) : sum
  }

  /// Seconds since the epoch as a `Double` (about 0.2 µs of resolution today); saturates.
  public init(secondsSinceEpoch seconds: Double) {
    let scaled = seconds * 1e9
    nanoseconds = scaled.isFinite ? Int64(max(-9.2e18, min(9.2e18, scaled))) : 0
  }

  public static let distantPast = Timestamp(nanoseconds: .min)
  public static let distantFuture = Timestamp(nanoseconds: .max)

  @inlinable public static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }

  /// Seconds since the epoch.
  @inlinable public var seconds: Double { Double(nanoseconds) / 1e9 }

  /// Seconds from `earlier` to `self`; negative when `self` is the earlier one. Never traps.
  @inlinable public func seconds(since earlier: Timestamp) -> Double {
    let (difference, overflow) = nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
    return overflow ? seconds - earlier.seconds : Double(difference) / 1e9
  }

  /// `self` moved by `seconds`; saturates.
  public func advanced(bySeconds seconds: Double) -> Timestamp {
    let delta = seconds * 1e9
    guard delta > -9.2e18, delta < 9.2e18 else { return delta < 0 ? .distantPast : .distantFuture }
    let (sum, overflow) = nanoseconds.addingReportingOverflow(Int64(delta))
    return overflow ? (delta < 0 ? .distantPast : .distantFuture) : Timestamp(nanoseconds: sum)
  }

  /// Whole UTC days since the epoch, rounded down.
  public var day: Int { Self.floorDivide(nanoseconds, 86_400_000_000_000) }
  /// Whole UTC hours since the epoch, rounded down.
  public var hour: Int { Self.floorDivide(nanoseconds, 3_600_000_000_000) }

  static func floorDivide(_ a: Int64, _ b: Int64) -> Int {
    let q = a / b
    return Int(a % b < 0 ? q - 1 : q)
  }
}

extension Timestamp: CustomStringConvertible {
  /// RFC 3339 in UTC with microseconds, e.g. `2010-03-03T12:00:00.000000Z`.
  public var description: String {
    let day = self.day
    let (year, month, dayOfMonth) = CivilDate.from(daysSinceEpoch: day)
    let rest = nanoseconds &- Int64(day) &* 86_400_000_000_000
    let micros = rest / 1000
    let s = micros / 1_000_000
    return "\(pad(year, 4))-\(pad(month, 2))-\(pad(dayOfMonth, 2))T"
      + "\(pad(Int(s / 3600), 2)):\(pad(Int(s / 60 % 60), 2)):\(pad(Int(s % 60), 2)).\(pad(Int(micros % 1_000_000), 6))Z"
  }

  /// `YYYY-MM-DD` of the UTC day.
  public var dayDescription: String { Self.describe(day: day) }

  /// `YYYY-MM-DD` for a count of days since the epoch.
  public static func describe(day: Int) -> String {
    let (year, month, dayOfMonth) = CivilDate.from(daysSinceEpoch: day)
    return "\(pad(year, 4))-\(pad(month, 2))-\(pad(dayOfMonth, 2))"
  }
}

func pad(_ value: Int, _ width: Int) -> String {
  let text = String(value)
  return text.utf8.count >= width ? text : String(repeating: "0", count: width - text.utf8.count) + text
}

/// Proleptic Gregorian calendar without Foundation (Hinnant, "chrono-Compatible Low-Level Date Algorithms", 2013).
public enum CivilDate {
  public static func from(daysSinceEpoch days: Int) -> (year: Int, month: Int, day: Int) {
    let z = days + 719_468
    let era = (z >= 0 ? z : z - 146_096) / 146_097
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let mp = (5 * dayOfYear + 2) / 153
    let month = mp < 10 ? mp + 3 : mp - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * mp + 2) / 5 + 1)
  }

  public static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
