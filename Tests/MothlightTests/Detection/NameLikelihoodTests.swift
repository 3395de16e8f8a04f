import Testing

@testable import Mothlight

@Suite struct NameLikelihoodTests {
  /// Scores that Tools/train_names.py computes from the same table.
  @Test(arguments: [
    ("google", -2.272855), ("wikipedia", -1.683631), ("xkqzvbwpt", 2.915178), ("qeqyqiv", 5.402994),
    ("kwtoestnessbiophysicalohax", 0.743424), ("a1b2c3d4e5f6", 6.0), ("id5-sync", -1.914335),
  ]) func agreesWithTrainer(_ label: String, _ expected: Double) {
    #expect(abs(NameLikelihood.score(label: label) - expected) < 1e-5)
    #expect(NameLikelihood.score(registeredDomain: label.uppercased() + ".co.uk") == NameLikelihood.score(label: label))
  }

  @Test(arguments: ["", "abc", "xn--mnchen-3ya", "näme", "a_b_c_d", "with space", String(repeating: "x", count: 64)])
  func noOpinion(_ label: String) {
    #expect(NameLikelihood.score(label: label) == 0)
  }

  @Test func crowdsAreFarApart() {
    var random = SeededGenerator(7)
    let drawn = (0..<200).map { _ in NameLikelihood.score(label: random.label(12)) }.sorted()
    let chosen = [
      "heise", "postbank", "wetteronline", "seznam", "gutefrage", "kicker", "booking", "allegro", "ricardo",
      "tripadvisor",
    ]
    .map { NameLikelihood.score(label: $0) }.sorted()
    #expect(drawn[100] > 2)
    #expect(chosen[5] < -0.5)
  }
}
