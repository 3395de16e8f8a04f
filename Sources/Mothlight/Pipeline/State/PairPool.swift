/// Merges the pairs of a state with those of a run, host by host, within the bounds.
struct PairPool {
  let state: RollingState
  let share: RunShare

  private struct Entry {
    var pair: RememberedPair
    var times: [UInt32]
  }

  /// - Parameters:
  ///   - hostPlaces: place in `next` of each host of the old state.
  ///   - namePlaces: the same for names.
  func merge(_ hostPlaces: [Int: Int], _ namePlaces: [Int: UInt32], into next: inout RollingState) {
    var oldRanges = [Range<Int>](repeating: 0..<0, count: next.hosts.count)
    var o = 0
    while o < state.pairs.count {
      let host = state.pairs[o].host
      var end = o
      while end < state.pairs.count, state.pairs[end].host == host { end += 1 }
      if let place = hostPlaces[Int(host)] { oldRanges[place] = o..<end }
      o = end
    }
    var n = 0
    for place in next.hosts.indices {
      let address = next.hosts[place].address
      // Parts of hosts that found no room.
      while n < share.pairs.count, share.pairs[n].key.host < address { n += 1 }
      let start = n
      while n < share.pairs.count, share.pairs[n].key.host == address { n += 1 }
      let entries = merged(oldRanges[place], start..<n, UInt32(clamping: place), namePlaces, &next)
      let kept = RollingState.newest(
        entries.map { ($0.pair.isOneOff ? 0 : 1, $0.pair.last) }, next.bounds.pairsPerHost)
      next.evicted.pairs &+= UInt64(entries.count - kept.count)
      for i in kept { Self.append(entries[i], to: &next) }
    }
    Self.evict(&next)
  }

  private func merged(
    _ old: Range<Int>, _ new: Range<Int>, _ host: UInt32, _ names: [Int: UInt32], _ next: inout RollingState
  ) -> [Entry] {
    var entries: [Entry] = []
    entries.reserveCapacity(old.count + new.count)
    var o = old.lowerBound
    var n = new.lowerBound
    while o < old.upperBound || n < new.upperBound {
      var entry: Entry?
      if o < old.upperBound, n == new.upperBound || state.pairs[o].isBefore(share.pairs[n].key) {
        entry = self.old(o, names)
        o += 1
      } else {
        let part = share.pairs[n]
        if o < old.upperBound, state.pairs[o].is(part.key) {
          entry = self.old(o, names)
          o += 1
        }
        entry = Self.add(part, to: entry, host, next)
        n += 1
      }
      guard var entry else { continue }
      if next.isExpired(entry.pair.last) {
        next.evicted.expiredPairs &+= 1
        continue
      }
      entry.pair.host = host
      let oldest = UInt32(clamping: max(0, next.oldestDay) * 86_400)
      entry.times.removeAll { $0 < oldest }
      entries.append(entry)
    }
    return entries
  }

  private func old(_ place: Int, _ names: [Int: UInt32]) -> Entry {
    var pair = state.pairs[place]
    pair.name = names[Int(pair.name)] ?? RememberedPair.noName
    return Entry(pair: pair, times: Array(state.times(of: pair)))
  }

  private static func add(
    _ part: RunShare.PairPart, to known: Entry?, _ host: UInt32, _ next: RollingState
  ) -> Entry {
    var entry =
      known
      ?? Entry(
        pair: RememberedPair(host: host, peer: part.key.peer, port: part.key.port, transport: part.key.transport),
        times: [])
    // A long past weighs no more than the starts that are kept of it.
    entry.pair.counts = entry.pair.counts.scaled(toStarts: entry.times.count)
    entry.pair.counts.add(part.counts)
    entry.pair.days = SeenDays.union(
      entry.pair.days, Int(entry.pair.last / 86_400), part.days, Int(part.last / 86_400))
    entry.pair.first = min(entry.pair.first, part.first)
    if part.last >= entry.pair.last, part.service != 0 { entry.pair.service = part.service }
    entry.pair.last = max(entry.pair.last, part.last)
    if let place = part.name.flatMap({ next.name($0) }) { entry.pair.name = UInt32(clamping: place) }
    let conversations = (0..<3).map { entry.pair.recent[$0] }.filter { $0.last > 0 }
    let newest = latest(conversations, (0..<3).map { part.recent[$0] }.filter { $0.last > 0 })
    entry.pair.recent = InlineArray { $0 < newest.count ? newest[$0] : KeptConversation() }
    entry.times = Array((entry.times + part.times).sorted().suffix(RollingState.startsKept))
    return entry
  }

  /// The three conversations that ended last; one that went on stands there once.
  private static func latest(_ old: [KeptConversation], _ new: [KeptConversation]) -> [KeptConversation] {
    let rest = old.filter { known in
      !new.contains { $0.port == known.port && $0.began <= known.last && known.began <= $0.last }
    }
    return Array(
      (rest + new).sorted { ($0.last, $0.began, $0.port) > ($1.last, $1.began, $1.port) }.prefix(3))
  }

  private static func append(_ entry: Entry, to next: inout RollingState) {
    var pair = entry.pair
    pair.timesAt = UInt32(clamping: next.times.count)
    pair.timesCount = UInt32(clamping: entry.times.count)
    next.times += entry.times
    next.pairs.append(pair)
  }

  /// Pushes out what was least recently seen in the whole network, attempts without an answer first.
  private static func evict(_ next: inout RollingState) {
    guard next.pairs.count > next.bounds.pairs else { return }
    let kept = RollingState.newest(next.pairs.map { ($0.isOneOff ? 0 : 1, $0.last) }, next.bounds.pairs)
    next.evicted.pairs &+= UInt64(next.pairs.count - kept.count)
    let all = next
    next.pairs = []
    next.times = []
    for i in kept { append(Entry(pair: all.pairs[i], times: Array(all.times(of: all.pairs[i]))), to: &next) }
  }
}

extension RememberedPair {
  /// Order among the pairs of one host.
  func isBefore(_ key: PairKey) -> Bool { (peer, port, transport) < (key.peer, key.port, key.transport) }
  func `is`(_ key: PairKey) -> Bool { peer == key.peer && port == key.port && transport == key.transport }
}
