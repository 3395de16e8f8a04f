import Glibc

/// What one of our hosts has done with one service outside: the shared memory of all pair detectors.
///
/// 128 bytes a pair: two cache lines, since most pairs of a scan are met once and never again. From its second record on 48 more,
/// `PairRecent`, and 256 for times and samples from its fourth start on, `PairTimes`.
public struct Pair: Sendable, BitwiseCopyable {
  public var peer: IPAddress
  public var host: UInt32
  public var port: UInt16
  public var transport: Transport
  public var isInside: Bool
  /// Application protocol of its latest conversation that showed one.
  public var service = Service.unknown
  /// What `PairRecent` begins with, if there is a second record.
  fileprivate var firstHasEnded = true
  fileprivate var firstPort: UInt16 = 0
  /// Conversations begun; continuations of one that was cut do not count.
  public var starts: UInt32 = 0
  public var failed: UInt32 = 0
  public var answered: UInt32 = 0
  /// Starts seen from the middle on, so that who began is a guess.
  public var guessed: UInt32 = 0
  var detail: Int32 = -1
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
  private var sized: Float = 0
  private var meanOut: Float = 0
  private var squaresOut: Float = 0
  private var meanIn: Float = 0
  private var squaresIn: Float = 0
  var recent: Int32 = -1

  public init(host: UInt32, peer: IPAddress, port: UInt16, transport: Transport, isInside: Bool) {
    self.host = host
    self.peer = peer
    self.port = port
    self.transport = transport
    self.isInside = isInside
  }

  /// Octets of answered conversations.
  public var sizesOut: Moments { Moments(count: sized, mean: meanOut, m2: squaresOut) }
  public var sizesIn: Moments { Moments(count: sized, mean: meanIn, m2: squaresIn) }

  /// Both tell of the same conversations, so that one count serves both.
  mutating func setSizes(out: Moments, in other: Moments) {
    let fit = out.count == other.count
    sized = fit ? out.count : 0
    meanOut = fit ? out.mean : 0
    squaresOut = fit ? out.m2 : 0
    meanIn = fit ? other.mean : 0
    squaresIn = fit ? other.m2 : 0
  }

  @inline(__always)
  fileprivate mutating func addSizes(out: UInt64, in other: UInt64) {
    sized += 1
    Moments.add(Float(out), sized, &meanOut, &squaresOut)
    Moments.add(Float(other), sized, &meanIn, &squaresIn)
  }

  /// Mean and spread of octets per answered conversation (Welford 1962).
  public struct Moments: Sendable, BitwiseCopyable {
    public var count: Float = 0
    public var mean: Float = 0
    var m2: Float = 0
    @inline(__always) mutating func add(_ value: Float) {
      count += 1
      Self.add(value, count, &mean, &m2)
    }
    @inline(__always)
    fileprivate static func add(_ value: Float, _ count: Float, _ mean: inout Float, _ m2: inout Float) {
      let delta = value - mean
      mean += delta / count
      m2 += delta * (value - mean)
    }
    /// Standard deviation over mean; 0 for fewer than two values.
    public var dispersion: Double { count > 1 && mean > 0 ? Double((m2 / count).squareRoot() / mean) : 0 }
  }
}

/// The latest conversations of a pair by source port, newest first: what a further record may continue.
struct PairRecent: Sendable, BitwiseCopyable {
  /// When the first record arrived; `.distantPast` where no record had a time that can be reckoned with.
  private(set) var zero: Timestamp
  private(set) var items = InlineArray<3, Item>(repeating: Item())

  struct Item: Sendable, BitwiseCopyable {
    /// Seconds since `zero`; negative for late records.
    var began: Float = 0
    var last: Float = -.infinity
    var port: UInt16 = 0
    var hasEnded = true
  }

  init(from zero: Timestamp, _ items: InlineArray<3, Item>) {
    self.zero = zero
    self.items = items
  }

  /// Of a pair with one record.
  init(only pair: Pair) {
    zero = pair.first
    items[0] = Item(
      last: Float(pair.last.seconds(since: zero)), port: pair.firstPort, hasEnded: pair.firstHasEnded)
  }

  var hasTime: Bool { zero != .distantPast }
  func began(_ i: Int) -> Timestamp { zero.advanced(bySeconds: Double(items[i].began)) }

  /// Silence after which the same ports mean a new conversation, seconds. Attempts: longer than SYN retries go on. TCP:
  /// longer than the meter's idle timeout. Others: the idle timeout of most exporters.
  private static func silence(_ flow: Flow) -> Float {
    guard flow.transport == .tcp else { return 60 }
    // A record from the middle of a conversation goes on with one, however long that was silent.
    if flow.state == .midstream { return 86_400 }
    return flow.state.failed ? 120 : 330
  }

  static func hasEnded(_ flow: Flow) -> Bool {
    (flow.state == .closed || flow.state == .reset) && !flow.anomalies.contains(.cutByTimeout)
  }

