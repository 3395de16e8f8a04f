import Glibc
import Testing

@testable import Mothlight

@Suite("Trend")
struct TrendTests {
  /// Live machines with season, hourly noise and a drift that lasts a day or so.
  static func report(
    seed: UInt64, weeks: Int, gamma: Double, drift: Double = 0.03, level: (UInt32) -> Double = { _ in 1 }
  ) -> CensusReport {
    var random = RandomSource(seed: seed, stream: 99)
    let hours = CensusFixture.first...(CensusFixture.first + UInt32(weeks) * 168 - 1)
    var report = CensusReport(
      botnet: "x", hours: hours, sensors: ["a", "b"],
      footprint: CensusFixture.figure(.footprint, hours, 1e5, addresses: 1e6))
    var wander = 0.0
    for hour in hours {
      wander = wander * 0.96 + random.normal(deviation: drift * 0.28)
      let live =
        50_000 * exp(-gamma * Double(hour - hours.lowerBound) / 168 + wander) * CensusFixture.activity(hour)
        * random.logNormal(median: 1, sigma: 0.04) * level(hour)
      report.live.append(CensusFixture.figure(.live, hour...hour, live, addresses: live))
    }
    return report
  }

  @Test("a known clean-up rate is found, and the interval holds it")
  func recovery() throws {
    var held = 0
    var sum = 0.0
    for seed in 1...10 as ClosedRange<UInt64> {
      let fit = try #require(TrendModel().trend(of: Self.report(seed: seed, weeks: 8, gamma: 0.05)).fit)
      #expect(fit.model == .exponentialDecay)
      let half = try #require(fit.halfLifeWeeks)
      #expect(abs(half.value - 0.693_147 / fit.gamma.value) < 1e-3)
      #expect(half.low < half.value && half.value < half.high)
      if fit.gamma.low <= 0.05, 0.05 <= fit.gamma.high { held += 1 }
      sum += fit.gamma.value
    }
    #expect(abs(sum / 10 - 0.05) < 0.002)
    #expect(held >= 9, "\(held) of 10")
  }

  @Test("growth has a doubling time")
  func growth() throws {
    let fit = try #require(TrendModel().trend(of: Self.report(seed: 3, weeks: 8, gamma: -0.2)).fit)
    #expect(fit.model == .exponentialGrowth)
    #expect(abs((fit.halfLifeWeeks?.value ?? 0) - 3.466) < 0.1)
  }

  @Test("growth that fills up is told from growth that does not")
  func logistic() throws {
    let first = CensusFixture.first
    let report = Self.report(seed: 4, weeks: 12, gamma: 0, drift: 0.01) { hour in
      1 / (1 + exp(-1.2 * (Double(hour - first) / 168 - 4)))
    }
    let fit = try #require(TrendModel().trend(of: report).fit)
    #expect(fit.model == .logisticGrowth)
    let season = (0..<168).reduce(0.0) { $0 + CensusFixture.activity(first + UInt32($1)) / 168 }
    #expect(abs((fit.ceiling ?? 0) / (50_000 * season) - 1) < 0.1)
  }

  @Test("an outage does not become a decay")
  func outage() throws {
    let first = CensusFixture.first
    let silent = Array((first + 24 * 38)..<(first + 24 * 49))
    let lost = Set(silent)
    var report = Self.report(seed: 5, weeks: 8, gamma: 0) { lost.contains($0) ? 0.4 : 1 }
    let blind = try #require(TrendModel().trend(of: report).fit)
    #expect(blind.gamma.value > 0.03, "the outage alone looks like a clean-up")
    report.basis.silentHours = ["b": silent]
    let trend = TrendModel().trend(of: report)
    let fit = try #require(trend.fit)
    #expect(fit.model == .noChange)
    #expect(abs(fit.gamma.value) < 0.01)
    #expect(trend.maskedHours == silent.count + 2)
    #expect(trend.days.count { $0.level == nil } == 11)
  }

  @Test("a known change of the sensors is a step and no change of the botnet")
  func step() throws {
    let change = CensusFixture.first + 24 * 30
    let report = Self.report(seed: 6, weeks: 9, gamma: 0.02) { $0 >= change ? 1.8 : 1 }
    var options = TrendOptions()
    options.changes = [change]
    let fit = try #require(TrendModel(options).trend(of: report).fit)
    #expect(fit.gamma.low <= 0.02 && 0.02 <= fit.gamma.high)
    #expect(fit.model != .exponentialGrowth)
    options.changes = [1, 2, 3, 4, 5]
    #expect(TrendModel(options).trend(of: report).refusal?.contains("the sensors changed 5 times") == true)
  }

