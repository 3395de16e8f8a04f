import ArgumentParser
import Foundation
import Mothlight

/// `mothlight detectors`: what each detector sees, its knobs and known false positives.
struct Detectors: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "detectors", abstract: "List the detectors with their knobs, references and known false positives.")

  @Argument(help: "Only this one.")
  var name: String?

  @Flag(help: "List the signatures, run their tests, and exit with 2 when one fails.")
  var checkSignatures = false

  @Option(help: "With --check-signatures: these files instead of the built-in one; may be repeated.")
  var signatures: [String] = []

  func validate() throws {
    guard signatures.isEmpty || checkSignatures else { throw ValidationError("--signatures needs --check-signatures") }
  }

  func run() throws {
    let cards = DetectorRoster.cards
    var text = ""
    if checkSignatures { return try check() }
    if let name {
      guard let card = cards.first(where: { $0.name == name }) else {
        throw ValidationError(
          "no detector is called '\(name)'; there are: \(cards.map(\.name).joined(separator: ", "))")
      }
      describe(card, &text)
    } else {
      for card in cards {
        text += "\(card.name.padding(to: 20)) \(card.family.rawValue.padding(to: 8)) \(card.title)\n"
      }
    }
    if !Terminal.write(text, to: 1), errno != EPIPE {
      throw Failure("standard output: writing failed, is the disk full?")
    }
  }

  private func check() throws {
    let files = try signatures.isEmpty ? [SignatureChoice.builtin()] : SignatureChoice.load(signatures)
    var text = ""
    for file in files {
      for entry in file.entries {
        let signature = entry.signature
        text += signature.id.padding(to: 24) + " " + signature.family.padding(to: 12) + " "
        text += "\(signature.transport) ".padding(to: 5) + signature.evidence.rawValue.padding(to: 7)
        text += signature.confidence.rawValue.padding(to: 13) + "\(entry.tests) tests"
        text += signature.isForSinkholeOnly ? ", sinkhole only\n" : "\n"
      }
    }
    let failures = files.flatMap(\.failures)
    let tests = files.flatMap(\.entries).reduce(0) { $0 + $1.tests }
    text += "\(files.flatMap(\.entries).count) signatures, \(tests) tests, \(failures.count) failed\n"
    if !Terminal.write(text, to: 1), errno != EPIPE {
      throw Failure("standard output: writing failed, is the disk full?")
    }
    for failure in failures { Terminal.complain(failure) }
    guard failures.isEmpty else { throw ExitCode(2) }
    _ = try configured { () throws(ConfigurationError) in try SignatureFile.merged(signatures.isEmpty ? [] : files) }
  }

  private func describe(_ card: DetectorCard, _ text: inout String) {
    text += "\(card.name) v\(card.version): \(card.title)" + "\n"
    text +=
      "  family \(card.family.rawValue), reads \(card.reads.map(\.rawValue).joined(separator: ", ")), scope \(card.scope.rawValue)"
      + "\n"
    for knob in card.knobs {
      text += "  \(card.name).\(knob.name) = \(knob.value) \(knob.unit): \(knob.meaning)" + "\n"
    }
    for entry in card.knownFalsePositives { text += "  known false positive: \(entry)" + "\n" }
    for entry in card.references { text += "  see: \(entry)" + "\n" }
  }
}

extension String {
  func padding(to width: Int) -> String {
    count >= width ? self : self + String(repeating: " ", count: width - count)
  }
}
