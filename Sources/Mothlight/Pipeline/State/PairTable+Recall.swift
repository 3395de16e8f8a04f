extension RollingState {
  /// Starts of a pair from `oldest` on, and its counters for as many of them.
  func recalled(_ pair: RememberedPair, since oldest: UInt32) -> (starts: [UInt32], counts: PairCounts) {
    let starts = times(of: pair).filter { $0 >= oldest }
    return (Array(starts), pair.counts.scaled(toStarts: starts.count))
  }

  /// Begin of a pair that had more starts than are kept; `.distantFuture` for one whose starts are all there.
  func beganUnkept(_ pair: RememberedPair, _ oldest: UInt32) -> Timestamp {
    guard Int(pair.timesCount) >= Self.startsKept else { return .distantFuture }
    return Timestamp(kept: max(pair.first, oldest))
  }
}

extension PairTable {
  /// Fingerprint of a kept pair, as that of its flows.
  static func key(_ pair: RememberedPair, host: UInt32) -> UInt64 {
    key(pair.peer, pair.port, Transport(rawValue: pair.transport), host: host)
  }

  /// Puts the starts and counters of earlier runs under those of pair `i`.
  /// - Parameter heard: what of the pair was read before, and stands in the memory already.
  mutating func recall(
    _ memory: RollingState, _ place: Int, at i: Int, since oldest: UInt32, less heard: RunShare.PairPart?,
    of host: IPAddress
  ) {
    let (starts, earlier) = memory.recalled(memory.pairs[place], since: oldest)
    guard !starts.isEmpty else { return }
    let isNew = detail(of: pairs[i]) == nil
    let sample = isNew && pairs[i].starts == 1 ? PairSample(asFlow(pairs[i], of: host)) : nil
    var own = detail(of: pairs[i]) ?? PairDetail(onlyStartOf: pairs[i], recent(of: pairs[i]))
    var counts = PairCounts(pairs[i])
    if let heard {
      counts.subtract(heard.counts)
      own.takeOff(heard.times)
    }
    counts.add(earlier)
    own.ticks += starts.compactMap { own.tick(of: Timestamp(kept: $0)) }
    own.goesOnSince = memory.beganUnkept(memory.pairs[place], oldest)
    // It says no longer when the only record was.
    if let known = recent(of: pairs[i]), pairs[i].recent < 0 { put(known, at: i) }
    pairs[i].adopt(counts, from: starts)
    put(own, at: i, sample: sample)
  }

  /// A pair that the run did not meet, as earlier runs left it.
  mutating func append(_ memory: RollingState, _ place: Int, host: UInt32, since oldest: UInt32) {
    let kept = memory.pairs[place]
    let (starts, counts) = memory.recalled(kept, since: oldest)
    guard let first = starts.first else { return }
    var pair = Pair(
      host: host, peer: kept.peer, port: kept.port, transport: Transport(rawValue: kept.transport), isInside: false)
    pair.service = Service(rawValue: kept.service) ?? .unknown
    pair.last = Timestamp(kept: kept.last)
    for i in 0..<3 where kept.recent[i].last > kept.recent[i].began {
      pair.longest = max(pair.longest, Float(kept.recent[i].last - kept.recent[i].began))
    }
    pair.adopt(counts, from: starts)
    pairs.append(pair)
    put(PairRecent(resuming: kept.recent, at: Timestamp(kept: first)), at: pairs.count - 1)
    var detail = PairDetail()
    detail.zero = Timestamp(kept: first / 3600 * 3600)
    detail.ticks = starts.compactMap { detail.tick(of: Timestamp(kept: $0)) }
    detail.goesOnSince = memory.beganUnkept(kept, oldest)
    put(detail, at: pairs.count - 1)
  }
}

extension PairDetail {
  /// A pair that began one conversation has no detail yet: its own record stands for it.
  init(onlyStartOf pair: Pair, _ recent: PairRecent?) {
    zero = Timestamp(seconds: Int64(pair.first.hour) &* 3600)
    guard pair.starts == 1, let recent, recent.hasTime, let tick = tick(of: recent.began(0)) else { return }
    ticks.append(tick)
  }

  /// Removes starts that are known already, each once.
  mutating func takeOff(_ known: [UInt32]) {
    ticks.sort()
    var k = 0
    ticks.removeAll { tick in
      let second = zero.advanced(bySeconds: Double(tick) / 100).keptSeconds
      while k < known.count, known[k] < second { k += 1 }
      guard k < known.count, known[k] == second else { return false }
      k += 1
      return true
    }
  }
}

extension PairRecent {
  /// What earlier runs saw last of a pair; their conversations may go on.
  init(resuming known: InlineArray<3, KeptConversation>, at time: Timestamp) {
    var items = InlineArray<3, Item>(repeating: Item())
    for i in 0..<3 where known[i].last > 0 {
      items[i] = Item(
        began: Float(Timestamp(kept: known[i].began).seconds(since: time)),
        last: Float(Timestamp(kept: known[i].last).seconds(since: time)), port: known[i].port,
        hasEnded: known[i].hasEnded)
    }
    self.init(from: time, items)
  }

  /// One of them in seconds since the epoch.
  func kept(_ i: Int) -> KeptConversation? {
    guard items[i].last > -.infinity, hasTime else { return nil }
    let last = zero.advanced(bySeconds: Double(items[i].last.rounded(.up))).keptSeconds
    guard last > 0 else { return nil }
    return KeptConversation(
      began: began(i).keptSeconds, last: last, port: items[i].port, hasEnded: items[i].hasEnded)
  }
}

extension Pair {
  /// Counters over several runs, the earliest of whose starts is the first of `starts`.
  mutating func adopt(_ counts: PairCounts, from starts: [UInt32]) {
    self.starts = counts.starts
    failed = counts.failed
    answered = counts.answered
    guessed = counts.guessed
    octetsOut = counts.octetsOut
    octetsIn = counts.octetsIn
    packetsOut = UInt64(counts.packetsOut)
    packetsIn = UInt64(counts.packetsIn)
    setSizes(out: counts.sizesOut, in: counts.sizesIn)
    if let earliest = starts.first { first = min(first, Timestamp(kept: earliest)) }
    if let latest = starts.last { last = max(last, Timestamp(kept: latest)) }
  }
}
