/// Flow lists of single (machine, server) pairs for setting a beacon detector's thresholds: the grid of the timing study
/// (detection reference 3.2) and the benign pairs that it lacked.
public enum StressGrid {
  /// One cell of the grid.
  public struct Cell: Sendable, Hashable {
    public var name: String
    public var periodSeconds: Double
    public var jitter: Double
    public var miss: Double
    public var extra: Double
    /// Hours a day that the machine is on.
    public var onlineHours: Double
    public var days: Int

    public init(
      _ name: String, periodSeconds: Double, jitter: Double = 0.05, miss: Double = 0, extra: Double = 0,
      onlineHours: Double = 24, days: Int = 1
    ) {
      self.name = name
      self.periodSeconds = periodSeconds
      self.jitter = jitter
      self.miss = miss
      self.extra = extra
      self.onlineHours = onlineHours
      self.days = days
    }
  }

  /// The rows of the table in detection reference 3.2, in its order; "clean" has a jitter of 5 %.
  public static let cells = [
    Cell("P=600 clean, 24 h", periodSeconds: 600),
    Cell("P=600 clean, 8 h host", periodSeconds: 600, onlineHours: 8),
    Cell("P=600 jitter 20 %", periodSeconds: 600, jitter: 0.2),
    Cell("P=600 jitter 50 %", periodSeconds: 600, jitter: 0.5),
    Cell("P=600 jitter 90 %", periodSeconds: 600, jitter: 0.9),
    Cell("P=600 miss 30 %", periodSeconds: 600, miss: 0.3),
    Cell("P=600 miss 60 %", periodSeconds: 600, miss: 0.6),
    Cell("P=600 noise 30 %", periodSeconds: 600, extra: 0.3),
    Cell("P=600 noise 100 %", periodSeconds: 600, extra: 1),
    Cell("P=600 30/30/30, 24 h", periodSeconds: 600, jitter: 0.3, miss: 0.3, extra: 0.3),
    Cell("P=600 30/30/30, 8 h", periodSeconds: 600, jitter: 0.3, miss: 0.3, extra: 0.3, onlineHours: 8),
    Cell("P=60 miss 30 %", periodSeconds: 60, miss: 0.3),
    Cell("P=1800 miss 30 %, 8 h", periodSeconds: 1800, miss: 0.3, onlineHours: 8),
    Cell("P=1800 30/30/30, 8 h", periodSeconds: 1800, jitter: 0.3, miss: 0.3, extra: 0.3, onlineHours: 8),
  ]

  /// A benign pair. The first two are the null of the timing study; the others are the regular benign traffic that any
  /// timing test flags, to be told apart by other evidence.
  public enum NullPair: String, Sendable, CaseIterable {
    case poisson, officeBursts, ntp, updater, pushReconnects

    public var isPeriodic: Bool { self != .poisson && self != .officeBursts }
  }

  static let start = Timestamp(seconds: 1_772_409_600)  // 2026-03-02T00:00:00Z

  /// Check-ins of one bot in one cell, by time.
  public static func beacon(_ cell: Cell, seed: UInt64) -> [Flow] {
    var random = RandomSource(seed: seed, stream: Outside.hash(cell.name))
    let hours = onlineHours(cell.onlineHours, days: cell.days, &random)
    let pair = Pair(seed: seed, port: 443)
    var out: [Flow] = []
    for interval in hours.intervals {
      var clock = BeaconClock(
        period: max(0.01, cell.periodSeconds), jitter: cell.jitter, miss: cell.miss, extra: cell.extra,
        start: interval.lowerBound + random.uniform(0, cell.periodSeconds), random: &random)
      for _ in 0..<10_000_000 {
        let (time, isExtra) = clock.next(&random)
        guard time < interval.upperBound else { break }
        let up = isExtra ? random.int(320, 960) : 320 + random.int(below: 8)
        out.append(pair.flow(at: time, up: up, down: isExtra ? random.int(400, 40_000) : 496, &random))
      }
    }
    return out
  }

