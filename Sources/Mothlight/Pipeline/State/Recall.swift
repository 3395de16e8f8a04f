/// A detector whose question takes longer than a run: it is shown the pairs with what earlier runs saw of them.
///
/// The others count what a day holds; their thresholds would be met by anybody who is watched for weeks.
protocol RollingDetector: Detector {
  /// Days before the present whose starts it is shown.
  static var daysRecalled: Int { get }
}

/// 64 calls of six hours' distance.
extension BeaconDetector: RollingDetector { static var daysRecalled: Int { 16 } }
// The thresholds of these were set on captures of up to three days.
extension QuietChannelDetector: RollingDetector { static var daysRecalled: Int { 3 } }
extension DeadRendezvousDetector: RollingDetector { static var daysRecalled: Int { 3 } }
extension UnnamedServiceDetector: RollingDetector { static var daysRecalled: Int { 3 } }

/// What earlier runs knew of a host.
struct EarlierHost: Sendable {
  /// Part of the host's own counters that was there before the run.
  var mailReceived: UInt32 = 0
  var lookupsServed: UInt32 = 0
  /// Begin of the hours in which earlier runs saw it; `.distantFuture` when there are none.
  var watchedSince = Timestamp.distantFuture
  /// Hours in which only earlier runs saw it.
  var hours = 0
}

extension ShardContext {
  /// Days since a peer was last called by its name after which the name is not believed any more.
  private static let nameDays = 16
  /// Seconds between a kept conversation and a record that may go on with it: the longest silence of `Pair`, twice.
  private static let silenceMost: UInt32 = 2 * 86_400

  /// Gives a host that was just met what earlier runs knew of it: roles, names, conversations that may go on.
  mutating func welcome(_ host: UInt32, at time: Timestamp, from memory: RollingState) {
    let h = Int(host)
    guard let known = memory.host(at: hosts[h].address) else { return }
    let now = time.keptSeconds
    let record = memory.hosts[known].faded(to: now)
    hosts[h].earlier.mailReceived = record.mailReceived
    hosts[h].earlier.lookupsServed = record.lookupsServed
    hosts[h].mailReceived = record.mailReceived
    hosts[h].lookupsServed = record.lookupsServed
    for place in memory.pairs(of: known) {
      let pair = memory.pairs[place]
      let age = now > pair.last ? now - pair.last : 0
      if pair.name < memory.names.count, age <= UInt32(Self.nameDays * 86_400) {
        remember(memory.names[Int(pair.name)].text, of: pair.peer, for: host)
      }
      let mayGoOn = (0..<3).contains { pair.recent[$0].last > 0 && !pair.recent[$0].hasEnded }
      if mayGoOn, max(now, pair.last) - min(now, pair.last) <= Self.silenceMost {
        pairs.earlier[PairTable.key(pair, host: host)] = pair.recent
      }
    }
  }

  /// The context as a `RollingDetector` sees it: pairs with their earlier starts, hosts with their earlier hours.
  ///
  /// Pairs that the run did not meet are there too when they were last used on one of the host's days: a verdict is about
  /// a day, whatever part of it the input shows.
  /// - Parameters:
  ///   - daysBefore: how far back.
  ///   - echo: what of the run is in the memory already.
  /// - Returns: `nil` where earlier runs have nothing to say.
  func recalling(_ memory: RollingState, daysBefore: Int, less echo: Echo.Heard?) -> ShardContext? {
    guard !memory.isEmpty, !isSampled, hasUsableTime else { return nil }
    var view = self
    var known = [Range<Int>?](repeating: nil, count: hosts.count)
    for h in hosts.indices {
      guard let place = memory.host(at: hosts[h].address) else { continue }
      known[h] = memory.pairs(of: place)
      view.hosts[h].recall(memory.hosts[place])
    }
    var met: Set<Int> = []
    for i in pairs.pairs.indices where !pairs.pairs[i].isInside {
      let pair = pairs.pairs[i]
      guard let range = known[Int(pair.host)],
        let place = memory.pair(in: range, pair.peer, pair.port, pair.transport.rawValue)
      else { continue }
      met.insert(place)
      view.pairs.recall(
        memory, place, at: i, since: hosts[Int(pair.host)].oldest(daysBefore), less: echo?.pairs[PairKey(pair, self)],
        of: hosts[Int(pair.host)].address)
    }
    for h in hosts.indices {
      guard let range = known[h] else { continue }
      view.addUnmet(memory, range, to: h, met, since: hosts[h].oldest(daysBefore))
    }
    view.pairs.listBusy()
    return view
  }

  private mutating func addUnmet(_ memory: RollingState, _ range: Range<Int>, to h: Int, _ met: Set<Int>, since: UInt32)
  {
    guard let firstDay = hosts[h].days.map(\.day).min() else { return }
    let until = hosts[h].lastSeen
    for place in range where !met.contains(place) {
      let pair = memory.pairs[place]
      if pair.last.saturatingAdd(UInt32(RollingState.hoursKept * 3600)) >= until { countStranger(pair, of: h) }
      guard Int(pair.last / 86_400) >= firstDay else { continue }
      pairs.append(memory, place, host: UInt32(truncatingIfNeeded: h), since: since)
    }
  }

  /// A host that swarms does so over hours, of which the present input may be a quiet one.
  private mutating func countStranger(_ pair: RememberedPair, of h: Int) {
    let transport = Transport(rawValue: pair.transport)
    guard transport.hasPorts, pair.port > 1023, pair.name == RememberedPair.noName,
      !KnownService.isCommonPort(pair.port, transport)
    else { return }
    hosts[h].strangers &+= 1
    if KnownService.isFileSharing(pair.port) { hosts[h].fileSharingPeers &+= 1 }
  }
}

extension HostRecord {
  /// Second of the latest flow or event of the run.
  var lastSeen: UInt32 {
    // A day without a record has no last.
    days.map(\.activity.last).max().map { $0 == .distantPast ? 0 : $0.keptSeconds } ?? 0
  }

  /// Second that lies `days` before the latest.
  func oldest(_ days: Int) -> UInt32 { lastSeen.saturatingSubtract(UInt32(clamping: days * 86_400)) }

  /// Adds the hours before the run, up to `RollingState.hoursKept` before its end, and the look-ups as far as they are fresh.
  mutating func recall(_ known: RememberedHost) {
    let present = Set(days.flatMap { $0.activity.hours(of: $0.day) })
    let newest = Int(lastSeen / 3600)
    for n in 0..<64 where known.hours >> UInt64(n) & 1 == 1 {
      let hour = Int(known.newestHour) - n
      guard hour > newest - RollingState.hoursKept, hour <= newest, !present.contains(hour) else { continue }
      earlier.hours += 1
      let begins = UInt32(clamping: hour * 3600)
      earlier.watchedSince = min(earlier.watchedSince, Timestamp(kept: max(begins, min(known.first, begins + 3599))))
    }
    dnsLookups = dnsLookups.saturatingAdd(known.faded(to: lastSeen).lookups)
  }
}

extension RememberedHost {
  /// Counters halved for every day between its last record and `time`.
  func faded(to time: UInt32) -> RememberedHost {
    guard time / 86_400 > last / 86_400 else { return self }
    var faded = self
    let days = time / 86_400 - last / 86_400
    faded.lookups = lookups >> days
    faded.mailReceived = mailReceived >> days
    faded.lookupsServed = lookupsServed >> days
    return faded
  }
}
