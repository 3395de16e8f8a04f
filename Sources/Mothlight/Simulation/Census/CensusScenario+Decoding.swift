/// A scenario file with `census: NAME` and what shall differ from the scenario of that name.
extension CensusScenario: Decodable {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case census, seed, machines, networks, hours, varied, policies, behaviour, loss, fingerprints, household, office
    case laptops, poisoners, ipv6
    case birthsPerDay = "births_per_day"
    case infectedDays = "infected_days"
    case checkInSeconds = "check_in_s"
    case sandboxesPerDay = "sandboxes_per_day"
    case straysPerDay = "strays_per_day"
    case validStrays = "valid_strays"
    case identity
  }

  public init(from decoder: any Decoder) throws {
    try decoder.rejectKeys(outside: CodingKeys.allCases.map(\.rawValue), in: "census scenario")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let name = try values.decode(String.self, forKey: .census)
    let seed = try values.decodeIfPresent(UInt64.self, forKey: .seed) ?? 1
    let isVaried = try values.decodeIfPresent(Bool.self, forKey: .varied) ?? false
    guard let known = Self.named(name, seed: seed, isVaried: isVaried) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: [CodingKeys.census], debugDescription: Self.unknown(name)))
    }
    self = known
    func set<T: Decodable>(_ path: WritableKeyPath<Self, T>, _ key: CodingKeys) throws {
      if let value = try values.decodeIfPresent(T.self, forKey: key) { self[keyPath: path] = value }
    }
    try set(\.machines, .machines)
    try set(\.networks, .networks)
    try set(\.hours, .hours)
    try set(\.policies, .policies)
    try set(\.behaviours, .behaviour)
    try set(\.loss, .loss)
    try set(\.fingerprints, .fingerprints)
    try set(\.household, .household)
    try set(\.office, .office)
    try set(\.laptops, .laptops)
    try set(\.poisoners, .poisoners)
    try set(\.ipv6, .ipv6)
    try set(\.birthsPerDay, .birthsPerDay)
    try set(\.infectedDays, .infectedDays)
    try set(\.checkInSeconds, .checkInSeconds)
    try set(\.sandboxesPerDay, .sandboxesPerDay)
    try set(\.straysPerDay, .straysPerDay)
    try set(\.validStrays, .validStrays)
    try set(\.identity.kind, .identity)
  }

  /// One line for a name that is none.
  public static func unknown(_ name: String) -> String {
    "no census scenario is called '\(name)'; there are \((tableNames + furtherNames + [millionName]).joined(separator: ", "))"
  }
}

extension CensusScenario.Identity.Kind: Decodable {}
