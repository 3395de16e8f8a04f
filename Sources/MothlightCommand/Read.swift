import ArgumentParser
import Foundation
import Mothlight
import MothlightStation

/// `mothlight read`: captures, flow files and log folders to a verdict per host and day.
struct Read: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "read", abstract: "Read captures, flow files or log folders and give a verdict per host.",
    discussion: """
      Formats are told apart by content: pcap, pcapng, Zeek TSV and JSON, Suricata EVE, Argus binetflow, nfcapd; plain, gzip \
      or zstd; a folder is one input; - is standard input. Nothing is sent anywhere and nothing is written but the report \
      and, with --state, what is kept for the next run.

      Exit status: 0 done, 1 when --fail-on is met, 2 when nothing could be read, the state could not be used or saved, or \
      the command line is wrong.
      """)

  @Argument(help: "Captures, flow files, log files or folders; - for standard input.")
  var inputs: [String]

  @OptionGroup var choices: ReadChoices

  @OptionGroup var sharing: ShareChoices

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "Output: \(ExporterRoster.cards.map(\.name).joined(separator: ", ")). Default: table.", valueName: "format"))
  var format = "table"

  @Option(
    name: .shortAndLong,
    help:
      "Write the report to this file instead of standard output; for formats of several files a folder, made if it ends with /."
  )
  var output: String?

  @Option(help: "Explain one host at length.")
  var explain: String?

  @Flag(help: "List hosts without a sign and hosts that were hardly seen, too.")
  var all = false

  @Flag(help: "List what was kept out of the verdicts: by allow rules, or because many healthy machines do it.")
  var showHidden = false

  @Option(
    help: ArgumentHelp(
      "Folder in which to keep a summary of pairs and hosts for the next run: slow beacons, age and prevalence over runs.",
      valueName: "dir"))
  var state: String?

  @Option(help: "Exit with 1 when a host has this verdict or a worse one: suspicious or infected.")
  var failOn: String?

  @Flag(inversion: .prefixedNo, help: "Progress bar on a terminal.")
  var progress = true

  func run() async throws {
    let threshold = try failOn.map(parseVerdict)
    var settings = ExporterSettings()
    settings.showAll = all
    settings.showHidden = showHidden
    settings.threads = choices.shards
    settings.width = Terminal.width
    settings.colour = output == nil && Terminal.wantsColour
    if let explain {
      guard let host = IPAddress(explain) else { throw ValidationError("--explain: '\(explain)' is not an address") }
      settings.explain = host
    }
    try sharing.apply(to: &settings)
    var anonymiser = try sharing.anonymiser()
    // Before the work, so that a wrong word costs nothing.
    let tried = try configured { () throws(ConfigurationError) in try ExporterRoster.make(format, settings) }
    try sharing.check(type(of: tried).card)
    var options = try choices.options()
    if inputs.contains(where: SpoolReader.recognises) || !settings.exchange.choice.recipient.systems.isEmpty {
      do {
        options.spoolNetworks = try NetworkFiles.openOrInstalled(nil)
      } catch { Terminal.complain(error.message) }
    }
    settings.exchange.networks = options.networks ?? options.spoolNetworks
    try configured { () throws(ConfigurationError) in try settings.exchange.checkRecipient() }
    // Held until the end, so that two runs do not overwrite each other.
    let folder = try state.map(openState)
    options.state = folder?.state
    var (report, kept) = try await ReadRun(options: options, showsProgress: progress && Terminal.errorIsTerminal).run(
      inputs)
    report.warnings += folder?.notes.map { "state: \($0)" } ?? []
    anonymiser?.anonymise(&report, &settings)
    UntilExit.keep(report)
    let exporter = try configured { () throws(ConfigurationError) in try ExporterRoster.make(format, settings) }
    // Of nothing there is no report for people; programs get theirs with the errors in it.
    let isEmptyTable = format == "table" && output == nil && InputQueue.nothingUsable(report.inputs)
    if !isEmptyTable {
      do {
        try ReportSink(path: output).write(report, with: exporter, inputs: inputs)
      } catch let error as ConfigurationError { throw Failure(error.message) }
    }
    // Only after the report: a state that cannot be saved must not hide what was found.
    if let folder, let kept { try saveState(kept, in: folder) }
    try finish(report, threshold)
  }

  private func openState(_ path: String) throws -> StateFolder {
    do {
      return try StateFolder(path: path)
    } catch { throw Failure(error.message) }
  }

  private func saveState(_ state: RollingState, in folder: StateFolder) throws {
    do {
      try folder.save(state)
    } catch { throw Failure(error.message) }
  }

  private func parseVerdict(_ text: String) throws -> Verdict {
    guard let verdict = Verdict(rawValue: text), verdict >= .suspicious else {
      throw ValidationError("--fail-on takes suspicious or infected, not '\(text)'")
    }
    return verdict
  }

  private func finish(_ report: Report, _ threshold: Verdict?) throws {
    for input in report.inputs { if let error = input.error { Terminal.complain(error.message) } }
    if InputQueue.nothingUsable(report.inputs) { throw ExitCode(2) }
    if let threshold, report.hosts.contains(where: { $0.verdict >= threshold }) { throw ExitCode(1) }
  }
}

