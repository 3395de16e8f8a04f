/// A key as found in the input, known or not.
private struct FoundKey: CodingKey {
  var stringValue: String
  var intValue: Int?
  init?(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) {
    stringValue = String(intValue)
    self.intValue = intValue
  }
}

extension Decoder {
  /// Throws for the first key outside `known`: a misspelt knob must not be a silent default.
  func rejectKeys(outside known: [String], in what: String) throws {
    let container = try container(keyedBy: FoundKey.self)
    guard let stranger = container.allKeys.first(where: { !known.contains($0.stringValue) }) else { return }
    throw DecodingError.dataCorrupted(
      .init(
        codingPath: codingPath + [stranger],
        debugDescription:
          "unknown key '\(stranger.stringValue)' in \(what); known keys: \(known.joined(separator: ", "))"))
  }
}

extension Scenario {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case name, seed, start, hours, formats, home, machines, infections
    case powerCutHours = "power_cuts_h"
  }

  public init(from decoder: any Decoder) throws {
    try decoder.rejectKeys(outside: CodingKeys.allCases.map(\.rawValue), in: "scenario")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    let defaults = Scenario(name: "", machines: [])
    name = try values.decode(String.self, forKey: .name)
    seed = try values.decodeIfPresent(UInt64.self, forKey: .seed) ?? defaults.seed
    start = try values.decodeIfPresent(String.self, forKey: .start) ?? defaults.start
    hours = try values.decodeIfPresent(Double.self, forKey: .hours) ?? defaults.hours
    formats = try values.decodeIfPresent([Format].self, forKey: .formats) ?? defaults.formats
    home = try values.decodeIfPresent(String.self, forKey: .home) ?? defaults.home
    machines = try values.decode([MachineGroup].self, forKey: .machines)
    infections = try values.decodeIfPresent([Infection].self, forKey: .infections) ?? []
    powerCutHours = try values.decodeIfPresent([Double].self, forKey: .powerCutHours) ?? []
  }
}

extension Scenario.MachineGroup {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case group, kind, count, online, services
  }

  public init(from decoder: any Decoder) throws {
    try decoder.rejectKeys(outside: CodingKeys.allCases.map(\.rawValue), in: "machines")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      group: try values.decodeIfPresent(String.self, forKey: .group),
      kind: try values.decode(Scenario.Kind.self, forKey: .kind),
      count: try values.decodeIfPresent(Int.self, forKey: .count) ?? 1,
      online: try values.decodeIfPresent(Double.self, forKey: .online),
      services: try values.decodeIfPresent(Scenario.ServiceSwitches.self, forKey: .services) ?? .init())
  }
}

extension Scenario.ServiceSwitches {
  public init(from decoder: any Decoder) throws {
    try decoder.rejectKeys(outside: Scenario.Service.allCases.map(\.rawValue), in: "services")
    let values = try decoder.container(keyedBy: Scenario.Service.self)
    settings = [:]
    for key in values.allKeys { settings[key] = try values.decode(Bool.self, forKey: key) }
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: Scenario.Service.self)
    for (key, on) in settings.sorted(by: { $0.key.rawValue < $1.key.rawValue }) { try values.encode(on, forKey: key) }
  }
}

extension Scenario.Infection {
  public init(from decoder: any Decoder) throws {
    try decoder.rejectKeys(outside: CodingKeys.allCases.map(\.rawValue), in: "infections")
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      host: try values.decode(Scenario.HostReference.self, forKey: .host),
      kind: try values.decode(Scenario.InfectionKind.self, forKey: .kind),
      periodSeconds: try values.decodeIfPresent(Double.self, forKey: .periodSeconds),
      jitter: try values.decodeIfPresent(Double.self, forKey: .jitter) ?? 0,
      miss: try values.decodeIfPresent(Double.self, forKey: .miss) ?? 0,
      extra: try values.decodeIfPresent(Double.self, forKey: .extra) ?? 0,
      online: try values.decodeIfPresent(Double.self, forKey: .online),
      port: try values.decodeIfPresent(UInt16.self, forKey: .port),
      transport: try values.decodeIfPresent(Scenario.Carrier.self, forKey: .transport),
      name: try values.decodeIfPresent(String.self, forKey: .name),
      size: try values.decodeIfPresent(Int.self, forKey: .size),
      startOffsetSeconds: try values.decodeIfPresent(Double.self, forKey: .startOffsetSeconds) ?? 0,
      count: try values.decodeIfPresent(Int.self, forKey: .count),
      family: try values.decodeIfPresent(String.self, forKey: .family),
      blends: try values.decodeIfPresent(Bool.self, forKey: .blends) ?? false)
  }
}

extension Scenario.HostReference {
  public init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let number = try? value.decode(Int.self) {
      self = .number(number)
      return
    }
    let text = try value.decode(String.self)
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    if parts.count == 1 {
      self = .group(text, 1)
    } else if parts.count == 2, let number = Int(parts[1]) {
      self = .group(String(parts[0]), number)
    } else {
      throw DecodingError.dataCorruptedError(
        in: value, debugDescription: "host '\(text)' is neither a number, a group, nor group/number")
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    switch self {
    case .number(let number): try value.encode(number)
    case .group(let group, let number): try value.encode("\(group)/\(number)")
    }
  }
}
