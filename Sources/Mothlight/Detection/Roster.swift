/// All detectors, in the order in which they are shown. Adding one is a file, a line here, a fixture and a page.
public enum DetectorRoster {
  public static let all: [any Detector.Type] = [
    ScanDetector.self,
    DeviceAttackDetector.self,
    MailFanOutDetector.self,
    BruteForceDetector.self,
    FloodDetector.self,
    PeerToPeerDetector.self,
    BeaconDetector.self,
    QuietChannelDetector.self,
    StrobeDetector.self,
    SteadyDialogueDetector.self,
    DeadRendezvousDetector.self,
    UnnamedServiceDetector.self,
    SameRequestDetector.self,
    HTTPCallHomeDetector.self,
    TLSOddityDetector.self,
    IRCCommandDetector.self,
    ProgramDownloadDetector.self,
    ProxiedBeaconDetector.self,
    ClickFraudDetector.self,
    UploadRatioDetector.self,
    InboundAttemptDetector.self,
    NXDomainBurstDetector.self,
    DNSTunnelDetector.self,
    FastFluxDetector.self,
    IndicatorDetector.self,
    MariposaDetector.self,
    PayloadRuleDetector.self,
  ]

  /// Detectors that look at all hosts together, after the others.
  public static let network: [any NetworkDetector.Type] = [
    SynchronyDetector.self,
    SharedScanDetector.self,
  ]

  /// The cards of both kinds, in the order in which they are shown.
  public static var cards: [DetectorCard] { all.map { $0.card } + network.map { $0.card } }

  /// One fresh instance of each detector.
  /// - Parameter knobs: overrides by detector name; an unknown name is an error.
  public static func make(
    knobs: [String: [String: Double]], registry: Registry, networks: (any NetworkDirectory)? = nil
  ) throws(ConfigurationError) -> [any Detector] {
    for name in knobs.keys.sorted() where !cards.contains(where: { $0.name == name }) {
      throw ConfigurationError("no detector is called '\(name)'; mothlight detectors lists them")
    }
    var made: [any Detector] = []
    for type in all {
      made.append(
        try type.init(DetectorSettings(knobs[type.card.name] ?? [:], registry: registry, networks: networks)))
    }
    return made
  }

  /// One instance of each network detector.
  static func makeNetwork(knobs: [String: [String: Double]], registry: Registry) throws(ConfigurationError)
    -> [any NetworkDetector]
  {
    var made: [any NetworkDetector] = []
    for type in network {
      made.append(try type.init(DetectorSettings(knobs[type.card.name] ?? [:], registry: registry)))
    }
    return made
  }
}
