/// What earlier runs saw, kept small: hosts, names, destinations and pairs, each sorted by its key.
///
/// Built by `adding(_:)` from the state before it and what one run saw. Detectors see it through `ShardContext.recalling`.
public struct RollingState: Sendable {
  /// Bounds of every table. What they push out is counted; the defaults stand in `Limits`.
  struct Bounds: Sendable {
    var pairs = Limits.rememberedPairs
    var pairsPerHost = Limits.rememberedPairsPerHost
    var hosts = Limits.rememberedHosts
    var destinations = Limits.rememberedDestinations
    var names = Limits.rememberedNames
    var inputs = Limits.rememberedInputs
  }

  /// Days kept: a record that was not seen for longer is forgotten.
  static let daysKept = 64
  /// Newest starts kept of a pair: ten days of a call every four hours.
  static let startsKept = 64
  /// Hours of a host's presence kept, and the time that a pair's persistence is held against.
  static let hoursKept = 64

  var bounds = Bounds()
  /// Runs that added to it.
  var runs: UInt32 = 0
  /// Time of the earliest and latest record that was ever entered.
  var first: UInt32 = .max
  var last: UInt32 = 0
  /// Days with records; bit n stands for the day n days before that of `last`.
  var days: UInt64 = 0
  var evicted = Evictions()
  var hosts: [RememberedHost] = []
  var names: [RememberedName] = []
  var destinations: [RememberedDestination] = []
  var pairs: [RememberedPair] = []
  /// Starts of all pairs, one after the other.
  var times: [UInt32] = []
  var inputs: [KnownInput] = []

  public init() {}

  var isEmpty: Bool { runs == 0 }
  /// UTC day of the latest record.
  var newestDay: Int { Int(last / 86_400) }
  var daysWithRecords: Int { days.nonzeroBitCount }
}

/// What the bounds and the passing of time pushed out since the state began.
struct Evictions: Sendable, Equatable {
  var pairs: UInt64 = 0
  var hosts: UInt64 = 0
  var destinations: UInt64 = 0
  var names: UInt64 = 0
  /// Pairs that were not seen for `RollingState.daysKept` days.
  var expiredPairs: UInt64 = 0
}

/// One of our hosts over all runs; 76 octets on disk.
struct RememberedHost: Sendable, Equatable {
  var address: IPAddress
  var first: UInt32 = .max
  var last: UInt32 = 0
  var days: UInt64 = 0
  /// Hour (since the epoch) of bit 0 of `hours`; bit n is n hours before it.
  var newestHour: UInt32 = 0
  var hours: UInt64 = 0
  var outboundFlows: UInt64 = 0
  /// Halved with every day, as the two after it: what a host was lasts longer than what it did.
  var lookups: UInt32 = 0
  var mailReceived: UInt32 = 0
  var lookupsServed: UInt32 = 0
  /// Most names known to it in one run.
  var names: UInt32 = 0
  init(_ address: IPAddress) { self.address = address }
}

/// When an address or a name was used by our hosts, and whether it ever stood in a verdict.
struct Acquaintance: Sendable, Equatable {
  var first: UInt32 = .max
  var last: UInt32 = 0
  var days: UInt64 = 0
  /// Hosts with a pair that is kept.
  var users: UInt32 = 0
  /// Time of the latest finding over the bar about it, in a verdict of suspicious or infected; 0 when there was none.
  var accused: UInt32 = 0

  mutating func add(_ other: Acquaintance) {
    days = SeenDays.union(days, Int(last / 86_400), other.days, Int(other.last / 86_400))
    first = min(first, other.first)
    last = max(last, other.last)
    accused = max(accused, other.accused)
  }
}

struct RememberedDestination: Sendable, Equatable {
  var address: IPAddress
  var seen = Acquaintance()
}

struct RememberedName: Sendable, Equatable {
  var text: String
  var seen = Acquaintance()
}

/// What earlier runs saw of one of our hosts with one service outside: 148 octets on disk and four for each start kept.
struct RememberedPair: Sendable, Equatable {
  /// Place in `RollingState.hosts`.
  var host: UInt32
  var peer: IPAddress
  var port: UInt16
  var transport: UInt8
  var service: UInt8 = 0
  /// Place in `RollingState.names`; `noName` when the host knew none.
  var name: UInt32 = RememberedPair.noName
  var first: UInt32 = .max
  var last: UInt32 = 0
  var days: UInt64 = 0
  var counts = PairCounts()
  var recent = InlineArray<3, KeptConversation>(repeating: KeptConversation())
  /// Its starts: place of the first in `RollingState.times`, and how many.
  var timesAt: UInt32 = 0
  var timesCount: UInt32 = 0

