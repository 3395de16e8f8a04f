import ArgumentParser
import Foundation
import Mothlight

/// `mothlight detectors`: what each detector sees, its knobs and known false positives.
struct Detectors: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the detectors with their knobs, references and known false positives.")

  @Argument(help: "Only this one.")
  var name: String?

  func run() throws {
    let cards = DetectorRoster.cards
    var text = ""
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
