import Glibc

/// What one of our hosts has done with one service outside: the shared memory of all pair detectors.
///
/// 176 bytes a pair, and 256 for times and samples from the fourth start on: `PairTimes`.
public struct Pair: Sendable, BitwiseCopyable {
  public var host: UInt32
  public var peer: IPAddress
  public var port: UInt16
  public var transport: Transport
  public var isInside: Bool
  /// Application protocol of its latest conversation that showed one.
  public var service = Service.unknown
  /// Conversations begun; continuations of one that was cut do not count.
  public var starts: UInt32 = 0
  public var failed: UInt32 = 0
  public var answered: UInt32 = 0
  /// Starts seen from the middle on, so that who began is a guess.
  public var guessed: UInt32 = 0
  public var first = Timestamp.distantFuture
  public var last = Timestamp.distantPast
  public var octetsOut: UInt64 = 0
  public var octetsIn: UInt64 = 0
  public var packetsOut: UInt64 = 0
  public var packetsIn: UInt64 = 0
  /// Seconds of conversation, continuations included.
  public var seconds: Float = 0
  /// Longest single conversation with its continuations, seconds.
  public var longest: Float = 0
  public var sizesOut = Moments()
  public var sizesIn = Moments()
  var detail: Int32 = -1
  /// The latest conversations by source port, newest first: what a further record may continue.
  var recent = InlineArray<3, Recent>(repeating: Recent())

  struct Recent: Sendable, BitwiseCopyable {
    /// Seconds since the pair's `first` record arrived; negative for late records.
    var began: Float = 0
    var last: Float = -.infinity
    var port: UInt16 = 0
    var hasEnded = true
  }
  /// Zero of `recent`: the first record's time.
  var zero = Timestamp.distantPast

  /// Mean and spread of octets per answered conversation (Welford 1962).
  public struct Moments: Sendable, BitwiseCopyable {
    public var count: Float = 0
    public var mean: Float = 0
    var m2: Float = 0
    @inline(__always) mutating func add(_ value: Float) {
      count += 1
      let delta = value - mean
      mean += delta / count
      m2 += delta * (value - mean)
    }
    /// Standard deviation over mean; 0 for fewer than two values.
    public var dispersion: Double { count > 1 && mean > 0 ? Double((m2 / count).squareRoot() / mean) : 0 }
  }
}

/// Times of a pair that came back often enough to be looked at, put together for a detector.
public struct PairDetail: Sendable {
  /// Starts in order of arrival, hundredths of a second since `zero`, 248 days either way.
  var ticks: [Int32] = []
  /// Whole hour of the first start kept: ticks of a pair depend on nothing but the pair.
  var zero = Timestamp.distantPast
  /// Gap counts of starts that left `ticks`; empty until some did.
  var oldGaps: [UInt32] = []
  var ticksDropped: UInt32 = 0
  /// Since when earlier runs saw it, where they saw more starts than they kept.
  var goesOnSince = Timestamp.distantFuture

  static let timesKept = 512
}

/// Pairs of one shard, found by a 64-bit fingerprint.
public struct PairTable: Sendable {
  var pairs = FlatArray<Pair>()
  /// Places of the pairs with two starts or more: what most detectors look at, a fraction of the table.
  var busy: [Int32] = []
  var details = FlatArray<PairTimes>()
  var series: [LongSeries] = []
  /// Times that a full table of long series had no room for.
  private(set) var timesRefused: UInt64 = 0
  private var index = FingerprintTable(limit: PairTable.limit)
  /// Pairs per shard: 1 M × 200 B with index is 200 MB at most; more are counted and left alone.
  static let limit = 1 << 20
  var refused: UInt64 { index.refused }
  /// Pairs that may have a long series.
  var longSeriesMost = LongSeries.limit
  /// The start from which on times are kept. Between runs the second counts, and brings the first with it.
  var keepsFrom: UInt32 = 4
  /// The latest conversations of earlier runs, by fingerprint: what a first record may continue.
  var earlier: [UInt64: InlineArray<3, KeptConversation>] = [:]

  /// What a flow was to its pair.
  struct Place {
    var isContinuation: Bool
    /// First time that this host uses this service of this peer.
    var isNew: Bool
  }

  /// Fingerprint of a pair.
  @inline(__always)
  static func key(_ flow: Flow, host: UInt32) -> UInt64 {
    key(flow.destination, flow.destinationPort, flow.transport, host: host)
  }

  @inline(__always)
  static func key(_ peer: IPAddress, _ port: UInt16, _ transport: Transport, host: UInt32) -> UInt64 {
    mix64(peer.mixed ^ (UInt64(host) << 32 | UInt64(port) << 8 | UInt64(transport.rawValue)))
  }

  /// Asks for the place of a pair in the index, then, some time later, for the pair.
  @inline(__always) func prefetchIndex(_ key: UInt64) { index.prefetch(key) }
  @inline(__always) func prefetchPair(_ key: UInt64) {
    if let i = index.peek(key), Int(i) < pairs.count { pairs.prefetch(Int(i)) }
  }

