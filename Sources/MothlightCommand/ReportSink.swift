import ArgumentParser
import Foundation
import Mothlight

/// Where a report goes: standard output, or a file that appears only when it is whole.
struct ReportSink {
  var path: String?

  func write(_ report: Report, with exporter: any Exporter) throws {
    guard let path else {
      try toStandardOutput(report, exporter)
      return
    }
    let partial = path + ".partial"
    guard FileManager.default.createFile(atPath: partial, contents: nil),
      let handle = FileHandle(forWritingAtPath: partial)
    else {
      throw ValidationError("\(path): cannot be written; does its folder exist and may you write there?")
    }
    do {
      try exporter.export(report) { try handle.write(contentsOf: Data($0.utf8)) }
      try handle.synchronize()
      try handle.close()
      guard rename(partial, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
    } catch {
      unlink(partial)
      throw ValidationError("\(path): writing failed, is the disk full? Nothing was left behind")
    }
  }

  /// A reader that stops reading (`| head`) is no error.
  private func toStandardOutput(_ report: Report, _ exporter: any Exporter) throws {
    signal(SIGPIPE, SIG_IGN)
    struct Closed: Error {}
    do {
      try exporter.export(report) { text in
        var bytes = Array(text.utf8)
        try bytes.withUnsafeMutableBytes { buffer in
          var offset = 0
          while offset < buffer.count {
            let written = Foundation.write(1, buffer.baseAddress?.advanced(by: offset), buffer.count - offset)
            if written < 0 {
              if errno == EINTR { continue }
              throw errno == EPIPE ? Closed() as any Error : CocoaError(.fileWriteUnknown)
            }
            offset += written
          }
        }
      }
    } catch is Closed {
      return
    } catch {
      throw ValidationError("standard output: writing failed, is the disk full?")
    }
  }
}