/// Options shared by the commands that read traffic.
struct ReadChoices: ParsableArguments {
  @Option(help: "Home network, e.g. 192.0.2.0/24; may be repeated. Default: learned from the traffic.")
  var home: [String] = []

  @Option(help: "Indicator list file; may be repeated.")
  var list: [String] = []

  @Option(
    help: ArgumentHelp(
      "Who announces an address: a libloc database, a MaxMind DB file, or \(NetworkFiles.standardWord) for Debian's; may be repeated.",
      valueName: "file"))
  var networks: [String] = []

  @Option(help: "Signature file (docs/signatures.md): adds to the built-in ones or replaces them; may be repeated.")
  var signatures: [String] = []

  @Option(help: "Allow rule (source:, destination:, name:, pair:A>B) or a file of rules; may be repeated.")
  var allow: [String] = []

  @Option(
    help:
      "Judge as if nothing had been taken off for this reason: prevalence, known_service, role, age; may be repeated.")
  var undo: [String] = []

  @Option(name: .customLong("set"), help: "Turn a detector's knob: DETECTOR.KNOB=NUMBER; may be repeated.")
  var knobs: [String] = []

  @Option(
    help: "Detector tasks beside the reader. Default: one, least memory; twice the cores finish a long input soonest.")
  var shards = 1

  @Option(
    help: ArgumentHelp("Pairs a shard with long series, to measure what a full table costs.", visibility: .hidden))
  var longSeries = LongSeries.limit

  func options() throws -> ReadOptions {
    var options = ReadOptions()
    options.undone = Set(
      try undo.map { text in
        guard let kind = Suppression.Kind(rawValue: text.replacingOccurrences(of: "-", with: "_")) else {
          let all = Suppression.Kind.allCases.map(\.rawValue).joined(separator: ", ")
          throw ValidationError("--undo takes \(all), not '\(text)'")
        }
        return kind
      })
    options.home = try home.map { text in
      guard let prefix = Prefix(text) else {
        throw ValidationError("--home: '\(text)' is not a prefix such as 192.0.2.0/24")
      }
      return prefix
    }
    guard (1...64).contains(shards) else { throw ValidationError("--shards takes 1 to 64") }
    options.shards = shards
    options.longSeriesMost = max(0, min(LongSeries.limit, longSeries))
    options.knobs = try parseKnobs()
    options.registry = try configured { () throws(ConfigurationError) in try Registry.load(paths: list) }
    options.networks = try configured { () throws(ConfigurationError) in try NetworkFiles.open(networks) }
    if !signatures.isEmpty { try SignatureChoice.use(signatures) }
    for rule in allow {
      if FileManager.default.fileExists(atPath: rule) {
        let text = try TextFile.read(rule, "one rule a line is needed")
        options.allow.rules += try configured { () throws(ConfigurationError) in try AllowList(text: text, name: rule) }
          .rules
      } else if !rule.contains(":") {
        throw Failure("--allow \(rule): no such file, and it is no rule either, such as source:192.0.2.7")
      } else {
        options.allow.rules.append(try configured { () throws(ConfigurationError) in try AllowList.parse(rule) })
      }
    }
    return options
  }

  private func parseKnobs() throws -> [String: [String: Double]] {
    var result: [String: [String: Double]] = [:]
    for text in knobs {
      let halves = text.split(separator: "=", maxSplits: 1)
      let path = halves.first?.split(separator: ".", maxSplits: 1) ?? []
      guard halves.count == 2, path.count == 2, let value = Double(halves[1]) else {
        throw ValidationError("--set takes DETECTOR.KNOB=NUMBER, for example beacon.timer_least=10; not '\(text)'")
      }
      result[String(path[0]), default: [:]][String(path[1])] = value
    }
    return result
  }
}

/// A configuration error as a failure of the run.
func configured<T>(_ body: () throws(ConfigurationError) -> T) throws -> T {
  do { return try body() } catch { throw Failure(error.message) }
}

/// One run over inputs with a progress bar.
struct ReadRun {
  var options: ReadOptions
  var showsProgress: Bool

  func run(_ paths: [String]) async throws -> (report: Report, state: RollingState?) {
    Heap.keepFreedBlocks()
    var pipeline = try configured { () throws(ConfigurationError) in try ReadPipeline(options) }
    var bar = ProgressBar(isShown: showsProgress)
    let report = await pipeline.run(InputQueue(paths: paths), version: Mothlight.version) { bar.update($0, of: $1) }
    bar.clear()
    return (report, pipeline.stateToSave)
  }
}
