/// Thresholds of the census, with their reasons; `docs/census.md` says on what they were set.
public struct CensusRules: Sendable, Hashable {
  /// An anchor keeps this share of the best networks' retention after a week.
  public var anchorLevel = 0.8
  /// Tags that an anchor loses within the window beyond clean-up, at most: lambda × W.
  public var anchorLossMost = 0.6
  /// New tags a day for each tag of a day, at most, in an anchor.
  public var noveltyMost = 0.25
  /// Fewer anchors, or a smaller share of the machine-hours in them: no footprint from addresses.
  public var anchorsLeast = 3
  public var anchorShareLeast = 0.03
  /// Tags that a network needs before its retention is read.
  public var tagsLeast = 30.0
  /// Stretches begun per tag-hour at night beyond the anchors', above which addresses rotate within the day (CGN).
  public var rotationHazard = 0.035
  /// A network whose day is this much flatter than the botnet's, with sources that do not stay on, is no people's.
  public var flatDay = 0.2
  /// Machines per tag-hour above which a network shares addresses.
  public var sharedOccupancy = 1.6
  /// Below this the visible machines dominate the sandwich, and the log-normal correction is used.
  public var visibilityPlain = 0.8
  /// How the density of sights that machines are expected to show rises towards none: 1 is flat (`FewHours`).
  public var rarityShape = 0.9
  /// B1 and B3 may differ by this factor less one.
  public var contactGap = 0.3
  /// Windows in hours: none below the first; machine-days from the second on; 30-day model term up to the third.
  public var windowLeast = 24
  public var windowForDays = 96
  /// Relative model error, one standard deviation: live, footprint at 30 days and at 90 days.
  public var liveModel = 0.02
  public var footprintModel30 = 0.05
  public var footprintModel90 = 0.1
  /// Share of the sharing correction that is taken as its standard error.
  public var sharingError = 0.15
  /// Days-based and hours-based footprints may differ by this before the anchors are called unlike the rest.
  public var daysHoursGap = 0.15
  /// Standard seconds between check-ins when the operator knows them.
  public var checkInSeconds: Double?
  /// Autonomous systems of hosting companies, as public lists say: no machines of victims there.
  public var hosting: Set<UInt32> = []
  /// How fast networks change addresses, learned from other botnets.
  public var churn: ChurnTable?
  /// Changes of address an hour, and for each tag, at most, in a network that the churn table makes tell.
  public var learnedRateMost = 1.0 / 72
  public var learnedLossMost = 0.75
  /// Networks in which a machine is counted, at most, before a footprint from addresses is refused.
  public var networksPerMachineMost = 1.5
  /// Resamples of the bootstrap over networks.
  public var resamples = 200
  public init() {}
}
