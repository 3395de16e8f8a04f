import Foundation

/// usage: BeaconGrid grid ROOT [RITA-LOGS] | calibrate ROOT | check RITA-LOGS | try SEED
@main
enum Entry {
  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count >= 3 else {
      complain("usage: BeaconGrid grid ROOT [RITA-LOGS] | calibrate ROOT | check RITA-LOGS")
      exit(64)
    }
    switch arguments[1] {
    case "calibrate":
      let path = arguments[2] + "/Sources/Mothlight/Detection/TimerOddsTable.swift"
      try Calibration.table().write(toFile: path, atomically: true, encoding: .utf8)
    case "try": await tryOut(UInt64(arguments[2]) ?? Calibration.seed)
    case "check": _ = check(arguments[2])
    case "grid": try await grid(arguments[2], check(arguments.count > 3 ? arguments[3] : ""))
    default:
      complain("no such command: \(arguments[1])")
      exit(64)
    }
  }

  private static func check(_ folder: String) -> [String] {
    guard let result = RITACheck.run(folder) else {
      complain("beacon-grid: RITA's proxy logs are absent, so the re-implementation was not checked")
      return ["not checked in this run: the logs were absent"]
    }
    for line in result.lines { print(line) }
    guard result.passed else {
      complain("beacon-grid: the re-implementation of RITA's score is off; nothing was measured")
      exit(1)
    }
    return result.lines
  }

  private static func grid(_ root: String, _ check: [String]) async throws {
    let timing = await Timing.run()
    let funnel = await Funnel.run()
    let page = Page(
      timing: timing, funnel: funnel.scores, healthy: funnel.healthy, infected: funnel.infected, check: check)
    let path = root + "/docs/beacon-grid.md"
    let marker = "<!-- Below this line: Benchmarks/beacon-grid. Do not edit. -->\n"
    let old = (try? String(contentsOfFile: path, encoding: .utf8)) ?? "# Beacon grid\n\n"
    let head = old.components(separatedBy: marker)[0]
    try (head + marker + "\n" + page.markdown()).write(toFile: path, atomically: true, encoding: .utf8)
    try page.csv().write(toFile: root + "/Benchmarks/runs/beacon-grid.csv", atomically: true, encoding: .utf8)
    try page.plot().write(toFile: root + "/docs/images/beacon-grid.svg", atomically: true, encoding: .utf8)
    print("wrote docs/beacon-grid.md, docs/images/beacon-grid.svg, Benchmarks/runs/beacon-grid.csv")
  }

  /// Table (a) in short, on a seed that may be looked at while things are changed.
  private static func tryOut(_ seed: UInt64) async {
    let scores = await Timing.run(botSeed: seed, nullSeed: seed &+ 1)
    for rate in Grid.rates {
      let found = scores.detected(rate: rate)
      let shares = Method.timing.indices.map { m in
        Double(found.reduce(0) { $0 + $1[m] }) / Double(found.count * Grid.trials)
      }
      print("rate \(rate):", zip(Method.timing, shares).map { "\($0.title) \(Decimal.text($1 * 100, 1)) %" })
      for (cell, row) in zip(Cell.all, found) where row[0] + 8 < max(row[2], row[3]) {
        print("  lost: \(cell) \(row)")
      }
    }
  }

  private static func complain(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}
