extension Scenario {
  /// Longest run: a month, so that a slip of the pen does not fill a disk.
  static let maximumHours = 24.0 * 31
  static let maximumMachines = 4096

  /// Throws `invalidScenario` naming the first knob that is out of range.
  public func validate() throws(SimulationError) {
    try require(
      !name.isEmpty && name.utf8.count <= 64 && name.utf8.allSatisfy(Self.isFileNameByte) && name.utf8.first != 0x2e,
      "name: 1 to 64 letters, digits, '-', '_' or '.', not beginning with '.'")
    _ = try startTime()
    try require(hours > 0 && hours <= Self.maximumHours, "hours: above 0, at most \(Int(Self.maximumHours))")
    try require(!formats.isEmpty, "formats: at least one of \(Format.allCases.map(\.rawValue).joined(separator: ", "))")
    try require(Set(formats).count == formats.count, "formats: each only once")
    try require(!machines.isEmpty, "machines: at least one group")
    try require(Set(machines.map(\.group)).count == machines.count, "machines: two groups have the same name")
    for group in machines {
      try require(!group.group.isEmpty, "machines: a group without a name")
      try require(
        (1...Self.maximumMachines).contains(group.count), "machines: count of '\(group.group)' is out of range")
      try require(
        group.online > 0 && group.online <= 24, "machines: online of '\(group.group)' must be above 0, at most 24")
    }
    let total = machines.reduce(0) { $0 + $1.count }
    try require(total <= Self.maximumMachines, "machines: more than \(Self.maximumMachines)")
    try require(powerCutHours.count <= 100, "power_cuts_h: at most 100")
    for hour in powerCutHours { try require(hour >= 0 && hour <= hours, "power_cuts_h: 0 to the length in hours") }
    _ = try HomeNetwork(home, machines: total)
    for (index, infection) in infections.enumerated() { try validate(infection, "infections[\(index)]") }
  }

  private func validate(_ infection: Infection, _ path: String) throws(SimulationError) {
    _ = try machineIndex(infection.host, path)
    try require(
      (0.0001...Self.maximumHours * 3600).contains(infection.effectivePeriod), "\(path).period_s: 0.0001 to 31 days")
    try require((0...0.9).contains(infection.jitter), "\(path).jitter: 0 to 0.9")
    try require((0...0.6).contains(infection.miss), "\(path).miss: 0 to 0.6")
    try require((0...1).contains(infection.extra), "\(path).extra: 0 to 1")
    try require(infection.online.map { $0 > 0 && $0 <= 24 } ?? true, "\(path).online: above 0, at most 24")
    try require(infection.port != 0, "\(path).port: 1 to 65535")
    try require((0...1_000_000).contains(infection.size ?? 0), "\(path).size: 0 to 1000000")
    try require((0...10_000_000).contains(infection.count ?? 0), "\(path).count: 0 to 10000000")
    try require(
      infection.startOffsetSeconds >= 0 && infection.startOffsetSeconds <= hours * 3600,
      "\(path).start_offset_s: 0 to the length of the scenario")
    if infection.effectiveCarrier == .udp || infection.kind == .ddos {
      try require((infection.size ?? 0) <= 1400, "\(path).size: at most 1400 for a datagram")
    }
    if let name = infection.name {
      try require(SyntheticDNS.isName(name), "\(path).name: '\(name)' is not a host name")
    }
  }

  /// Index into the machines in scenario order.
  func machineIndex(_ host: HostReference, _ path: String) throws(SimulationError) -> Int {
    var before = 0
    for group in machines {
      switch host {
      case .number(let number):
        if number >= 1, number - before <= group.count { return number - 1 }
      case .group(let name, let number):
        guard name == group.group else { break }
        try require(
          (1...group.count).contains(number), "\(path).host: group '\(name)' has only \(group.count) machines")
        return before + number - 1
      }
      before += group.count
    }
    throw SimulationError(.invalidScenario, "\(path).host: no such machine or group")
  }

  private func require(_ condition: Bool, _ message: String) throws(SimulationError) {
    if !condition { throw SimulationError(.invalidScenario, "scenario '\(name)': \(message)") }
  }

  private static func isFileNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
    default: false
    }
  }

  /// Start in microseconds since the epoch.
  func startTime() throws(SimulationError) -> Int64 {
    guard let seconds = Self.seconds(rfc3339: start) else {
      throw SimulationError(
        .invalidScenario,
        "scenario '\(name)': start: '\(start)' is not a date such as 2026-03-02 or 2026-03-02T08:00:00Z")
    }
    return seconds * 1_000_000
  }

  /// RFC 3339 section 5.6 `full-date`, or `date-time` with an offset; fractions are dropped. Years 1970 to 2199.
  static func seconds(rfc3339 text: String) -> Int64? {
    let bytes = Array(text.utf8)
    func number(_ range: Range<Int>) -> Int? {
      guard range.upperBound <= bytes.count else { return nil }
      var value = 0
      for byte in bytes[range] {
        guard byte >= 0x30, byte <= 0x39 else { return nil }
        value = value * 10 + Int(byte - 0x30)
      }
      return value
    }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), bytes[4] == 0x2d,
      bytes[7] == 0x2d,
      (1970...2199).contains(year), (1...12).contains(month), day >= 1
    else { return nil }
    let days = CivilDate.daysSinceEpoch(year: year, month: month, day: day)
    guard CivilDate.from(daysSinceEpoch: days) == (year, month, day) else { return nil }
    var seconds = Int64(days) * 86_400
    if bytes.count == 10 { return seconds }
    guard bytes.count >= 20, bytes[10] == 0x54 || bytes[10] == 0x74 || bytes[10] == 0x20, bytes[13] == 0x3a,
      bytes[16] == 0x3a,
      let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19), hour < 24, minute < 60,
      second < 61
    else { return nil }
    seconds += Int64(hour * 3600 + minute * 60 + second)
    var i = 19
    if bytes[i] == 0x2e {
      i += 1
      while i < bytes.count, bytes[i] >= 0x30, bytes[i] <= 0x39 { i += 1 }
    }
    guard i < bytes.count else { return nil }
    if bytes[i] == 0x5a || bytes[i] == 0x7a { return i + 1 == bytes.count ? seconds : nil }
    guard bytes[i] == 0x2b || bytes[i] == 0x2d, bytes.count == i + 6, bytes[i + 3] == 0x3a,
      let offsetHour = number(i + 1..<i + 3), let offsetMinute = number(i + 4..<i + 6), offsetHour < 24,
      offsetMinute < 60
    else { return nil }
    let offset = Int64(offsetHour * 3600 + offsetMinute * 60)
    return bytes[i] == 0x2b ? seconds - offset : seconds + offset
  }
}
