import ArgumentParser
import Mothlight

/// `mothlight evidence`: whether what was recorded is still what was recorded.
struct Evidence: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evidence", abstract: "Check recorded evidence.", subcommands: [Verify.self],
    defaultSubcommand: Verify.self)

  /// `mothlight evidence verify FOLDER`.
  struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Verify chain and signatures of a sinkhole's spool.",
      discussion:
        "One line a segment. Exit status: 0 all of it is whole (a segment that is still written counts as whole), 1 something was changed, cut or is missing, 2 nothing could be read."
    )

    @Argument(help: "Spool folder, or one segment file.")
    var path: String

    func run() throws {
      let reader: SpoolReader
      do throws(SpoolError) { reader = try SpoolReader(path: path) } catch { throw Failure(error.message) }
      let segments = reader.read { _ in }
      var records: UInt64 = 0
      for segment in segments {
        records += segment.records
        let what = segment.damage ?? (segment.isOpen ? "still open" : "verified")
        Terminal.write("\(segment.path): \(segment.records) records, \(what)\n", to: 1)
      }
      let damaged = segments.count { $0.damage != nil }
      Terminal.write(
        "\(segments.count) segments, \(records) records, \(damaged == 0 ? "nothing changed, cut or missing" : "\(damaged) damaged")\n",
        to: 1)
      if damaged > 0 { throw ExitCode(1) }
    }
  }
}
