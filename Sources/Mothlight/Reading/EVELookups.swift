/// Joins Suricata's separate DNS query and answer events into one look-up each.
///
/// Suricata logs a query when it is sent and an answer (before version 2 of the format: one event per resource record)
/// later. A look-up is held until 30 s of event time or `capacity` newer ones have passed, so that it is complete.
struct EVELookups {
  private static let holdSeconds = 30.0

  struct Key: Hashable {
    var client: IPAddress
    var clientPort: UInt16
    var id: UInt64
    var name: String
    var type: UInt16
  }

  private struct Pending {
    var time: Timestamp
    var lookup: DNSLookup
    /// Where in the input its first event stands.
    var offset: UInt64
  }

  private let capacity: Int
  private var pending: [Key: Pending] = [:]
  private var order: [Key] = []
  private var head = 0
  private var newest = Timestamp.distantPast

  init(capacity: Int = 8192) { self.capacity = max(1, capacity) }

  /// Where the first event stands that belongs to a look-up held; `nil` without one.
  var heldFrom: UInt64? {
    for key in order[head...] { if let entry = pending[key] { return entry.offset } }
    return nil
  }

  /// Takes one dns event, which stands at `offset` of the input.
  mutating func take(
    _ record: EVERecord, at time: Timestamp, _ origin: RecordOrigin, offset: UInt64 = 0, into out: inout [Observation]
  ) throws(RowRefusal) {
    guard let dns = record.object("dns") else { throw .damaged("dns event without its dns object") }
    var ends = try record.endpoints(origin)
    let kind = dns.bytes("type").map { ShortWord($0) } ?? "query"
    let isAnswer = kind == "answer" || kind == "response"
    if ends.serverPort != 53, ends.clientPort == 53 {
      ends = Endpoints(
        client: ends.server, server: ends.client, clientPort: ends.serverPort, serverPort: ends.clientPort,
        transport: ends.transport, origin: origin)
    }
    var question = dns
    if dns.value("rrname") == nil {
      dns.forEach("queries", limit: 1) { if let inner = EVERecord($0, in: dns) { question = inner } }
    }
    guard let name = question.domain("rrname") else { throw .skipped("dns record without a question") }
    // Version 1 gives the type of each answer record, which a CNAME chain makes differ from the question's.
    let isPart = isAnswer && dns.value("rdata") != nil
    let type = question.bytes("rrtype").map { Self.type($0) } ?? 0
    var key = Key(
      client: ends.client, clientPort: ends.clientPort, id: dns.count("id") ?? 0, name: name, type: isPart ? 0 : type)
    if isAnswer, isPart || pending[key] == nil { key = open(key) ?? key }
    var entry =
      pending[key] ?? Pending(time: time, lookup: DNSLookup(ends: ends, name: name, type: type), offset: offset)
    if isAnswer { Self.merge(dns, into: &entry.lookup) }
    if pending.updateValue(entry, forKey: key) == nil { order.append(key) }
    newest = max(newest, time)
    flush(into: &out)
  }

  /// For an answer record under another name or type than asked: the question with the same transaction.
  private func open(_ key: Key) -> Key? {
    for candidate in order[head...].suffix(64).reversed()
    where candidate.id == key.id && candidate.client == key.client && candidate.clientPort == key.clientPort {
      return candidate
    }
    return nil
  }

  private static func merge(_ dns: EVERecord, into lookup: inout DNSLookup) {
    if let code = dns.bytes("rcode") { lookup.responseCode = Self.code(code) }
    if lookup.responseCode == nil { lookup.responseCode = DNSLookup.noError }
    if dns.value("rdata") != nil { add(dns, to: &lookup) }
    guard dns.value("answers") == nil else {
      return dns.forEach("answers", limit: Limits.dnsAnswers) {
        if let answer = EVERecord($0, in: dns) { add(answer, to: &lookup) }
      }
    }
    guard let grouped = dns.object("grouped") else { return }
    for key: StaticString in ["A", "AAAA", "CNAME", "PTR", "MX", "NS", "TXT"] {
      grouped.forEach(key, limit: Limits.dnsAnswers) { add(grouped.slice($0), to: &lookup) }
    }
  }

  private static func add(_ answer: EVERecord, to lookup: inout DNSLookup) {
    if let data = answer.bytes("rdata") { add(data, to: &lookup) }
    if let ttl = answer.count("ttl") {
      let seconds = UInt32(clamping: ttl)
      lookup.ttlSeconds = lookup.ttlSeconds == 0 ? seconds : min(lookup.ttlSeconds, seconds)
    }
  }

  private static func add(_ data: UnsafeRawBufferPointer, to lookup: inout DNSLookup) {
    guard data.count > 0, lookup.addresses.count + lookup.targets.count < Limits.dnsAnswers else { return }
    if let address = IPAddress(ascii: data) {
      lookup.addresses.append(address)
    } else {
      lookup.targets.append(LogText.domain(data))
    }
  }

  private mutating func flush(into out: inout [Observation]) {
    let cutoff = newest.advanced(bySeconds: -Self.holdSeconds)
    while head < order.count {
      let key = order[head]
      guard let entry = pending[key] else {
        head += 1
        continue
      }
      guard pending.count > capacity || entry.time < cutoff else { break }
      pending[key] = nil
      head += 1
      out.append(Observation(time: entry.time, event: .dns(entry.lookup)))
    }
    if head > 4096 {
      order.removeFirst(head)
      head = 0
    }
  }

  mutating func finish(into out: inout [Observation]) {
    for key in order[head...] {
      if let entry = pending[key] { out.append(Observation(time: entry.time, event: .dns(entry.lookup))) }
    }
    pending = [:]
    order = []
    head = 0
  }

  /// Record types by name (IANA "Resource Record (RR) TYPEs"); others are written `TYPE123`.
  private static func type(_ text: UnsafeRawBufferPointer) -> UInt16 {
    switch ShortWord(text) {
    case "a": 1
    case "ns": 2
    case "cname": 5
    case "soa": 6
    case "null": 10
    case "ptr": 12
    case "hinfo": 13
    case "mx": 15
    case "txt": 16
    case "aaaa": 28
    case "srv": 33
    case "naptr": 35
    case "ds": 43
    case "dnskey": 48
    case "svcb": 64
    case "https": 65
    case "any": 255
    default:
      ASCIINumber.unsigned(UnsafeRawBufferPointer(rebasing: text.drop { $0 &- 0x30 > 9 })).flatMap {
        UInt16(exactly: $0)
      } ?? 0
    }
  }

  /// RCODE by name (IANA "DNS RCODEs") or number.
  private static func code(_ text: UnsafeRawBufferPointer) -> UInt16 {
    switch ShortWord(text) {
    case "noerror": 0
    case "formerr": 1
    case "servfail": 2
    case "nxdomain": 3
    case "notimp": 4
    case "refused": 5
    default: ASCIINumber.unsigned(text).flatMap { UInt16(exactly: $0) } ?? 11
    }
  }
}
