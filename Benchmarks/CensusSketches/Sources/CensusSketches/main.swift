import Glibc
import Mothlight

// Measures the census' sketches and rollups; Benchmarks/census_sketches.py runs it beside Apache DataSketches.
//   CensusSketches sketches KEYS REPEATS     KEYS: 64-bit little-endian integers
//   CensusSketches rollup HOURS [identities]
//   CensusSketches memory FOLDER
//   CensusSketches keep FOLDER [identities]   30 days of a million machines, written as a rollup
//   CensusSketches count FOLDER               a census of what `keep` wrote, without the rows
// Each line of output is one JSON object.

func cpuSeconds() -> Double {
  var usage = rusage()
  getrusage(0, &usage)
  let (user, system) = (usage.ru_utime, usage.ru_stime)
  return Double(user.tv_sec + system.tv_sec) + Double(user.tv_usec + system.tv_usec) / 1e6
}

/// A line of /proc/self/status, in KiB.
func status(_ name: String) -> Int {
  guard let file = fopen("/proc/self/status", "r") else { return 0 }
  defer { fclose(file) }
  var line = [UInt8](repeating: 0, count: 256)
  while line.withUnsafeMutableBytes({ fgets($0.baseAddress, 256, file) }) != nil {
    let text = String(decoding: line.prefix { $0 != 0 }, as: UTF8.self)
    if text.hasPrefix(name + ":") { return Int(text.filter(\.isNumber)) ?? 0 }
  }
  return 0
}

func emit(_ fields: [(String, String)]) {
  print("{" + fields.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}")
}

func measured(_ name: String, _ keys: [UInt64], _ body: () -> (estimate: Double, octets: Int, memory: Int)) {
  let start = cpuSeconds()
  let (estimate, octets, memory) = body()
  let spent = cpuSeconds() - start
  emit([
    ("sketch", "\"\(name)\""), ("cpu_seconds", "\(spent)"), ("updates", "\(keys.count)"), ("estimate", "\(estimate)"),
    ("serialised_octets", "\(octets)"), ("memory_octets", "\(memory)"),
  ])
}

func sketches(_ path: String, _ repeats: Int) {
  guard let file = fopen(path, "rb") else { return emit([("error", "\"cannot open the keys\"")]) }
  defer { fclose(file) }
  fseek(file, 0, SEEK_END)
  var keys = [UInt64](repeating: 0, count: ftell(file) / 8)
  rewind(file)
  let read = keys.withUnsafeMutableBytes { fread($0.baseAddress, 8, $0.count / 8, file) }
  guard read == keys.count else { return emit([("error", "\"cannot read the keys\"")]) }
  let secret = TagKeys.published
  for _ in 0..<repeats {
    measured("hash only", keys) {
      var sum: UInt64 = 0
      for key in keys { sum ^= secret.unit(ofIdentity: key) }
      return (Double(sum & 1), 0, 0)
    }
    for precision in [12, 14] {
      measured("HyperLogLog \(precision)", keys) {
        var sketch = HyperLogLog(precision: precision, keyID: secret.id)
        for key in keys { sketch.insert(secret.unit(ofIdentity: key)) }
        return (sketch.estimate, sketch.serialised.count, sketch.octets)
      }
      // Keeps between k and 2k tags, as a Theta sketch of lgK does.
      measured("TupleSketch \(precision)", keys) {
        var sketch = TupleSketch(keyID: secret.id, octetsMost: 2 * 112 << precision)
        for key in keys {
          sketch.insert(
            unit: secret.unit(ofIdentity: key), fingerprint: 0, hour: 490_000, sensor: 0, place: TagPlace(), contacts: 1
          )
        }
        return (Double(sketch.count) / sketch.theta, sketch.serialised.count, sketch.octets)
      }
    }
  }
}

/// A million machines in 400 systems, a quarter of them on in an hour, three quarters with another address each day.
struct Botnet {
  private var state: UInt64 = 7
  private let machines: Int
  private let systems: [UInt32]

  init(machines: Int, systems count: Int) {
    self.machines = machines
    var draw: UInt64 = 99
    systems = (0..<machines).map { _ in
      draw = draw &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let unit = Double(draw >> 11) * 0x1p-53
      return UInt32(64_000 + Int(Double(count) * unit * unit))
    }
  }

