import ArgumentParser
import Foundation
import Mothlight
import MothlightStore

/// `mothlight registry`: the ledger of botnets.
struct RegistryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "registry", abstract: "Keep the ledger of botnets: names, servers, sizes, who said so and when.",
    discussion: """
      The ledger is one SQLite file. Nothing is fetched: import reads files that you have. Every value keeps its source and \
      date; every edit keeps its author and reason.

      Exit status: 0 done, 1 with match --fail-on-match and a match, 2 when nothing was usable or the command line is wrong.
      """,
    subcommands: [
      List.self, Show.self, Search.self, Match.self, Import.self, Count.self, Suggest.self, Export.self, Add.self,
      Alias.self, Note.self, Takedown.self, History.self,
    ])
}

/// Which store, and at which moment.
struct StoreChoice: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The ledger's file. Default: $MOTHLIGHT_STORE, else mothlight/mothlight.sqlite in $XDG_DATA_HOME or ~/.local/share.",
      valueName: "file"))
  var store: String?

  @Option(help: ArgumentHelp("Use the ledger in this folder of a station.", valueName: "dir"))
  var data: String?

  @Option(help: "Tell the standing at this UTC day (YYYY-MM-DD) instead of now.")
  var at: String?

  @Flag(help: .hidden)
  var timings = false

  func validate() throws { _ = try StationFile.chosen(store: store, data: data) }

  /// End of the day that was given, or now.
  func time() throws -> Timestamp {
    guard let at else { return Timestamp(seconds: Int64(Date().timeIntervalSince1970)) }
    guard let day = CivilDay.parse(at) else { throw ValidationError("--at: '\(at)' is no day such as 2026-01-31") }
    return Timestamp(seconds: (Int64(day) + 1) * 86_400 - 1)
  }

  func path() throws -> (path: String, isOwn: Bool) {
    let environment = ProcessInfo.processInfo.environment
    if let chosen = try StationFile.chosen(store: store, data: data) { return (chosen, false) }
    if let given = environment["MOTHLIGHT_STORE"], !given.isEmpty { return (given, false) }
    if let home = environment["XDG_DATA_HOME"], home.hasPrefix("/") {
      return (home + "/mothlight/mothlight.sqlite", true)
    }
    if let home = environment["HOME"], home.hasPrefix("/") {
      return (home + "/.local/share/mothlight/mothlight.sqlite", true)
    }
    throw Failure("no place for the ledger: neither --store nor MOTHLIGHT_STORE, XDG_DATA_HOME or HOME is given")
  }

  /// Opens, works, closes.
  func with<T>(_ mode: SQLiteStore.Mode = .existing, _ body: (Ledger) throws -> T) throws -> T {
    let (path, isOwn) = try path()
    if mode == .create, isOwn {
      let folder = (path as NSString).deletingLastPathComponent
      do {
        try FileManager.default.createDirectory(
          atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      } catch { throw Failure("\(folder): cannot be made; give --store FILE") }
    }
    let clock = ContinuousClock()
    let start = clock.now
    do {
      let store = try SQLiteStore(
        path: path, mode: mode, at: Timestamp(seconds: Int64(Date().timeIntervalSince1970)))
      defer { store.close() }
      let opened = clock.now
      let result = try body(Ledger(store))
      tell("open", start.duration(to: opened))
      tell("work", opened.duration(to: clock.now))
      return result
    } catch let error as StoreError {
      guard error.code == .absent else { throw Failure(error.message) }
      let advice = data == nil ? "`mothlight registry import FILE` makes one" : StationFile.advice
      throw Failure("\(error.message); \(advice)")
    }
  }

  /// For Benchmarks/registry.py.
  private func tell(_ what: String, _ duration: Duration) {
    guard timings else { return }
    let milliseconds = Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) * 1e-15
    Terminal.write("timing \(what) \(milliseconds) ms\n", to: 2)
  }
}

/// Table or JSON on standard output.
struct RegistryFormat: ParsableArguments {
  @Option(name: .shortAndLong, help: "Output: table or json.")
  var format = "table"

  @Option(
    help: ArgumentHelp(
      "Marking of the output (TLP 2.0): amber, amber+strict, red. Default: amber.", valueName: "marking"))
  var tlp: String?

  func validate() throws {
    guard format == "table" || format == "json" else {
      throw ValidationError("--format takes table or json, not '\(format)'")
    }
  }

  func print(
    at time: Timestamp, table: (inout RegistryPage) -> String, json: (inout RegistryJSON) -> String
  ) throws {
    let asked = try ShareChoices.marking(tlp)
    let marking = try configured { () throws(ConfigurationError) in try RegistryMarking.marking(asked) }
    if format == "json" {
      var writer = RegistryJSON(at: time, tlp: marking)
      try Output.write(json(&writer))
    } else {
      var page = RegistryPage(width: Terminal.width, colour: Terminal.wantsColour, at: time, tlp: marking)
      try Output.write(table(&page))
    }
  }
}

/// Standard output; a reader that stops reading is no error.
enum Output {
  static func write(_ text: String) throws {
    if !Terminal.write(text, to: 1), errno != EPIPE {
      throw Failure("standard output: writing failed, is the disk full?")
    }
  }
}
