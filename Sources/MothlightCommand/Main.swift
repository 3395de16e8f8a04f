import ArgumentParser
import Foundation

@main
struct Mothlight: AsyncParsableCommand {
  static let version = "0.1.0"
  static let configuration = CommandConfiguration(
    commandName: "mothlight",
    abstract: "An observatory for botnets: finds infected machines in captures and logs, and says why.",
    version: "mothlight \(version)",
    // Each says its own name: to derive names from types took a fifth of the start-up.
    subcommands: [
      Read.self, Watch.self, Sinkhole.self, Census.self, Simulate.self, Evaluate.self, Evidence.self,
      RegistryCommand.self, StoreCommand.self, Users.self, Detectors.self, Config.self, Doctor.self, Listen.self,
    ],
    defaultSubcommand: nil)

  /// As the library's own, but with exit status 2 for everything that is wrong with the command line or the input: 1 is
  /// taken by `--fail-on`.
  static func main() async {
    signal(SIGPIPE, SIG_IGN)
    // A file size limit is then a failed write with a reason, not a death.
    signal(SIGXFSZ, SIG_IGN)
    var kind: any ParsableCommand.Type = Self.self
    do {
      var command = try parseAsRoot()
      kind = type(of: command)
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch {
      if let code = error as? ExitCode { Foundation.exit(code.rawValue) }
      if let status = error as? ExitStatus { Foundation.exit(status.code) }
      if let failure = error as? Failure {
        Terminal.complain(failure.message)
        Foundation.exit(2)
      }
      let text = (error as? ValidationError).map { message(for: $0, of: kind) } ?? fullMessage(for: error)
      let isHelp = exitCode(for: error) == .success
      if !text.isEmpty, !Terminal.write(Terminal.printable(text) + "\n", to: isHelp ? 1 : 2), isHelp {
        Foundation.exit(2)
      }
      Foundation.exit(isHelp ? 0 : 2)
    }
  }

  /// What a command finds wrong while it runs, with its own usage: the library would show that of the whole program.
  private static func message(for error: ValidationError, of kind: any ParsableCommand.Type) -> String {
    let usage = usageString(for: kind)
    let name = usage.split(separator: " ").prefix { word in !["[", "<", "-", "("].contains { word.hasPrefix($0) } }
    return """
      Error: \(error.message)
      Usage: \(usage)
        See '\(name.joined(separator: " ")) --help' for more information.
      """
  }
}
