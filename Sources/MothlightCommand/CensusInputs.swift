import Foundation
import Mothlight

/// Inputs of a census, told apart by what they hold, joined into one rollup for each botnet.
struct CensusInputs {
  private let showsProgress: Bool
  private let networksFile: String?
  private let tableName: String
  private let keys: TagKeys
  private var spools: RollupSet?
  private var others: [CensusRollup] = []
  /// Which input told of which botnets; spools are told of together.
  private var told: [(paths: [String], botnets: [String], isTable: Bool)] = []
  private var spoolPaths: [String] = []

  /// - Parameters:
  ///   - botnet: what a table tells of, which has no name in it.
  ///   - keys: that addresses are sampled under.
  init(networksFile: String?, botnet: String?, keys: TagKeys, showsProgress: Bool) {
    self.keys = keys
    tableName = botnet ?? "botnet"
    self.networksFile = networksFile
    self.showsProgress = showsProgress
  }

  /// - Throws: `Failure` with one line when nothing of it can be used.
  mutating func read(_ path: String) throws {
    if path != "-", SpoolReader.recognises(path) { return try readSpool(path) }
    if path != "-", FileManager.default.fileExists(atPath: "\(path)/state.rollup") { return try readRollup(path) }
    try readTable(path)
  }

  /// One for each botnet; those of the same name are merged.
  mutating func rollups() throws -> [CensusRollup] {
    spools?.finish()
    if let spools {
      for (s, name) in spools.sensors.enumerated() {
        recordsLost[name] = spools.recordsLost[s]
        clockSteps[name] = spools.clockSteps[s]
      }
    }
    var all: [CensusRollup] = []
    for rollup in (spools?.rollups ?? []) + others {
      guard let at = all.firstIndex(where: { $0.botnet == rollup.botnet }) else {
        all.append(rollup)
        continue
      }
      do throws(SketchError) { try all[at].merge(rollup) } catch { throw Failure("\(rollup.botnet): \(error)") }
    }
    guard !all.isEmpty else { throw Failure("no sighting of any botnet in the inputs") }
    if !spoolPaths.isEmpty { told.append((spoolPaths, spools?.rollups.map(\.botnet) ?? [], false)) }
    others = all
    spools = nil
    return all
  }

  /// Records that a spool's sensor says it lost, and times that its clock was set back, by sensor; kept rollups and
  /// tables do not tell.
  private(set) var recordsLost: [String: UInt64] = [:]
  private(set) var clockSteps: [String: UInt64] = [:]

  var names: String { others.map(\.botnet).joined(separator: ", ") }

  /// Inputs that are not joined with the rest, one line each; to be asked when the rollups were taken.
  /// - Parameter botnet: that alone is counted; `nil`: all are, each for itself.
  func apart(from botnet: String?) -> [String] {
    func list(_ names: [String]) -> String { names.isEmpty ? "no botnet" : names.joined(separator: ", ") }
    if let botnet {
      guard others.contains(where: { $0.botnet == botnet }) else { return [] }
      return told.filter { !$0.botnets.contains(botnet) }.map {
        "\($0.paths.joined(separator: ", ")): left out, not of '\(botnet)' but of \(list($0.botnets))"
      }
    }
    let tables = told.filter(\.isTable).flatMap(\.paths)
    let named = others.map(\.botnet).filter { $0 != tableName }
    guard !tables.isEmpty, let one = named.first else { return [] }
    return [
      "\(tables.joined(separator: ", ")): a table holds no botnet's name, so it is counted apart from \(list(named)); "
        + "--botnet '\(one)' joins it with that"
    ]
  }

  private mutating func readSpool(_ path: String) throws {
    if spools == nil {
      spools = RollupSet(keys: keys, networks: try directory(), limits: RollupCensus.limitsOfFiles)
    }
    do {
      let reader = try SpoolReader(path: path)
      let name = (path as NSString).lastPathComponent
      guard let reports = try spools?.read(reader, sensor: name.isEmpty ? path : name) else { return }
      spoolPaths.append(path)
      for report in reports {
        if let damage = report.damage { Terminal.complain("\(report.path): \(damage)") }
      }
    } catch { throw Failure("\(path): \(error)") }
  }

  mutating func addScanners(_ path: String, _ visits: [(source: IPAddress, target: IPAddress, hour: Int)]) throws {
    guard !visits.isEmpty else { throw Failure("\(path): nobody from outside comes to its machine") }
    // Scanners keep no common rate: one sighting an hour, whatever they tried, so that none is taken for several machines.
    var known: Set<[UInt64]> = []
    let sightings = visits.filter { known.insert([$0.source.high, $0.source.low, UInt64($0.hour)]).inserted }
    var rows: [CensusSighting] = []
    let directory = try directory()
    let records = directory?.records(of: sightings.map(\.source))
    for (i, visit) in sightings.enumerated() {
      let record = records?[i]
      rows.append(
        CensusSighting(
          hour: UInt32(clamping: visit.hour), address: visit.source, system: record?.system ?? 0,
          country: CountryCode(record?.country ?? "")))
    }
    let sensor = (path as NSString).lastPathComponent
    do throws(SketchError) {
      var rollup = try CensusRollup(
        botnet: "sources from outside", sensors: [sensor], keys: keys, limits: RollupCensus.limitsOfFiles)
      var joiner = SightingJoiner()
      for row in rows.sorted(by: { $0.hour < $1.hour }) { joiner.add(row) { rollup.add($0) } }
      joiner.finish { rollup.add($0) }
      rollup.close()
      others.append(rollup)
    } catch { throw Failure("\(path): \(error)") }
  }

  private func directory() throws -> (any NetworkDirectory)? {
    do {
      return try NetworkFiles.openOrInstalled(networksFile)
    } catch { throw Failure(error.message) }
  }

  private mutating func readRollup(_ path: String) throws {
    do throws(SketchError) {
      let rollup = try RollupFolder(path).read(keys: keys, limits: RollupCensus.limitsOfFiles) {
        Terminal.complain($0)
      }
      told.append(([path], [rollup.botnet], false))
      others.append(rollup)
    } catch { throw Failure("\(path): \(error)") }
  }

  private mutating func readTable(_ path: String) throws {
    var bar = ProgressBar(isShown: showsProgress)
    let octets = (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? UInt64
    defer { bar.clear() }
    do {
      let window = path == "-" ? try ByteWindow(standardInputNamed: "standard input") : try ByteWindow(path: path)
      let name = path == "-" ? "standard input" : path
      let file = try SightingFile(window, name: name)
      var rollup = try CensusRollup(
        botnet: tableName, sensors: [], keys: keys, limits: RollupCensus.limitsOfFiles)
      var joiner = SightingJoiner()
      try file.read(
        progress: { bar.update(window.rawOctetsRead, of: octets) },
        { row in
          while rollup.sensors.count < file.sensors.count { rollup.add(sensor: file.sensors[rollup.sensors.count]) }
          joiner.add(row) { rollup.add($0) }
        })
      joiner.finish { rollup.add($0) }
      rollup.close()
      if let first = file.summary.firstRefused {
        Terminal.complain("\(first); \(file.summary.refused) lines were passed over, \(file.summary.rows) read")
      }
      guard file.summary.rows > 0 else { throw Failure("\(name): no row could be read") }
      told.append(([name], [tableName], true))
      others.append(rollup)
    } catch let error as SourceError {
      throw Failure(error.message)
    } catch let error as SketchError { throw Failure("\(path): \(error)") }
  }
}
