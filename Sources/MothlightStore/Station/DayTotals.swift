import GRDB
import Mothlight

/// What one host-day says of one botnet.
struct BotnetSum: Equatable {
  var findings: Int64
  var first: Int64
  var last: Int64

  init(_ activity: HostActivity) {
    findings = 0
    first = activity.first.nanoseconds
    last = activity.last.nanoseconds
  }

  init(_ finding: Finding) {
    findings = 1
    first = finding.first.nanoseconds
    last = finding.last.nanoseconds
  }

  init(findings: Int64, first: Int64, last: Int64) {
    self.findings = findings
    self.first = first
    self.last = last
  }

  func adding(_ finding: Finding) -> BotnetSum {
    BotnetSum(
      findings: findings &+ 1, first: min(first, finding.first.nanoseconds), last: max(last, finding.last.nanoseconds))
  }
}

/// Sums per day and per botnet and day, kept in step with the host-days so that no page has to count them.
final class DayTotals {
  private struct Delta {
    var verdicts: [Int64] = [0, 0, 0, 0]
    var new: Int64 = 0
    var findings: Int64 = 0
  }
  private struct Place: Hashable, Comparable {
    var day: Int
    var botnet: Int64
    static func < (a: Self, b: Self) -> Bool { (a.day, a.botnet) < (b.day, b.botnet) }
  }
  private struct BotnetDelta {
    var hosts: Int64 = 0
    var sum = BotnetSum(findings: 0, first: .max, last: .min)
    /// Something went away that may have been the first or the last.
    var mustRecount = false
  }

  private let db: Database
  private let time: Timestamp
  private var deltas: [Int: Delta] = [:]
  private var botnets: [Place: BotnetDelta] = [:]
  /// Days with detail, those of this transaction included.
  private var kept: Set<Int>

  private let flagged: Prepared
  private let setFlagged: Prepared
  private let hostDay: Prepared
  private let putHostDay: Prepared
  private let daysOf: Prepared
  private let putDays: Prepared

  init(_ db: Database, at time: Timestamp) throws {
    self.db = db
    self.time = time
    kept = try Set(KeptDays.all(db))
    flagged = try Prepared(db, "SELECT first_day, last_day FROM flagged_host WHERE host = ?")
    setFlagged = try Prepared(db, "INSERT OR REPLACE INTO flagged_host VALUES (?, ?, ?)")
    hostDay = try Prepared(
      db, "SELECT findings, first, last FROM botnet_host_day WHERE day = ? AND botnet = ? AND host = ?")
    putHostDay = try Prepared(db, "INSERT OR REPLACE INTO botnet_host_day VALUES (?, ?, ?, ?, ?, ?)")
    daysOf = try Prepared(db, "SELECT last_day, bits FROM botnet_host WHERE botnet = ? AND host = ?")
    putDays = try Prepared(db, "INSERT OR REPLACE INTO botnet_host VALUES (?, ?, ?, ?)")
  }

  /// Days of `span` that have detail, oldest first.
  func days(in span: ClosedRange<Int>, with day: Int) -> [Int] {
    kept.union([day]).filter { span.contains($0) }.sorted()
  }

  func add(findings: Int, to day: Int) { deltas[day, default: Delta()].findings &+= Int64(findings) }

  // MARK: Verdicts

  func moved(_ host: IPAddress, _ day: Int, from old: Verdict?, to new: Verdict) throws {
    kept.insert(day)
    if let old { deltas[day, default: Delta()].verdicts[Int(old.place)] &-= 1 }
    deltas[day, default: Delta()].verdicts[Int(new.place)] &+= 1
    let wasFlagged = old?.isFlagged ?? false
    if new.isFlagged, !wasFlagged { try flag(host, day) }
    if wasFlagged, !new.isFlagged { try unflag(host, day) }
  }

  private func known(_ host: IPAddress) throws -> (first: Int, last: Int)? {
    try flagged.bind(.blob(host.octets)).first { (Int($0.integer(0)), Int($0.integer(1))) }
  }

  private func set(_ host: IPAddress, _ first: Int, _ last: Int) throws {
    try setFlagged.bind(.blob(host.octets), .integer(first), .integer(last)).run()
  }

