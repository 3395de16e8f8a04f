import Mothlight

/// A host-day as the rows that it will be: all that can be made of it without the database.
struct EncodedDay: Sendable {
  struct Item: Sendable {
    var mark: Int64
    /// Of its subject and the name of its peer.
    var about: UInt64
    var body: [UInt8]
  }
  let day: HostDay
  let body: [UInt8]
  /// One for each finding, in their order.
  let findings: [Item]
  let names: Names

  init(_ day: HostDay, _ names: NameHash) {
    self.day = day
    body = HostDayBody.encode(day)
    findings = day.findings.map { finding in
      Item(
        mark: Finding.mark(of: finding.id) ?? 0, about: names.hash(finding.subject, finding.peerName ?? ""),
        body: FindingBody.encode(finding))
    }
    self.names = Names(day)
  }

  /// What a list shows of a host-day, and which botnets it names.
  struct Names: Sendable {
    var botnets: [String]
    var brief: [UInt8]

    init(_ day: HostDay) {
      botnets = Set(day.botnets).union(day.findings.compactMap(\.botnet)).sorted()
      brief = HostDayBody.encode(HostDayBody.Brief(reason: day.reason, botnets: botnets, roles: day.roles))
    }
  }
}
