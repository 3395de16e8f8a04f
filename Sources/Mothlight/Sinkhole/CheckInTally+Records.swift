extension EvidenceLevel {
  var number: UInt16 { UInt16(rawValue) }
  init(number: UInt16) { self = EvidenceLevel(rawValue: UInt8(truncatingIfNeeded: number)) ?? .connected }
}
extension CheckInTally {
  func sighting<Key: SourceKey>(_ record: SourceRecord, _ key: Key) -> Sighting {
    let level = EvidenceLevel(number: record.level)
    let label = VisitorJudgement.Label(rawValue: record.visitor) ?? .none
    let start = (baseHour &+ Int64(record.hour)) &* 3600
    let source =
      Key.bitWidth == 32
      ? IPAddress(v4: UInt32(truncatingIfNeeded: key)) : IPAddress(high: UInt64(truncatingIfNeeded: key), low: 0)
    return Sighting(
      source: source, sourcePort: record.sourcePort, botnet: words[record.botnet],
      hour: Int(baseHour) + Int(record.hour), first: Timestamp(seconds: start + Int64(record.first)),
      last: Timestamp(seconds: start + Int64(record.last)), count: UInt64(record.count), level: level,
      visitor: VisitorJudgement.visitor(label, level: level), factor: 1 << UInt32(record.factor),
      rule: words[record.rule])
  }
  func sample(
    _ record: SourceRecord, _ facts: CheckInFacts, _ recognition: Recognition, isUniform: Bool, personal: Bool
  ) -> SpoolRecord {
    var prefix: [UInt8] = []
    switch facts.content {
    case .silence: break
    case .datagram(let b): prefix = Redaction.prefix(b.bytes, declares: personal)
    case .stream(_, let b): prefix = Redaction.prefix(b.bytes, declares: personal)
    }
    return .sample(
      CheckIn(
        source: facts.ends.client, prefix: prefix, family: words[recognition.botnet], rule: words[recognition.rule],
        level: recognition.level, text: ""))
  }
}
