/// How a run's share is put under what was kept. Everything goes by sorted keys, so equal runs give equal octets.
extension RollingState {
  /// This state with what one run saw; late records find their place.
  func adding(_ share: RunShare, inputs read: [KnownInput]) -> RollingState {
    var next = RollingState()
    next.bounds = bounds
    next.evicted = evicted
    next.runs = runs.saturatingAdd(1)
    next.first = first
    next.last = last
    next.days = days
    if let span = share.span {
      next.days = SeenDays.union(days, newestDay, share.days, Int(span.upperBound / 86_400))
      next.first = min(first, span.lowerBound)
      next.last = max(last, span.upperBound)
    }
    let hostPlaces = next.mergeHosts(hosts, share.hosts)
    let namePlaces = next.mergeNames(names, share.pairs)
    PairPool(state: self, share: share).merge(hostPlaces, namePlaces, into: &next)
    next.mergeDestinations(destinations, share.pairs)
    next.countUsers()
    next.inputs = next.merged(inputs, read)
    return next
  }

  /// First day that is still kept.
  var oldestDay: Int { newestDay - (Self.daysKept - 1) }
  func isExpired(_ last: UInt32) -> Bool { Int(last / 86_400) < oldestDay }

  /// - Returns: the new place of each host that was there before; `nil` for those that are gone.
  private mutating func mergeHosts(_ old: [RememberedHost], _ new: [RememberedHost]) -> [Int: Int] {
    var merged: [RememberedHost] = []
    merged.reserveCapacity(old.count + new.count)
    var o = 0
    var n = 0
    while o < old.count || n < new.count {
      if n == new.count || o < old.count && old[o].address < new[n].address {
        merged.append(old[o])
        o += 1
      } else if o == old.count || new[n].address < old[o].address {
        merged.append(new[n])
        n += 1
      } else {
        merged.append(old[o].adding(new[n]))
        o += 1
        n += 1
      }
    }
    let fresh = merged.filter { !isExpired($0.last) }
    let kept = Self.newest(fresh.indices.map { (0, fresh[$0].last) }, bounds.hosts)
    evicted.hosts &+= UInt64(fresh.count - kept.count)
    hosts = kept.map { fresh[$0] }
    var places: [Int: Int] = [:]
    for (i, host) in old.enumerated() { places[i] = self.host(at: host.address) }
    return places
  }

  /// - Returns: the new place of each name that was there before.
  private mutating func mergeNames(_ old: [RememberedName], _ parts: [RunShare.PairPart]) -> [Int: UInt32] {
    var seen: [String: Acquaintance] = [:]
    for part in parts {
      guard let name = part.name, !name.isEmpty, name.utf8.count <= StateFormat.nameLength else { continue }
      seen[name, default: Acquaintance()].add(Acquaintance(part))
    }
    var merged = old
    for i in merged.indices {
      if let more = seen.removeValue(forKey: merged[i].text) { merged[i].seen.add(more) }
    }
    merged += seen.map { RememberedName(text: $0.key, seen: $0.value) }
    let fresh = merged.filter { !isExpired($0.seen.last) }.sorted { $0.text.isBefore($1.text) }
    let kept = Self.newest(fresh.indices.map { (0, fresh[$0].seen.last) }, bounds.names)
    evicted.names &+= UInt64(fresh.count - kept.count)
    names = kept.map { fresh[$0] }
    var places: [Int: UInt32] = [:]
    for (i, name) in old.enumerated() { places[i] = self.name(name.text).map { UInt32(clamping: $0) } }
    return places
  }

  /// Only what answered, or was tried again and again, is a destination: a scan's targets are nobody's.
  private mutating func mergeDestinations(_ old: [RememberedDestination], _ parts: [RunShare.PairPart]) {
    var seen: [IPAddress: Acquaintance] = [:]
    for part in parts {
      guard let host = host(at: part.key.host),
        let place = pair(in: pairs(of: host), part.key.peer, part.key.port, part.key.transport)
      else { continue }
      let pair = pairs[place]
      guard pair.counts.answered > 0 || pair.counts.starts >= 3 else { continue }
      seen[pair.peer, default: Acquaintance()].add(
        Acquaintance(first: pair.first, last: pair.last, days: pair.days))
    }
    var merged = old
    for i in merged.indices {
      if let more = seen.removeValue(forKey: merged[i].address) { merged[i].seen.add(more) }
    }
    merged += seen.map { RememberedDestination(address: $0.key, seen: $0.value) }
    let fresh = merged.filter { !isExpired($0.seen.last) }.sorted { $0.address < $1.address }
    let kept = Self.newest(fresh.indices.map { (0, fresh[$0].seen.last) }, bounds.destinations)
    evicted.destinations &+= UInt64(fresh.count - kept.count)
    destinations = kept.map { fresh[$0] }
  }

  /// Counts the hosts that use each destination and name, from the pairs that are kept.
  private mutating func countUsers() {
    for i in destinations.indices { destinations[i].seen.users = 0 }
    for i in names.indices { names[i].seen.users = 0 }
    var hostOfName = [UInt32](repeating: .max, count: names.count)
    for i in pairs.indices {
      let pair = pairs[i]
      let isSamePeer = i > 0 && pairs[i - 1].host == pair.host && pairs[i - 1].peer == pair.peer
      if !isSamePeer, let place = destination(pair.peer) { destinations[place].seen.users &+= 1 }
      let name = Int(pair.name)
      if name < names.count, hostOfName[name] != pair.host {
        hostOfName[name] = pair.host
        names[name].seen.users &+= 1
      }
    }
  }

  private func merged(_ old: [KnownInput], _ read: [KnownInput]) -> [KnownInput] {
    // What has grown stands there once.
    let heads = Dictionary(grouping: read, by: \.head)
    let rest = old.filter { known in
      !(heads[known.head] ?? []).contains { $0.octets == known.octets && $0.print == known.print }
    }
    let all = (rest + read).sorted { ($0.day, $0.print, $0.octets) > ($1.day, $1.print, $1.octets) }
    return Array(all.prefix(bounds.inputs))
  }

  /// Places of the `limit` newest, in their order; of equal ones the first stay.
  static func newest(_ ranks: [(rank: Int, last: UInt32)], _ limit: Int) -> [Int] {
    guard ranks.count > limit else { return Array(ranks.indices) }
    let order = ranks.indices.sorted {
      (ranks[$0].rank, ranks[$0].last, $1) > (ranks[$1].rank, ranks[$1].last, $0)
    }
    return order.prefix(max(0, limit)).sorted()
  }
}

extension Acquaintance {
  init(_ part: RunShare.PairPart) { self.init(first: part.first, last: part.last, days: part.days) }
}

extension RememberedHost {
  func adding(_ other: RememberedHost) -> RememberedHost {
    var sum = faded(to: other.last)
    let more = other.faded(to: last)
    sum.first = min(first, other.first)
    sum.last = max(last, other.last)
    sum.days = SeenDays.union(days, Int(last / 86_400), other.days, Int(other.last / 86_400))
    sum.newestHour = max(newestHour, other.newestHour)
    sum.hours = SeenDays.union(hours, Int(newestHour), other.hours, Int(other.newestHour))
    sum.outboundFlows = outboundFlows.saturatingAdd(other.outboundFlows)
    sum.lookups = sum.lookups.saturatingAdd(more.lookups)
    sum.mailReceived = sum.mailReceived.saturatingAdd(more.mailReceived)
    sum.lookupsServed = sum.lookupsServed.saturatingAdd(more.lookupsServed)
    sum.names = max(names, other.names)
    return sum
  }
}