  /// Seconds since the conversation began that `flow` continues, or `nil` after noting a new one.
  @inline(__always)
  mutating func note(_ flow: Flow) -> Float? {
    if !hasTime { zero = flow.first }
    let begins = Float(flow.first.seconds(since: zero))
    let ends = Float(flow.last.seconds(since: zero))
    let hasEnded = Self.hasEnded(flow)
    let silence = Self.silence(flow)
    for i in 0..<3 where items[i].port == flow.sourcePort && items[i].last > -.infinity {
      // Late and unsorted records may come before what is known of their conversation.
      guard !items[i].hasEnded || flow.state == .midstream, begins - items[i].last < silence,
        items[i].began - ends < silence
      else { break }
      if ends > items[i].last { items[i].last = ends }
      if begins < items[i].began { items[i].began = begins }
      items[i].hasEnded = hasEnded
      return ends - items[i].began
    }
    items[2] = items[1]
    items[1] = items[0]
    items[0] = Item(began: begins, last: ends, port: flow.sourcePort, hasEnded: hasEnded)
    return nil
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
  private var recents = FlatArray<PairRecent>()
  var details = FlatArray<PairTimes>()
  var series: [LongSeries] = []
  /// Times that a full table of long series had no room for.
  private(set) var timesRefused: UInt64 = 0
  private var index = FingerprintTable<UInt32>(limit: PairTable.limit)
  /// Pairs per shard: 1 M × 160 B with index, and 304 for those that come back; more are counted and left alone.
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

  /// Asks for the place of a pair in the index; some time later for the pair, if it is known; and at last for its times.
  @inline(__always) func prefetchIndex(_ key: UInt64) { index.prefetch(key) }
  @inline(__always) func prefetchPair(_ key: UInt64) -> Int32? {
    guard let i = index.peek(key), Int(i) < pairs.count else { return nil }
    pairs.prefetch(Int(i))
    return Int32(truncatingIfNeeded: i)
  }
  @inline(__always) func prefetchTimes(_ i: Int32) {
    let (r, d) = (pairs[Int(i)].recent, pairs[Int(i)].detail)
    if r >= 0 { recents.prefetch(Int(r)) }
    if d >= 0 { details.prefetch(Int(d), octets: PairTimes.octetsBeforeSamples) }
  }

  mutating func update(_ flow: Flow, host: UInt32, peer: IPAddress, isInside: Bool) -> Place {
    update(flow, key: Self.key(flow, host: host), known: nil, host: host, peer: peer, isInside: isInside)
  }

  /// - Parameter known: its place, where it has one already.
  @inline(__always)
  mutating func update(
    _ flow: Flow, key: UInt64, known: Int32?, host: UInt32, peer: IPAddress, isInside: Bool
  ) -> Place {
    let next = UInt32(truncatingIfNeeded: pairs.count)
    let found = known.map { UInt32(truncatingIfNeeded: $0) } ?? index.find(key, orInsert: next)
    let i = Int(found ?? next)
    let isContinuation: Bool
    if found == nil {
      guard index.count > pairs.count else { return Place(isContinuation: false, isNew: false) }  // full
      pairs.append(
        Pair(host: host, peer: peer, port: flow.destinationPort, transport: flow.transport, isInside: isInside))
      isContinuation = begin(i, flow, key)
    } else {
      if pairs[i].recent < 0 { put(PairRecent(only: pairs[i]), at: i) }
      let r = Int(pairs[i].recent)
      isContinuation = pairs[i].add(flow, &recents[r])
    }
    if !isContinuation {
      let starts = pairs[i].starts
      if starts == 2 { busy.append(Int32(truncatingIfNeeded: i)) }
      if starts >= keepsFrom { keep(flow, at: i, starts: starts) }
    }
    return Place(isContinuation: isContinuation, isNew: found == nil)
  }

  @inline(__always)
  private mutating func begin(_ i: Int, _ flow: Flow, _ key: UInt64) -> Bool {
    if !earlier.isEmpty, let known = earlier[key] {
      put(PairRecent(resuming: known, at: flow.first), at: i)
      return pairs[i].add(flow, &recents[recents.count - 1])
    }
    pairs[i].begin(flow)
    return false
  }

  mutating func put(_ recent: PairRecent, at i: Int) {
    pairs[i].recent = Int32(truncatingIfNeeded: recents.count)
    recents.append(recent)
  }

  /// The latest conversations of a pair that had one.
  func recent(of pair: Pair) -> PairRecent? {
    if pair.recent >= 0, Int(pair.recent) < recents.count { return recents[Int(pair.recent)] }
    return pair.starts == 0 ? nil : PairRecent(only: pair)
  }

  private mutating func keep(_ flow: Flow, at i: Int, starts: UInt32) {
    if pairs[i].detail < 0 {
      pairs[i].detail = Int32(truncatingIfNeeded: details.count)
      details.append(PairTimes())
    }
    let d = Int(pairs[i].detail)
    if details[d].zero == .distantPast {
      details[d].zero = Timestamp(seconds: Int64(flow.first.hour) &* 3600)
      // A slow caller starts eight times a day: those before this one count.
      for earlier in earlierStarts(of: pairs[i]) { add(earlier, at: d) }
    }
    if let tick = details[d].take(flow, starts: starts) { add(tick, at: d) }
  }

  /// The starts before the second or the fourth, which are among the latest when that one has just begun.
  private func earlierStarts(of pair: Pair) -> [Timestamp] {
    guard pair.starts == 2 || pair.starts == 4, let recent = recent(of: pair), recent.hasTime else { return [] }
    return pair.starts == 2 ? [recent.began(1)] : [recent.zero, recent.began(2), recent.began(1)]
  }

  private mutating func add(_ start: Timestamp, at d: Int) {
    if let tick = PairDetail.tick(of: start, since: details[d].zero) { add(tick, at: d) }
  }

  private mutating func add(_ tick: Int32, at d: Int) {
    if details[d].isFull {
      if details[d].series < 0 { lengthen(d) } else { handOver(d) }
    }
    details[d].append(tick)
  }

  /// Moves the times that wait in the pair to its long series. Not one by one, as each finds the series' memory cold.
  private mutating func handOver(_ d: Int) {
    series[Int(details[d].series)].add(details[d].ticks)
    details[d].replace(with: [])
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

  /// Once the input has ended; before anybody else holds the table, for it would be copied.
  mutating func handOverAll() {
    for d in details.indices where details[d].series >= 0 && details[d].tickCount > 0 { handOver(d) }
  }

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
    var long = series[Int(times.series)]
    if times.tickCount > 0 { long.add(times.ticks) }
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
    details[d].replace(with: [])
    series[Int(details[d].series)] = LongSeries(
      ticks: detail.ticks, oldGaps: detail.oldGaps, ticksDropped: detail.ticksDropped, goesOnSince: detail.goesOnSince)
  }

  /// Conversations of `pair` that show what a finding says, in order of arrival.
  func samples(of pair: Pair, from host: IPAddress) -> [Flow] {
    guard pair.detail >= 0, Int(pair.detail) < details.count else { return [] }
    return details[Int(pair.detail)].kept.map { $0.flow(of: pair, from: host) }
  }

  /// The pair as one record, for evidence when no single flow was kept.
  func asFlow(_ pair: Pair, of host: IPAddress) -> Flow {
    Flow(
      source: host, destination: pair.peer, sourcePort: recent(of: pair)?.items[0].port ?? 0,
      destinationPort: pair.port, transport: pair.transport, first: pair.first, last: pair.last,
      state: pair.answered > 0 ? .established : .unanswered, sourceOctets: pair.octetsOut,
      destinationOctets: pair.octetsIn)
  }

  /// Start times of `pair`, sorted, seconds since the first of them, at most the newest 1,024.
  public func startSeconds(of pair: Pair) -> [Double] {
    guard let ticks = detail(of: pair)?.ticks.sorted(), let first = ticks.first else { return [] }
    return ticks.map { Double(Int64($0) - Int64(first)) / 100 }
  }
}

extension Pair {
  /// Whether most of its conversations are known to have been begun by our host.
  var isOurs: Bool { guessed &* 2 <= starts }

