import Mothlight

/// What every zone of an order answers: built once, shared by all its names.
final class ZoneBody: Sendable {
  /// Whole record sets whose owner is the question's name.
  let ipv4: [UInt8]
  let ipv6: [UInt8]
  let text: [UInt8]
  /// The answer to ANY (RFC 8482 section 4.2).
  let host: [UInt8]
  let (ipv4Count, ipv6Count): (UInt16, UInt16)
  let servers: NameGroup
  /// Primary server and mailbox.
  let authority: NameGroup
  /// Serial, refresh, retry, expire, minimum.
  let timers: [UInt8]
  let ttl: UInt32
  let negativeTTL: UInt32

  init(_ settings: DNSSettings, addresses: SinkAddresses, serial: UInt32) {
    (ttl, negativeTTL) = (settings.ttlSeconds, settings.negativeTTLSeconds)
    ipv4 = addresses.ipv4.flatMap { Self.record(1, settings.ttlSeconds, $0.networkBytes) }
    ipv6 = addresses.ipv6.flatMap { Self.record(28, settings.ttlSeconds, $0.networkBytes) }
    (ipv4Count, ipv6Count) = (UInt16(clamping: addresses.ipv4.count), UInt16(clamping: addresses.ipv6.count))
    let strings = settings.ownership.flatMap { [UInt8(clamping: $0.utf8.count)] + $0.utf8.prefix(255) }
    text = strings.isEmpty ? [] : Self.record(16, settings.ttlSeconds, strings)
    host = Self.record(13, settings.ttlSeconds, [7] + "RFC8482".utf8 + [0])
    servers = NameGroup(settings.servers)
    authority = NameGroup([settings.servers.first ?? .root, settings.mailbox])
    timers = [serial, 3600, 600, 604_800, settings.negativeTTLSeconds].flatMap(Self.network)
  }

  private static func record(_ type: UInt16, _ ttl: UInt32, _ content: [UInt8]) -> [UInt8] {
    let head: [UInt8] = [0xc0, 0x0c, UInt8(type >> 8), UInt8(type & 255), 0, 1]
    let length = UInt16(clamping: content.count)
    return head + network(ttl) + [UInt8(length >> 8), UInt8(length & 255)] + content
  }

  private static func network(_ value: UInt32) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }
}

/// Names that stand in one record set, laid out so that their ends can be shared (RFC 1035 section 4.1.4).
struct NameGroup: Sendable {
  struct Member: Sendable {
    /// Where its octets begin in `octets`, and its first label in `starts`.
    var place: Int
    var firstLabel: Int
    var labels: Int
    var length: Int
    /// Labels at the end that it has in common with the group's first name.
    var shared: Int
  }

  let octets: [UInt8]
  /// Offsets of labels within each name, one after the other.
  let starts: [UInt8]
  let members: [Member]

  init(_ names: [DomainName]) {
    var octets: [UInt8] = []
    var starts: [UInt8] = []
    var members: [Member] = []
    let first = names.first.map(Self.ends) ?? []
    for name in names {
      var offsets: [UInt8] = []
      var at = 0
      while name.octets[at] != 0 {
        offsets.append(UInt8(truncatingIfNeeded: at))
        at += Int(name.octets[at]) + 1
      }
      let shared = members.isEmpty ? 0 : zip(Self.ends(name), first).prefix { $0 == $1 }.count
      members.append(
        Member(
          place: octets.count, firstLabel: starts.count, labels: offsets.count, length: name.octets.count,
          shared: shared))
      octets += name.octets
      starts += offsets
    }
    (self.octets, self.starts, self.members) = (octets, starts, members)
  }

  /// The ends of a name: the last label, the last two, …
  private static func ends(_ name: DomainName) -> [[UInt8]] {
    var ends: [[UInt8]] = []
    var rest = name
    while let parent = rest.parent {
      ends.append(rest.octets)
      rest = parent
    }
    return ends.reversed()
  }
}

extension ReplyWriter {
  /// Writes a member of a group with pointers to the question's name or to the group's first one.
  /// - Parameters:
  ///   - first: where the first member was written; the writer's place for the first itself.
  mutating func name(
    _ index: Int, of group: NameGroup, first: Int, question name: QueryName, _ query: DNSQuery
  ) {
    let member = group.members[index]
    group.octets.withUnsafeBufferPointer { octets in
      group.starts.withUnsafeBufferPointer { starts in
        guard let octets = octets.baseAddress, let starts = starts.baseAddress else { return octet(0) }
        let own = octets + member.place
        let labels = starts + member.firstLabel
        var common = 0
        while common < member.labels, common < query.labels {
          let a = own + Int(labels[member.labels &- common &- 1])
          let b = name.octets + Int(name.starts[query.labels &- common &- 1])
          guard Self.equalLabel(a, b) else { break }
          common &+= 1
        }
        if index > 0, member.shared > common {
          let lead = group.members[0]
          let target = first &+ Int(starts[lead.firstLabel &+ lead.labels &- member.shared])
          return write(own, labels, member, keeping: member.labels &- member.shared, pointer: target)
        }
        if common == 0 { return self.octets(own, member.length) }
        let target = 12 &+ Int(name.starts[query.labels &- common])
        write(own, labels, member, keeping: member.labels &- common, pointer: target)
      }
    }
  }

  private mutating func write(
    _ own: UnsafePointer<UInt8>, _ labels: UnsafePointer<UInt8>, _ member: NameGroup.Member, keeping kept: Int,
    pointer target: Int
  ) {
    octets(own, kept < member.labels ? Int(labels[kept]) : member.length &- 1)
    network16(0xc000 | UInt16(truncatingIfNeeded: target & 0x3fff))
  }

  @inline(__always)
  private static func equalLabel(_ a: UnsafePointer<UInt8>, _ b: UnsafePointer<UInt8>) -> Bool {
    let length = Int(a[0])
    var i = 0
    while i <= length {
      if a[i] != b[i] { return false }
      i &+= 1
    }
    return true
  }
}
