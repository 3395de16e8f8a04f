import ArgumentParser
import Foundation
import Mothlight
import MothlightStore

extension RegistryCommand {
  /// `mothlight registry list`.
  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List botnets, the last seen alive first.")

    @OptionGroup var choice: StoreChoice
    @OptionGroup var output: RegistryFormat

    @Option(help: "Only these: candidate, confirmed, dormant, dead, sinkholed; may be repeated.")
    var status: [String] = []

    @Option(help: "Only these: botnet, variant, family, tool; may be repeated.")
    var kind: [String] = []

    @Option(help: "Days without a sign of life after which a botnet is dormant: 5, 10 and 30 are customary.")
    var expiry = 30

    @Option(help: "At most this many rows.")
    var limit: Int?

    func run() throws {
      guard (1...3650).contains(expiry) else { throw ValidationError("--expiry takes 1 to 3650 days") }
      let statuses = try status.map { try word($0, BotnetStatus.self, "--status") }
      let kinds = try kind.map { try word($0, Botnet.Kind.self, "--kind") }
      let time = try choice.time()
      let (rows, total) = try choice.with { ledger in
        let all = try ledger.summaries()
        let lives = all.map { BotnetStatus.lastLife($0.evidence, at: time) ?? .distantPast }
        let order = all.indices.filter { i in
          (kinds.isEmpty || kinds.contains(all[i].kind))
            && (statuses.isEmpty || statuses.contains(all[i].standing(at: time, expiryDays: expiry)))
        }.sorted { lives[$0] != lives[$1] ? lives[$0] > lives[$1] : $0 < $1 }
        return (order.prefix(max(0, limit ?? .max)).map { all[$0] }, all.count)
      }
      try output.print(
        at: time, table: { $0.list(rows, of: total, expiryDays: expiry) }, json: { $0.list(rows, expiryDays: expiry) })
    }
  }

  /// `mothlight registry show NAME|ID`.
  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show all that is claimed of one botnet, and by whom.")

    @OptionGroup var choice: StoreChoice
    @OptionGroup var output: RegistryFormat

    @Argument(help: "Name, alias, id, or number in another catalogue.")
    var name: String

    func run() throws {
      let time = try choice.time()
      let botnet = try choice.with { ledger in
        if let botnet = try ledger.botnet(name) { return botnet }
        let near = try ledger.search(name, limit: 5).map(\.name)
        let hint = near.isEmpty ? "" : "; near: \(near.joined(separator: ", "))"
        throw Failure("no botnet is called '\(name)'\(hint)")
      }
      try output.print(at: time, table: { $0.show(botnet) }, json: { $0.show(botnet) })
    }
  }

  /// `mothlight registry search TEXT`.
  struct Search: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Find botnets by the beginning of a name, with typing errors, or by words of notes and references.")

    @OptionGroup var choice: StoreChoice
    @OptionGroup var output: RegistryFormat

    @Argument(help: "What to look for.")
    var text: [String]

    @Option(help: "At most this many rows.")
    var limit = 20

    func run() throws {
      let hits = try choice.with { try $0.search(text.joined(separator: " "), limit: limit) }
      if hits.isEmpty { Terminal.complain("nothing is like '\(text.joined(separator: " "))'") }
      try output.print(at: try choice.time(), table: { $0.search(hits) }, json: { $0.search(hits) })
    }
  }

  /// `mothlight registry match VALUE|FILE`.
  struct Match: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract:
        "Look up indicators: a domain (and its parents), an address, address:port, URL, hash, JA3, certificate.",
      discussion: """
        A value that is the name of a file is read as one, a value a line; - is standard input. `hxxp://` and `[.]` are \
        understood. A value that the ledger does not know and that looks like a file (lists/bad, bad.txt) is taken for a \
        file that is missing: exit status 2. --literal looks it up all the same.
        """)

    @OptionGroup var choice: StoreChoice
    @OptionGroup var output: RegistryFormat

    @Argument(help: "Values or files.")
    var values: [String]

    @Flag(help: "Never read a file: every argument is a value.")
    var literal = false

    @Flag(help: "Exit with 1 when something matches.")
    var failOnMatch = false

    private enum Bound {
      /// Values of one run: a day of a busy resolver's names.
      static let values = 1_000_000
    }

    func run() throws {
      let asked = try values.flatMap { try expand($0) }
      guard asked.count <= Bound.values else { throw Failure("more than \(Bound.values) values; cut the file") }
      let usable = asked.filter { !Indicator.readings($0.value).isEmpty }
      let hits = try choice.with { try $0.matches(usable.map(\.value)) }
      // What the ledger knows is a value, whatever it looks like.
      let known = Set(zip(usable, hits).filter { !$1.isEmpty }.map { $0.0.value })
      let missing = asked.filter { isMeantAsFile($0) && !known.contains($0.value) }.map(\.value)
      complain(of: missing, asked.count > usable.count ? asked : [])
      let answers = zip(usable, hits).map { (asked: $0.value, hits: $1) }.filter { !missing.contains($0.asked) }
      guard !answers.isEmpty else { throw ExitCode(2) }
      try output.print(at: try choice.time(), table: { $0.matches(answers) }, json: { $0.matches(answers) })
      // Whoever asks for a file that is not there must not hear that all is well.
      guard missing.isEmpty else { throw ExitCode(2) }
      if failOnMatch, !known.isEmpty { throw ExitCode(1) }
    }

    private func complain(of missing: [String], _ asked: [(place: String, value: String)]) {
      for value in missing {
        let hint = value.contains("/") ? ", and it is no indicator" : "; --literal looks it up as a name"
        Terminal.complain("\(value.prefix(400)): no such file\(hint)")
      }
      let bad = asked.filter { Indicator.readings($0.value).isEmpty && !isMeantAsFile($0) }
      guard let first = bad.first else { return }
      let more = bad.count > 1 ? "; \(bad.count) values skipped, this is the first" : ""
      Terminal.complain("\(first.place)'\(first.value.prefix(80))' is no indicator\(more)")
    }

    /// Endings of lists and logs; none of them is a top-level domain.
    private static let endings: Set = [
      "csv", "gz", "ioc", "json", "jsonl", "list", "log", "lst", "ndjson", "tsv", "txt", "yaml", "yml", "zst",
    ]

    /// Whether an argument, where nobody knows it as a value, was meant as the name of a file.
    private func isMeantAsFile(_ asked: (place: String, value: String)) -> Bool {
      guard !literal, asked.place.isEmpty else { return false }
      if asked.value.contains("/") { return Indicator.readings(asked.value).isEmpty }
      // `domain:bad.txt` and `bad.txt:80` say what they are.
      guard !asked.value.contains(":"), let dot = asked.value.lastIndex(of: ".") else { return false }
      return Self.endings.contains(asked.value[asked.value.index(after: dot)...].lowercased())
    }

    private func expand(_ argument: String) throws -> [(place: String, value: String)] {
      var isFolder: ObjCBool = false
      let isFile = argument == "-" || FileManager.default.fileExists(atPath: argument, isDirectory: &isFolder)
      if !literal, isFolder.boolValue, argument.contains("/") {
        throw Failure("\(argument): is a folder; name the files in it")
      }
      guard !literal, isFile, !isFolder.boolValue else { return [("", argument)] }
      let data =
        argument == "-"
        ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: argument)
      guard let data else { throw Failure("\(argument): cannot be read") }
      let lines = data.split(separator: 0x0a, omittingEmptySubsequences: false)
      return lines.enumerated().compactMap { number, line in
        let text = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return text.isEmpty || text.hasPrefix("#") ? nil : ("\(argument):\(number + 1): ", text)
      }
    }
  }
}

/// A word of a closed set, or an error that names the set.
func word<T: RawRepresentable<String> & CaseIterable>(_ text: String, _ type: T.Type, _ option: String) throws -> T {
  if let value = T(rawValue: text) { return value }
  throw ValidationError("\(option) takes \(T.allCases.map(\.rawValue).joined(separator: ", ")), not '\(text)'")
}
