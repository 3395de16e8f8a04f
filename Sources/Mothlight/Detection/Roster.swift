/// All detectors, in the order in which they are shown. Adding one is a file, a line here, a fixture and a page.
public enum DetectorRoster {
  public static let all: [any Detector.Type] = [
    ScanDetector.self,
    MailFanOutDetector.self,
    BruteForceDetector.self,
    FloodDetector.self,
    PeerToPeerDetector.self,
    BeaconDetector.self,
    QuietChannelDetector.self,
    SteadyDialogueDetector.self,
    DeadRendezvousDetector.self,
    UnnamedServiceDetector.self,
    SameRequestDetector.self,
    NXDomainBurstDetector.self,
    DNSTunnelDetector.self,
    FastFluxDetector.self,
    IndicatorDetector.self,
    MariposaDetector.self,
    PayloadRuleDetector.self,
  ]

  /// One fresh instance of each detector.
  /// - Parameter knobs: overrides by detector name; an unknown name is an error.
  public static func make(knobs: [String: [String: Double]], registry: Registry) throws(ConfigurationError)
    -> [any Detector]
  {
    for name in knobs.keys.sorted() where !all.contains(where: { $0.card.name == name }) {
      throw ConfigurationError("no detector is called '\(name)'; mothlight detectors lists them")
    }
    var made: [any Detector] = []
    for type in all {
      made.append(try type.init(DetectorSettings(knobs[type.card.name] ?? [:], registry: registry)))
    }
    return made
  }
}
