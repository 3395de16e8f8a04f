import ArgumentParser
import Foundation
import Mothlight

/// Where a report goes: standard output, or a file that appears only when it is whole.
struct ReportSink {
  var path: String?

  /// Gives a text piece by piece to what it is called with.
  typealias Producer = (_ write: (String) throws -> Void) throws -> Void

  func write(_ report: Report, with exporter: any Exporter, inputs: [String] = []) throws {
    if let path, let exporter = exporter as? any FileSetExporter {
      let isNew = path.hasSuffix("/") && mkdir(path, 0o700) == 0
      if Self.isFolder(path) {
        do {
          try writeFiles(in: path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path) {
            try exporter.export(report, toFile: $0)
          }
        } catch {
          if isNew { rmdir(path) }
          throw error
        }
        return
      }
    }
    try write(inputs: inputs) { try exporter.export(report, to: $0) }
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Each file appears when all are whole; one of the same name is replaced.
  private func writeFiles(in folder: String, _ produce: (_ write: (String, String) throws -> Void) throws -> Void)
    throws
  {
    var partial: [String: String] = [:]
    do {
      try produce { name, text in
        let isNew = partial[name] == nil
        let path = partial[name] ?? "\(folder)/\(name).\(getpid()).partial"
        partial[name] = path
        let descriptor = open(path, O_WRONLY | O_CLOEXEC | (isNew ? O_CREAT | O_EXCL : O_APPEND), 0o600)
        guard descriptor >= 0 else { throw Failure("\(folder)/\(name): cannot be written; may you write there?") }
        defer { close(descriptor) }
        guard Terminal.write(text, to: descriptor) else {
          throw Failure("\(folder)/\(name): writing failed, is the disk full? Nothing was left behind")
        }
      }
      for (name, path) in partial.sorted(by: { $0.key < $1.key }) {
        guard rename(path, "\(folder)/\(name)") == 0 else { throw Failure("\(folder)/\(name): cannot be put in place") }
      }
    } catch {
      for path in partial.values { unlink(path) }
      throw error
    }
  }

  /// - Parameter inputs: what was read; a report never replaces its own evidence.
  func write(inputs: [String] = [], _ produce: Producer) throws {
    guard let path else {
      try stream(produce, to: 1, named: "standard output")
      return
    }
    var status = stat()
    guard stat(path, &status) == 0 else {
      try replace(path, produce, mode: 0o600)
      return
    }
    for input in inputs {
      var other = stat()
      if stat(input, &other) == 0, other.st_dev == status.st_dev, other.st_ino == status.st_ino {
        throw Failure("\(path): is an input of this run; write the report elsewhere")
      }
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: try replace(resolved(path), produce, mode: status.st_mode & 0o777)
    case S_IFDIR: throw Failure("\(path): is a folder; give the name of a file in it")
    default:
      // A pipe or device is written to, never replaced.
      let descriptor = open(path, O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw Failure("\(path): cannot be written") }
      defer { close(descriptor) }
      try stream(produce, to: descriptor, named: path)
    }
  }

  /// The file behind a link, so that the link stays.
  private func resolved(_ path: String) -> String {
    guard let real = realpath(path, nil) else { return path }
    defer { free(real) }
    return String(cString: real)
  }

  /// Writes beside the target and renames, so that a reader sees the old report or the new one.
  private func replace(_ path: String, _ produce: Producer, mode: mode_t) throws {
    let partial = "\(path).\(getpid()).partial"
    let descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else {
      throw Failure("\(path): cannot be written; does its folder exist and may you write there?")
    }
    do {
      try stream(produce, to: descriptor, named: path)
      let isSafe = fsync(descriptor) == 0
      guard close(descriptor) == 0, isSafe, rename(partial, path) == 0 else {
        throw Failure("\(path): writing failed, is the disk full? Nothing was left behind")
      }
    } catch {
      unlink(partial)
      throw error
    }
  }

  /// A reader that stops reading (`| head`) is no error.
  private func stream(_ produce: Producer, to descriptor: Int32, named name: String) throws {
    struct Closed: Error {}
    do {
      try produce { text in
        guard !Terminal.write(text, to: descriptor) else { return }
        throw errno == EPIPE
          ? Closed() as any Error : Failure("\(name): writing failed, is the disk full? What is there is not whole")
      }
    } catch is Closed {
      return
    }
  }
}