  @Test("before four weeks there is no trend yet, nor soon after a takeover, nor from hours that are not known")
  func early() {
    let three = TrendModel().trend(of: Self.report(seed: 7, weeks: 3, gamma: 0.5))
    #expect(three.refusal == "no trend yet: 21 days; four weeks are needed")
    #expect(three.fit == nil && three.forecasts.isEmpty && three.days.isEmpty)
    #expect(three.headline == "No trend yet: 21 days; four weeks are needed.")
    var options = TrendOptions()
    options.takeover = CensusFixture.first + 24 * 40
    let fresh = TrendModel(options).trend(of: Self.report(seed: 7, weeks: 8, gamma: 0.5))
    #expect(fresh.refusal == "no trend yet: 16 days since the takeover; four weeks are needed")
    var report = Self.report(seed: 7, weeks: 8, gamma: 0)
    report.basis.silentHours = ["a": Array(report.hours.lowerBound...(report.hours.lowerBound + 24 * 40))]
    #expect(
      TrendModel().trend(of: report).refusal == "no trend yet: only 16 of 56 days have enough hours with an estimate")
    report.live = []
    #expect(TrendModel().trend(of: report).refusal == "no trend yet: 0 days; four weeks are needed")
  }

  @Test("the fit begins at the takeover")
  func takeover() throws {
    let takeover = CensusFixture.first + 24 * 28
    let report = Self.report(seed: 8, weeks: 10, gamma: 0) { hour in
      hour < takeover
        ? exp(0.2 * Double(hour) / 168 - 0.2 * Double(takeover) / 168) : exp(-0.1 * Double(hour - takeover) / 168)
    }
    var options = TrendOptions()
    options.takeover = takeover
    let fit = try #require(TrendModel(options).trend(of: report).fit)
    #expect(fit.days.lowerBound == Int(takeover / 24))
    #expect(fit.model == .exponentialDecay)
    #expect(fit.gamma.low <= 0.1 && 0.1 <= fit.gamma.high)
  }

  @Test("pure noise gives no forecast")
  func noise() throws {
    var shown = 0
    for seed in 1...8 as ClosedRange<UInt64> {
      let trend = TrendModel().trend(of: Self.report(seed: seed, weeks: 12, gamma: 0))
      #expect(trend.forecasts.map(\.horizonDays) == [7, 28])
      shown += trend.forecasts.count { $0.machines != nil }
      #expect(trend.forecasts.allSatisfy { ($0.machines == nil) == !$0.reason.isEmpty })
    }
    #expect(shown == 0, "\(shown) of 16")
  }

  @Test("a steady clean-up is foretold, with its skill")
  func forecast() throws {
    let report = Self.report(seed: 9, weeks: 13, gamma: 0.08)
    let trend = TrendModel().trend(of: report)
    let season = (0..<168).reduce(0.0) { $0 + CensusFixture.activity(CensusFixture.first + UInt32($1)) / 168 }
    for forecast in trend.forecasts {
      let machines = try #require(forecast.machines)
      #expect((forecast.skill ?? 0) > 0.5)
      let truth = 50_000 * season * exp(-0.08 * (13 + (Double(forecast.horizonDays) - 0.5) / 7))
      #expect(machines.low < truth && truth < machines.high)
    }
    let short = TrendModel().trend(of: Self.report(seed: 9, weeks: 6, gamma: 0.08))
    #expect(short.forecasts.allSatisfy { $0.machines == nil && $0.skill == nil })
  }

  @Test("addresses are never fitted")
  func addresses() {
    var report = Self.report(seed: 10, weeks: 6, gamma: 0.05)
    let before = TrendModel().trend(of: report)
    for i in report.live.indices { report.live[i].addresses = Double(i) * 1000 }
    report.footprint.addresses = 1e9
    #expect(TrendModel().trend(of: report) == before)
  }

  @Test("the season is taken out and is the season")
  func season() throws {
    let trend = TrendModel().trend(of: Self.report(seed: 11, weeks: 8, gamma: 0.05))
    try #require(trend.season.count == 168)
    #expect(abs(trend.season.reduce(0, +) / 168 - 1) < 1e-9)
    let truth = (0..<168).map { CensusFixture.activity(CensusFixture.first + UInt32($0)) }
    let mean = truth.reduce(0, +) / 168
    // The fixture begins on a Monday at 00:00 UTC.
    let worst = zip(trend.season, truth).map { abs($0 / ($1 / mean) - 1) }.max() ?? 1
    #expect(worst < 0.1)
    // What is left in the levels has no week.
    let gaps = trend.days.compactMap { day in day.level.flatMap { l in day.fitted.map { log(l / $0.value) } } }
    #expect((gaps.map(abs).max() ?? 1) < 0.12)
  }

  @Test("countries are drawn toward each other, the noisy ones most")
  func pooling() {
    let pool = CountryRates.pool([(0.05, 0.005), (0.06, 0.005), (0.30, 0.2), (0.04, 0.006)])
    #expect(abs(pool[0].value - 0.05) < 0.005)
    #expect(pool[2].value < 0.1, "one noisy country follows the crowd")
    #expect(pool[2].high - pool[2].low < 0.2)
    let worm = CountryRates.pool([(4.0, 0.2), (5.0, 0.2), (4.5, 0.2)])
    #expect(worm.allSatisfy { abs($0.value - 4.5) < 0.6 }, "Conficker's prior does not hold a worm back")
    let one = CountryRates.pool([(0.05, 0.05)])
    #expect(one[0].value > CountryRates.conficker && one[0].value < 0.05, "little data lean on the prior")
  }

  @Test("rates per country come from their own hours")
  func countries() throws {
    var options = TrendOptions()
    for (i, gamma) in [0.02, 0.05, 0.1].enumerated() {
      let live = Self.report(seed: UInt64(20 + i), weeks: 8, gamma: gamma).live
      options.countries.append(
        TrendSeries(
          country: CountryCode(["IN", "KR", "MX"][i]), firstHour: CensusFixture.first,
          live: live.map { $0.machines?.value }))
    }
    options.countries.append(
      TrendSeries(country: CountryCode("DE"), firstHour: CensusFixture.first, live: [1, 2, nil]))
    let trend = TrendModel(options).trend(of: Self.report(seed: 30, weeks: 8, gamma: 0.05))
    #expect(trend.countries.map { $0.country.description } == ["MX", "KR", "IN"])
    #expect(zip(trend.countries, [0.1, 0.05, 0.02]).allSatisfy { abs($0.pooled.value - $1) < 0.012 })
  }

  @Test("Student's t")
  func student() {
    for (freedom, value) in [(1, 12.706), (2, 4.303), (3, 3.182), (5, 2.571), (10, 2.228), (30, 2.042)] {
      #expect(abs(Student.quantile975(freedom: freedom) / value - 1) < 0.01)
    }
  }
}
