/// Hears again what an earlier run has read, so that the state does not count it twice.
///
/// It knows the inputs of this run by their content. Records that were read before go through a shard of its own without
/// detectors; what that shard counts is taken off what the run adds.
struct Echo: Sendable {
  /// Repeated pairs and hosts by what they are, whatever shard the run had them in.
  struct Heard: Sendable {
    var pairs: [PairKey: RunShare.PairPart] = [:]
    var hosts: [IPAddress: RememberedHost] = [:]
  }

  private let state: RollingState
  private let byHead: [UInt64: [KnownInput]]
  /// By number of the input: its identity, and the record up to which an earlier run has read it.
  private var identities: [InputIdentity?] = []
  private var readBefore: [UInt64] = []
  private var highest: [UInt64] = []
  private var latest: [UInt32] = []
  private var paths: [String] = []
  private var repeatsAny = false
  private var shard: Shard?

  init(_ state: RollingState) {
    self.state = state
    byHead = Dictionary(grouping: state.inputs, by: \.head)
  }

  /// Takes note of inputs that were opened, in the order of their numbers.
  mutating func expect(_ newPaths: [String]) {
    for path in newPaths {
      let identity = InputIdentity(path: path)
      let before = identity.flatMap { known in byHead[known.head].map { known.recordsRead($0) } } ?? 0
      identities.append(identity)
      readBefore.append(before)
      highest.append(0)
      latest.append(0)
      paths.append(path)
      repeatsAny = repeatsAny || before > 0
    }
  }

  var inputsExpected: Int { paths.count }

  mutating func hear(_ batch: [Observation], home: Home) {
    var repeated: [Observation] = []
    for observation in batch {
      let origin = observation.origin
      guard let input = Int(exactly: origin.input), input < highest.count else { continue }
      if origin.record > highest[input] { highest[input] = origin.record }
      latest[input] = max(latest[input], observation.time.keptSeconds)
      if repeatsAny, origin.record <= readBefore[input] { repeated.append(observation) }
    }
    guard !repeated.isEmpty else { return }
    if shard == nil { shard = Shard(home: home, detectors: [], memory: state) }
    shard?.process(&repeated)
  }

  /// Everything heard twice; `nil` when nothing was, and until `conclude()`.
  private(set) var heard: Heard?

  mutating func conclude() {
    guard var shard else { return }
    self.shard = nil
    shard.endInput()
    shard.finish(isOneSided: false)
    var heard = Heard()
    for host in shard.context.hosts {
      heard.hosts[host.address] = RememberedHost(host, days: host.days, less: nil)
    }
    for pair in shard.context.pairs.pairs where !pair.isInside {
      let part = RunShare.PairPart(all: pair, shard.context)
      heard.pairs[part.key] = part
    }
    self.heard = heard
  }

  /// Inputs as the next run will know them.
  var inputs: [KnownInput] {
    identities.indices.compactMap { n in
      guard let identity = identities[n], highest[n] > 0 else { return nil }
      return KnownInput(
        head: identity.head, octets: identity.octets, print: identity.print,
        records: max(highest[n], readBefore[n] == .max ? 0 : readBefore[n]), day: latest[n] / 86_400)
    }
  }

  /// Whether an earlier run has read all that this one did.
  var isNothingNew: Bool {
    let used = readBefore.indices.filter { highest[$0] > 0 }
    return !used.isEmpty && used.allSatisfy { readBefore[$0] == .max }
  }

  /// How many inputs were known, and a line for each of the first few.
  var repeats: (count: Int, lines: [String]) {
    let known = readBefore.indices.filter { readBefore[$0] > 0 && highest[$0] > 0 }
    let lines = known.prefix(Self.linesMost).map { n in
      readBefore[n] == .max
        ? "state: \(paths[n]) was read before; it is judged again but not added to the state again"
        : "state: \(paths[n]) has grown since it was read; only what follows record \(readBefore[n]) was added"
    }
    let rest = known.count - lines.count
    return (known.count, lines + (rest > 0 ? ["state: so were \(rest) more inputs"] : []))
  }

  private static let linesMost = 5
}

extension RunShare.PairPart {
  /// With all times that the pair keeps, for taking them off another.
  init(all pair: Pair, _ context: ShardContext) {
    self.init(pair, context, less: nil)
    times = context.pairs.keptStarts(of: pair)
  }
}

extension Observation {
  /// The record it came from.
  var origin: RecordOrigin {
    if case .flow(let flow) = event { return flow.origin }
    return ends?.origin ?? RecordOrigin()
  }
}
