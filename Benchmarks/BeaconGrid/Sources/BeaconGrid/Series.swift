import Glibc
import Mothlight

/// Starts of one program toward one service, with what each connection sent.
struct Series {
  var times: [Double] = []
  var sizes: [Double] = []
  /// Length of the capture, days from midnight.
  var days = 1
}

/// When a machine is switched on.
struct Presence {
  var intervals: [ClosedRange<Double>]

  /// All day, or eight hours from about nine o'clock, each day a little different.
  init(days: Int, isOfficeHours: Bool, _ random: inout RandomSource) {
    guard isOfficeHours else {
      intervals = [0...Double(days) * 86_400]
      return
    }
    intervals = (0..<days).map { day in
      let boot = Double(day) * 86_400 + 9 * 3600 + random.normal(deviation: 900)
      return boot...(boot + 8 * 3600 + random.normal(deviation: 900))
    }
  }

  /// When it is off, as far as that lies between two times that it is on.
  var absences: [ClosedRange<Double>] {
    zip(intervals, intervals.dropFirst()).map { $0.upperBound...max($0.upperBound, $1.lowerBound) }
  }
  func contains(_ time: Double) -> Bool { intervals.contains { $0.contains(time) } }
  /// A moment at random while the machine is on.
  func moment(_ random: inout RandomSource) -> Double {
    let total = intervals.reduce(0) { $0 + $1.upperBound - $1.lowerBound }
    var left = random.uniform(0, total)
    for interval in intervals {
      let length = interval.upperBound - interval.lowerBound
      if left <= length { return interval.lowerBound + left }
      left -= length
    }
    return intervals[0].lowerBound
  }
}

/// One cell of the grid.
struct Cell: Hashable {
  var period: Double
  /// Half-width of the gap, share of the period; `nil`: kept to the clock (cron), a second or two late.
  var jitter: Double?
  var misses: Double
  var extra: Double
  var isOfficeHours: Bool

  /// Long enough for a dozen beats of a machine that is on all day.
  var days: Int { period < 3600 ? 1 : period < 20_000 ? 3 : 7 }

  static let periods: [Double] = [30, 300, 1800, 7200, 21_600]
  static let jitters: [Double?] = [0, 0.2, 0.5, 0.9, nil]
  static let missShares = [0.0, 0.3, 0.6]
  static let extraShares = [0.0, 0.3, 1.0]

  static let all: [Cell] = periods.flatMap { period in
    jitters.flatMap { jitter in
      missShares.flatMap { misses in
        extraShares.flatMap { extra in
          [false, true].map {
            Cell(period: period, jitter: jitter, misses: misses, extra: extra, isOfficeHours: $0)
          }
        }
      }
    }
  }

  /// A bot's starts: each sleep drawn anew, so that its phase drifts; lost beats left out; unrelated connections added.
  func bot(_ presence: Presence, _ random: inout RandomSource) -> Series {
    var series = Series(days: days)
    for interval in presence.intervals {
      var t = interval.lowerBound + (presence.intervals.count > 1 ? random.uniform(5, 120) : random.uniform(0, period))
      let phase = random.uniform(0, period)
      if jitter == nil { t = ((t - phase) / period).rounded(.up) * period + phase }
      while t <= interval.upperBound {
        if !random.chance(misses) { series.times.append(jitter == nil ? t + random.exponential(mean: 1) : t) }
        t += period * (1 + (jitter ?? 0) * random.uniform(-1, 1))
      }
    }
    for _ in 0..<Int((Double(series.times.count) * extra).rounded()) { series.times.append(presence.moment(&random)) }
    series.times.sort()
    // A call-home is short and much the same each time; an order or an upload now and then is not.
    let usual = random.uniform(400, 1500)
    series.sizes = series.times.map { _ in
      random.chance(0.03) ? random.uniform(1, 20) * usual : (usual * random.uniform(0.97, 1.03)).rounded()
    }
    return series
  }
}

/// Traffic without a timer: people, and programs that people set off.
enum Unrelated {
  case memoryless, dayAndNight, officeBursts, browsing, logNormal, heavyTail

  static let people: [Unrelated] = [.dayAndNight, .officeBursts, .browsing, .logNormal, .heavyTail]

  func series(days: Int, starts n: Int, _ presence: Presence, _ random: inout RandomSource) -> Series {
    var s = Series(days: days)
    switch self {
    case .memoryless: s.times = (0..<n).map { _ in presence.moment(&random) }
    case .dayAndNight:
      while s.times.count < n {
        let t = presence.moment(&random)
        if random.chance(0.5 + 0.5 * sin((t / 86_400 - 0.35) * 2 * .pi)) { s.times.append(t) }
      }
    case .officeBursts:
      // Visits of some minutes, pages within a visit.
      let inVisit = random.uniform(3, 15)
      while s.times.count < n {
        var t = presence.moment(&random)
        let pause = random.logNormal(median: 40, sigma: 0.7)
        while presence.contains(t) {
          s.times.append(t)
          if random.chance(1 / inVisit) { break }
          t += random.logNormal(median: pause, sigma: 1)
        }
      }
    case .browsing:
      // Several connections a page.
      while s.times.count < n {
        var t = presence.moment(&random)
        for _ in 0...random.int(0, 5) {
          s.times.append(t)
          t += random.exponential(mean: 1.5)
        }
      }
    case .logNormal, .heavyTail:
      let typical = 86_400 * Double(days) / Double(n) * random.uniform(0.1, 0.6)
      let sigma = random.uniform(1, 2)
      var t = presence.moment(&random) * 0.2
      let end = Double(days) * 86_400
      while t < end, s.times.count < 4 * n {
        if presence.contains(t) { s.times.append(t) }
        t +=
          self == .logNormal
          ? random.logNormal(median: typical, sigma: sigma)
          : random.pareto(minimum: typical, alpha: 1.2, cap: 1e9) - typical
      }
    }
    s.times = s.times.filter(presence.contains).sorted()
    s.sizes = s.times.map { _ in random.logNormal(median: 1500, sigma: 0.9).rounded() }
    return s
  }
}

/// Pairs without a timer: eight starts or more, one to seven days, both kinds of machine.
struct TimerlessNull {
  /// - Parameter isEven: as many pairs of each size, to calibrate; else as in networks, most of them small (Zipf).
  static func make(count: Int, seed: UInt64, isEven: Bool = false) -> [(series: Series, presence: Presence)] {
    var made: [(series: Series, presence: Presence)] = []
    made.reserveCapacity(count)
    var stream: UInt64 = 0
    while made.count < count {
      stream += 1
      var random = RandomSource(seed: seed, stream: stream)
      let days = random.chance(0.6) ? 1 : random.chance(0.5) ? 3 : 7
      let presence = Presence(days: days, isOfficeHours: random.chance(0.5), &random)
      // As in detection.md section 3.2: four in ten memoryless, the rest people.
      let kind = random.chance(0.4) ? .memoryless : Unrelated.people[Int(stream) % Unrelated.people.count]
      let n = Int(isEven ? 8 * pow(150, random.unit()) : random.pareto(minimum: 8, alpha: 1, cap: 1200))
      let s = kind.series(days: days, starts: n, presence, &random)
      if s.times.count >= 8 { made.append((s, presence)) }
    }
    return made
  }
}
