import Glibc

/// An evaluation of a census for a person: as text for a terminal, and as a section of `docs/census-quality.md`.
public struct CensusEvaluationTable: Sendable {
  private let evaluation: CensusEvaluation
  private let summaries: [CensusSummary]

  public init(_ evaluation: CensusEvaluation) {
    self.evaluation = evaluation
    summaries = evaluation.outcomes.map(CensusSummary.init)
  }

  /// One line for each target missed.
  public var missed: [String] { summaries.flatMap(CensusTargets.missed) }

  /// Which botnets were judged, in one sentence.
  public var origin: String {
    let plan = evaluation.plan
    let (first, last) = (plan.numbers.lowerBound, plan.numbers.upperBound)
    let size = plan.machines.map { "\($0) machines at the beginning" } ?? "each scenario's own number of machines"
    return plan.purpose == .reporting
      ? "Seeds \(first) to \(last), each with a mix of its own; tuning used the plain mixes and seeds from 101 on; \(size)."
      : "Tuning: seeds \(first) to \(last), plain mixes, not to be quoted; \(size)."
  }

  private struct Block {
    var title: String
    var note: String
    var head: [String]
    var rows: [[String]]
    /// Columns of words, before those of numbers.
    var words = 2
  }

  /// - Parameter tlp: made-up machines are nobody's.
  public func text(tlp: TLP = .clear) -> String {
    var out = "\(tlp.marking)\nCensus judged by made-up botnets. \(origin)\n"
    for block in blocks {
      let all = [block.head.map { $0.uppercased() }] + block.rows
      let widths = block.head.indices.map { i in all.map { $0[i].count }.max() ?? 0 }
      out += "\n\(block.title)\n"
      for row in all {
        var line = " "
        for (i, cell) in row.enumerated() {
          let fill = String(repeating: " ", count: widths[i] - cell.count)
          line += " " + (i < block.words ? cell + fill : fill + cell) + " "
        }
        while line.last == " " { line.removeLast() }
        out += line + "\n"
      }
    }
    out += "\n" + (missed.isEmpty ? "All targets met.\n" : "Targets missed:\n" + missed.map { "  \($0)\n" }.joined())
    return out
  }

  /// Lines before and after the section, so that the next run replaces it.
  public static let begin = "<!-- mothlight evaluate --census: begin -->"
  /// The end of what `begin` begins.
  public static let end = "<!-- mothlight evaluate --census: end -->"

  public func markdown() -> String {
    var out = "\(Self.begin)\n\n## Judged by made-up botnets\n\n"
    out += "Written by `mothlight evaluate --census --write`; do not edit by hand. \(origin)\n"
    for block in blocks {
      out += "\n### \(block.title)\n\n\(block.note)\n\n"
      out += "| \(block.head.joined(separator: " | ")) |\n"
      out += "|\(block.head.indices.map { $0 < block.words ? "---" : "---:" }.joined(separator: "|"))|\n"
      for row in block.rows { out += "| \(row.joined(separator: " | ")) |\n" }
    }
    out += "\n### Targets\n\n"
    out += missed.isEmpty ? "All met.\n" : missed.map { "* \($0)\n" }.joined()
    return out + "\n\(Self.end)\n"
  }

  /// A page with its section replaced, or put at the end when it has none.
  public func inserted(into page: String) -> String {
    guard let from = page.firstRange(of: Self.begin), let to = page.firstRange(of: Self.end + "\n"),
      from.lowerBound < to.lowerBound
    else {
      return page + (page.isEmpty || page.hasSuffix("\n\n") ? "" : page.hasSuffix("\n") ? "\n" : "\n\n") + markdown()
    }
    return page[..<from.lowerBound] + markdown() + page[to.upperBound...]
  }

  // MARK: Blocks

  private var blocks: [Block] { [footprints, lives, parts, caveats] }

  private static let names: [CensusScore.Method: String] = [
    .printed: "printed", .identities: "A", .addresses: "B", .sensors: "C",
  ]

