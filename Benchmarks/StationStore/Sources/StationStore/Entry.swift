import Foundation
import Mothlight
import MothlightStore

/// Fills a station's store and asks it what the pages ask. For Benchmarks/station_store.py; prints one JSON object.
@main struct Entry {
  static func main() async throws {
    let words = CommandLine.arguments
    guard words.count >= 3 else {
      print("usage: StationStore fill FILE [FINDINGS [DAYS [HOSTS]]] | ask FILE RUNS | open FILE")
      exit(2)
    }
    func number(_ place: Int, _ otherwise: Int) -> Int {
      words.count > place ? Int(words[place]) ?? otherwise : otherwise
    }
    switch words[1] {
    case "fill":
      try await Fill(findings: number(3, 10_000_000), days: number(4, 30), hosts: number(5, 100_000)).run(words[2])
    case "ask": try await Ask(runs: number(3, 15)).run(words[2])
    case "open": try Self.open(words[2])
    default: exit(2)
    }
  }

  /// The end of what is filled in; a station would remove the detail of days that are long past.
  static let now = Timestamp(
    seconds: Int64(ProcessInfo.processInfo.environment["STATION_NOW"] ?? "") ?? 1_780_000_000)
  static var today: Int { now.day }

  private static func open(_ path: String) throws {
    let clock = ContinuousClock()
    let start = clock.now
    let store = try StationStore.open(path, at: now)
    let opened = start.duration(to: clock.now)
    print("{\"open_ms\": \(opened.milliseconds), \"octets\": \(store.file.octets)}")
    store.close()
  }
}

extension Duration {
  var milliseconds: Double { Double(components.seconds) * 1e3 + Double(components.attoseconds) * 1e-15 }
}

/// CPU seconds of this process.
func cpuSeconds() -> Double {
  // 0 is RUSAGE_SELF.
  var usage = rusage()
  getrusage(0, &usage)
  return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
    + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
}

struct Fill {
  let findings: Int
  let days: Int
  let hosts: Int
  /// Host-days of one transaction: what a station of this size writes in a few minutes.
  private static let batch = 3000

  func run(_ path: String) async throws {
    let store = try StationStore.open(path, at: Entry.now)
    let campus = Campus(
      hosts: hosts, botnets: 1000, findingsPerHostDay: Double(findings) / Double(days * hosts),
      firstDay: Entry.today - days + 1)
    var random = Chance(1)
    let clock = ContinuousClock()
    var (wall, cpu, written, hostDays) = (0.0, 0.0, 0, 0)
    var slowest = 0.0
    var perDay: [String] = []
    for day in 0..<days {
      var (dayWall, dayCPU, dayFindings) = (0.0, 0.0, 0)
      var n = 0
      while n < hosts {
        let rows = (n..<min(hosts, n + Self.batch)).map { campus.hostDay($0, day, &random) }
        n += rows.count
        let count = rows.reduce(0) { $0 + $1.findings.count }
        let (before, start) = (cpuSeconds(), clock.now)
        try await store.keep(
          rows, run: "day \(day)", at: Timestamp(seconds: Int64(campus.firstDay + day) * 86_400 + 80_000))
        let took = start.duration(to: clock.now).milliseconds / 1e3
        dayWall += took
        dayCPU += cpuSeconds() - before
        dayFindings += count
        hostDays += rows.count
        slowest = max(slowest, took)
      }
      wall += dayWall
      cpu += dayCPU
      written += dayFindings
      perDay.append("[\(day), \(dayFindings), \(dayWall), \(dayCPU)]")
      FileHandle.standardError.write(
        Data(
          "day \(day): \(Int(Double(dayFindings) / dayWall)) findings/s wall, \(Int(Double(dayFindings) / dayCPU)) per CPU s\n"
            .utf8))
    }
    let octets = store.file.octets
    store.close()
    print(
      """
      {"findings": \(written), "host_days": \(hostDays), "wall_s": \(wall), "cpu_s": \(cpu),
       "findings_per_s": \(Double(written) / wall), "findings_per_cpu_s": \(Double(written) / cpu),
       "slowest_transaction_s": \(slowest), "octets": \(octets),
       "days_findings_wall_cpu": [\(perDay.joined(separator: ", "))]}
      """)
  }
}

struct Ask {
  let runs: Int

  private typealias Question = (name: String, ask: (StationStore) async throws -> Int)

  private static func findings(_ change: (inout FindingQuery) -> Void) -> (StationStore) async throws -> Int {
    var query = FindingQuery()
    change(&query)
    let asked = query
    return { try await $0.findings(asked, after: nil, limit: 50).rows.count }
  }

  private static func hosts(_ change: (inout HostDayQuery) -> Void) -> (StationStore) async throws -> Int {
    var query = HostDayQuery()
    change(&query)
    let asked = query
    return { try await $0.hostDays(asked, after: nil, limit: 50).rows.count }
  }

