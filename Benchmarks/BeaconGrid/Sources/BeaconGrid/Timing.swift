import Glibc

@testable import Mothlight

/// Table (a): starts alone, against pairs that hold no timer.
enum Timing {
  /// In the order of `Method.timing`. What a method does not judge is below everything.
  static func scores(_ series: Series, _ presence: Presence) -> [Double] {
    let rita = RITAScore(times: series.times, sizes: series.sizes, range: 0...Double(series.days) * 86_400)
    var mothlight = -1e9
    // The product's own door: eight starts, and its gate.
    if series.times.count >= 8,
      let p = Periodicity.analyse(
        series.times, absences: presence.absences, gate: .init(dispersionMost: 0.85, entropyMost: 0.62))
    {
      mothlight = p.odds.total
    }
    return [mothlight, rita?.timestamps ?? -1e9, rita?.total ?? -1e9, -dispersion(series.times)]
  }

  /// Standard deviation over mean of the gaps; endless below eight starts.
  static func dispersion(_ times: [Double]) -> Double {
    let gaps = Periodicity.differences(times).filter { $0 >= 0.0625 }
    guard gaps.count >= 7 else { return 1e9 }
    let mean = gaps.reduce(0, +) / Double(gaps.count)
    return (gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)).squareRoot() / mean
  }

  static func run(botSeed: UInt64 = Grid.reportedSeed, nullSeed: UInt64 = Grid.nullSeed) async -> Scores {
    let parts = 20
    let null = await Grid.map(parts) { part in
      TimerlessNull.make(count: Grid.timerlessPairs / parts, seed: nullSeed &+ UInt64(part) &* 7919).map {
        scores($0.series, $0.presence)
      }
    }
    let bots = await Grid.map(Cell.all.count) { index in
      let cell = Cell.all[index]
      return (0..<Grid.trials).map { trial in
        var random = RandomSource(seed: botSeed, stream: UInt64(index * 1000 + trial))
        let presence = Presence(days: cell.days, isOfficeHours: cell.isOfficeHours, &random)
        return scores(cell.bot(presence, &random), presence)
      }
    }
    let rows = null.flatMap { $0 }
    return Scores(
      methods: Method.timing, null: Method.timing.indices.map { m in rows.map { $0[m] } }, bots: bots)
  }
}