  private var footprints: Block {
    var rows: [[String]] = []
    for summary in summaries {
      rows.append([summary.name, "addresses", "\(summary.runs)", Self.ratio(summary.naive), "", "", "", "", "", ""])
      for method in CensusScore.Method.allCases {
        guard let line = summary.footprints[method] else { continue }
        rows.append(
          ["", Self.names[method] ?? "", "\(line.given)"] + Self.quality(line) + [
            Self.share(line.refusedShare), line.bounds.of > 0 ? "\(line.bounds.count)/\(line.bounds.of)" : "",
          ])
      }
    }
    return Block(
      title: "Footprint: distinct machines of the window",
      note: """
        Shares of the machines that were infected and on within the window. *addresses*: all distinct addresses that came. *printed*: \
        what the report prints from all that the rows carry. *A*: from identities. *B*: what it prints when the rows have none. *C*: \
        several sensors. *holds*: 95 % intervals with the truth within. *bound*: refusals whose upper bound holds.
        """,
      head: ["scenario", "by", "given", "ratio", "error", "worst", "holds", "width", "refused", "bound"], rows: rows)
  }

  private var lives: Block {
    var rows: [[String]] = []
    for summary in summaries {
      rows.append([summary.name, "addresses", "\(summary.runs)", Self.ratio(summary.naiveLive), "", "", "", "", "", ""])
      for method in CensusScore.Method.allCases {
        guard let line = summary.lives[method] else { continue }
        let hours = summary.hours[method]
        let quality = Self.quality(line)
        let series = hours.map(Self.quality) ?? []
        rows.append(
          ["", Self.names[method] ?? "", "\(line.given)", quality[0], quality[1], quality[2]]
            + (series.isEmpty
              ? ["", quality[3], quality[4], Self.share(line.refusedShare)]
              : [series[1], series[3], series[4], Self.share(hours?.refusedShare)]))
      }
    }
    return Block(
      title: "Live: machines on in an hour",
      note: """
        *ratio*, *error*, *worst*: the mean over the window, by botnet. *hourly*: mean error of single hours; *holds*, *width*, \
        *refused* are of single hours, too, where the method gives them. *addresses*: distinct addresses of an hour.
        """,
      head: ["scenario", "by", "given", "ratio", "error", "worst", "hourly", "holds", "width", "refused"], rows: rows)
  }

  private var parts: Block {
    var rows: [[String]] = []
    for summary in summaries {
      for (i, method) in [CensusScore.Method.printed, .addresses].enumerated() {
        let lines = [
          summary.countries, summary.countriesLive, summary.systems, summary.systemsLive, summary.active, summary.stock,
        ]
        rows.append(
          [i == 0 ? summary.name : "", Self.names[method] ?? ""]
            + lines.map { line in
              guard let line = line[method] else { return "" }
              guard let error = line.meanError, let held = line.covered.share else { return "refused" }
              return "\(CensusTargets.percent(error)), \(Self.share(held))"
            })
      }
    }
    return Block(
      title: "Places and days",
      note: """
        Mean error, and share of the 95 % intervals with the truth within, of countries and networks with at least \
        \(CensusScore.placeLeast) machines, and of days.
        """,
      head: ["scenario", "by", "countries", "their live", "networks", "their live", "active", "stock"], rows: rows)
  }

  private var caveats: Block {
    Block(
      title: "What the reports say beside the numbers",
      note: "Caveats, and how many botnets had them; by B: without identities.",
      head: ["scenario", "by", "caveats"],
      rows: summaries.flatMap { summary in
        [(summary.name, "printed", summary.caveats), ("", "B", summary.caveatsWithoutIdentities)].map {
          name, by, counts in
          [name, by, counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")]
        }
      }, words: 3)
  }

  /// Ratio, error, worst, holds, width.
  private static func quality(_ line: CensusSummary.Line) -> [String] {
    [
      line.meanRatio.map(ratio) ?? "–", share(line.meanError), share(line.worstError),
      line.covered.of > 0 && line.covered.of <= 200
        ? "\(line.covered.count)/\(line.covered.of)" : share(line.covered.share), share(line.meanWidth),
    ]
  }

  private static func ratio(_ value: Double) -> String {
    let thousandths = Int((value * 1000).rounded())
    guard value < 2 else { return "\(thousandths / 1000).\(thousandths % 1000 / 100)\(thousandths / 10 % 10)" }
    let tail = String(thousandths % 1000)
    return "\(thousandths / 1000)." + String(repeating: "0", count: 3 - tail.count) + tail
  }

  private static func share(_ value: Double?) -> String { value.map(CensusTargets.percent) ?? "–" }
}