  static let noName = UInt32.max

  static func == (a: Self, b: Self) -> Bool {
    a.host == b.host && a.peer == b.peer && a.port == b.port && a.transport == b.transport && a.service == b.service
      && a.name == b.name && a.first == b.first && a.last == b.last && a.days == b.days && a.counts == b.counts
      && (0..<3).allSatisfy { a.recent[$0] == b.recent[$0] } && a.timesAt == b.timesAt && a.timesCount == b.timesCount
  }

  /// Tried once, without an answer: the first to go when room is short.
  var isOneOff: Bool { counts.starts <= 1 && counts.answered == 0 }
}

/// A conversation that a record of the next run may continue. Whole seconds since the epoch.
struct KeptConversation: Sendable, Equatable {
  var began: UInt32 = 0
  /// 0: nothing is kept here.
  var last: UInt32 = 0
  var port: UInt16 = 0
  var hasEnded = true
}

extension RollingState {
  func times(of pair: RememberedPair) -> ArraySlice<UInt32> {
    let start = min(Int(pair.timesAt), times.count)
    return times[start..<min(times.count, start + Int(pair.timesCount))]
  }

  func host(at address: IPAddress) -> Int? {
    Self.find(hosts.count) {
      hosts[$0].address < address
    } isAt: {
      hosts[$0].address == address
    }
  }

  func destination(_ address: IPAddress) -> Int? {
    Self.find(destinations.count) {
      destinations[$0].address < address
    } isAt: {
      destinations[$0].address == address
    }
  }

  func name(_ text: String) -> Int? {
    Self.find(names.count) {
      names[$0].text.isBefore(text)
    } isAt: {
      names[$0].text == text
    }
  }

  /// Places of the pairs of one host.
  func pairs(of host: Int) -> Range<Int> {
    let key = UInt32(clamping: host)
    let start = Self.partition(0..<pairs.count) { pairs[$0].host < key }
    return start..<Self.partition(start..<pairs.count) { pairs[$0].host <= key }
  }

  /// Place of one pair among those of its host.
  func pair(in range: Range<Int>, _ peer: IPAddress, _ port: UInt16, _ transport: UInt8) -> Int? {
    let place = Self.partition(range) {
      (pairs[$0].peer, pairs[$0].port, pairs[$0].transport) < (peer, port, transport)
    }
    guard place < range.upperBound, pairs[place].peer == peer, pairs[place].port == port,
      pairs[place].transport == transport
    else { return nil }
    return place
  }

  /// First place of a sorted range of which `isBefore` does not hold.
  static func partition(_ range: Range<Int>, _ isBefore: (Int) -> Bool) -> Int {
    var low = range.lowerBound
    var high = range.upperBound
    while low < high {
      let middle = low + (high - low) / 2
      if isBefore(middle) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private static func find(_ count: Int, _ isBefore: (Int) -> Bool, isAt: (Int) -> Bool) -> Int? {
    let place = partition(0..<count, isBefore)
    return place < count && isAt(place) ? place : nil
  }
}

/// Bit maps of days, bit 0 the latest.
enum SeenDays {
  /// Both maps in one that counts from the later of their days.
  static func union(_ a: UInt64, _ lastOfA: Int, _ b: UInt64, _ lastOfB: Int) -> UInt64 {
    let last = max(lastOfA, lastOfB)
    // A shift by 64 or more gives zero.
    return a << UInt64(clamping: last - lastOfA) | b << UInt64(clamping: last - lastOfB)
  }

  static func bit(of day: Int, last: Int) -> UInt64 { day > last ? 0 : 1 << UInt64(clamping: last - day) }
}

extension String {
  /// Order of octets: the same on every machine, whatever Unicode it knows.
  func isBefore(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }
}

extension Timestamp {
  /// Whole seconds since the epoch as they are kept: 1970 to 2106.
  var keptSeconds: UInt32 { UInt32(clamping: Self.floorDivide(nanoseconds, 1_000_000_000)) }
  init(kept seconds: UInt32) { self.init(seconds: Int64(seconds)) }
}
