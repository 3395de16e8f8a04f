import ArgumentParser
import Foundation
import Mothlight
import MothlightStore

/// `mothlight store`: looking after the file that station and registry keep.
struct StoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "store", abstract: "Look after the store: back it up, check it, rescue a damaged one.",
    discussion: """
      The store is one SQLite file. All of this works while a station writes to it.

      Exit status: 0 done and all well, 1 with check or rescue when something is damaged, 2 when nothing could be done.
      """,
    subcommands: [Status.self, Backup.self, Check.self, RescueDamaged.self])

  /// The present moment: the store notes when it was checked.
  static var now: Timestamp { Timestamp(seconds: Int64(Date().timeIntervalSince1970)) }

  static func mebibytes(_ octets: Int64) -> String { "\((octets + (1 << 20) - 1) >> 20) MiB" }
}

/// Which file: that of a station, named by its folder, or any other.
struct StorePlace: ParsableArguments {
  /// Where `watch` keeps its things when nothing is said.
  private static let station = "station-data"

  @Option(
    help: ArgumentHelp(
      "Folder of everything that the station keeps. Default: ./station-data if a store is there, else as for the registry.",
      valueName: "dir"))
  var data: String?

  @Option(help: ArgumentHelp("The store's file, where it is not in a station's folder.", valueName: "file"))
  var store: String?

  func validate() throws { _ = try StationFile.chosen(store: store, data: data) }

  func path() throws -> String {
    if let chosen = try StationFile.chosen(store: store, data: data) { return chosen }
    let environment = ProcessInfo.processInfo.environment["MOTHLIGHT_STORE"] ?? ""
    let usual = StationFile.path(in: Self.station)
    if environment.isEmpty, FileManager.default.fileExists(atPath: usual) { return usual }
    var choice = StoreChoice()
    (choice.store, choice.data, choice.at, choice.timings) = (nil, nil, nil, false)
    return try choice.path().path
  }

  /// What to say of a store that cannot be opened.
  func failure(_ error: StoreError) -> Failure {
    guard error.code == .absent, store == nil else { return Failure(error.message) }
    return Failure("\(error.message); \(data == nil ? "name it with --data DIR or --store FILE" : StationFile.advice)")
  }
}

/// The file in a station's folder.
enum StationFile {
  /// For who names a folder without one.
  static let advice = "`mothlight watch` makes one in its data folder: is this the folder?"

  static func path(in folder: String) -> String { (folder as NSString).appendingPathComponent("store.sqlite") }

  /// - Throws: when both a folder and a file are given.
  static func chosen(store: String?, data: String?) throws -> String? {
    guard let data else { return store }
    guard store == nil else { throw ValidationError("give --data DIR or --store FILE, not both") }
    return path(in: data)
  }
}

extension StoreCommand {
  /// `mothlight store status`.
  struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Tell what the store holds.")
    @OptionGroup var place: StorePlace

    func run() async throws {
      let path = try place.path()
      do {
        let store = try StationStore.open(path, mode: .existing, at: StoreCommand.now)
        defer { store.close() }
        let condition = await store.condition()
        let since = condition.oldestDay.map { ", since \(Timestamp.describe(day: $0))" } ?? ""
        let checked = try await store.checked().map { "checked \($0.dayDescription)" } ?? "never checked"
        try Output.write(
          """
          \(Terminal.printable(path)): \(condition.state.rawValue), \(StoreCommand.mebibytes(Int64(condition.octets))), \(checked)
          \(condition.hostDays) host-days, \(condition.findings) findings in detail\(since)

          """)
        if let reason = condition.reason { try Output.write(Terminal.printable(reason) + "\n") }
      } catch let error as StoreError { throw place.failure(error) }
    }
  }

  /// `mothlight store backup FILE`.
  struct Backup: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Copy the store to a new file, as it is at this moment.",
      discussion: """
        The copy is checked before it gets its name, and overwrites nothing. To restore, stop the station and put the copy in \
        the store's place, without the files store.sqlite-wal and store.sqlite-shm of the old one beside it.
        """)
    @OptionGroup var place: StorePlace
    @Argument(help: "The file to make.") var file: String

    func run() async throws {
      do {
        let store = try SQLiteStore(reading: try place.path(), because: "is being copied")
        defer { store.close() }
        let octets = try store.backup(to: file)
        try Output.write("\(Terminal.printable(file)): \(StoreCommand.mebibytes(octets)), checked\n")
      } catch let error as StoreError { throw place.failure(error) }
    }
  }

  /// `mothlight store check`.
  struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Read every page of the store and say what is damaged.")
    @OptionGroup var place: StorePlace

    func run() async throws {
      let path = try place.path()
      var trouble: [String] = []
      do throws(StoreError) {
        let store = try StationStore.open(path, mode: .existing, at: StoreCommand.now)
        defer { store.close() }
        trouble = try await store.check(at: StoreCommand.now)
      } catch {
        guard error.code == .damaged else { throw place.failure(error) }
        trouble = [error.message]
      }
      guard !trouble.isEmpty else { return try Output.write("\(Terminal.printable(path)): all well\n") }
      try Output.write(trouble.map { Terminal.printable($0) + "\n" }.joined())
      Terminal.complain(
        "\(path): is damaged; restore a backup, or save what can be read with `mothlight store rescue`")
      throw ExitCode(1)
    }
  }

  /// `mothlight store rescue DAMAGED OUT`.
  struct RescueDamaged: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "rescue", abstract: "Write what can be read of a damaged store into a new one.",
      discussion: "The damaged file is only read. What was lost is told, table by table.")
    @Argument(help: "The damaged store.") var damaged: String
    @Argument(help: "The file to make.") var out: String

    func run() async throws {
      let rescued: Rescued
      do throws(StoreError) { rescued = try Rescue.run(damaged, to: out, at: StoreCommand.now) } catch {
        throw Failure(error.message)
      }
      var text = "\(rescued.hostDays) host-days and \(rescued.findings) findings were read\n"
      if rescued.findingsLost > 0 { text += "\(rescued.findingsLost) findings were lost\n" }
      if rescued.hostDaysInPart > 0 {
        text += "\(rescued.hostDaysInPart) host-days were lost but for their findings\n"
      }
      if rescued.gaps > 0 { text += "\(rescued.gaps) stretches of host-days and findings could not be read\n" }
      for table in rescued.tables where table.rows > 0 || !table.isWhole {
        text += "\(table.name): \(table.rows) rows\(table.isWhole ? "" : ", some were lost")\n"
      }
      try Output.write(Terminal.printable(text))
      if !rescued.isWhole { throw ExitCode(1) }
    }
  }
}