  private func flag(_ host: IPAddress, _ day: Int) throws {
    guard let (first, last) = try known(host) else {
      deltas[day, default: Delta()].new &+= 1
      return try set(host, day, day)
    }
    if day < first {
      deltas[first, default: Delta()].new &-= 1
      deltas[day, default: Delta()].new &+= 1
    }
    if day < first || day > last { try set(host, min(day, first), max(day, last)) }
  }

  private func unflag(_ host: IPAddress, _ day: Int) throws {
    guard let (first, last) = try known(host), day == first || day == last else { return }
    let others = kept.filter { $0 > first && $0 < last }.sorted()
    let newFirst = try day == first ? others.first { try isFlagged(host, $0) } ?? (day == last ? nil : last) : first
    let newLast = try day == last ? others.last { try isFlagged(host, $0) } ?? (day == first ? nil : first) : last
    if day == first {
      deltas[day, default: Delta()].new &-= 1
      if let newFirst { deltas[newFirst, default: Delta()].new &+= 1 }
    }
    if let newFirst, let newLast {
      try set(host, newFirst, newLast)
    } else {
      try Prepared(db, "DELETE FROM flagged_host WHERE host = ?").bind(.blob(host.octets)).run()
    }
  }

  private func isFlagged(_ host: IPAddress, _ day: Int) throws -> Bool {
    let select = try Prepared(db, "SELECT verdict FROM host_day WHERE day = ? AND host = ?")
    let place = try select.bind(.integer(day), .blob(host.octets)).integer()
    return place.map { Verdict(place: $0).isFlagged } ?? false
  }

  // MARK: Botnets

  func named(_ host: IPAddress, _ day: Int, before: Set<Int64>, now: [Int64: BotnetSum]) throws {
    for botnet in before.sorted() where now[botnet] == nil {
      try Prepared(db, "DELETE FROM botnet_host_day WHERE day = ? AND botnet = ? AND host = ?").bind(
        .integer(day), .integer(botnet), .blob(host.octets)
      ).run()
      botnets[Place(day: day, botnet: botnet), default: BotnetDelta()].mustRecount = true
      try turn(off: day, botnet, host)
    }
    for (botnet, sum) in now {
      let old = before.contains(botnet) ? try self.old(day, botnet, host) : nil
      guard old != sum else { continue }
      try putHostDay.bind(
        .integer(day), .integer(botnet), .blob(host.octets), .integer(sum.findings), .integer(sum.first),
        .integer(sum.last)
      ).run()
      var delta = botnets[Place(day: day, botnet: botnet)] ?? BotnetDelta()
      if let old {
        delta.sum.findings &+= sum.findings &- old.findings
        if sum.first > old.first || sum.last < old.last { delta.mustRecount = true }
      } else {
        delta.hosts &+= 1
        delta.sum.findings &+= sum.findings
        try turn(on: day, botnet, host)
      }
      delta.sum.first = min(delta.sum.first, sum.first)
      delta.sum.last = max(delta.sum.last, sum.last)
      botnets[Place(day: day, botnet: botnet)] = delta
    }
  }

  private func old(_ day: Int, _ botnet: Int64, _ host: IPAddress) throws -> BotnetSum? {
    try hostDay.bind(.integer(day), .integer(botnet), .blob(host.octets)).first {
      BotnetSum(findings: $0.integer(0), first: $0.integer(1), last: $0.integer(2))
    }
  }

  private func turn(on day: Int, _ botnet: Int64, _ host: IPAddress) throws {
    let known = try daysOf.bind(.integer(botnet), .blob(host.octets)).first {
      DayBits(lastDay: Int($0.integer(0)), bits: UInt64(bitPattern: $0.integer(1)))
    }
    try put(known?.adding(day) ?? DayBits(lastDay: day, bits: 1), botnet, host)
  }

  private func turn(off day: Int, _ botnet: Int64, _ host: IPAddress) throws {
    let known = try daysOf.bind(.integer(botnet), .blob(host.octets)).first {
      DayBits(lastDay: Int($0.integer(0)), bits: UInt64(bitPattern: $0.integer(1)))
    }
    if let rest = known?.removing(day) {
      try put(rest, botnet, host)
    } else {
      try Prepared(db, "DELETE FROM botnet_host WHERE botnet = ? AND host = ?").bind(
        .integer(botnet), .blob(host.octets)
      ).run()
    }
  }