  mutating func rows(_ hour: Int, withIdentities: Bool) -> [CensusSighting] {
    var rows: [CensusSighting] = []
    rows.reserveCapacity(machines / 3)
    visit(hour, withIdentities: withIdentities, share: 27) { rows.append($0) }
    return rows
  }

  /// - Parameter share: percent of the machines that are on.
  mutating func visit(_ hour: Int, withIdentities: Bool, share: UInt64, _ body: (CensusSighting) -> Void) {
    for machine in 0..<machines {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      guard (state >> 33) % 100 < share else { continue }
      let day = machine % 4 == 0 ? 0 : (hour + machine % 24) / 24
      var mixed = UInt64(machine) &* 0x9e37_79b9_7f4a_7c15 ^ UInt64(day) &* 0xbf58_476d_1ce4_e5b9
      mixed ^= mixed >> 29
      let system = systems[machine]
      body(
        CensusSighting(
          hour: 490_008 + UInt32(hour), address: IPAddress(v4: UInt32(truncatingIfNeeded: mixed >> 8)), system: system,
          country: CountryCode(raw: 0x4141 + UInt16(system % 20)), timeZone: 1, fingerprint: UInt64(machine % 7 + 1),
          identity: withIdentities ? UInt64(machine + 1) : 0, contacts: 4))
    }
  }
}

func rollup(_ hours: Int, withIdentities: Bool) throws {
  var botnet = Botnet(machines: 1_000_000, systems: 400)
  var rollup = try CensusRollup(botnet: "million", sensors: ["one"], keys: .published)
  var ingest = 0.0
  for hour in 0..<hours {
    let rows = botnet.rows(hour, withIdentities: withIdentities)
    let start = cpuSeconds()
    rollup.add(rows)
    ingest += cpuSeconds() - start
  }
  var marks = [cpuSeconds()]
  rollup.close()
  marks.append(cpuSeconds())
  let octets = rollup.serialised
  marks.append(cpuSeconds())
  let back = try CensusRollup(serialised: octets)
  marks.append(cpuSeconds())
  var addresses = 0.0
  for hour in back.hoursWithCells { for cell in back.cells(ofHour: hour) { addresses += cell.addresses } }
  marks.append(cpuSeconds())
  let bits = back.tags.tags.reduce(0) { $0 + $1.allHours.count }
  marks.append(cpuSeconds())
  emit([
    ("rows", "\(rollup.rows)"), ("identities", "\(withIdentities)"), ("ingest_cpu_seconds", "\(ingest)"),
    ("rows_per_cpu_second", "\(Double(rollup.rows) / ingest)"), ("close_cpu_seconds", "\(marks[1] - marks[0])"),
    ("write_cpu_seconds", "\(marks[2] - marks[1])"), ("read_cpu_seconds", "\(marks[3] - marks[2])"),
    ("expand_hours_cpu_seconds", "\(marks[4] - marks[3])"), ("expand_tags_cpu_seconds", "\(marks[5] - marks[4])"),
    ("octets", "\(octets.count)"), ("theta", "\(rollup.tags.theta)"), ("tags", "\(rollup.tags.count)"),
    ("address_hours", "\(addresses)"), ("tag_hours", "\(Double(bits) / back.tags.theta)"),
    ("peak_kib", "\(status("VmHWM"))"),
  ])
}

/// Twenty botnets with 400 systems each hour beside one of 13 million sources, for a day, written to a folder each hour.
func memory(_ path: String) throws {
  var large = Botnet(machines: 13_000_000, systems: 400)
  var small = Botnet(machines: 80_000, systems: 400)
  let before = status("VmRSS")
  let limits = [RollupLimits.resident(octets: 16 << 20), .resident(octets: 3 << 19)]
  var rollups = try (0...20).map {
    try CensusRollup(botnet: "b\($0)", sensors: ["one", "two"], keys: .published, limits: limits[min($0, 1)])
  }
  mkdir(path, 0o750)
  var folders = try (0...20).map { try RollupFolder("\(path)/b\($0)") }
  var peak = 0
  for hour in 0..<26 {
    for number in rollups.indices {
      func add(_ row: CensusSighting) { rollups[number].add(row, minute: UInt8(row.address.v4 >> 8 % 60)) }
      if number == 0 {
        large.visit(hour, withIdentities: true, share: 12, add)
      } else {
        small.visit(hour, withIdentities: true, share: 25, add)
      }
      peak = max(peak, status("VmRSS") - before)
      try folders[number].write(&rollups[number], closingBefore: 490_008 + UInt32(hour))
      peak = max(peak, status("VmRSS") - before)
    }
    emit([
      ("hour", "\(hour)"), ("rollups_kib", "\(status("VmRSS") - before)"), ("peak_kib", "\(peak)"),
      ("own_octets", "\(rollups.reduce(0) { $0 + $1.octets })"), ("rows", "\(rollups.reduce(0) { $0 + $1.rows })"),
      ("refused", "\(rollups.reduce(0) { $0 + $1.dropped.values.reduce(0, +) })"),
      ("large_sources", "\(rollups[0].total.estimate)"), ("large_theta", "\(rollups[0].tags.theta)"),
      ("open_cells", "\(rollups[1].cells(ofHour: 490_008 + UInt32(hour)).count)"),
    ])
  }
}

