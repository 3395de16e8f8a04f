/// What one run adds to the state: its hosts and pairs as far as they were not read in an earlier run.
struct RunShare: Sendable {
  struct PairPart: Sendable {
    var key: PairKey
    var service: UInt8 = 0
    var name: String?
    var first: UInt32 = .max
    var last: UInt32 = 0
    var days: UInt64 = 0
    var counts = PairCounts()
    var recent = InlineArray<3, KeptConversation>(repeating: KeptConversation())
    /// Sorted, at most `RollingState.startsKept`.
    var times: [UInt32] = []
  }

  /// Sorted by address.
  private(set) var hosts: [RememberedHost] = []
  /// Sorted by key.
  private(set) var pairs: [PairPart] = []
  /// Earliest and latest second entered; `nil` when nothing was.
  private(set) var span: ClosedRange<UInt32>?
  private(set) var days: UInt64 = 0
  /// Pairs and hosts whose times are far from nearly all others: a clock was wrong.
  private(set) var strays: UInt64 = 0

  /// - Parameter echo: what of it was read before.
  init(_ shards: [Shard], less echo: Echo.Heard?) {
    guard let newest = Self.newestDay(shards) else { return }
    let oldest = newest - (RollingState.daysKept - 1)
    for shard in shards {
      for host in shard.context.hosts { add(host, less: echo, oldest...newest) }
      for pair in shard.context.pairs.pairs where !pair.isInside {
        var part = PairPart(pair, shard.context, less: echo?.pairs[PairKey(pair, shard.context)])
        part.name = shard.context.name(of: pair.peer, knownTo: pair.host)
        add(part, oldest...newest)
      }
    }
    hosts.sort { $0.address < $1.address }
    pairs.sort { $0.key < $1.key }
  }

  private mutating func add(_ host: HostRecord, less echo: Echo.Heard?, _ window: ClosedRange<Int>) {
    let days = host.days.filter { window.contains($0.day) }
    if days.count < host.days.count { strays &+= 1 }
    guard !days.isEmpty else { return }
    let record = RememberedHost(host, days: days, less: echo?.hosts[host.address])
    guard record.last > 0 else { return }
    let low = min(record.first, record.last)
    let before = span
    span = min(low, span?.lowerBound ?? low)...max(record.last, span?.upperBound ?? record.last)
    self.days = SeenDays.union(
      self.days, Int((before?.upperBound ?? 0) / 86_400), record.days, Int(record.last / 86_400))
    hosts.append(record)
  }

  private mutating func add(_ part: PairPart, _ window: ClosedRange<Int>) {
    guard !part.counts.isNothing || !part.times.isEmpty else { return }
    let low = UInt32(clamping: window.lowerBound * 86_400)
    let high = UInt32(clamping: window.upperBound * 86_400 + 86_399)
    guard part.first <= high, part.last >= low else {
      strays &+= 1
      return
    }
    var part = part
    part.first = max(part.first, low)
    part.last = min(part.last, high)
    part.times.removeAll { $0 < low || $0 > high }
    part.days = ([part.first, part.last] + part.times).reduce(0) {
      $0 | SeenDays.bit(of: Int($1 / 86_400), last: Int(part.last / 86_400))
    }
    pairs.append(part)
  }

  /// The latest day with at least a thousandth of all flows. One record with a clock of the next century must not make all
  /// that is kept look old.
  private static func newestDay(_ shards: [Shard]) -> Int? {
    var flows: [Int: UInt64] = [:]
    for shard in shards {
      for host in shard.context.hosts {
        for day in host.days { flows[day.day, default: 0] &+= day.activity.flows &+ day.activity.events }
      }
    }
    let total = flows.values.reduce(0, &+)
    guard var newest = flows.filter({ $0.value > 0 && $0.value.saturatingMultiply(1000) >= total }).keys.max() else {
      return nil
    }
    // A day that has just begun has few flows yet.
    while flows[newest + 1] != nil { newest += 1 }
    return newest
  }
}

extension UInt64 {
  fileprivate func saturatingMultiply(_ other: UInt64) -> UInt64 {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? .max : product
  }
}