  /// Counts its first record.
  @inline(__always)
  mutating func begin(_ flow: Flow) {
    firstPort = flow.sourcePort
    firstHasEnded = PairRecent.hasEnded(flow)
    count(flow)
    start(flow)
  }

  /// Counts `flow`; `true` when it continues a conversation already counted (cut by an active timeout, SYN retried).
  @inline(__always)
  mutating func add(_ flow: Flow, _ recent: inout PairRecent) -> Bool {
    count(flow)
    if let sinceBegin = recent.note(flow) {
      longest = max(longest, sinceBegin)
      return true
    }
    start(flow)
    return false
  }

  @inline(__always)
  private mutating func count(_ flow: Flow) {
    octetsOut &+= flow.sourceOctets
    octetsIn &+= flow.destinationOctets
    packetsOut &+= UInt64(flow.sourcePackets)
    packetsIn &+= UInt64(flow.destinationPackets)
    if flow.service != .unknown { service = flow.service }
    if flow.last > last { last = flow.last }
    if flow.first < first { first = flow.first }
    seconds += Float(flow.duration)
  }

  @inline(__always)
  private mutating func start(_ flow: Flow) {
    starts &+= 1
    if flow.state == .midstream { guessed &+= 1 }
    longest = max(longest, Float(flow.duration))
    if flow.state.failed {
      failed &+= 1
    } else if flow.destinationPackets > 0 || flow.destinationOctets > 0 {
      answered &+= 1
      addSizes(out: flow.sourceOctets, in: flow.destinationOctets)
    }
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
