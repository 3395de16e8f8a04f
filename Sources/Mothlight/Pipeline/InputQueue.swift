/// The inputs of one run, opened one after the other, with what became of each.
public final class InputQueue {
  private let paths: [String]
  private var position = 0
  private let opener = Inputs()
  private var current: (any RecordReader)?
  private var errors: [String: SourceError] = [:]
  /// What a folder has to say beyond its members: files left out, copies, mixtures.
  private(set) var folderWarnings: [String] = []

  public init(paths: [String]) { self.paths = paths }

  /// The next input that can be opened; those that cannot are noted by the opener and passed over.
  func next() -> (any RecordReader)? {
    closeCurrent()
    while position < paths.count {
      let path = paths[position]
      position += 1
      if let reader = try? opener.open(path: path) {
        current = reader
        return reader
      }
    }
    return nil
  }

  /// Reading stopped early. What was read before stays; only an input that gave nothing has failed as a whole.
  func note(_ error: SourceError, for reader: any RecordReader) { errors[reader.summary.path] = error }

  /// Paths of the files opened so far, by their number, from `start` on.
  func paths(from start: Int) -> [String] { Array(opener.paths.dropFirst(start)) }

  private func closeCurrent() {
    guard let reader = current else { return }
    current = nil
    if let folder = reader as? FolderReader { folderWarnings += folder.ownWarnings }
    let summary = reader.summary
    if summary.used == 0, errors[summary.path] == nil {
      errors[summary.path] = SourceError(.nothingUsable, "\(summary.path): \(Self.why(summary))")
    }
  }

  private static func why(_ summary: InputSummary) -> String {
    if let first = summary.firstUnparsed { return "nothing in it could be used; \(first)" }
    if let skipped = summary.skipped.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) {
      return "nothing in it could be used; \(skipped.value) records were left out: \(skipped.key)"
    }
    if let warning = summary.warnings.first { return warning }
    return "no records in it"
  }

  var summaries: [InputSummary] {
    closeCurrent()
    return opener.inputs.map { summary in
      var summary = summary
      if let error = errors[summary.path] {
        if summary.used == 0 { summary.error = error } else { summary.warnings.append(error.message) }
      }
      return summary
    }
  }

  /// Whether nothing at all could be used.
  public static func nothingUsable(_ summaries: [InputSummary]) -> Bool { !summaries.contains { $0.used > 0 } }

  var progress: (UInt64, UInt64?) { current?.progress ?? (0, nil) }
}
