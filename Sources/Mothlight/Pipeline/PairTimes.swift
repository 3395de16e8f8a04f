/// Times and samples of one pair from its fourth start on, flat: 256 bytes.
///
/// With the pair (128 and 48) and its share of the index (16 a slot, two to four slots a pair) a pair costs at most 500 bytes until
/// it has more starts than fit in here. Then the cheap gate decides whether it may have a `LongSeries`, which the expensive
/// tests of the beacon detector read.
struct PairTimes: Sendable, BitwiseCopyable {
  static let ticksMost = 20
  /// Whole hour of the first start kept: ticks of a pair depend on nothing but the pair.
  var zero = Timestamp.distantPast
  /// Place of the long series, -1 without one.
  var series: Int32 = -1
  /// Starts that found no room in a long series and were pushed out.
  private(set) var dropped: UInt16 = 0
  private(set) var tickCount: UInt8 = 0
  private(set) var sampleCount: UInt8 = 0
  /// Starts in order of arrival, hundredths of a second since `zero`, 248 days either way. Where there is a series: the latest, which
  /// are to be moved there.
  private var latest = InlineArray<20, Int32>(repeating: 0)
  var samples = InlineArray<5, PairSample>(repeating: PairSample())

  /// What every start writes to.
  static let octetsBeforeSamples = 96

  var ticks: [Int32] { (0..<Int(tickCount)).map { latest[$0] } }
  var isFull: Bool { Int(tickCount) == Self.ticksMost }

  /// Takes in when a conversation began, and what it was.
  ///
  /// - Parameter starts: of the pair so far.
  /// - Returns: the time, if there is no more room for it here.
  @inline(__always)
  mutating func take(_ flow: Flow, starts: UInt32) -> Int32? {
    sample(flow, starts: starts)
    guard let tick = PairDetail.tick(of: flow.first, since: zero) else { return nil }
    guard !isFull else { return tick }
    append(tick)
    return nil
  }

  mutating func append(_ tick: Int32) {
    guard !isFull else { return }
    latest[Int(tickCount)] = tick
    tickCount &+= 1
  }

  /// Takes over `ticks`, at most `ticksMost` of them.
  mutating func replace(with ticks: [Int32]) {
    tickCount = 0
    for tick in ticks.prefix(Self.ticksMost) { append(tick) }
  }

  /// The newer half stays: what goes on is told by what it does now.
  mutating func forgetEarlierHalf() {
    let newer = Array(ticks.sorted().suffix(Self.ticksMost / 2))
    dropped = UInt16(clamping: Int(dropped) + Int(tickCount) - newer.count)
    replace(with: newer)
  }

  /// Keeps the first conversations, then two of those and three of the latest.
  /// - Parameter starts: of the pair so far.
  private mutating func sample(_ flow: Flow, starts: UInt32) {
    if Int(sampleCount) < samples.count {
      add(PairSample(flow))
    } else if starts & 15 == 0 {
      // Not every one: each costs a cache line that nothing else needs.
      samples[2 + Int(starts >> 4) % 3] = PairSample(flow)
    }
  }

  mutating func add(_ sample: PairSample) {
    guard Int(sampleCount) < samples.count else { return }
    samples[Int(sampleCount)] = sample
    sampleCount &+= 1
  }

  var kept: [PairSample] { (0..<Int(sampleCount)).map { samples[$0] } }

  /// The cheap gate: gaps that differ no more than those of a memoryless source may. People come in bursts, far above it.
  var mayKeepTime: Bool {
    let sorted = ticks.sorted()
    let gaps = zip(sorted.dropFirst(), sorted).map { Double(Int64($0) - Int64($1)) }
    let mean = gaps.reduce(0, +) / Double(max(1, gaps.count))
    guard mean > 0 else { return false }
    let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
    return variance <= Self.dispersionMost * Self.dispersionMost * mean * mean
  }

  /// Of twenty gaps: a memoryless source has 0.96 ± 0.2.
  private static let dispersionMost = 1.2
}

/// A conversation of a pair as evidence shows it; who spoke to whom stands in the pair.
struct PairSample: Sendable, BitwiseCopyable {
  var first = Timestamp.distantPast
  private var record: UInt64 = 0
  private var octets: UInt32 = 0
  private var input: UInt16 = 0
  private var sourcePort: UInt16 = 0
  private var destinationPort: UInt16 = 0
  private var state = ConnectionState.unknown.rawValue

  init() {}

  /// Octets beyond 4 GiB and inputs beyond the 65,535th are shown as the most that fits.
  init(_ flow: Flow) {
    first = flow.first
    record = flow.origin.record
    octets = UInt32(clamping: flow.sourceOctets &+ flow.destinationOctets)
    input = UInt16(clamping: flow.origin.input)
    sourcePort = flow.sourcePort
    destinationPort = flow.destinationPort
    state = flow.state.rawValue
  }

  func flow(of pair: Pair, from host: IPAddress) -> Flow {
    Flow(
      source: host, destination: pair.peer, sourcePort: sourcePort, destinationPort: destinationPort,
      transport: pair.transport, first: first, last: first,
      state: ConnectionState(rawValue: state) ?? .unknown, sourceOctets: UInt64(octets),
      origin: RecordOrigin(input: UInt32(input), record: record))
  }
}

/// All times of a pair that has come back more than twenty times, as far as they fit.
public struct LongSeries: Sendable {
  /// Series of one shard: 32 Ki × 4.6 KB at most, 150 MB. Half of the room is for whoever comes first, the rest for pairs
  /// that may keep time.
  public static let limit = 1 << 15
  var ticks: [Int32]
  /// Gap counts of starts that left `ticks`; empty until some did.
  var oldGaps: [UInt32] = []
  var ticksDropped: UInt32 = 0
  /// Since when earlier runs saw it, where they saw more starts than they kept.
  var goesOnSince = Timestamp.distantFuture

  mutating func add(_ more: [Int32]) {
    let full = PairDetail.timesKept * 2
    guard ticks.count + more.count >= full else { return ticks.append(contentsOf: more) }
    for tick in more {
      ticks.append(tick)
      if ticks.count >= full { fold() }
    }
  }

  /// Moves the older half of the times into the gap histogram.
  private mutating func fold() {
    ticks.sort()
    if oldGaps.isEmpty { oldGaps = [UInt32](repeating: 0, count: GapHistogram.binCount) }
    for i in 1...PairDetail.timesKept where ticks[i] >= ticks[i - 1] {
      if let bin = GapHistogram.bin(ofSeconds: Double(Int64(ticks[i]) - Int64(ticks[i - 1])) / 100) {
        oldGaps[bin] &+= 1
      }
    }
    ticks.removeFirst(PairDetail.timesKept)
    ticksDropped &+= UInt32(PairDetail.timesKept)
  }
}
