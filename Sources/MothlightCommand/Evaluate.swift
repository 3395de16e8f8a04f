import ArgumentParser
import Foundation
import Mothlight

/// `mothlight evaluate`: verdicts held against known hosts.
struct Evaluate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Hold the verdicts against a table of known hosts, the labels of a binetflow, or a census against truth.",
    discussion: """
      The table has the columns path,format,host,verdict,family,note; each input is read on its own. With --metric \
      garcia2014 the arguments are labelled binetflow files, or tables whose binetflow rows are taken. With --census \
      there are no files: botnets of known size are made up and counted (docs/simulation.md).

      Exit status: 0 done, 1 with --strict when an infected host was missed or a clean one called infected, 2 when the \
      table cannot be used or none of its inputs is there.
      """)

  @Argument(help: "The truth table; with --metric, labelled binetflow files.")
  var files: [String] = []

  @Option(help: "Folder that the table's paths are relative to. Default: the table's own.")
  var root: String?

  @Option(help: "Metric over labels instead of a truth table: garcia2014.")
  var metric: String?

  @Option(name: .shortAndLong, help: "Output: table or json.")
  var format = "table"

  @Option(
    help: ArgumentHelp(
      "Marking of the output (TLP 2.0). Default: amber, as hosts of a network are in it; with --census clear.",
      valueName: "marking"))
  var tlp: String?

  @Option(help: "Only rows whose path or host contains this; with --census, scenarios of these names, with commas.")
  var only: String?

  @Flag(help: "Exit with 1 when an infected host was missed or a clean one called infected.")
  var strict = false

  @Flag(inversion: .prefixedNo, help: "Progress line on a terminal.")
  var progress = true

  @OptionGroup var choices: ReadChoices

  @OptionGroup(title: "Census") var census: CensusChoices

  func validate() throws {
    guard format == "table" || format == "json" else {
      throw ValidationError("no output format '\(format)'; there is: table, json")
    }
    guard metric == nil || metric == "garcia2014" else {
      throw ValidationError("no metric '\(metric ?? "")'; there is: garcia2014")
    }
    if census.census {
      guard files.isEmpty, metric == nil else { throw ValidationError("--census takes no files and no --metric") }
      return
    }
    guard metric != nil || files.count == 1 else { throw ValidationError("give one truth table, not \(files.count)") }
  }

  private func marking(of contents: TLP) throws -> TLP {
    let asked = try ShareChoices.marking(tlp)
    return try configured { () throws(ConfigurationError) in try TLP.marking(asked, of: contents) }
  }

  func run() async throws {
    if census.census {
      try await census.run(
        only: only, format: format, tlp: try marking(of: .clear), isStrict: strict,
        showsProgress: progress && Terminal.errorIsTerminal)
      return
    }
    let options = try choices.options()
    let tlp = try marking(of: .amber)
    var line = EvaluationProgress(isShown: progress && Terminal.errorIsTerminal)
    if metric != nil { try await garcia(options, tlp, &line) } else { try await truth(options, tlp, &line) }
  }

  private func truth(_ options: ReadOptions, _ tlp: TLP, _ line: inout EvaluationProgress) async throws {
    let table = try load(files[0])
    let root = folder(of: files[0])
    let inputs = table.inputs.filter { input in
      only.map { text in
        input.path.contains(text) || input.rows.contains { $0.host?.description.contains(text) == true }
      }
        ?? true
    }
    guard !inputs.isEmpty else { throw refuse("no row of \(files[0]) contains '\(only ?? "")'") }
    var evaluation = Evaluation(truthName: files[0])
    for (i, input) in inputs.enumerated() {
      let path = resolve(input.path, root)
      guard FileManager.default.fileExists(atPath: path) else {
        evaluation.missing.append(input.path)
        continue
      }
      line.begin(input.path, i + 1, inputs.count)
      evaluation.add(path: input.path, rows: input.rows, report: try await read(path, options, &line))
    }
    line.clear()
    if evaluation.missing.count > 5 {
      Terminal.complain("\(evaluation.missing.count) inputs are not there under \(root), not counted")
    } else {
      for path in evaluation.missing { Terminal.complain("\(path): not there under \(root), not counted") }
    }
    guard !evaluation.inputs.isEmpty else {
      throw refuse("none of the \(inputs.count) inputs is under \(root); --root DIR says where they are")
    }
    write(
      format == "json"
        ? EvaluationJSON.text(evaluation, version: Mothlight.version, tlp: tlp)
        : EvaluationTable(width: Terminal.width).text(evaluation, tlp: tlp))
    if strict, evaluation.hasGrossError { throw ExitCode(1) }
  }

  private func garcia(_ options: ReadOptions, _ tlp: TLP, _ line: inout EvaluationProgress) async throws {
    let paths = try labelledFiles()
    var results: [Garcia2014] = []
    for (i, path) in paths.enumerated() {
      line.begin(path, i + 1, paths.count)
      let report = try await read(path, options, &line)
      do {
        if let error = report.inputs.compactMap(\.error).first { throw error }
        let labels = try LabelledSources.read(
          path: path, start: report.firstRecord ?? .distantPast, home: report.home)
        results.append(Garcia2014(path: path, report: report, labels: labels))
      } catch let error as SourceError {
        line.clear()
        Terminal.complain(error.message)
      }
    }
    line.clear()
    guard !results.isEmpty else { throw refuse("no labelled binetflow could be read") }
    write(
      format == "json"
        ? GarciaOutputs.json(results, version: Mothlight.version, tlp: tlp)
        : GarciaOutputs.table(results, width: Terminal.width, tlp: tlp))
  }

  /// The arguments, with a truth table replaced by its binetflow inputs.
  private func labelledFiles() throws -> [String] {
    var paths: [String] = []
    for file in files {
      guard let text = beginning(of: file), TruthTable.looksLike(text) else {
        paths.append(file)
        continue
      }
      let root = folder(of: file)
      for input in try load(file).inputs where input.rows.contains(where: { $0.format == "binetflow" }) {
        let path = resolve(input.path, root)
        if FileManager.default.fileExists(atPath: path) {
          paths.append(path)
        } else {
          Terminal.complain("\(input.path): not there under \(root), not counted")
        }
      }
    }
    return paths.filter { path in only.map { path.contains($0) } ?? true }
  }

  private func read(_ path: String, _ options: ReadOptions, _ line: inout EvaluationProgress) async throws -> Report {
    var pipeline = try configured { () throws(ConfigurationError) in try ReadPipeline(options) }
    return await pipeline.run(InputQueue(paths: [path]), version: Mothlight.version) { line.update($0, of: $1) }
  }

  private func load(_ path: String) throws -> TruthTable {
    let text = try TextFile.read(path, "give a truth table")
    do { return try TruthTable(text: text, name: path) } catch { throw refuse(error.message) }
  }

  private func beginning(of path: String) -> String? {
    guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
    defer { try? handle.close() }
    return (try? handle.read(upToCount: 4096)).map { String(decoding: $0, as: UTF8.self) }
  }

  private func folder(of file: String) -> String { root ?? URL(fileURLWithPath: file).deletingLastPathComponent().path }

  private func resolve(_ path: String, _ root: String) -> String { path.hasPrefix("/") ? path : "\(root)/\(path)" }

  /// Says what is wrong and gives the status for it.
  private func refuse(_ message: String) -> ExitCode {
    Terminal.complain(message)
    return ExitCode(2)
  }

  /// A reader that stops reading (`| head`) is no error.
  private func write(_ text: String) {
    signal(SIGPIPE, SIG_IGN)
    try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
  }
}

/// One line on standard error: which input of how many, and how far into it; redrawn at most ten times a second.
struct EvaluationProgress {
  let isShown: Bool
  private var head = ""
  private var lastDraw = ContinuousClock.now

  init(isShown: Bool) { self.isShown = isShown }

  mutating func begin(_ path: String, _ number: Int, _ count: Int) {
    head = "[\(number)/\(count)] \(path.suffix(60))"
    draw("")
  }

  mutating func update(_ read: UInt64, of total: UInt64?) {
    guard lastDraw.duration(to: .now) > .milliseconds(100) else { return }
    draw(total.map { $0 > 0 ? " \(Int(100 * min(1, Double(read) / Double($0)))) %" : "" } ?? " \(read / 1_000_000) MB")
  }

  private mutating func draw(_ tail: String) {
    guard isShown else { return }
    lastDraw = .now
    FileHandle.standardError.write(Data("\r\u{1b}[K\(head)\(tail)".utf8))
  }

  func clear() {
    if isShown { FileHandle.standardError.write(Data("\r\u{1b}[K".utf8)) }
  }
}
