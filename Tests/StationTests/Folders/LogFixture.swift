import Foundation
import Glibc
import Mothlight

@testable import MothlightStation

/// Logs as Zeek and Suricata write them, each row with a number of its own: the source port.
enum LogFixture {
  static let fields =
    "ts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_bytes\tresp_bytes\tconn_state\torig_pkts\tresp_pkts"

  static func header(_ opened: Int, path: String = "conn", fields: String = LogFixture.fields) -> String {
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t\(path)\n#open\t\(opened)\n#fields\t\(fields)\n"
  }

  /// - Parameter number: also seconds since a fixed day, and the source port.
  static func row(_ number: Int) -> String {
    "\(1_763_000_000 + number).5\tC\(number)\t10.0.0.5\t\(number)\t192.0.2.7\t443\ttcp\t10\t20\tSF\t3\t3\n"
  }

  static func eve(_ number: Int) -> String {
    let time = Timestamp(seconds: 1_763_000_000 + Int64(number)).description.replacingOccurrences(
      of: "Z", with: "+0000")
    return
      #"{"timestamp":"\#(time)","event_type":"flow","src_ip":"10.0.0.6","src_port":\#(number),"dest_ip":"192.0.2.9","dest_port":80,"proto":"TCP","flow":{"pkts_toserver":3,"pkts_toclient":3,"bytes_toserver":200,"bytes_toclient":300,"start":"\#(time)","end":"\#(time)","state":"closed"}}"#
      + "\n"
  }
}

/// A folder and a source that follows it, as a test sees them.
final class LogBench {
  let scratch: ScratchFolder
  let logs: String
  private(set) var source: LogFolderSource?
  private(set) var sink = CollectingSink()
  private var task: Task<SourceError?, Never>?
  private let change: (inout FolderSettings) -> Void

  init(_ change: @escaping (inout FolderSettings) -> Void = { _ in }) throws {
    scratch = try ScratchFolder()
    logs = scratch.path + "/logs"
    try FileManager.default.createDirectory(atPath: logs, withIntermediateDirectories: true)
    self.change = change
    source = LogFolderSource(Self.settings(scratch, change))
  }

  /// Another program on the same logs.
  init(after other: LogBench, positionsPath: String) throws {
    scratch = other.scratch
    logs = other.logs
    change = { $0.positionsPath = positionsPath }
    source = LogFolderSource(Self.settings(scratch, change))
  }

  private static func settings(
    _ scratch: ScratchFolder, _ change: (inout FolderSettings) -> Void
  ) -> FolderSettings {
    var settings = FolderSettings.logs(
      name: "zeek", path: scratch.path + "/logs", positionsPath: scratch.path + "/zeek.positions")
    settings.pollSeconds = 0.01
    settings.settleSeconds = 0.05
    change(&settings)
    return settings
  }

  /// Starts with a sink of its own: what an earlier one got is `before`.
  func start(callsMost: Int = .max) {
    sink = CollectingSink(callsMost: callsMost)
    guard let source else { return }
    let sink = sink
    task = Task { () -> SourceError? in
      do throws(SourceError) {
        try await source.run(into: sink)
        return nil
      } catch { return error }
    }
  }

  @discardableResult
  func stop() async -> SourceError? {
    task?.cancel()
    return await task?.value
  }

  /// How it ended by itself.
  func outcome() async -> SourceError? { await task?.value }

  /// A new source on the same positions, as after a restart of the program.
  func restart(callsMost: Int = .max) async {
    await stop()
    // The lock of the positions goes with the old source.
    task = nil
    source = nil
    source = LogFolderSource(Self.settings(scratch, change))
    start(callsMost: callsMost)
  }

  var health: SourceHealth? { source?.meter.health }
  var ports: [Int] { sink.flows.map { Int($0.sourcePort) } }

  func waitFor(_ count: Int, seconds: Double = 60) async -> Bool {
    await eventually(seconds: seconds) { self.sink.flows.count >= count }
  }

  func append(_ name: String, _ text: String) throws {
    let path = logs + "/" + name
    if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    defer { try? handle.close() }
    try handle.seekToEnd()
    handle.write(Data(text.utf8))
  }

  func rename(_ from: String, _ to: String) throws {
    try FileManager.default.moveItem(atPath: logs + "/" + from, toPath: logs + "/" + to)
  }

  func copy(_ from: String, _ to: String) throws {
    try FileManager.default.copyItem(atPath: logs + "/" + from, toPath: logs + "/" + to)
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: logs + "/" + name) }
  func truncate(_ name: String) { Glibc.truncate(logs + "/" + name, 0) }

  /// As logrotate does it: the packed file appears under its own name when it is whole, then the plain one goes.
  func pack(_ name: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/gzip")
    process.arguments = [logs + "/" + name]
    try process.run()
    process.waitUntilExit()
  }
}
