import Mothlight

/// Makes guessing slow: each failure of an account or an address doubles the time until its next attempt.
///
/// An attempt is counted as failed when it begins, so that a hundred at once are no hundred free guesses. A success clears it.
/// An account's delay stays short, lest strangers lock its owner out; and an address from which the owner logged in before is
/// judged by its own failures alone.
public struct LoginThrottle: Sendable {
  public struct Limits: Sendable {
    /// Failures without delay: people mistype.
    public var freeFailures = 5
    public var accountDelaySecondsMost = 60.0
    public var addressDelaySecondsMost = 900.0
    /// After so long without a failure all is forgotten.
    public var memorySeconds = 86_400.0
    /// Accounts and addresses that are kept, each; beyond them the ones seen longest ago are forgotten, and counted.
    public var entries = 8192
    /// Places of owners that are remembered.
    public var knownPlaces = 1024
    public init() {}
  }

  private struct Entry {
    var failures = 0
    var last: Timestamp
    /// Of an account: whether there is one of this name. Names that attackers make up go first.
    var isReal = true
  }
  private struct Place: Hashable {
    var account: String
    var address: IPAddress
  }

  private let limits: Limits
  private var accounts: [String: Entry] = [:]
  private var addresses: [IPAddress: Entry] = [:]
  private var places: [Place: Entry] = [:]
  /// Entries that had to make room.
  public private(set) var evicted: UInt64 = 0
  /// Attempts that were told to wait.
  public private(set) var refused: UInt64 = 0

  public init(_ limits: Limits = Limits()) { self.limits = limits }

  /// Begins an attempt, or tells how many seconds are to go.
  public mutating func attempt(_ account: String, isReal: Bool, from address: IPAddress, at time: Timestamp) -> Double?
  {
    let address = Self.holder(of: address)
    let place = Place(account: account, address: address)
    let isKnown = places[place] != nil
    var wait = remaining(addresses[address], limits.addressDelaySecondsMost, time)
    if isKnown {
      wait = max(wait, remaining(places[place], limits.addressDelaySecondsMost, time))
    } else {
      wait = max(wait, remaining(accounts[account], limits.accountDelaySecondsMost, time))
    }
    guard wait <= 0 else {
      refused &+= 1
      return wait
    }
    evicted &+= count(address, in: &addresses, at: time)
    if isKnown {
      evicted &+= count(place, in: &places, at: time)
    } else {
      evicted &+= count(account, in: &accounts, at: time, isReal: isReal)
    }
    return nil
  }

  public mutating func succeeded(_ account: String, from address: IPAddress, at time: Timestamp) {
    let address = Self.holder(of: address)
    accounts[account] = nil
    addresses[address] = nil
    let place = Place(account: account, address: address)
    if places[place] == nil { evicted &+= Self.makeRoom(in: &places, limits.knownPlaces) }
    places[place] = Entry(last: time)
  }

  /// Takes an attempt back that was never checked: that others are many is nobody's failure.
  public mutating func withdraw(_ account: String, from address: IPAddress) {
    let address = Self.holder(of: address)
    func less(_ entry: Entry?) -> Entry? {
      guard var entry, entry.failures > 0 else { return entry }
      entry.failures -= 1
      return entry
    }
    addresses[address] = less(addresses[address])
    let place = Place(account: account, address: address)
    if let known = less(places[place]) { places[place] = known } else { accounts[account] = less(accounts[account]) }
  }

  private func remaining(_ entry: Entry?, _ most: Double, _ time: Timestamp) -> Double {
    guard let entry, entry.failures >= limits.freeFailures else { return 0 }
    let since = time.seconds(since: entry.last)
    guard since < limits.memorySeconds else { return 0 }
    let delay = min(most, Double(1 << min(30, entry.failures - limits.freeFailures)))
    // A clock that went back must not make anybody wait longer than the delay.
    return min(delay, delay - since)
  }

  private func count<Key: Hashable>(
    _ key: Key, in table: inout [Key: Entry], at time: Timestamp, isReal: Bool = true
  ) -> UInt64 {
    var entry = table[key] ?? Entry(last: time)
    var forgotten: UInt64 = 0
    if table[key] == nil { forgotten = Self.makeRoom(in: &table, limits.entries) }
    if time.seconds(since: entry.last) >= limits.memorySeconds { entry.failures = 0 }
    entry.failures += 1
    entry.last = time
    entry.isReal = isReal
    table[key] = entry
    return forgotten
  }

  /// Forgets a quarter of a full table; how many that were.
  private static func makeRoom<Key: Hashable>(in table: inout [Key: Entry], _ most: Int) -> UInt64 {
    guard table.count >= most else { return 0 }
    let old = table.sorted { a, b in
      a.value.isReal != b.value.isReal ? !a.value.isReal : a.value.last < b.value.last
    }
    let forgotten = old.prefix(max(1, most / 4))
    for (key, _) in forgotten { table[key] = nil }
    return UInt64(forgotten.count)
  }

  /// Who holds an address: one IPv6 customer has a /64.
  private static func holder(of address: IPAddress) -> IPAddress {
    address.isV4 ? address : IPAddress(high: address.high, low: 0)
  }
}
