import ArgumentParser
import Mothlight

/// `mothlight detectors`: what each detector sees, its knobs and known false positives.
struct Detectors: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List the detectors with their knobs, references and known false positives.")

  @Argument(help: "Only this one.")
  var name: String?

  func run() throws {
    let cards = DetectorRoster.all.map { $0.card }
    if let name {
      guard let card = cards.first(where: { $0.name == name }) else {
        throw ValidationError(
          "no detector is called '\(name)'; there are: \(cards.map(\.name).joined(separator: ", "))")
      }
      describe(card)
    } else {
      for card in cards { print("\(card.name.padding(to: 20)) \(card.family.rawValue.padding(to: 8)) \(card.title)") }
    }
  }

  private func describe(_ card: DetectorCard) {
    print("\(card.name) v\(card.version): \(card.title)")
    print(
      "  family \(card.family.rawValue), reads \(card.reads.map(\.rawValue).joined(separator: ", ")), scope \(card.scope.rawValue)"
    )
    for knob in card.knobs {
      print("  \(card.name).\(knob.name) = \(knob.value) \(knob.unit): \(knob.meaning)")
    }
    for text in card.knownFalsePositives { print("  known false positive: \(text)") }
    for text in card.references { print("  see: \(text)") }
  }
}

extension String {
  func padding(to width: Int) -> String {
    count >= width ? self : self + String(repeating: " ", count: width - count)
  }
}
