/// How a botnet's live machines change over weeks: growth, clean-up, and what is likely next.
///
/// Fitted on live machines with the weekly season taken out, which is the infected stock up to a constant. Never on addresses
/// and never on cumulative counts, which grow for ever.
public struct Trend: Sendable, Hashable {
  public enum Model: String, Sendable, Hashable, CaseIterable {
    case exponentialGrowth = "exponential_growth"
    case logisticGrowth = "logistic_growth"
    case exponentialDecay = "exponential_decay"
    /// The rate's interval holds zero.
    case noChange = "no_change"
  }

  /// One UTC day.
  public struct Day: Sendable, Hashable {
    /// UTC days since 1970.
    public var day: Int
    /// Live machines with the weekly season taken out; `nil`: masked or not known.
    public var level: Double?
    /// Hours left out for a silent sensor or a missing estimate.
    public var maskedHours: Int
    /// The fitted curve with its 95 % interval; `nil` outside the fit.
    public var fitted: CensusRange?
  }

  public struct Fit: Sendable, Hashable {
    public var model: Model
    /// First and last UTC day, both within.
    public var days: ClosedRange<Int>
    /// Clean-up rate γ in I = H e^(−γ(t − t₀)), 1/week; negative while it grows.
    public var gamma: CensusRange
    /// ln 2 / γ in weeks for a decay; the doubling time for a growth; `high` is infinite when the rate's interval touches
    /// zero. `nil` when there is no change.
    public var halfLifeWeeks: CensusRange?
    /// Level at the first day of the fit, machines.
    public var start: CensusRange
    /// Where a logistic growth ends, machines.
    public var ceiling: Double?
  }

  /// A look ahead, or why there is none.
  public struct Forecast: Sendable, Hashable {
    public var horizonDays: Int
    /// 1 − (squared error of the model) / (squared error of "no change"), over rolling origins; `nil`: too few of them.
    public var skill: Double?
    public var origins: Int
    /// The level that many days after the window, machines; `nil`: not shown.
    public var machines: CensusRange?
    /// Why it is not shown; empty when it is.
    public var reason: String
  }

  /// A country's clean-up rate, alone and drawn toward the others.
  public struct Country: Sendable, Hashable {
    public var country: CountryCode
    /// From its own data, 1/week.
    public var own: CensusRange
    /// Partially pooled, 1/week.
    public var pooled: CensusRange
  }

  /// Why there is no trend yet; `nil` when there is one.
  public var refusal: String?
  public var days: [Day] = []
  public var fit: Fit?
  public var forecasts: [Forecast] = []
  /// Fastest clean-up first.
  public var countries: [Country] = []
  /// Hour of the week from Monday 00:00 UTC: live machines for each machine of the weekly mean. Empty without a trend.
  public var season: [Double] = []
  /// Hours left out for silent sensors, their neighbours included.
  public var maskedHours = 0
  /// The hour of the takeover, if one was given.
  public var takeover: UInt32?

  public init() {}
}

/// What the operator knows and the figures cannot say.
public struct TrendOptions: Sendable {
  /// The hour from which the botnet could not be refilled: the fit begins there.
  public var takeover: UInt32?
  /// Hours from which the set of sensors was another one: a step there is not a change of the botnet.
  public var changes: [UInt32] = []
  /// Live machines by hour and country, for rates per country.
  public var countries: [TrendSeries] = []
  public var seed: UInt64 = 1

  public init() {}
}

/// Live machines of one country by hour.
public struct TrendSeries: Sendable, Hashable {
  public var country: CountryCode
  /// The hour of `live[0]`.
  public var firstHour: UInt32
  /// One for each hour; `nil`: not known.
  public var live: [Double?]

  public init(country: CountryCode, firstHour: UInt32, live: [Double?]) {
    self.country = country
    self.firstHour = firstHour
    self.live = live
  }
}
