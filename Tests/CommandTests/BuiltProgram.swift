import Foundation

/// The built program, run as a user would. It stands beside the test bundle.
enum BuiltProgram {
  struct Outcome {
    var status: Int32
    var out: String
    var err: String
  }

  static var path: String {
    let folder =
      Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }.first {
        FileManager.default.isExecutableFile(atPath: $0.appendingPathComponent("mothlight").path)
      } ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
    return folder.appendingPathComponent("mothlight").path
  }

  /// Runs it to its end.
  /// - Parameters:
  ///   - environment: `nil`: that of the tests.
  ///   - fileBlocksMost: limit on the size of a written file, in blocks of the shell.
  ///   - killedAfterMicroseconds: the process is killed after this time.
  static func run(
    _ arguments: [String], input: Data = Data(), environment: [String: String]? = nil, fileBlocksMost: Int? = nil,
    killedAfterMicroseconds: UInt32? = nil
  ) throws -> Outcome {
    try withFolder { work in
      let process = Process()
      if let fileBlocksMost {
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "ulimit -f \(fileBlocksMost); exec \"$0\" \"$@\"", path] + arguments
      } else {
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
      }
      if let environment { process.environment = environment }
      let entry = work.appendingPathComponent("in")
      try input.write(to: entry)
      process.standardInput = try FileHandle(forReadingFrom: entry)
      // A pipe where files are limited: the limit is not for what is printed.
      let (out, err) = (Pipe(), Pipe())
      process.standardOutput = out
      let errors = work.appendingPathComponent("err")
      _ = FileManager.default.createFile(atPath: errors.path, contents: nil)
      process.standardError = fileBlocksMost == nil ? try FileHandle(forWritingTo: errors) : err
      try process.run()
      if let killedAfterMicroseconds {
        usleep(killedAfterMicroseconds)
        kill(process.processIdentifier, SIGKILL)
      }
      let text = out.fileHandleForReading.readDataToEndOfFile()
      let complaint =
        fileBlocksMost == nil ? Data() : err.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      return Outcome(
        status: process.terminationStatus, out: String(decoding: text, as: UTF8.self),
        err: String(decoding: fileBlocksMost == nil ? try Data(contentsOf: errors) : complaint, as: UTF8.self))
    }
  }

  static func withFolder<T>(_ body: (URL) throws -> T) throws -> T {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("mothlight-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }
}
