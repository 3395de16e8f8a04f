import Glibc
import Testing

@testable import Mothlight

@Suite struct OctaveScaleTests {
  private let scale = OctaveScale.shared

  @Test func agreesWithTheLogarithm() {
    for hundredths in 1...200_000 {
      let x = Double(hundredths) / 100
      #expect(scale.sixteenths(x) == Int((16 * log2(x)).rounded(.down)), "\(x)")
    }
  }

  @Test func everyEdgeBeginsItsStep() {
    for step in -320...320 {
      let edge = exp2(Double(step) / 16)
      #expect(scale.sixteenths(edge) == step)
      #expect(scale.sixteenths(edge.nextDown) == step - 1)
    }
  }

  @Test func endlessIsLarge() {
    #expect(scale.sixteenths(.infinity) == 16_000)
    #expect(scale.sixteenths(1e300) > 15_000)
  }
}
