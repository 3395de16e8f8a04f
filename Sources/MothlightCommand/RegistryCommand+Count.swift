import ArgumentParser
import Foundation
import Mothlight
import MothlightStore

extension RegistryCommand {
  /// `mothlight registry count`.
  struct Count: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "How many botnets are active, for each expiry from 1 to 60 days, and at least how many with the unseen."
    )

    @OptionGroup var choice: StoreChoice
    @OptionGroup var output: RegistryFormat

    @Option(help: "Only these: botnet, variant, family, tool; may be repeated.")
    var kind: [String] = []

    func run() throws {
      let kinds = try kind.map { try word($0, Botnet.Kind.self, "--kind") }
      let time = try choice.time()
      let curve = try choice.with { ledger in
        let rows = try ledger.summaries().filter { kinds.isEmpty || kinds.contains($0.kind) }
        return ActivityCurve(
          rows: rows.map { ActivityCurve.Row(kind: $0.kind, evidence: $0.evidence) },
          serverLives: try ledger.serverLives(),
          at: time)
      }
      try output.print(at: time, table: { $0.curve(curve) }, json: { $0.curve(curve) })
    }
  }

  /// `mothlight registry suggest FILE`.
  struct Suggest: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Suggest which rows may be one botnet, or several, from who was live in which hour.",
      discussion: """
        FILE is CSV with the columns botnet, hour, unit and, when known, server. hour is hours or seconds since 1970, or \
        RFC 3339; unit is anything that is the same for the same machine. Folders that `census --keep` wrote are taken as \
        well. Nothing is changed.
        """)

    @OptionGroup var output: RegistryFormat

    @Argument(help: "File, - for standard input, or folders with kept rollups.")
    var files: [String]

    func run() throws {
      var sets: [OverlapSuggestion.Labelled] = []
      var kept: [CensusRollup] = []
      for file in files {
        if FileManager.default.fileExists(atPath: "\(file)/state.rollup") {
          do throws(SketchError) {
            kept.append(try RollupFolder(file).read(withCells: false) { Terminal.complain($0) })
          } catch { throw Failure("\(file): \(error)") }
          continue
        }
        let (more, complaint) = try configured { () throws(ConfigurationError) in try LiveFile.read(file) }
        if let complaint { Terminal.complain(complaint) }
        sets += more
      }
      guard Set(kept.map(\.keyID)).count <= 1 else { throw Failure("\(SketchError.differentKeys)") }
      // What one sample left out says nothing of the other.
      let most = kept.map(\.tags.unitsMost).min() ?? .max
      for rollup in kept {
        sets.append(
          OverlapSuggestion.Labelled(
            botnet: rollup.botnet, server: "", pairs: rollup.tags.livePairs.filter { $0.unit <= most }))
      }
      let all = OverlapSuggestion.all(of: sets)
      let now = Timestamp(seconds: Int64(Date().timeIntervalSince1970))
      try output.print(at: now, table: { $0.suggestions(all) }, json: { $0.suggestions(all) })
    }
  }
}
