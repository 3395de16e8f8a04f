import Glibc

/// Finds programs that talk through the DNS: the question carries what they say, the answer what they are told.
///
/// One record per host, registered domain and UTC day of the look-ups that could carry something. Whom the host asks does not
/// matter: a tunnel runs through any resolver. Signs and weights are in `TunnelModel`, the verdict in
/// `DNSTunnelDetector+Verdict.swift`.
public struct DNSTunnelDetector: Detector {
  public static let card = DetectorCard(
    name: "dns-tunnel", title: "Conversation inside DNS look-ups", family: .dns, reads: [.dns],
    knobs: [
      .init("lookups_least", 16, unit: "look-ups", "fewest that could carry something, per registered domain and day"),
      .init("signs_least", 3, unit: "signs", "that must be at least half full"),
      .init("odds_least", 1.5, unit: "nat", "weaker evidence is not told"),
      .init("poll_lookups", 60, unit: "look-ups", "fewest of one name in data-carrying types that make a poll"),
      .init("poll_period_most", 600, unit: "s", "longest period of a poll"),
      .init("served_lookups", 50, unit: "look-ups", "answered for others that make a host a resolver"),
    ],
    references: [
      "RITA v5, C2 over DNS: 100, 500, 800 and 1,000 subdomains (detection.md section 2)",
      "Paxson et al., Practical Comprehensive Bounds on Surreptitious Communication over DNS, USENIX Security 2013",
      "Nadler et al., Detection of malicious and low throughput data exfiltration over the DNS protocol, Computers & Security 2019",
    ],
    knownFalsePositives: [
      "antivirus and mail reputation services that ask by hash, where they are not recognised",
      "measurement probes that ask a fresh name each time", "a person who uses a VPN over DNS on purpose",
    ])

  enum Bound {
    /// Records of one host and day; beyond it new domains are counted.
    static let channelsPerHostDay = 2048
    /// The same over all hosts of a shard: 128 Ki × 260 B is 34 MB.
    static let channelsPerShard = 1 << 17
    /// Records with times, samples and a full sketch (2 KB): 32 MB a shard.
    static let detailedPerShard = 1 << 14
    /// Look-ups from which on times and samples are kept.
    static let detailFrom: UInt32 = 12
    /// Times kept, hundredths of a second of the day.
    static let times = 128
    /// Answered addresses kept: whether any of them was used.
    static let addresses = 6
    /// Octets below which an address look-up's sub-domain carries nothing.
    static let carryingOctets = 8
    /// Seconds after midnight in which late records still count.
    static let graceSeconds = 3600.0
  }

  /// What one host asked below one registered domain on one day.
  struct Channel {
    var domain: String
    var first: Timestamp
    var last: Timestamp
    var lookups: UInt32 = 0
    var dataTyped: UInt32 = 0
    var answered: UInt32 = 0
    var loopbacks: UInt32 = 0
    /// One bit an hour.
    var hours: UInt32 = 0
    var nameOctets: UInt64 = 0
    var answerOctets: UInt64 = 0
    /// Sum over look-ups, bits per character.
    var entropy = 0.0
    var names = DistinctSketch()
    var dataNames = DistinctSketch()
    var isDetailed = false
    var addresses: [IPAddress] = []
    var times: [UInt32] = []
    var samples: [EvidenceFlow] = []
  }

  struct Day {
    var number: Int
    var index: [String: Int] = [:]
    var channels: [Channel] = []
    var refused: UInt32 = 0
  }

  struct Host {
    /// At most two: the newest and, for late records, the one before.
    var days: [Day] = []
    /// Days up to here are judged.
    var closedThrough = Int.min
    var suspects: [Suspect] = []
  }

  let knobs: [String: Double]
  private var domains = RegisteredDomains()
  var hosts: [Host] = []
  private var channelCount = 0
  private var detailedCount = 0
  private var nextClose = Timestamp.distantFuture

  public private(set) var refused: UInt64 = 0

  public init(_ settings: DetectorSettings) throws(ConfigurationError) {
    knobs = try settings.resolve(Self.card)
  }

