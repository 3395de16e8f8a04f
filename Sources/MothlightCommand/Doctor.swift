import ArgumentParser
import Foundation
import Mothlight
import MothlightStation

/// `mothlight doctor`: what is missing on this machine, and how to get it.
struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Say what a station lacks on this machine, and what to do about it.",
    discussion: """
      Changes nothing and sends nothing. With --config also looks at what that station needs.

      Exit status: 0 when it can work, 2 when something is broken or the configuration is wrong.
      """)

  @Option(help: "Configuration of the station.")
  var config: String?

  func run() throws {
    let configuration: StationConfiguration?
    do { configuration = try config.map { try StationConfiguration.read($0) } } catch {
      throw Failure("\(error)")
    }
    let symptoms = Examination(configuration).symptoms()
    let colour = Terminal.wantsColour
    for symptom in symptoms { Terminal.write(Self.line(symptom, colour: colour) + "\n", to: 1) }
    let worst = symptoms.map(\.state).max() ?? .fine
    let count = symptoms.count { $0.state != .fine }
    Terminal.write(
      worst == .fine
        ? "All is there.\n"
        : "\(count) of \(symptoms.count) want attention\(worst == .broken ? "; the station will not work as it is" : "").\n",
      to: 1)
    if worst == .broken { throw ExitCode(2) }
  }

  static func line(_ symptom: Symptom, colour: Bool) -> String {
    let (word, code) =
      switch symptom.state {
      case .fine: ("ok     ", "32")
      case .lacking: ("lacking", "33")
      case .broken: ("broken ", "31")
      }
    let mark = colour ? "\u{1b}[\(code)m\(word)\u{1b}[0m" : word
    let remedy = symptom.remedy.isEmpty ? "" : "\n           \(symptom.remedy)"
    return "\(mark)  \(Terminal.printable(symptom.subject)): \(Terminal.printable(symptom.finding + remedy))"
  }
}