  /// Flows of one benign pair in a day or more, by time.
  public static func null(_ kind: NullPair, seed: UInt64, days: Int = 1) -> [Flow] {
    var random = RandomSource(seed: seed, stream: Outside.hash(kind.rawValue))
    let length = Double(days) * 86_400
    var times: [Double] = []
    switch kind {
    case .poisson:
      let mean = 86_400 / random.uniform(100, 400)
      var time = random.exponential(mean: mean)
      while time < length {
        times.append(time)
        time += random.exponential(mean: mean)
      }
    case .officeBursts: times = officeBursts(days: days, &random)
    case .ntp:
      var gap = 64.0
      var time = random.uniform(0, gap)
      while time < length {
        times.append(time)
        if times.count % 5 == 0, gap < 1024 { gap *= 2 }
        time += gap + random.uniform(-1, 1)
      }
    case .updater:
      for interval in onlineHours(random.chance(0.5) ? 24 : 8, days: days, &random).intervals {
        var time = interval.lowerBound + random.exponential(mean: 120)
        while time < interval.upperBound {
          times.append(time)
          time += 3600 * random.uniform(0.8, 1.2)
        }
      }
    case .pushReconnects:
      let gap = random.uniform(900, 1700)
      var time = random.uniform(0, gap)
      while time < length {
        times.append(time)
        time += random.chance(0.05) ? random.exponential(mean: 600) : gap + random.normal(deviation: 3)
      }
    }
    let pair = Pair(seed: seed, port: kind == .ntp ? 123 : 443)
    return times.sorted().map { time in
      switch kind {
      case .ntp: pair.flow(at: time, up: 48, down: 48, &random)
      case .updater: pair.flow(at: time, up: random.int(900, 1400), down: random.int(2000, 9000), &random)
      case .pushReconnects: pair.flow(at: time, up: 420, down: 700, &random)
      case .poisson, .officeBursts:
        pair.flow(
          at: time, up: random.int(250, 2000), down: Int(random.pareto(minimum: 800, alpha: 1.2, cap: 3e6)), &random)
      }
    }
  }

  /// Bursts of connections seconds apart, minutes to hours between bursts, in a working day only.
  private static func officeBursts(days: Int, _ random: inout RandomSource) -> [Double] {
    var times: [Double] = []
    let pause = random.uniform(600, 2400)
    for interval in onlineHours(8, days: days, &random).intervals {
      var time = interval.lowerBound + random.exponential(mean: pause)
      while time < interval.upperBound {
        var moment = time
        for _ in 0..<(1 + Int(random.exponential(mean: 5))) where moment < interval.upperBound {
          times.append(moment)
          moment += random.logNormal(median: 6, sigma: 1.2)
        }
        time = moment + random.logNormal(median: pause, sigma: 1)
      }
    }
    return times
  }

  private static func onlineHours(_ hours: Double, days: Int, _ random: inout RandomSource) -> OnlineHours {
    OnlineHours(hoursPerDay: hours, length: Double(max(1, days)) * 86_400, startOfDay: 0, random: &random)
  }

  /// The two ends; each seed is another pair.
  private struct Pair {
    let source: IPAddress
    let destination: IPAddress
    let port: UInt16

    init(seed: UInt64, port: UInt16) {
      source = IPAddress(v4: 0xc0a8_0000 | UInt32(truncatingIfNeeded: seed % 250) << 8 | 10)
      destination = Outside.addresses(of: "pair-\(seed).example")[0]
      self.port = port
    }

    func flow(at time: Double, up: Int, down: Int, _ random: inout RandomSource) -> Flow {
      let first = StressGrid.start.advanced(bySeconds: time)
      let isUDP = port == 123
      let packets = isUDP ? 1 : 6 + down / 2920
      let overhead = isUDP ? 28 : 40 * packets
      return Flow(
        source: source, destination: destination, sourcePort: UInt16(49_152 + random.int(below: 16_383)),
        destinationPort: port,
        transport: isUDP ? .udp : .tcp, first: first,
        last: first.advanced(bySeconds: isUDP ? 0.03 : random.uniform(0.1, 0.9)),
        state: isUDP ? .established : .closed, service: isUDP ? .ntp : .tls, sourceOctets: UInt64(up + overhead),
        destinationOctets: UInt64(down + overhead), sourcePayload: UInt64(up), destinationPayload: UInt64(down),
        sourcePackets: UInt32(packets), destinationPackets: UInt32(packets))
    }
  }
}
