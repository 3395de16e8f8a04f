import ArgumentParser
import Foundation
import Mothlight

/// `mothlight census`: how many machines, from spools, kept rollups or a table of sightings.
struct Census: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "census",
    abstract: "Estimate how many machines a botnet has, with an interval, or say why that cannot be said.",
    discussion: """
      Inputs are spools of a sinkhole, folders that --keep wrote, and tables (CSV) with the columns \
      hour,sensor,ip,asn,cc,tz,fp,id,contacts,valid; hour and ip are needed. Inputs that tell of one botnet are joined: each \
      spool is a sensor. A table holds no name: it tells of 'botnet', or of what --botnet says.

      Addresses are not machines: the count of addresses always stands beside the estimate. What an estimate rests on and \
      what forbids one is printed with it; docs/census.md explains.

      Exit status: 0 done, also when a number had to be refused; 2 when nothing could be read or the command line is wrong.
      """)

  @Argument(help: "Spools, kept rollups, or tables of sightings; - for a table on standard input.")
  var inputs: [String] = []

  @Option(help: "A table of sightings (the same as naming it as an input).")
  var from: [String] = []

  @Option(help: "Only this botnet, and what a table is called. Needed when inputs tell of several, but for tables.")
  var botnet: String?

  @Option(name: .shortAndLong, help: "Output: table, json, csv or html. Default: table.")
  var format = "table"

  @Option(name: .shortAndLong, help: "Write the report to this file instead of standard output.")
  var output: String?

  @Option(help: "First day of the window (UTC), such as 2026-03-02. Default: all.")
  var first: String?

  @Option(help: "Last day of the window (UTC). Default: all.")
  var last: String?

  @Option(help: "Day of the takeover (UTC): from there on a clean-up curve is fitted.")
  var takeover: String?

  @Option(help: "Seconds between check-ins of a machine, when published for the family.")
  var checkInS: Double?

  @Option(help: "File with AS numbers of hosting companies, one a line: no victims there.")
  var hosting: String?

  @Option(help: "Table of uplinks instead of the built-in one: country,year,mbit_s,source,assumption.")
  var uplinks: String?

  @Option(help: "Networks file (libloc or MaxMind) for spools. Default: the installed libloc database.")
  var networks: String?

  @Option(
    help: ArgumentHelp(
      "A table for each botnet, country, network, hour or day instead of the report.", valueName: "what"))
  var by: String?

  @Option(help: "How often networks change addresses, as --learn-churn wrote it.")
  var churn: String?

  @Option(help: "Learn that from this botnet's identities, and add it to this file.")
  var learnChurn: String?

  @Option(help: "File with the secret under which addresses are sampled: 32 hexadecimal digits.")
  var keyFile: String?

  @Option(help: ArgumentHelp("Keep the rollup in this folder, to be counted again without the rows.", valueName: "dir"))
  var keep: String?

  @Flag(help: "Inputs are captures or logs of our attacked machines, each a sensor: count those who come from outside.")
  var scanners = false

  @Flag(name: .customLong("public"), help: "For everybody: what tells of fewer than ten machines is hidden.")
  var isPublic = false

  @Option(help: "Marking of the output (TLP 2.0). Default: amber, and clear with --public.")
  var tlp: String?

  @Flag(inversion: .prefixedNo, help: "Progress on a terminal.")
  var progress = true

  func validate() throws {
    guard !inputs.isEmpty || !from.isEmpty else { throw ValidationError("give a spool, a kept rollup or a table") }
    if let by {
      guard CensusBreakdown(rawValue: by) != nil else {
        let names = CensusBreakdown.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("--by: '\(by)'; there is: \(names)")
      }
      guard format == "table" else {
        throw ValidationError("--by: \(format) holds everything already; leave --by out, or use --format table")
      }
    }
    if let checkInS, !(1...86_400).contains(checkInS) { throw ValidationError("--check-in-s: 1 to 86400") }
  }

  func run() throws {
    var settings = ExporterSettings()
    settings.width = Terminal.width
    settings.colour = output == nil && Terminal.wantsColour
    settings.tlp = try ShareChoices.marking(tlp)
    let exporter = try configured { () throws(ConfigurationError) in
      try CensusExporterRoster.make(format, settings)
    }
    let paths = inputs + from
    var reader = CensusInputs(
      networksFile: networks, botnet: botnet, keys: try tagKeys(), showsProgress: progress && Terminal.errorIsTerminal)
    for path in paths { if scanners { try reader.readScanners(path) } else { try reader.read(path) } }
    var rollups = try reader.rollups()
    for line in reader.apart(from: botnet) { Terminal.complain(line) }
    if let botnet {
      rollups = rollups.filter { $0.botnet == botnet }
      guard !rollups.isEmpty else { throw Failure("no sighting of '\(botnet)'; there is: \(reader.names)") }
    }
    guard rollups.count == 1 || format == "table" else {
      throw Failure("the inputs tell of several botnets (\(reader.names)): choose one with --botnet")
    }
    if let keep { try save(rollups, in: keep) }
    let model = try firepower()
    let rules = try rules()
    if let learnChurn { try learn(rollups, rules, into: learnChurn) }
    let editions = try rollups.map { try edition($0, model, rules, reader) }
    do {
      try ReportSink(path: output).write(inputs: paths) { write in
        if let breakdown = by.flatMap(CensusBreakdown.init) {
          return try CensusBreakdownTable(breakdown, settings).export(editions, to: write)
        }
        for (i, edition) in editions.enumerated() {
          if i > 0 { try write("\n") }
          try exporter.export(edition, to: write)
        }
      }
    } catch let error as ConfigurationError { throw Failure(error.message) }
  }

  private func edition(
    _ rollup: CensusRollup, _ model: FirepowerModel, _ rules: CensusRules, _ inputs: CensusInputs
  ) throws -> CensusEdition {
    guard var table = CensusTable(rollup, window: try window(rollup)) else {
      throw Failure("\(rollup.botnet): no valid sighting in the window; \(rollup.rows) rows were read")
    }
    table.recordsLost = inputs.recordsLost
    table.clockSteps = inputs.clockSteps
    let estimator = CensusEstimator(table, rules: rules)
    var trend = TrendOptions()
    trend.takeover = try takeover.map { try Self.hour($0, "--takeover") }
    trend.countries = estimator.countrySeries()
    return CensusEdition(
      report: estimator.report(botnet: rollup.botnet), trend: trend, firepower: model,
      audience: isPublic ? .everybody : .operators, version: Mothlight.version)
  }

  private func rules() throws -> CensusRules {
    var rules = CensusRules()
    rules.checkInSeconds = checkInS
    rules.hosting = try hostingSystems()
    if let churn { rules.churn = try CensusSideFiles.churn(churn) }
    return rules
  }

  private func tagKeys() throws -> TagKeys {
    guard let keyFile else { return .published }
    return try CensusSideFiles.keys(keyFile)
  }

  private func learn(_ rollups: [CensusRollup], _ rules: CensusRules, into path: String) throws {
    guard rollups.count == 1, let rollup = rollups.first else {
      throw Failure("--learn-churn: learn from one botnet at a time; choose it with --botnet")
    }
    try CensusSideFiles.learn(rollup, window: try window(rollup), rules, into: path)
  }

  private func window(_ rollup: CensusRollup) throws -> ClosedRange<UInt32>? {
    guard first != nil || last != nil else { return nil }
    let from = try first.map { try Self.hour($0, "--first") }
    let to = try last.map { try Self.hour($0, "--last") + 23 }
    if let from, let to, from > to { throw Failure("--first is after --last") }
    let known = rollup.hoursWithCells
    guard let begin = known.first, let end = known.last else {
      throw Failure("\(rollup.botnet): no valid sighting; \(rollup.rows) rows were read")
    }
    guard (from ?? begin) <= end, (to ?? end) >= begin else {
      throw Failure(
        "\(rollup.botnet): no rows in that window; there are rows from \(Timestamp.describe(day: Int(begin / 24))) to "
          + "\(Timestamp.describe(day: Int(end / 24)))")
    }
    return (from ?? begin)...(to ?? end)
  }

  static func hour(_ text: String, _ option: String) throws -> UInt32 {
    let parts = text.split(separator: "-").compactMap { Int($0) }
    guard parts.count == 3, (1970...2100).contains(parts[0]), (1...12).contains(parts[1]), (1...31).contains(parts[2])
    else { throw ValidationError("\(option): '\(text)' is no day such as 2026-03-02") }
    return UInt32(CivilDate.daysSinceEpoch(year: parts[0], month: parts[1], day: parts[2]) * 24)
  }

  private func hostingSystems() throws -> Set<UInt32> {
    guard let hosting else { return [] }
    let text = try TextFile.read(hosting, "one AS number a line is needed")
    var out: Set<UInt32> = []
    for (i, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let bare = line.prefix { $0 != "#" }.filter { !$0.isWhitespace }
      if bare.isEmpty { continue }
      let digits = bare.uppercased().hasPrefix("AS") ? String(bare.dropFirst(2)) : bare
      guard let number = UInt32(digits) else { throw Failure("\(hosting):\(i + 1): '\(bare)' is no AS number") }
      out.insert(number)
    }
    return out
  }

  private func firepower() throws -> FirepowerModel {
    guard let uplinks else { return FirepowerModel() }
    let text = try TextFile.read(uplinks, "a table country,year,mbit_s,source,assumption is needed")
    return FirepowerModel(
      uplinks: try configured { () throws(ConfigurationError) in try UplinkTable(csv: text, name: uplinks) })
  }

  private func save(_ rollups: [CensusRollup], in path: String) throws {
    do throws(SketchError) {
      for rollup in rollups {
        var copy = rollup
        var folder = try RollupFolder(rollups.count == 1 ? path : "\(path)/\(rollup.botnet)")
        guard !folder.isWritten else {
          throw .file(
            "\(folder.path): holds a rollup already; choose another folder, or count it by naming it as an input")
        }
        try folder.write(&copy)
      }
    } catch { throw Failure("\(error)") }
  }
}