  private func put(_ days: DayBits, _ botnet: Int64, _ host: IPAddress) throws {
    try putDays.bind(
      .integer(botnet), .blob(host.octets), .integer(days.lastDay), .integer(Int64(bitPattern: days.bits))
    ).run()
  }

  // MARK: Writing

  func flush() throws {
    let addDay = try Prepared(
      db,
      """
      INSERT INTO day_total VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (day) DO UPDATE SET
        not_enough_data = not_enough_data + excluded.not_enough_data, no_sign = no_sign + excluded.no_sign,
        suspicious = suspicious + excluded.suspicious, infected = infected + excluded.infected,
        new = new + excluded.new, findings = findings + excluded.findings,
        written = max(written, excluded.written), has_detail = 1
      """)
    for (day, delta) in deltas.sorted(by: { $0.key < $1.key }) {
      try addDay.bind(
        .integer(day), .integer(delta.verdicts[0]), .integer(delta.verdicts[1]), .integer(delta.verdicts[2]),
        .integer(delta.verdicts[3]), .integer(delta.new), .integer(delta.findings), .integer(time.nanoseconds)
      ).run()
    }
    for (place, delta) in botnets.sorted(by: { $0.key < $1.key }) {
      try delta.mustRecount ? recount(place) : add(delta, to: place)
    }
    deltas = [:]
    botnets = [:]
  }

  private func add(_ delta: BotnetDelta, to place: Place) throws {
    let sql = """
      INSERT INTO botnet_day VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (day, botnet) DO UPDATE SET
        hosts = hosts + excluded.hosts, findings = findings + excluded.findings,
        first = min(first, excluded.first), last = max(last, excluded.last)
      """
    try Prepared(db, sql).bind(
      .integer(place.day), .integer(place.botnet), .integer(delta.hosts), .integer(delta.sum.findings),
      .integer(delta.sum.first), .integer(delta.sum.last)
    ).run()
  }

  private func recount(_ place: Place) throws {
    try Prepared(db, "DELETE FROM botnet_day WHERE day = ? AND botnet = ?").bind(
      .integer(place.day), .integer(place.botnet)
    ).run()
    let sql = """
      INSERT INTO botnet_day SELECT day, botnet, COUNT(*), SUM(findings), MIN(first), MAX(last) FROM botnet_host_day
      WHERE day = ? AND botnet = ? GROUP BY day, botnet
      """
    try Prepared(db, sql).bind(.integer(place.day), .integer(place.botnet)).run()
  }
}

/// The days of one host with one botnet as bits: bit 0 is the last day, bit n the n-th day before it.
struct DayBits: Equatable {
  /// Days that fit; SQLite's whole numbers have a sign.
  static let most = 62
  var lastDay: Int
  var bits: UInt64

  func adding(_ day: Int) -> DayBits {
    if day <= lastDay {
      let back = lastDay - day
      return back < Self.most ? DayBits(lastDay: lastDay, bits: bits | 1 << UInt64(back)) : self
    }
    let step = day - lastDay
    let mask = (1 << UInt64(Self.most)) as UInt64 - 1
    return DayBits(lastDay: day, bits: step < Self.most ? (bits << UInt64(step) | 1) & mask : 1)
  }

  /// `nil` when no day is left.
  func removing(_ day: Int) -> DayBits? {
    let back = lastDay - day
    guard back >= 0, back < Self.most else { return self }
    let rest = bits & ~(1 << UInt64(back))
    guard rest != 0 else { return nil }
    let zeros = rest.trailingZeroBitCount
    return DayBits(lastDay: lastDay - zeros, bits: rest >> UInt64(zeros))
  }
}

/// Days whose host-days and findings are kept.
enum KeptDays {
  /// Newest first.
  static func all(_ db: Database) throws -> [Int] {
    var days: [Int] = []
    try Prepared(db, "SELECT day FROM day_total WHERE has_detail = 1 ORDER BY day DESC").each { row in
      days.append(Int(row.integer(0)))
      return true
    }
    return days
  }

  /// Newest first.
  static func all(_ db: Database, in range: ClosedRange<Int>?) throws -> [Int] {
    let days = try all(db)
    guard let range else { return days }
    return days.filter { range.contains($0) }
  }
}