  func knob(_ name: String) -> Double { knobs[name] ?? .infinity }

  public mutating func observe(_ batch: [Observation], in context: ShardContext, into findings: inout [Finding]) {
    for observation in batch {
      guard case .dns(let lookup) = observation.event, observation.vantage.host != .max,
        observation.vantage.orientation == .outbound || observation.vantage.orientation == .inside,
        !lookup.anomalies.contains(.unsolicitedAnswer), !DNSLookup.isLocalNaming(lookup.ends.serverPort),
        let carried = Carried(lookup), Int(observation.vantage.host) < Limits.hosts,
        lookup.ends.client == context.address(of: observation.vantage.host)
      else { continue }
      note(Int(observation.vantage.host), lookup, carried, at: observation.time)
    }
  }

  public mutating func advance(to time: Timestamp, in context: ShardContext, into findings: inout [Finding]) {
    guard time >= nextClose || time == .distantFuture else { return }
    nextClose = .distantFuture
    for host in hosts.indices {
      while let day = hosts[host].days.first {
        let end = Self.close(ofDay: day.number)
        guard time >= end || time == .distantFuture else {
          nextClose = min(nextClose, end)
          break
        }
        closeOldest(host)
      }
    }
    report(in: context, into: &findings)
  }

  private static func close(ofDay day: Int) -> Timestamp {
    Timestamp(seconds: Int64(clamping: day &+ 1) &* 86_400).advanced(bySeconds: Bound.graceSeconds)
  }

  private mutating func closeOldest(_ host: Int) {
    guard let day = hosts[host].days.first else { return }
    hosts[host].days.removeFirst()
    hosts[host].closedThrough = max(hosts[host].closedThrough, day.number)
    channelCount -= day.channels.count
    for channel in day.channels {
      if channel.isDetailed { detailedCount -= 1 }
      if let suspect = suspect(channel, refused: day.refused) { hosts[host].suspects.append(suspect) }
    }
  }

  /// The open day of `time`. A later day judges the one before the last, so that long runs stay small.
  private mutating func openDay(_ host: Int, _ time: Timestamp) -> Int? {
    let number = time.day
    while hosts.count <= host { hosts.append(Host()) }
    if let i = hosts[host].days.lastIndex(where: { $0.number == number }) { return i }
    guard number > hosts[host].closedThrough else { return nil }
    if hosts[host].days.count >= 2 {
      guard let oldest = hosts[host].days.first, number > oldest.number else { return nil }
      closeOldest(host)
    }
    let at = hosts[host].days.firstIndex { $0.number > number } ?? hosts[host].days.count
    hosts[host].days.insert(Day(number: number), at: at)
    nextClose = min(nextClose, Self.close(ofDay: number))
    return at
  }

  private mutating func note(_ host: Int, _ lookup: DNSLookup, _ carried: Carried, at time: Timestamp) {
    guard let domain = domains.domain(of: lookup.name), let day = openDay(host, time) else { return }
    let sub = lookup.name.utf8.dropLast(domain.utf8.count)
    let octets = max(0, sub.count - 1)
    guard carried.isData || octets >= Bound.carryingOctets else { return }
    var slot = hosts[host].days[day].index[domain]
    if slot == nil {
      guard hosts[host].days[day].channels.count < Bound.channelsPerHostDay, channelCount < Bound.channelsPerShard
      else {
        hosts[host].days[day].refused &+= 1
        refused &+= 1
        return
      }
      slot = hosts[host].days[day].channels.count
      hosts[host].days[day].index[domain] = slot
      hosts[host].days[day].channels.append(Channel(domain: domain, first: time, last: time))
      channelCount += 1
    }
    guard let slot else { return }
    if !hosts[host].days[day].channels[slot].isDetailed,
      hosts[host].days[day].channels[slot].lookups >= Bound.detailFrom
    {
      guard detailedCount < Bound.detailedPerShard else {
        hosts[host].days[day].refused &+= 1
        refused &+= 1
        return
      }
      detailedCount += 1
      hosts[host].days[day].channels[slot].isDetailed = true
    }
    hosts[host].days[day].channels[slot].add(lookup, sub.prefix(octets), carried, at: time)
  }
}