/// 30 days of `simulate --census million`, kept as a sinkhole keeps them: written each simulated hour.
func keep(_ path: String, withIdentities: Bool) throws {
  guard let scenario = CensusScenario.named(CensusScenario.millionName, seed: 1) else { return }
  var folder = try RollupFolder(path)
  var rollup = try CensusRollup(botnet: "million", sensors: scenario.sensors.map(\.name), keys: .published)
  var open: UInt32 = 0
  let start = cpuSeconds()
  let truth = try CensusSimulation(scenario).run { row in
    if row.hour > open {
      try folder.write(&rollup, closingBefore: row.hour)
      open = row.hour
    }
    var row = row
    if !withIdentities { row.identity = 0 }
    rollup.add(row)
  }
  try folder.write(&rollup)
  emit([
    ("rows", "\(truth.rows)"), ("identities", "\(withIdentities)"), ("cpu_seconds", "\(cpuSeconds() - start)"),
    ("footprint", "\(truth.footprint)"), ("mean_live", "\(truth.meanLive)"), ("addresses", "\(truth.addresses)"),
    ("peak_kib", "\(status("VmHWM"))"),
  ])
}

/// All of `mothlight census FOLDER` but the printing.
func count(_ path: String) throws {
  var marks = [cpuSeconds()]
  func mark() { marks.append(cpuSeconds()) }
  let rollup = try RollupFolder(path).read(limits: RollupCensus.limitsOfFiles) { print($0) }
  mark()
  guard let table = CensusTable(rollup) else { return }
  mark()
  let report = CensusEstimator(table).report(botnet: rollup.botnet)
  mark()
  func text(_ range: CensusRange?) -> String {
    range.map { "[\(Int($0.low)), \(Int($0.value)), \(Int($0.high))]" } ?? "null"
  }
  let lives = report.live.compactMap(\.machines?.value)
  emit([
    ("rows", "\(rollup.rows)"), ("read_cpu_seconds", "\(marks[1] - marks[0])"),
    ("table_cpu_seconds", "\(marks[2] - marks[1])"), ("estimate_cpu_seconds", "\(marks[3] - marks[2])"),
    ("cpu_seconds", "\(marks[3])"), ("grade", "\"\(report.footprint.grade.rawValue)\""),
    ("footprint", text(report.footprint.machines)), ("addresses", "\(Int(report.footprint.addresses))"),
    ("mean_live", "\(lives.reduce(0, +) / Double(max(1, lives.count)))"), ("theta", "\(table.theta)"),
    ("peak_kib", "\(status("VmHWM"))"),
  ])
}

let words = Array(CommandLine.arguments.dropFirst())
switch words.first {
case "sketches": sketches(words.count > 1 ? words[1] : "", words.count > 2 ? Int(words[2]) ?? 5 : 5)
case "rollup": try rollup(words.count > 1 ? Int(words[1]) ?? 24 : 24, withIdentities: words.count > 2)
case "memory": try memory(words.count > 1 ? words[1] : "rollups")
case "keep": try keep(words.count > 1 ? words[1] : "million", withIdentities: words.count > 2)
case "count": try count(words.count > 1 ? words[1] : "million")
default:
  print(
    "usage: CensusSketches sketches KEYS REPEATS | rollup HOURS [identities] | memory FOLDER | keep FOLDER [identities]"
      + " | count FOLDER")
  exit(2)
}
