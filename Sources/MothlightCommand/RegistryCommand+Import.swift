import ArgumentParser
import Foundation
import Mothlight
import MothlightStore

extension RegistryCommand {
  /// `mothlight registry import FILE...`.
  struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Take in files: MISP galaxy clusters, Feodo Tracker, ThreatFox, URLhaus, SSLBL, mothlight census.",
      discussion: """
        The format is told by content, never by name. All files go in together or not at all. The same file again changes \
        nothing. What cannot be used is named with its line, and the rest goes in.
        """)

    @OptionGroup var choice: StoreChoice
    @OptionGroup var output: RegistryFormat

    @Argument(help: "Files; - for standard input.")
    var files: [String]

    @Option(help: "Insist on a format: misp-galaxy, feodo, threatfox, urlhaus, sslbl, census.")
    var expect: String?

    @Option(help: "Name of the source, publisher/part, instead of the format's own.")
    var source: String?

    @Option(help: "Day of the files (YYYY-MM-DD), for what carries no date of its own. Default: today.")
    var date: String?

    @Option(help: "Changes to tell one by one.")
    var changes = 20

    @Option(help: "Who takes it in, for the history. Default: the user's name.")
    var author: String?

    func run() throws {
      let expected = try expect.map { try word($0, RegistryImport.Format.self, "--expect") }
      var time = try choice.time()
      if let date {
        guard let day = CivilDay.parse(date) else {
          throw ValidationError("--date: '\(date)' is no day such as 2026-01-31")
        }
        time = Timestamp(seconds: Int64(day) * 86_400)
      }
      if let source, source.isEmpty || source.utf8.count > 100 {
        throw ValidationError("--source takes 1 to 100 letters")
      }
      let (imports, complaints) = read(expected, time)
      for complaint in complaints { Terminal.complain(complaint) }
      guard !imports.isEmpty else { throw ExitCode(2) }
      let changed = try choice.with(.create) { ledger in
        try ledger.apply(imports, author: author ?? Author.current, at: time)
      }
      try output.print(
        at: time,
        table: { page in
          imports.map { "\($0.path): \($0.format.rawValue), \($0.read) rows, \($0.skipped) skipped\n" }.joined()
            + page.changes(changed, shown: max(0, changes))
        }, json: { $0.changes(changed, complaints: complaints) })
    }

    private func read(_ expected: RegistryImport.Format?, _ time: Timestamp) -> ([RegistryImport], [String]) {
      var imports: [RegistryImport] = []
      var complaints: [String] = []
      for file in files {
        do throws(ConfigurationError) {
          let found = try FeedFile.read(file, source: source, date: time)
          if let expected, found.format != expected {
            throw ConfigurationError("\(file): is \(found.format.rawValue), not \(expected.rawValue)")
          }
          imports.append(found)
          if let complaint = found.complaint { complaints.append(complaint) }
        } catch { complaints.append(error.message) }
      }
      return (imports, complaints)
    }
  }

  /// `mothlight registry export`.
  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Write the whole ledger as JSON or CSV.")

    @OptionGroup var choice: StoreChoice

    @Option(name: .shortAndLong, help: "Output: json or csv.")
    var format = "json"

    @Option(help: "Marking of the output (TLP 2.0): amber, amber+strict, red. Default: amber.")
    var tlp: String?

    func run() throws {
      guard format == "json" || format == "csv" else {
        throw ValidationError("--format takes json or csv, not '\(format)'")
      }
      let time = try choice.time()
      let asked = try ShareChoices.marking(tlp)
      let marking = try configured { () throws(ConfigurationError) in try RegistryMarking.marking(asked) }
      struct Closed: Error {}
      // The ledger takes every error on its way for one of its own: why nothing more can be written is kept here.
      var end: (any Error)?
      func put(_ text: String) throws {
        guard !Terminal.write(text, to: 1) else { return }
        let isReaderGone = errno == EPIPE
        let reason: any Error =
          isReaderGone ? Closed() as any Error : Failure("standard output: writing failed, is the disk full?")
        end = reason
        throw reason
      }
      do {
        try choice.with { ledger in
          if format == "csv" {
            let csv = RegistryCSV(tlp: marking)
            try put(RegistryCSV.header)
            try ledger.forEachBotnet({ try put(csv.rows($0)) }, unassigned: { try put(csv.row($0)) })
          } else {
            var json = RegistryJSON(at: time, tlp: marking)
            var isAtRows = true
            try put(json.beginExport())
            try ledger.forEachBotnet({ try put(json.export($0)) }) { claim in
              if isAtRows { try put(json.beginUnassigned()) }
              isAtRows = false
              try put(json.export(claim))
            }
            if isAtRows { try put(json.beginUnassigned()) }
            try put(json.endExport())
          }
        }
      } catch {
        // A reader that stops reading (`| head`) is no error.
        if end is Closed { return }
        throw end ?? error
      }
    }
  }
}

/// Who is at the keyboard.
enum Author {
  static var current: String {
    let environment = ProcessInfo.processInfo.environment
    let name = environment["SUDO_USER"] ?? environment["USER"] ?? environment["LOGNAME"] ?? ""
    return name.isEmpty ? "uid-\(getuid())" : name
  }
}