/// A look-up that could carry something, by its shape alone.
struct Carried {
  /// TXT, NULL, CNAME, MX and the private type of iodine: an answer with room for data.
  var isData: Bool

  /// `nil` for service labels (RFC 8552: DKIM, DMARC, ACME, service discovery) and short names of addresses.
  init?(_ lookup: DNSLookup) {
    isData = [5, 10, 15, 16, 65_399].contains(lookup.type)
    var previous: UInt8 = 0x2e
    var dots = 0
    for byte in lookup.name.utf8 {
      if byte == 0x5f, previous == 0x2e { return nil }
      if byte == 0x2e { dots += 1 }
      previous = byte
    }
    guard dots >= 1, isData || dots >= 2 && lookup.name.utf8.count > DNSTunnelDetector.Bound.carryingOctets + 4 else {
      return nil
    }
  }
}

extension DNSTunnelDetector.Channel {
  private typealias Bound = DNSTunnelDetector.Bound

  /// - Parameter sub: the name without the registered domain and the dot before it.
  mutating func add(_ lookup: DNSLookup, _ sub: Substring.UTF8View, _ carried: Carried, at time: Timestamp) {
    lookups &+= 1
    if time < first { first = time }
    if time > last { last = time }
    hours |= 1 << UInt32(truncatingIfNeeded: max(0, min(31, time.hour &- time.day &* 24)))
    nameOctets &+= UInt64(sub.count)
    entropy += Self.entropy(sub)
    let hash = RegisteredDomains.hash(Substring(sub))
    names.insert(hash)
    if carried.isData {
      dataTyped &+= 1
      dataNames.insert(hash)
    }
    if lookup.responseCode == DNSLookup.noError { noteAnswer(lookup) }
    guard isDetailed else { return }
    if times.count < Bound.times {
      let (since, overflow) = time.nanoseconds.subtractingReportingOverflow(Int64(time.day) &* 86_400_000_000_000)
      if !overflow { times.append(UInt32(clamping: since / 10_000_000)) }
    }
    if samples.count < Limits.evidenceFlowsPerFinding {
      samples.append(EvidenceFlow(lookup.ends, time: time, note: "\(Self.typeName(lookup.type)) \(lookup.name)"))
    }
  }

  private mutating func noteAnswer(_ lookup: DNSLookup) {
    let isNull = lookup.type == 10 || lookup.type == 65_399
    var octets = lookup.targets.reduce(0) { $0 &+ $1.utf8.count }
    for address in lookup.addresses {
      octets &+= address.isV4 ? 4 : 16
      guard !address.isLoopback else { continue }
      if address.isUnicastHost, addresses.count < Bound.addresses, !addresses.contains(address) {
        addresses.append(address)
      }
    }
    // Header, question and the fixed part of one record; the payload of other types is in the targets.
    if isNull, octets == 0 { octets = max(0, Int(lookup.responseOctets) - lookup.name.utf8.count - 30) }
    if lookup.addresses.contains(where: \.isLoopback) { loopbacks &+= 1 }
    guard octets > 0 else { return }
    answered &+= 1
    answerOctets &+= UInt64(octets)
  }

  /// Shannon entropy of the characters without dots, bits per character.
  static func entropy(_ text: Substring.UTF8View) -> Double {
    var counts = InlineArray<256, UInt8>(repeating: 0)
    var n = 0
    for byte in text where byte != 0x2e {
      counts[Int(byte)] &+= 1
      n += 1
    }
    guard n > 0, n < 256 else { return 0 }
    var sum = 0.0
    for i in 0..<256 where counts[i] > 0 {
      let share = Double(counts[i]) / Double(n)
      sum -= share * log2(share)
    }
    return sum
  }

  static func typeName(_ type: UInt16) -> String {
    switch type {
    case 1: "A"
    case 5: "CNAME"
    case 10: "NULL"
    case 15: "MX"
    case 16: "TXT"
    case 28: "AAAA"
    default: "TYPE\(type)"
    }
  }
}