  mutating func update(_ flow: Flow, host: UInt32, peer: IPAddress, isInside: Bool) -> Place {
    update(flow, key: Self.key(flow, host: host), host: host, peer: peer, isInside: isInside)
  }

  @inline(__always)
  mutating func update(_ flow: Flow, key: UInt64, host: UInt32, peer: IPAddress, isInside: Bool) -> Place {
    let next = UInt32(truncatingIfNeeded: pairs.count)
    let found = index.find(key, orInsert: next)
    if found == nil {
      guard index.count > pairs.count else { return Place(isContinuation: false, isNew: false) }  // full
      pairs.append(
        Pair(host: host, peer: peer, port: flow.destinationPort, transport: flow.transport, isInside: isInside))
      if !earlier.isEmpty, let known = earlier[key] { pairs[Int(next)].resume(known, at: flow.first) }
    }
    let i = Int(found ?? next)
    let isContinuation = pairs[i].add(flow)
    if !isContinuation, pairs[i].starts == 2 { busy.append(Int32(truncatingIfNeeded: i)) }
    if !isContinuation, pairs[i].starts >= keepsFrom { keep(flow, at: i) }
    return Place(isContinuation: isContinuation, isNew: found == nil)
  }

  private mutating func keep(_ flow: Flow, at i: Int) {
    if pairs[i].detail < 0 {
      pairs[i].detail = Int32(truncatingIfNeeded: details.count)
      details.append(PairTimes())
    }
    let d = Int(pairs[i].detail)
    if details[d].zero == .distantPast {
      details[d].zero = Timestamp(seconds: Int64(flow.first.hour) &* 3600)
      // A slow caller starts eight times a day: those before this one count.
      for earlier in pairs[i].earlierStarts { add(earlier, at: d) }
    }
    if let tick = details[d].take(flow, starts: pairs[i].starts) { add(tick, at: d) }
  }

  private mutating func add(_ start: Timestamp, at d: Int) {
    if let tick = PairDetail.tick(of: start, since: details[d].zero) { add(tick, at: d) }
  }

  private mutating func add(_ tick: Int32, at d: Int) {
    if details[d].series < 0, details[d].isFull { lengthen(d) }
    if details[d].series >= 0 {
      series[Int(details[d].series)].add(tick)
    } else {
      details[d].append(tick)
    }
  }

  /// Gives a pair a long series, or makes room in the short one. Scarce room goes to pairs that may keep time.
  private mutating func lengthen(_ d: Int) {
    let isRoomy = series.count < longSeriesMost / 2
    guard isRoomy || series.count < longSeriesMost && details[d].mayKeepTime else {
      timesRefused &+= UInt64(PairTimes.ticksMost / 2)
      details[d].forgetEarlierHalf()
      return
    }
    details[d].series = Int32(truncatingIfNeeded: series.count)
    series.append(LongSeries(ticks: details[d].ticks))
    details[d].replace(with: [])
  }

  /// Pairs with two starts or more, in order of first sight once the input has ended.
  var busyPairs: some Sequence<Pair> { busy.lazy.map { pairs[Int($0)] } }

  /// Puts `busy` in order; also after pairs were changed from outside.
  mutating func listBusy() {
    busy = pairs.indices.compactMap { pairs[$0].starts >= 2 ? Int32(truncatingIfNeeded: $0) : nil }
  }

  public func detail(of pair: Pair) -> PairDetail? {
    guard pair.detail >= 0, Int(pair.detail) < details.count else { return nil }
    let times = details[Int(pair.detail)]
    guard times.series >= 0 else {
      return PairDetail(ticks: times.ticks, zero: times.zero, ticksDropped: UInt32(times.dropped))
    }
    let long = series[Int(times.series)]
    return PairDetail(
      ticks: long.ticks, zero: times.zero, oldGaps: long.oldGaps,
      ticksDropped: long.ticksDropped &+ UInt32(times.dropped), goesOnSince: long.goesOnSince)
  }

  /// Replaces the times of pair `i`, however many; earlier runs kept at most 64 starts of each.
  mutating func put(_ detail: PairDetail, at i: Int, sample: PairSample? = nil) {
    if pairs[i].detail < 0 || Int(pairs[i].detail) >= details.count {
      pairs[i].detail = Int32(truncatingIfNeeded: details.count)
      details.append(PairTimes())
    }
    let d = Int(pairs[i].detail)
    details[d].zero = detail.zero
    if let sample { details[d].add(sample) }
    if details[d].series < 0, detail.ticks.count <= PairTimes.ticksMost, detail.oldGaps.isEmpty,
      detail.goesOnSince == .distantFuture
    {
      details[d].replace(with: detail.ticks)
      return
    }
    if details[d].series < 0 {
      details[d].series = Int32(truncatingIfNeeded: series.count)
      series.append(LongSeries(ticks: []))
    }
    series[Int(details[d].series)] = LongSeries(
      ticks: detail.ticks, oldGaps: detail.oldGaps, ticksDropped: detail.ticksDropped, goesOnSince: detail.goesOnSince)
  }

