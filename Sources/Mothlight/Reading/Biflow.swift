/// Joins the two unidirectional records of a conversation into one bidirectional flow (RFC 5103 section 3).
///
/// A record waits for its counterpart (addresses and ports swapped, overlapping in time) for `holdSeconds` of event
/// time or until `capacity` newer ones wait; then it goes out alone.
struct Biflow {
  /// One record as an exporter gives it.
  struct Record {
    var flow: Flow
    /// TCP flags of this direction, all packets or-ed.
    var tcpFlags: UInt8
    /// The exporter counted both directions itself.
    var isBidirectional = false
    /// TCP flags of the answer, where the exporter tells them apart.
    var answerFlags: UInt8?
    /// Records of different exporters are not joined: two that see the same flow would pair with each other.
    var exporter: UInt32 = 0
  }

  private struct Key: Hashable {
    var source: IPAddress
    var destination: IPAddress
    var sourcePort: UInt16
    var destinationPort: UInt16
    var transport: UInt8
    var exporter: UInt32

    init(_ record: Record, swapped: Bool) {
      let flow = record.flow
      let isICMP = flow.transport.isICMP
      source = swapped ? flow.destination : flow.source
      destination = swapped ? flow.source : flow.destination
      // The types of an ICMP request and its reply differ; the addresses have to do.
      sourcePort = isICMP ? 0 : swapped ? flow.destinationPort : flow.sourcePort
      destinationPort = isICMP ? 0 : swapped ? flow.sourcePort : flow.destinationPort
      transport = flow.transport.rawValue
      exporter = record.exporter
    }

    func hash(into hasher: inout Hasher) {
      hasher.combine(source.low ^ destination.low &* 3 ^ source.high ^ destination.high)
      hasher.combine(
        UInt64(sourcePort) << 24 | UInt64(destinationPort) << 8 | UInt64(transport) ^ UInt64(exporter) << 40)
    }
  }

  /// Idle seconds that still count as overlap: one direction's record may end before the other's begins.
  static let toleranceSeconds = 5.0
  /// The longest usual active timeout: the counterpart's record comes out no later than this after ours.
  static let holdSeconds = 300.0

  private let capacity: Int
  private let holdSeconds: Double
  private var waiting: [Key: (serial: UInt64, record: Record)] = [:]
  private var order: [(serial: UInt64, key: Key)] = []
  private var head = 0
  private var serial: UInt64 = 0
  private var newest = Timestamp.distantPast

  /// Records that went out alone because too many waited.
  private(set) var pushedOut: UInt64 = 0

  init(capacity: Int = 1 << 16, holdSeconds: Double = Biflow.holdSeconds) {
    self.capacity = max(1, capacity)
    self.holdSeconds = max(0, holdSeconds)
  }

  /// Lets go of what has waited long enough at `time`, though no record tells that time goes on.
  mutating func advance(to time: Timestamp, into out: inout [Flow]) {
    newest = max(newest, time)
    expire(into: &out)
  }

  mutating func take(_ record: Record, into out: inout [Flow]) {
    newest = max(newest, record.flow.first)
    if record.isBidirectional {
      out.append(Self.oneSided(record))
    } else if let other = waiting[Key(record, swapped: true)]?.record, Self.overlap(record.flow, other.flow) {
      waiting[Key(record, swapped: true)] = nil
      out.append(Self.join(other, record))
    } else {
      let key = Key(record, swapped: false)
      // A further record of the same direction: the older one will find no better match.
      if let older = waiting[key] { out.append(Self.oneSided(older.record)) }
      waiting[key] = (serial, record)
      order.append((serial, key))
      serial &+= 1
    }
    expire(into: &out)
  }

  mutating func finish(into out: inout [Flow]) {
    for item in order[head...] {
      if let entry = waiting[item.key], entry.serial == item.serial { out.append(Self.oneSided(entry.record)) }
    }
    waiting = [:]
    order = []
    head = 0
  }

  private mutating func expire(into out: inout [Flow]) {
    let cutoff = newest.advanced(bySeconds: -holdSeconds)
    while head < order.count {
      let item = order[head]
      if let entry = waiting[item.key], entry.serial == item.serial {
        let isOld = entry.record.flow.last < cutoff
        guard waiting.count > capacity || isOld else { break }
        if !isOld { pushedOut &+= 1 }
        waiting[item.key] = nil
        out.append(Self.oneSided(entry.record))
      }
      head += 1
    }
    if head > 4096, head * 2 > order.count {
      order.removeFirst(head)
      head = 0
    }
    guard order.count - head > 2 * waiting.count + 4096 else { return }
    order = order[head...].filter { waiting[$0.key]?.serial == $0.serial }
    head = 0
  }

  private static func overlap(_ a: Flow, _ b: Flow) -> Bool {
    a.first.seconds(since: b.last) <= toleranceSeconds && b.first.seconds(since: a.last) <= toleranceSeconds
  }

  /// The initiator is who sent SYN alone, else who spoke first, else who has the higher port.
  private static func join(_ a: Record, _ b: Record) -> Flow {
    let aAnswers = a.tcpFlags & 0x12 == 0x12 && a.tcpFlags & FlagPair.syn != 0
    var isGuessed = false
    var aBegan = a.flow.first < b.flow.first
    if a.flow.transport == .tcp, (a.tcpFlags ^ b.tcpFlags) & FlagPair.syn != 0 {
      aBegan = a.tcpFlags & FlagPair.syn != 0 ? !aAnswers || a.flow.first <= b.flow.first : false
    } else if a.flow.first == b.flow.first {
      aBegan = a.flow.sourcePort >= b.flow.sourcePort
      isGuessed = a.flow.transport != .tcp || a.tcpFlags & FlagPair.syn == 0
    }
    let (source, destination) = aBegan ? (a, b) : (b, a)
    var flow = source.flow
    flow.first = min(a.flow.first, b.flow.first)
    flow.last = max(a.flow.last, b.flow.last)
    flow.destinationOctets = destination.flow.sourceOctets
    flow.destinationPackets = destination.flow.sourcePackets
    if isGuessed { flow.anomalies.insert(.directionGuessed) }
    flow.state =
      flow.transport == .tcp
      ? FlagPair(source: source.tcpFlags, destination: destination.tcpFlags).state(beganInView: false) : .established
    return flow
  }

  private static func oneSided(_ record: Record) -> Flow {
    var flow = record.flow
    let answered = flow.destinationPackets > 0 || flow.destinationOctets > 0
    switch flow.transport {
    case .tcp where answered:
      if let answer = record.answerFlags {
        flow.state = FlagPair(source: record.tcpFlags, destination: answer).state(beganInView: false)
        break
      }
      flow.state =
        record.tcpFlags & FlagPair.syn == 0
        ? .midstream
        : record.tcpFlags & FlagPair.reset != 0 ? .reset : record.tcpFlags & FlagPair.fin != 0 ? .closed : .established
    case .tcp: flow.state = FlagPair(source: record.tcpFlags, destination: 0).state(beganInView: false)
    case .icmp, .icmp6:
      flow.state = answered ? .established : flow.sourcePort == 8 || flow.sourcePort == 128 ? .unanswered : .unknown
    default: flow.state = answered ? .established : .unanswered
    }
    return flow
  }
}
