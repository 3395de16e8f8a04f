import ArgumentParser
import Foundation
import Mothlight
import MothlightStation

/// `mothlight sinkhole`: answers for names that were lawfully handed over, and keeps who came.
struct Sinkhole: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sinkhole", abstract: "Answer for seized names, and record who asks.",
    subcommands: [SinkholeRun.self, SinkholeTop.self, SinkholeCheck.self, SinkholeFirewall.self],
    defaultSubcommand: SinkholeRun.self)
}

/// `mothlight sinkhole [run] CONFIG`.
struct SinkholeRun: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Run the sinkhole until SIGTERM; SIGHUP reads the zones again.",
    discussion: """
      Name server and listeners run in processes of their own, so that neither falls with the other; one that dies is \
      started again. Each keeps its own spool below the configured folder.
      """)

  /// Parts that run alone.
  enum Part: String, ExpressibleByArgument, CaseIterable {
    case dns, listeners
  }

  @Argument(help: "Configuration file (YAML); see Examples/sinkhole.yaml.")
  var config: String

  @Option(help: "Run this part alone: \(Part.allCases.map(\.rawValue).joined(separator: ", ")).")
  var only: Part?

  @Flag(help: .hidden)
  var supervised = false

  func run() throws {
    Signals.holdBack()
    if supervised { SinkholeSupervisor.endWithSupervisor() }
    do {
      let configuration = try SinkholeConfiguration.read(config)
      switch only {
      case .dns: try runNameServer(configuration)
      case .listeners: try SinkholeListeners.run(configuration, digest: try digest())
      case nil:
        // What is wrong with the file is said once, before anything is started.
        _ = try ZoneFile.read(configuration.zones)
        let hasListeners = !configuration.listeners.listeners.isEmpty
        if hasListeners, let problem = configuration.listeners.problems.first {
          throw Failure("\(config): \(problem)")
        }
        try SinkholeSupervisor(config: config, parts: hasListeners ? [.dns, .listeners] : [.dns]).run()
      }
    } catch let problem as ZoneFile.Problem {
      throw Failure(problem.description)
    } catch let error as ListenError {
      throw Failure(error.description)
    }
  }

  private func runNameServer(_ configuration: SinkholeConfiguration) throws {
    let service = try DNSService(configuration) { Terminal.complain("dns: \($0)") }
    // Counts are up to four seconds old when they are handed over; with five more a kill could cost eleven.
    let sink = try SinkholeSpool.open(configuration, part: "dns", blockSecondsMost: 3)
    // The ports are open; nothing of what follows needs more than the spool and the zone files.
    if let user = configuration.listeners.user { try Privileges.drop(to: user) } else { try Privileges.forbidNew() }
    let now = Timestamp(seconds: Int64(time(nil)))
    sink.append(.notice(Notice(time: now, event: .started(configuration: try digest(), version: Mothlight.version))))
    try service.run(sink)
    sink.append(.notice(Notice(time: Timestamp(seconds: Int64(time(nil))), event: .stopped)))
    sink.finish(now: Timestamp(seconds: Int64(time(nil))))
  }

  /// SHA-256 of the configuration, so that records tell what they were made with.
  private func digest() throws -> [UInt8] {
    guard let octets = FileManager.default.contents(atPath: config) else { return [] }
    return ContentDigest.sha256(Array(octets))
  }
}

/// The spool of one part of a sinkhole.
enum SinkholeSpool {
  /// - Returns: a sink that keeps nothing when no spool is configured.
  static func open(
    _ configuration: SinkholeConfiguration, part: String, blockSecondsMost: Double = SpoolWriter.blockSeconds
  ) throws -> any SpoolSink {
    guard let base = configuration.spool else {
      Terminal.complain("\(part): no spool is configured: what is seen is counted and not kept")
      return UnkeptRecords()
    }
    if mkdir(base, 0o750) != 0, errno != EEXIST {
      throw Failure("\(base): cannot make the spool folder: \(String(cString: strerror(errno)))")
    }
    var options = SpoolWriter.Options(sensor: part)
    options.blockSecondsMost = blockSecondsMost
    options.sampleDays = configuration.listeners.sampleDays
    do {
      let writer = try SpoolWriter(folder: "\(base)/\(part)", options: options)
      for line in writer.repairs { Terminal.complain("\(part): \(line)") }
      if Privileges.isRoot, let user = configuration.listeners.user {
        try Privileges.give("\(base)/\(part)", to: user)
      }
      return ToldSpool(writer, part)
    } catch let error as SpoolError {
      throw Failure(error.message)
    }
  }
}

/// A spool that says on standard error when it cannot write, and when it can again.
final class ToldSpool: SpoolSink {
  private let writer: SpoolWriter
  private let part: String
  private var told: String?

  init(_ writer: SpoolWriter, _ part: String) {
    self.writer = writer
    self.part = part
  }

  func append(_ record: SpoolRecord) { writer.append(record) }

  func flush(now: Timestamp) {
    writer.flush(now: now)
    let trouble = writer.state.trouble
    if trouble != nil, told == nil {
      Terminal.complain("\(part): \(trouble ?? ""); counting goes on, nothing is kept until there is room")
    }
    if trouble == nil, told != nil {
      Terminal.complain("\(part): the spool is written again; \(writer.state.lost) records were lost in all")
    }
    told = trouble
  }

  func finish(now: Timestamp) { writer.finish(now: now) }
}

/// Stands where a spool belongs when none is configured: counts go to the metrics alone.
final class UnkeptRecords: SpoolSink {
  func append(_ record: SpoolRecord) {}
  func flush(now: Timestamp) {}
}
