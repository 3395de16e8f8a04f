/// DNS queries that wait for their answer, oldest first out; makes one `DNSLookup` per transaction.
struct OpenLookups {
  /// Seconds of event time after which a query counts as unanswered; stub resolvers give up within 10 s.
  static let timeoutSeconds = 10.0

  struct Key: Hashable {
    var client: IPAddress
    var server: IPAddress
    var clientPort: UInt16
    var id: UInt16
    var type: UInt16
    var name: String

    func hash(into hasher: inout Hasher) {
      hasher.combine(name)
      hasher.combine(client.low ^ UInt64(clientPort) << 48 ^ UInt64(id) << 32 ^ UInt64(type))
      hasher.combine(server.low)
    }
  }

  private struct Waiting {
    var serial: UInt64
    var time: Timestamp
    var ends: Endpoints
    /// Already emitted, kept because repeated queries will bring repeated answers.
    var isAnswered = false
    var repeats = 0
    var anomalies: Anomalies
  }

  private var waiting: [Key: Waiting] = [:]
  private var order: [(serial: UInt64, time: Timestamp, key: Key)] = []
  private var head = 0
  private var nextSerial: UInt64 = 0
  private let limit: Int

  init(limit: Int = Limits.openLookups) { self.limit = Swift.max(1, limit) }

  var count: Int { waiting.count }

  /// Takes one decoded message; `ends.client` is the side that asks.
  mutating func take(
    _ message: DNSMessage, ends: Endpoints, octets: Int, anomalies: Anomalies, at time: Timestamp,
    into out: inout [Observation]
  ) {
    let key = Key(
      client: ends.client, server: ends.server, clientPort: ends.clientPort, id: message.id, type: message.type,
      name: message.question.text)
    if message.isResponse {
      answer(message, key: key, ends: ends, octets: octets, anomalies: anomalies, at: time, into: &out)
    } else if let place = waiting.index(forKey: key) {
      waiting.values[place].repeats &+= 1
    } else {
      expire(before: time, into: &out)
      while waiting.count >= limit, popOldest(into: &out) {}
      waiting[key] = Waiting(
        serial: nextSerial, time: time, ends: ends, anomalies: anomalies.union(message.anomalies))
      order.append((nextSerial, time, key))
      nextSerial &+= 1
      compact()
    }
  }

  private mutating func answer(
    _ message: DNSMessage, key: Key, ends: Endpoints, octets: Int, anomalies: Anomalies, at time: Timestamp,
    into out: inout [Observation]
  ) {
    var began = time
    var asked = ends
    var all = anomalies.union(message.anomalies)
    if let place = waiting.index(forKey: key) {
      let entry = waiting.values[place]
      guard !entry.isAnswered else { return }
      began = entry.time
      asked = entry.ends
      all.formUnion(entry.anomalies)
      if entry.repeats > 0 {
        waiting.values[place].isAnswered = true
      } else {
        waiting.remove(at: place)
      }
    } else {
      all.insert(.unsolicitedAnswer)
    }
    let lookup = DNSLookup(
      ends: asked, name: message.question.text, type: message.type, responseCode: message.responseCode,
      addresses: message.addresses, targets: message.targets, ttlSeconds: message.ttlSeconds,
      responseOctets: UInt32(clamping: octets), anomalies: all)
    out.append(Observation(time: began, event: .dns(lookup)))
  }

  /// Emits every query older than the timeout, seen from `now`.
  mutating func expire(before now: Timestamp, into out: inout [Observation]) {
    let cutoff = now.advanced(bySeconds: -Self.timeoutSeconds)
    while head < order.count {
      guard order[head].time < cutoff else { break }
      let item = order[head]
      if let entry = waiting[item.key], entry.serial == item.serial { emit(item.key, entry, into: &out) }
      head &+= 1
    }
    compact()
  }

  mutating func finish(into out: inout [Observation]) {
    while popOldest(into: &out) {}
    order = []
    head = 0
  }

  private mutating func popOldest(into out: inout [Observation]) -> Bool {
    while head < order.count {
      let item = order[head]
      head &+= 1
      if let entry = waiting[item.key], entry.serial == item.serial {
        emit(item.key, entry, into: &out)
        return true
      }
    }
    return false
  }

  private mutating func emit(_ key: Key, _ entry: Waiting, into out: inout [Observation]) {
    waiting[key] = nil
    guard !entry.isAnswered else { return }
    let lookup = DNSLookup(ends: entry.ends, name: key.name, type: key.type, anomalies: entry.anomalies)
    out.append(Observation(time: entry.time, event: .dns(lookup)))
  }

  /// Drops passed and stale places once they are most of the queue: amortised O(1) a query.
  private mutating func compact() {
    if head > 64, head &* 2 > order.count {
      order.removeFirst(head)
      head = 0
    }
    if order.count &- head > 2 &* waiting.count &+ 1024 {
      order = order[head...].filter { waiting[$0.key]?.serial == $0.serial }
      head = 0
    }
  }
}
