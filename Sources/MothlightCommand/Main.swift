import ArgumentParser

@main
struct Mothlight: AsyncParsableCommand {
  static let version = "0.1.0"
  static let configuration = CommandConfiguration(
    commandName: "mothlight",
    abstract: "An observatory for botnets: finds infected machines in captures and logs, and says why.",
    version: "mothlight \(version)",
    subcommands: [Read.self, Simulate.self, Evaluate.self, Detectors.self],
    defaultSubcommand: nil)
}
