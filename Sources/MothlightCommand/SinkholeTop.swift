import ArgumentParser
import Foundation
import Mothlight
import MothlightStation

/// `mothlight sinkhole top CONFIG`: watches a running sinkhole of this machine in a terminal.
struct SinkholeTop: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "top", abstract: "Watch a running sinkhole: rates, sources, families, countries.",
    discussion: """
      Rates and counts are the metrics of the running parts, asked on loopback; families, countries and systems are from the \
      newest segments of the spool. Ctrl-C ends it.
      """)

  @Argument(help: "Configuration file that the sinkhole runs from.")
  var config: String

  @Option(help: "Seconds between two looks.")
  var every = 2.0

  @Option(help: "libloc or MaxMind file for countries and systems; default: Debian's, when it is installed.")
  var networks: String?

  @Flag(help: "Look twice, print once, end.")
  var once = false

  func run() throws {
    let configuration = try read()
    guard (0.2...3600).contains(every) else { throw ValidationError("--every takes 0.2 to 3600 seconds") }
    let directory = try directory()
    var before = try look(configuration)
    while true {
      usleep(UInt32(every * 1e6))
      let now = try look(configuration)
      let text = now.page(since: before, configuration.spool, directory)
      Terminal.write((once ? "" : "\u{1b}[H\u{1b}[2J") + Terminal.printable(text), to: 1)
      if once { return }
      before = now
    }
  }

  private func look(_ configuration: SinkholeConfiguration) throws -> Look {
    let look = Look(configuration)
    guard look.isAnswered else {
      throw Failure(
        "nobody answers at the metrics addresses of \(config); is the sinkhole running, and does the file give 'metrics'?"
      )
    }
    return look
  }

  private func read() throws -> SinkholeConfiguration {
    do {
      return try SinkholeConfiguration.read(config)
    } catch { throw Failure(error.description) }
  }

  private func directory() throws -> (any NetworkDirectory)? {
    do {
      return try NetworkFiles.openOrInstalled(networks)
    } catch { throw Failure(error.message) }
  }

  /// What the parts say at one moment.
  private struct Look {
    let time = Date()
    let listeners: [String: Double]?
    let names: [String: Double]?
    var isAnswered: Bool { listeners != nil || names != nil }

    init(_ configuration: SinkholeConfiguration) {
      listeners = configuration.listeners.metrics.flatMap(MetricsClient.init)?.values()
      names = configuration.dns.metrics.flatMap(MetricsClient.init)?.values()
    }

    func page(since before: Look?, _ spool: String?, _ networks: (any NetworkDirectory)?) -> String {
      let seconds = before.map { time.timeIntervalSince($0.time) } ?? 0
      func rate(_ now: Double, _ then: Double?) -> String {
        guard let then, seconds > 0 else { return "" }
        return " (\(Int((max(0, now - then) / seconds).rounded()))/s)"
      }
      var out = "Mothlight sinkhole, \(time.formatted(.iso8601))\n\n"
      if let l = listeners {
        func value(_ name: String) -> Double { l["mothlight_sinkhole_" + name] ?? 0 }
        let then = before?.listeners?["mothlight_sinkhole_check_ins_total"]
        out += "LISTENERS    check-ins \(Int(value("check_ins_total")))\(rate(value("check_ins_total"), then))"
        out += "   sources \(Int(value("sources")))   open connections \(Int(value("connections_open")))\n"
        let levels = EvidenceLevel.allCases.map { level in
          "\(level.name) \(Int(l["mothlight_sinkhole_check_ins_by_level_total{level=\"\(level.name)\"}"] ?? 0))"
        }
        out += "             \(levels.joined(separator: "   "))   visitors \(Int(value("visitor_check_ins_total")))\n"
        out +=
          "             kernel drops \(Int(value("kernel_drops_total")))   records lost \(Int(value("spool_lost_total")))"
        out += "   one source in \(Int(max(1, value("sampling_factor")))) looked at\n"
      } else {
        out += "LISTENERS    no answer\n"
      }
      out += queries(rate, before)
      return out + Self.recent(spool, networks)
    }

    private func queries(_ rate: (Double, Double?) -> String, _ before: Look?) -> String {
      guard let n = names else { return "NAME SERVER  no answer\n" }
      func sum(_ values: [String: Double]) -> Double {
        values.filter { $0.key.hasPrefix("mothlight_dns_queries_total") }.reduce(0) { $0 + $1.value }
      }
      return "NAME SERVER  queries \(Int(sum(n)))\(rate(sum(n), before?.names.map(sum)))"
        + "   kernel drops \(Int(n["mothlight_dns_kernel_drops_total"] ?? 0))\n"
    }

    private static func recent(_ spool: String?, _ networks: (any NetworkDirectory)?) -> String {
      guard let spool else { return "\nNo spool is configured.\n" }
      guard let recent = try? RecentSources(spool: "\(spool)/listeners", networks: networks) else {
        return "\nNothing in the spool yet.\n"
      }
      var out = "\nLATELY (newest segments): \(recent.sources) addresses without visitors, which are not machines\n"
      out += "  Sources are written when their hour is over; of the running hour only samples are among them.\n"
      for (title, rows) in [("family", recent.families), ("country", recent.countries), ("system", recent.systems)]
      where !rows.isEmpty {
        out += "  \(title): " + rows.prefix(8).map { "\($0.name) \($0.sources)" }.joined(separator: ", ") + "\n"
      }
      return out
    }
  }
}
