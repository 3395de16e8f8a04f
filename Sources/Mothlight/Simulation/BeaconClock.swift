/// Times of check-ins: a period with accumulating jitter and losses, and random further connections beside it.
///
/// The model of the timing study (detection reference 3.2): each gap is `period * (1 ± jitter)`, a share `miss` of the
/// check-ins is lost, and a Poisson process adds `extra` connections per period.
struct BeaconClock: Sendable {
  let period: Double
  let jitter: Double
  let miss: Double
  let extra: Double
  private var nextBeat: Double
  private var nextExtra: Double

  init(period: Double, jitter: Double, miss: Double, extra: Double, start: Double, random: inout RandomSource) {
    self.period = period
    self.jitter = jitter
    self.miss = miss
    self.extra = extra
    nextBeat = start
    nextExtra = extra > 0 ? start + random.exponential(mean: period / extra) : .infinity
  }

  /// The next check-in, or the next random connection if that comes first.
  mutating func next(_ random: inout RandomSource) -> (time: Double, isExtra: Bool) {
    // A loss at 0.6 runs 64 times in a row once in 10^14 beats.
    for _ in 0..<64 {
      if nextExtra < nextBeat {
        let time = nextExtra
        nextExtra += random.exponential(mean: period / extra)
        return (time, true)
      }
      let time = nextBeat
      nextBeat += period * (1 + jitter * random.uniform(-1, 1))
      if !random.chance(miss) { return (time, false) }
    }
    return (nextBeat, false)
  }

  /// Begins anew after the machine was off.
  mutating func restart(at time: Double, _ random: inout RandomSource) {
    self = BeaconClock(period: period, jitter: jitter, miss: miss, extra: extra, start: time, random: &random)
  }
}
