/// Counters of one host's day: flat, because every flow touches them.
struct DayTally: Sendable, BitwiseCopyable {
  var day: Int
  var first = Timestamp.distantFuture
  var last = Timestamp.distantPast
  var flows: UInt64 = 0
  var outboundFlows: UInt64 = 0
  var answeredFlows: UInt64 = 0
  var octetsOut: UInt64 = 0
  var octetsIn: UInt64 = 0
  var dnsLookups: UInt64 = 0
  var events: UInt64 = 0
  var bins = InlineArray<96, UInt32>(repeating: 0)

  init(day: Int) { self.day = day }

  /// What every record writes to.
  static let octetsBeforeBins = 80

  @inline(__always)
  mutating func add(_ flow: Flow, _ orientation: Orientation) {
    flows &+= 1
    if flow.first < first { first = flow.first }
    if flow.last > last { last = flow.last }
    let isInbound = orientation == .inbound
    octetsOut &+= isInbound ? flow.destinationOctets : flow.sourceOctets
    octetsIn &+= isInbound ? flow.sourceOctets : flow.destinationOctets
    if orientation == .outbound { outboundFlows &+= 1 }
    if flow.sourcePackets > 0 && flow.destinationPackets > 0 || flow.state.wasAnswered == true { answeredFlows &+= 1 }
    let bin = (flow.first.nanoseconds &- Int64(day) &* 86_400_000_000_000) / 900_000_000_000
    if bin >= 0, bin < HostActivity.binCount { bins[Int(bin)] &+= 1 }
  }

  mutating func add(eventAt time: Timestamp, isLookup: Bool) {
    events &+= 1
    if isLookup { dnsLookups &+= 1 }
    if time < first { first = time }
    if time > last { last = time }
  }

  var activity: HostActivity {
    var a = HostActivity()
    a.first = first
    a.last = last
    a.flows = flows
    a.outboundFlows = outboundFlows
    a.answeredFlows = answeredFlows
    a.octetsOut = octetsOut
    a.octetsIn = octetsIn
    a.dnsLookups = dnsLookups
    a.events = events
    for i in 0..<HostActivity.binCount { a.bins[i] = bins[i] }
    return a
  }
}