/// One of our hosts with one service outside, whatever number the host has in a shard.
struct PairKey: Hashable, Comparable, Sendable {
  var host: IPAddress
  var peer: IPAddress
  var port: UInt16
  var transport: UInt8

  init(_ pair: Pair, _ context: ShardContext) {
    host = context.address(of: pair.host)
    peer = pair.peer
    port = pair.port
    transport = pair.transport.rawValue
  }

  static func < (a: Self, b: Self) -> Bool {
    (a.host, a.peer, a.port, a.transport) < (b.host, b.peer, b.port, b.transport)
  }
}

extension RunShare.PairPart {
  /// - Parameter heard: the same pair as earlier runs' records alone show it.
  init(_ pair: Pair, _ context: ShardContext, less heard: RunShare.PairPart?) {
    key = PairKey(pair, context)
    service = pair.service.rawValue
    first = pair.first.keptSeconds
    last = pair.last.keptSeconds
    counts = PairCounts(pair)
    times = context.pairs.keptStarts(of: pair)
    let latest = context.pairs.recent(of: pair)
    for i in 0..<3 { recent[i] = latest?.kept(i) ?? KeptConversation() }
    if let heard {
      counts.subtract(heard.counts)
      times = Self.difference(times, heard.times)
    }
    if times.count > RollingState.startsKept { times.removeFirst(times.count - RollingState.startsKept) }
  }

  /// Sorted values of `all` without those of `taken`, each as often as it stands there.
  static func difference(_ all: [UInt32], _ taken: [UInt32]) -> [UInt32] {
    var rest: [UInt32] = []
    var t = 0
    for value in all {
      while t < taken.count, taken[t] < value { t += 1 }
      if t < taken.count, taken[t] == value { t += 1 } else { rest.append(value) }
    }
    return rest
  }
}

extension PairTable {
  /// Starts of a pair in whole seconds, sorted: those that are kept, or the only one.
  func keptStarts(of pair: Pair) -> [UInt32] {
    if let detail = detail(of: pair), !detail.ticks.isEmpty {
      return detail.ticks.sorted().map { detail.zero.advanced(bySeconds: Double($0) / 100).keptSeconds }
    }
    // The latest conversation noted is the one that began; `first` may be of one that went on from an earlier run.
    guard pair.starts == 1, let recent = recent(of: pair), recent.hasTime else { return [] }
    return [recent.began(0).keptSeconds]
  }
}

extension RememberedHost {
  /// - Parameters:
  ///   - days: those of the record that are believed.
  ///   - heard: the same host as earlier runs' records alone show it.
  init(_ host: HostRecord, days believed: [(day: Int, activity: HostActivity)], less heard: RememberedHost?) {
    self.init(host.address)
    first = believed.map { $0.activity.first.keptSeconds }.min() ?? .max
    last = believed.map { $0.activity.first.keptSeconds }.max() ?? 0
    // A flow's end may lie days ahead; its start is when the host was there.
    let newestDay = believed.map(\.day).max() ?? 0
    days = believed.reduce(0) { $0 | SeenDays.bit(of: $1.day, last: newestDay) }
    let present = believed.flatMap { $0.activity.hours(of: $0.day) }
    if let newest = present.max() {
      newestHour = UInt32(clamping: newest)
      hours = present.reduce(0) { $0 | SeenDays.bit(of: $1, last: newest) }
      last = max(last, UInt32(clamping: newest * 3600))
    }
    outboundFlows = host.outboundFlows.saturatingSubtract(heard?.outboundFlows ?? 0)
    lookups = host.dnsLookups.saturatingSubtract(heard?.lookups ?? 0)
    mailReceived = host.mailReceived.saturatingSubtract(host.earlier.mailReceived)
      .saturatingSubtract(heard?.mailReceived ?? 0)
    lookupsServed = host.lookupsServed.saturatingSubtract(host.earlier.lookupsServed)
      .saturatingSubtract(heard?.lookupsServed ?? 0)
    names = host.namesKnown
  }
}

extension HostActivity {
  /// Hours since the epoch in which flows began on `day`.
  func hours(of day: Int) -> [Int] {
    (0..<24).filter { hour in bins[(hour * 4)..<(hour * 4 + 4)].contains { $0 > 0 } }.map { day * 24 + $0 }
  }
}