  private static var questions: [Question] {
    let today = Entry.today
    let month = today - 29...today
    let host = IPAddress(v4: 0x0a00_0000 + 7 * 40)
    let wide = Prefix(IPAddress(v4: 0x0a02_0000), length: 16)
    return [
      ("overview", { try await $0.overview(day: today, days: 30).flagged.count }),
      ("hosts_today", hosts { $0.days = today...today }),
      ("hosts_month", hosts { $0.days = month }),
      (
        "hosts_month_by_host",
        hosts {
          $0.days = month
          $0.order = .host
        }
      ),
      (
        "hosts_newest",
        hosts {
          $0.days = month
          $0.order = .newest
        }
      ),
      (
        "hosts_new_today",
        hosts {
          $0.days = today...today
          $0.isNewOnly = true
          $0.verdictLeast = .suspicious
        }
      ),
      (
        "hosts_of_botnet_month",
        hosts {
          $0.days = month
          $0.botnet = "Botnet 0"
        }
      ),
      (
        "hosts_of_network_month",
        hosts {
          $0.days = month
          $0.within = wide
        }
      ),
      (
        "hosts_of_network_infected",
        hosts {
          $0.days = month
          $0.within = wide
          $0.verdictLeast = .infected
        }
      ),
      ("botnets_month", { try await $0.botnets(month, limit: 1000).count }),
      ("host_history", { try await $0.history(of: host).count }),
      ("host_day", { try await $0.hostDay(host, day: today)?.findings.count ?? 0 }),
      ("findings", findings { _ in }),
      ("findings_of_host", findings { $0.host = host }),
      ("findings_of_network", findings { $0.within = wide }),
      ("findings_of_detector", findings { $0.detector = "irc-command" }),
      ("findings_of_family", findings { $0.family = .payload }),
      ("findings_of_no_family", findings { $0.family = .list }),
      ("findings_of_botnet", findings { $0.botnet = "Botnet 7" }),
      (
        "findings_of_detector_and_botnet",
        findings {
          $0.detector = "beacon"
          $0.botnet = "Botnet 700"
        }
      ),
      ("findings_with_text_of_one", findings { $0.text = "z12345.example" }),
      ("findings_with_text_of_many", findings { $0.text = "port 443" }),
      ("findings_with_text_of_none", findings { $0.text = "nowhere.invalid" }),
      (
        "findings_with_text_and_network",
        findings {
          $0.text = "c4711."
          $0.within = wide
        }
      ),
      ("search_name", { try await $0.search("z12345.example", limit: 20).count }),
      ("search_common", { try await $0.search("example", limit: 20).count }),
      ("search_address", { try await $0.search("10.0.1.24", limit: 20).count }),
      ("search_octets", { try await $0.search("10.2.", limit: 20).count }),
      ("search_botnet", { try await $0.search("botnet 99", limit: 20).count }),
      ("search_none", { try await $0.search("qqqqqq", limit: 20).count }),
      ("cases", { try await $0.cases(CaseQuery(), after: nil, limit: 50).rows.count }),
      ("case", { try await $0.case(1)?.findings.count ?? 0 }),
      ("case_statistics", { try await $0.caseStatistics().byState.count }),
      ("condition", { Int(await $0.condition().findings % 1000) }),
    ]
  }

  func run(_ path: String) async throws {
    let store = try StationStore.open(path, at: Entry.now)
    let clock = ContinuousClock()
    var lines: [String] = []
    func measure(_ name: String, _ ask: (StationStore) async throws -> Int) async throws {
      var (times, cpus, rows) = ([Double](), [Double](), 0)
      for _ in 0..<runs {
        let (before, start) = (cpuSeconds(), clock.now)
        rows = try await ask(store)
        times.append(start.duration(to: clock.now).milliseconds)
        cpus.append((cpuSeconds() - before) * 1e3)
      }
      let sorted = times.sorted()
      lines.append(
        """
        "\(name)": {"rows": \(rows), "first_ms": \(times[0]), "median_ms": \(sorted[sorted.count / 2]), \
        "worst_ms": \(sorted[sorted.count - 1]), "cpu_ms": \(cpus.sorted()[cpus.count / 2]), "runs_ms": \(times)}
        """)
    }
    for question in Self.questions { try await measure(question.name, question.ask) }
    for (name, month) in [("today", false), ("month", true)] {
      var query = HostDayQuery()
      query.days = (month ? Entry.today - 29 : Entry.today)...Entry.today
      var cursor: Mothlight.Cursor?
      for _ in 1..<50 { cursor = try await store.hostDays(query, after: cursor, limit: 50).next }
      let (asked, from) = (query, cursor)
      try await measure("hosts_\(name)_page_50") { try await $0.hostDays(asked, after: from, limit: 50).rows.count }
    }
    let condition = await store.condition()
    store.close()
    print(
      """
      {"findings": \(condition.findings), "host_days": \(condition.hostDays), "octets": \(condition.octets), "questions": {
      \(lines.joined(separator: ",\n"))}}
      """)
  }
}
