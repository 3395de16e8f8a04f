import GRDB
import Mothlight

extension StationStore {
  /// Hosts that the first page shows.
  private static let flaggedMost = 50
  /// Days that one answer tells.
  private static let daysMost = 3660

  public func overview(day: Int, days: Int) async throws(StoreError) -> Overview {
    try await read { db in
      let range = (day - max(1, min(Self.daysMost, days)) + 1)...day
      var found: [Int: Overview.Day] = [:]
      let select = try Prepared(
        db,
        """
        SELECT day, not_enough_data, no_sign, suspicious, infected, new FROM day_total WHERE day BETWEEN ? AND ?
        """)
      try select.bind(.integer(range.lowerBound), .integer(range.upperBound)).each { row in
        var hosts: [Verdict: Int] = [:]
        for (n, verdict) in [Verdict.notEnoughData, .noSign, .suspicious, .infected].enumerated() {
          let count = Int(row.integer(Int32(n + 1)))
          if count > 0 { hosts[verdict] = count }
        }
        let number = Int(row.integer(0))
        found[number] = Overview.Day(day: number, hosts: hosts, new: Int(row.integer(5)))
        return true
      }
      var query = HostDayQuery()
      query.days = day...day
      query.verdictLeast = .suspicious
      let flagged = try HostDayList(db, query).page(after: nil, limit: Self.flaggedMost)
      let open = try Prepared(db, "SELECT COUNT(*) FROM case_file WHERE state IN ('open', 'acknowledged')").integer()
      return Overview(
        days: range.map { found[$0] ?? Overview.Day(day: $0, hosts: [:], new: 0) }, flagged: flagged.rows,
        openCases: Int(open ?? 0))
    }
  }

  /// Distinct hosts over the range are exact as long as the detail of its days is kept; beyond it they are the hosts that are
  /// still known, and at least those of the fullest day. A finding that reaches over midnight counts on each of its days.
  public func botnets(_ range: ClosedRange<Int>, limit: Int) async throws(StoreError) -> [BotnetActivity] {
    try await read { db in try BotnetTable(db, range).activities(limit: PageCursor.clamped(limit)) }
  }
}

/// Botnets over some days, from the sums that writing keeps.
struct BotnetTable {
  private struct Sum {
    var findings: Int64 = 0
    var first = Int64.max
    var last = Int64.min
    var byDay: [Int: Int] = [:]
  }

  private let db: Database
  private let range: ClosedRange<Int>

  init(_ db: Database, _ range: ClosedRange<Int>) {
    self.db = db
    let limits = -RowID.dayMost...RowID.dayMost
    self.range = range.clamped(to: limits)
  }

  func activities(limit: Int) throws -> [BotnetActivity] {
    var sums: [Int64: Sum] = [:]
    let select = try Prepared(
      db, "SELECT botnet, day, hosts, findings, first, last FROM botnet_day WHERE day BETWEEN ? AND ? AND hosts > 0")
    try select.bind(.integer(range.lowerBound), .integer(range.upperBound)).each { row in
      let botnet = row.integer(0)
      var sum = sums[botnet] ?? Sum()
      sum.byDay[Int(row.integer(1))] = Int(row.integer(2))
      sum.findings &+= row.integer(3)
      sum.first = min(sum.first, row.integer(4))
      sum.last = max(sum.last, row.integer(5))
      sums[botnet] = sum
      return true
    }
    let hosts = try distinctHosts()
    let names = try self.names()
    let all = sums.map { botnet, sum in
      BotnetActivity(
        name: names[botnet] ?? "?", hosts: max(hosts[botnet] ?? 0, sum.byDay.values.max() ?? 0),
        findings: Int(sum.findings), first: Timestamp(nanoseconds: sum.first), last: Timestamp(nanoseconds: sum.last),
        byDay: sum.byDay)
    }
    return Array(all.sorted { ($1.hosts, $1.findings, $0.name) < ($0.hosts, $0.findings, $1.name) }.prefix(limit))
  }

  private func names() throws -> [Int64: String] {
    var names: [Int64: String] = [:]
    try Prepared(db, "SELECT id, name FROM named_botnet").each { row in
      names[row.integer(0)] = row.text(1)
      return true
    }
    return names
  }

  /// Each host once, on however many days it was seen.
  ///
  /// - Complexity: O(pairs of host and botnet) from bits of days; for days further back than those, O(their host-days).
  private func distinctHosts() throws -> [Int64: Int] {
    let newest = try Prepared(db, "SELECT MAX(day) FROM botnet_day").integer().map { Int($0) } ?? range.upperBound
    let isRecent = newest - range.lowerBound < DayBits.most
    let sql =
      isRecent
      ? """
      SELECT botnet, COUNT(*) FROM botnet_host
      WHERE last_day BETWEEN ?1 AND ?2
        OR last_day > ?2 AND ((bits & ((1 << (last_day - ?1 + 1)) - 1)) >> (last_day - ?2)) <> 0 GROUP BY botnet
      """
      : "SELECT botnet, COUNT(DISTINCT host) FROM botnet_host_day WHERE day BETWEEN ?1 AND ?2 GROUP BY botnet"
    var hosts: [Int64: Int] = [:]
    let select = try Prepared(db, sql)
    try select.bind(.integer(range.lowerBound), .integer(range.upperBound)).each { row in
      hosts[row.integer(0)] = Int(row.integer(1))
      return true
    }
    return hosts
  }
}
