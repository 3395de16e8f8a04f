/// The clocks of one export: what the times in its records are counted from.
struct ExportClock {
  /// When it was sent by the exporter's clock, nanoseconds since the Unix epoch.
  var exported: Int64
  /// Milliseconds since the exporter started, when it was sent; wraps after 49.7 days.
  var uptimeMilliseconds: UInt32?
  /// When the exporter started, nanoseconds since the Unix epoch; what times in uptime are added to.
  var boot: Int64?

  init(exported: Int64, uptimeMilliseconds: UInt32? = nil) {
    self.exported = exported
    self.uptimeMilliseconds = uptimeMilliseconds
    if let uptimeMilliseconds { boot = exported &- Int64(uptimeMilliseconds) &* 1_000_000 }
  }

  /// The moment at which the exporter had run for `milliseconds`.
  func time(uptime milliseconds: UInt64) -> Int64? {
    guard let boot else { return nil }
    guard let now = uptimeMilliseconds else {
      return Self.adding(Self.nanoseconds(milliseconds: milliseconds), to: boot)
    }
    // Both count modulo 2^32: a flow that began before the wrap has the larger number.
    let ago = Int32(bitPattern: now &- UInt32(truncatingIfNeeded: milliseconds))
    return Self.adding(Int64(now) &* 1_000_000 &- Int64(ago) &* 1_000_000, to: boot)
  }

  static func nanoseconds(milliseconds: UInt64) -> Int64 {
    milliseconds > 9_223_372_036_854 ? .max : Int64(milliseconds) &* 1_000_000
  }

  static func nanoseconds(seconds: UInt64) -> Int64 {
    seconds > 9_223_372_036 ? .max : Int64(seconds) &* 1_000_000_000
  }

  /// RFC 5905 section 6, as RFC 7011 sections 6.1.9 and 6.1.10 use it; the era that is nearest to now.
  static func nanoseconds(ntp: UInt64) -> Int64 {
    let era: Int64 = ntp >> 63 == 1 ? -2_208_988_800 : 2_085_978_496
    let fraction = ((ntp & 0xffff_ffff) &* 1_000_000_000) >> 32
    return (Int64(ntp >> 32) &+ era) &* 1_000_000_000 &+ Int64(fraction)
  }

  /// Saturating.
  static func adding(_ delta: Int64, to time: Int64) -> Int64 {
    let (sum, overflow) = time.addingReportingOverflow(delta)
    return overflow ? (delta < 0 ? .min : .max) : sum
  }
}