  /// Conversations of `pair` that show what a finding says, in order of arrival.
  func samples(of pair: Pair, from host: IPAddress) -> [Flow] {
    guard pair.detail >= 0, Int(pair.detail) < details.count else { return [] }
    return details[Int(pair.detail)].kept.map { $0.flow(of: pair, from: host) }
  }

  /// Start times of `pair`, sorted, seconds since the first of them, at most the newest 1,024.
  public func startSeconds(of pair: Pair) -> [Double] {
    guard let ticks = detail(of: pair)?.ticks.sorted(), let first = ticks.first else { return [] }
    return ticks.map { Double(Int64($0) - Int64(first)) / 100 }
  }
}

extension Pair {
  /// The starts before the second or the fourth, which `recent` still knows when that one has just begun.
  var earlierStarts: [Timestamp] {
    guard zero != .distantPast else { return [] }
    if starts == 2 { return [zero.advanced(bySeconds: Double(recent[1].began))] }
    guard starts == 4 else { return [] }
    return [zero, zero.advanced(bySeconds: Double(recent[2].began)), zero.advanced(bySeconds: Double(recent[1].began))]
  }

  /// Whether most of its conversations are known to have been begun by our host.
  var isOurs: Bool { guessed &* 2 <= starts }

  /// Counts `flow`; `true` when it continues a conversation already counted (cut by an active timeout, SYN retried).
  @inline(__always)
  mutating func add(_ flow: Flow) -> Bool {
    octetsOut &+= flow.sourceOctets
    octetsIn &+= flow.destinationOctets
    packetsOut &+= UInt64(flow.sourcePackets)
    packetsIn &+= UInt64(flow.destinationPackets)
    if flow.service != .unknown { service = flow.service }
    if flow.last > last { last = flow.last }
    if flow.first < first { first = flow.first }
    let duration = Float(flow.duration)
    seconds += duration
    if let sinceBegin = noteConversation(flow) {
      longest = max(longest, sinceBegin)
      return true
    }
    starts &+= 1
    if flow.state == .midstream { guessed &+= 1 }
    longest = max(longest, duration)
    if flow.state.failed {
      failed &+= 1
    } else if flow.destinationPackets > 0 || flow.destinationOctets > 0 {
      answered &+= 1
      sizesOut.add(Float(flow.sourceOctets))
      sizesIn.add(Float(flow.destinationOctets))
    }
    return false
  }

  /// Silence after which the same ports mean a new conversation, seconds. Attempts: longer than SYN retries go on. TCP:
  /// longer than the meter's idle timeout. Others: the idle timeout of most exporters.
  private static func silence(_ flow: Flow) -> Float {
    guard flow.transport == .tcp else { return 60 }
    // A record from the middle of a conversation goes on with one, however long that was silent.
    if flow.state == .midstream { return 86_400 }
    return flow.state.failed ? 120 : 330
  }

  /// Seconds since the conversation began that `flow` continues, or `nil` after noting a new one.
  @inline(__always)
  private mutating func noteConversation(_ flow: Flow) -> Float? {
    if zero == .distantPast { zero = flow.first }
    let begins = Float(flow.first.seconds(since: zero))
    let ends = Float(flow.last.seconds(since: zero))
    let hasEnded = (flow.state == .closed || flow.state == .reset) && !flow.anomalies.contains(.cutByTimeout)
    let silence = Self.silence(flow)
    for i in 0..<3 where recent[i].port == flow.sourcePort && recent[i].last > -.infinity {
      // Late and unsorted records may come before what is known of their conversation.
      guard !recent[i].hasEnded || flow.state == .midstream, begins - recent[i].last < silence,
        recent[i].began - ends < silence
      else { break }
      if ends > recent[i].last { recent[i].last = ends }
      if begins < recent[i].began { recent[i].began = begins }
      recent[i].hasEnded = hasEnded
      return ends - recent[i].began
    }
    recent[2] = recent[1]
    recent[1] = recent[0]
    recent[0] = Recent(began: begins, last: ends, port: flow.sourcePort, hasEnded: hasEnded)
    return nil
  }
}

extension PairDetail {
  /// The earliest start that is kept.
  var firstKept: Timestamp { zero.advanced(bySeconds: Double(ticks.min() ?? 0) / 100) }

  /// Hundredths of a second since `zero`; `nil` beyond 248 days.
  func tick(of time: Timestamp) -> Int32? { Self.tick(of: time, since: zero) }

  @inline(__always)
  static func tick(of time: Timestamp, since zero: Timestamp) -> Int32? {
    let (nanoseconds, overflow) = time.nanoseconds.subtractingReportingOverflow(zero.nanoseconds)
    return overflow ? nil : Int32(exactly: Timestamp.floorDivide(nanoseconds, 10_000_000))
  }
}
