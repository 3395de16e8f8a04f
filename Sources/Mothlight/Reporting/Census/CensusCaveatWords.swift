/// Caveats as sentences.
extension CensusWords {
  /// A caveat without its figures, for those who may not see them: a figure may be a small cell's.
  static func caveat(_ code: String) -> String {
    if let text = plain[code] { return text }
    let words = ReportWords.spaced(code)
    return sentence(words.isEmpty ? "a caveat without a name" : words)
  }

  private static let plain: [String: String] = [
    "below_ten": "Fewer than ten machines or addresses in the window: nothing is published.",
    "short_window": "The window is too short to tell returning machines from new ones.",
    "hours_for_days": "The window is short: machine-hours stand in for machine-days.",
    "visibility_unknown": "How many machines an hour misses could not be told: live is a lower bound.",
    "sampled": "A share of the addresses was kept, chosen by hash; all counts are scaled.",
    "network_data_changed": "The data of networks changed within the window: parts by network are blurred.",
    "few_anchors": "Too few networks with stable addresses: how many addresses a machine had cannot be told.",
    "anchors_unlike": "Machines of the networks with stable addresses are used unlike the others.",
    "irregular_networks": "Networks whose sources come and go like no machine does were left out.",
    "known_poisoners":
      "Sources of hosting networks keep coming back; the lower end makes room for others that nobody lists.",
    "poisoners_set_aside":
      "Networks whose sources live unlike those of all other stable networks were set aside; the upper end takes them in.",
    "machines_roam": "Machines move between networks and are counted in each; that was taken off, or was too much.",
    "roaming_unknown": "Machines that move between networks would count in each; nothing tells how many do.",
    "address_loss_unknown":
      "Nothing tells clean-up from changed addresses in stable networks; the lower end makes room for that.",
    "churn_learned": "How often machines change their addresses was taken from another botnet in some networks.",
    "records_lost": "A sensor lost records under load: counts are lower bounds then.",
    "clock_steps": "A sensor's clock was set back: hours around that may hold the sights of two.",
    "crowded_addresses":
      "Some addresses show many steady sources each: offices or inventions. The lower end leaves them out.",
    "one_shot_visitors":
      "Tags seen in one hour only were more than returning ones support, and were taken off in part.",
    "one_shot_identities": "Identities seen in one hour only were taken off: sandboxes and poisoners.",
    "sharing_unknown": "How many machines share an address is not known.",
    "mostly_shared": "Most machine-hours come from networks where many machines share or rotate addresses.",
    "shared_networks": "Many machines share addresses in some networks.",
    "contact_rate_disagrees":
      "The rate of check-ins tells of another number of machines than addresses and fingerprints do.",
    "clock_skew": "A sensor's clock differs from the others'; its rows were moved.",
    "sensor_sampled": "A sensor under load recorded a part of the sources: counts are lower bounds then.",
    "sensor_silent": "A sensor said nothing for some hours.",
    "sensors_apart":
      "The sensors never saw the same hour: matching them gives a rough lower bound of sources, not of machines.",
    "sensors_depend": "The sensors' lists depend on each other: recapture is not to be trusted.",
    "identity_per_start": "Bots make a new identity at each start, so identities count starts; addresses are used.",
    "few_identities": "Few tags carry an identity: addresses are used.",
  ]

  /// With a capital and a full stop.
  static func sentence(_ text: String) -> String {
    guard let first = text.first else { return "" }
    let end = text.last.map { ".!?".contains($0) } ?? false
    return first.uppercased() + text.dropFirst() + (end ? "" : ".")
  }
}
