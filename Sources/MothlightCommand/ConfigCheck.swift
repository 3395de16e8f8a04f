import ArgumentParser
import Foundation
import Mothlight
import MothlightStation

/// `mothlight config`: what a configuration file says.
struct Config: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Check configuration files.", subcommands: [ConfigCheck.self])
}

/// `mothlight config check FILE`.
struct ConfigCheck: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Read a station's or sinkhole's configuration and say what is wrong with it.",
    discussion: """
      Lists, allow files, certificates and users that it names are looked for on this machine.

      Exit status: 0 when it is right, 2 with file, line and reason when it is not.
      """)

  @Argument(help: "Files (YAML).")
  var files: [String]

  func run() throws {
    var isWrong = false
    for file in files {
      do {
        Terminal.write("\(Terminal.printable(file)): \(try Self.summary(of: file))\n", to: 1)
      } catch let problem as ZoneFile.Problem {
        Terminal.complain(problem.description)
        isWrong = true
      } catch let failure as Failure {
        Terminal.complain(failure.message)
        isWrong = true
      }
    }
    if isWrong { throw ExitCode(2) }
  }

  /// One line on a file that is right.
  private static func summary(of file: String) throws -> String {
    let text = try TextFile.read(file, "a configuration is YAML")
    let first = text.split(separator: "\n").first { line in
      line.first.map { !$0.isWhitespace && $0 != "#" } ?? false
    }
    guard let first, first.hasPrefix("sinkhole:") else {
      let station = try StationConfiguration.read(file)
      // What the files that it names hold is part of it.
      _ = try configured { () throws(ConfigurationError) in try Registry.load(paths: station.lists) }
      for path in station.allow {
        let rules = try TextFile.read(path, "one rule a line is needed", place: "\(file): allow: ")
        _ = try configured { () throws(ConfigurationError) in try AllowList(text: rules, name: path) }
      }
      try check(user: station.user, "user", file)
      if case .files(let certificate, let key)? = station.serving?.encryption {
        do throws(ListenError) {
          _ = try TLSIdentity(certificate: certificate, key: key, at: StationLog.now())
        } catch { throw Failure("\(file): tls: \(error)") }
      }
      let page = station.serving.map { "pages at \($0.listen)" } ?? "no pages"
      return "a station with \(station.sources.count == 1 ? "one source" : "\(station.sources.count) sources"), \(page)"
    }
    let sinkhole = try SinkholeConfiguration.read(file)
    _ = try ZoneFile.read(sinkhole.zones)
    try check(user: sinkhole.listeners.user, "drop_privileges", file)
    return "a sinkhole with \(sinkhole.listeners.listeners.count) listeners"
  }

  private static func check(user: String?, _ key: String, _ file: String) throws {
    guard let problem = user.flatMap({ Privileges.problem(becoming: $0, asRoot: true) }) else { return }
    throw Failure("\(file): \(key): \(problem)")
  }
}
