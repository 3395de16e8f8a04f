import Mothlight

/// A host-day without its findings as octets.
enum HostDayBody {
  /// Of a brief.
  private static let version: UInt8 = 1

  static func encode(_ day: HostDay) -> [UInt8] {
    var out = BodyLayout.begin(day.host, reserving: 1024)
    out.put(signed: Int64(day.day))
    out.put(day.verdict.rawValue)
    out.put(day.score)
    out.put(count: UInt64(day.families.count))
    for family in day.families {
      out.put(byte: UInt8(truncatingIfNeeded: family.family.number))
      out.put(family.logOdds)
    }
    out.put(day.reason)
    put(day.botnets, &out)
    put(day.roles.map(\.rawValue), &out)
    out.put(count: UInt64(day.story.count))
    for step in day.story {
      out.put(signed: step.time.nanoseconds)
      out.put(step.stage.rawValue)
      out.put(step.detector)
      out.put(step.text)
    }
    put(day.caveats, &out)
    put(day.activity, &out)
    return BodyLayout.sealed(out, about: day.host)
  }

  private static func put(_ texts: [String], _ out: inout BodyWriter) {
    out.put(count: UInt64(texts.count))
    for text in texts { out.put(text) }
  }

  private static func put(_ activity: HostActivity, _ out: inout BodyWriter) {
    out.put(signed: activity.first.nanoseconds)
    out.put(signed: activity.last.nanoseconds)
    for count in [
      activity.flows, activity.outboundFlows, activity.answeredFlows, activity.octetsOut, activity.octetsIn,
      activity.dnsLookups, activity.events, UInt64(activity.peers),
    ] {
      out.put(count: count)
    }
    out.put(count: UInt64(activity.bins.count))
    for bin in activity.bins { out.put(count: UInt64(bin)) }
    out.put(count: UInt64(activity.topPeers.count))
    for peer in activity.topPeers {
      out.put(peer.address)
      out.put(peer.name)
      out.put(count: UInt64(peer.port))
      out.put(byte: peer.transport.rawValue)
      out.put(count: UInt64(peer.flows))
      out.put(count: peer.octets)
    }
    out.put(count: UInt64(activity.topNames.count))
    for name in activity.topNames {
      out.put(name.name)
      out.put(count: UInt64(name.lookups))
      out.put(count: UInt64(name.failed))
    }
  }

  /// - Parameter findings: what its snapshot lists.
  static func decode(_ bytes: [UInt8], findings: [Finding]) throws -> HostDay {
    try bytes.withUnsafeBytes { try BodyLayout.open($0) { host, input in try decode(host, &input, findings) } }
  }

  private static func decode(_ host: IPAddress, _ input: inout BodyReader, _ findings: [Finding]) throws -> HostDay {
    guard let day = Int(exactly: try input.signed()) else { throw BodyDefect() }
    let verdict = try input.named(Verdict.self)
    let score = try input.double()
    let families = try (0..<(try input.length())).map { _ in
      guard let family = EvidenceFamily(number: Int64(try input.byte())) else { throw BodyDefect() }
      return (family: family, logOdds: try input.double())
    }
    let reason = try input.text()
    let botnets = try texts(&input)
    let roles = try (0..<(try input.length())).map { _ in try input.named(HostRole.self) }
    let story = try (0..<(try input.length())).map { _ in
      StoryStep(
        time: Timestamp(nanoseconds: try input.signed()), stage: try input.named(DetectorCard.Stage.self),
        detector: try input.text(), text: try input.text())
    }
    let caveats = try texts(&input)
    let activity = try activity(&input)
    var result = HostDay(
      host: host, day: day, verdict: verdict, score: score, families: families, findings: findings, reason: reason,
      botnets: botnets, activity: activity)
    result.roles = roles
    result.story = story
    result.caveats = caveats
    return result
  }

  private static func texts(_ input: inout BodyReader) throws -> [String] {
    try (0..<(try input.length())).map { _ in try input.text() }
  }

  private static func activity(_ input: inout BodyReader) throws -> HostActivity {
    var activity = HostActivity()
    activity.first = Timestamp(nanoseconds: try input.signed())
    activity.last = Timestamp(nanoseconds: try input.signed())
    activity.flows = try input.count()
    activity.outboundFlows = try input.count()
    activity.answeredFlows = try input.count()
    activity.octetsOut = try input.count()
    activity.octetsIn = try input.count()
    activity.dnsLookups = try input.count()
    activity.events = try input.count()
    activity.peers = try input.number(UInt32.self)
    activity.bins = try (0..<(try input.length())).map { _ in try input.number(UInt32.self) }
    activity.topPeers = try (0..<(try input.length())).map { _ in
      PeerActivity(
        address: try input.address(), name: try input.optionalText(), port: try input.number(UInt16.self),
        transport: Transport(rawValue: try input.byte()), flows: try input.number(UInt32.self),
        octets: try input.count())
    }
    activity.topNames = try (0..<(try input.length())).map { _ in
      (name: try input.text(), lookups: try input.number(UInt32.self), failed: try input.number(UInt32.self))
    }
    return activity
  }

  // MARK: What a list shows beside the columns

  struct Brief: Equatable {
    var reason: String
    var botnets: [String]
    var roles: [HostRole]
  }

  static func encode(_ brief: Brief) -> [UInt8] {
    var out = BodyWriter(reserving: 160)
    out.put(byte: version)
    out.put(brief.reason)
    put(brief.botnets, &out)
    put(brief.roles.map(\.rawValue), &out)
    return out.bytes
  }

  static func brief(_ bytes: UnsafeRawBufferPointer) throws -> Brief {
    var input = BodyReader(bytes)
    guard try input.byte() == version else { throw BodyDefect() }
    let reason = try input.text()
    let botnets = try texts(&input)
    let roles = try (0..<(try input.length())).map { _ in try input.named(HostRole.self) }
    guard input.isAtEnd else { throw BodyDefect() }
    return Brief(reason: reason, botnets: botnets, roles: roles)
  }

  // MARK: Which findings a snapshot has, in their order

  static func encode(places: [Int64]) -> [UInt8] {
    var out = BodyWriter(reserving: places.count &* 4 &+ 1)
    for place in places { out.put(count: UInt64(bitPattern: place)) }
    return out.bytes
  }

  static func places(_ bytes: [UInt8]) throws -> [Int64] {
    try bytes.withUnsafeBytes { raw in
      var input = BodyReader(raw)
      var places: [Int64] = []
      while !input.isAtEnd { places.append(Int64(bitPattern: try input.count())) }
      return places
    }
  }
}
