/// What an exporter's clocks are worth: when it started, and how far its time of day is off.
struct ExporterTime {
  /// Nanoseconds added to the exporter's times; 0 while its clock is right.
  private(set) var offset: Int64 = 0
  /// How often its clock was found to have jumped.
  private(set) var steps: UInt64 = 0
  private var boot: Int64?
  private let tolerance: Int64

  /// Change of a known offset that is a jump of the clock and no delay on the way.
  private static let stepNanoseconds: Int64 = 10_000_000_000
  /// Header times have whole seconds: starts computed from them scatter by one, and are never too late.
  private static let bootScatter: Int64 = 1_000_000_000

  init(toleranceSeconds: Double) { tolerance = Int64(max(0, min(1e9, toleranceSeconds)) * 1e9) }

  /// Takes the clocks of one message that arrived at `arrival`, and makes the start exact to the millisecond.
  mutating func note(_ clock: inout ExportClock, at arrival: Int64) {
    if let seen = clock.boot {
      if let known = boot, seen <= known, known &- seen < Self.bootScatter {
        clock.boot = known
      } else {
        boot = seen
      }
    }
    let (away, overflow) = arrival.subtractingReportingOverflow(clock.exported)
    guard !overflow else { return }
    let isRight = away.magnitude <= UInt64(tolerance)
    if offset == 0 {
      if !isRight { step(to: away) }
    } else if away.magnitude <= UInt64(tolerance / 2) {
      // Not at the tolerance itself: a clock that drifts along it would jump to and fro.
      step(to: 0)
    } else if (away &- offset).magnitude > UInt64(Self.stepNanoseconds) {
      step(to: away)
    }
  }

  private mutating func step(to next: Int64) {
    offset = next
    steps &+= 1
  }
}

/// One packet in how many an exporter looked at, for all it exports and by sampler.
struct SamplingTable {
  /// Samplers kept: routers have one per interface at most.
  private static let samplersMost = 256

  /// 1 while none was said.
  private(set) var general: UInt32 = 1
  private var bySampler: [UInt64: UInt32] = [:]
  /// Samplers that found no room.
  private(set) var refused: UInt64 = 0

  mutating func set(_ oneIn: UInt32, sampler: UInt64?) {
    guard let sampler else {
      general = max(1, oneIn)
      return
    }
    if bySampler[sampler] != nil || bySampler.count < Self.samplersMost {
      bySampler[sampler] = max(1, oneIn)
    } else {
      refused &+= 1
    }
  }

  @inline(__always)
  func oneIn(sampler: UInt64?) -> UInt32 {
    guard let sampler, !bySampler.isEmpty else { return general }
    return bySampler[sampler] ?? general
  }

  var highest: UInt32 { max(general, bySampler.values.max() ?? 1) }
}
