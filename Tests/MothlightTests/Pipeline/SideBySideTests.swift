import Testing

@testable import Mothlight

@Suite struct SideBySideTests {
  @Test(arguments: [0, 1, 2, 1000], [1, 2, 7])
  func resultsStandInTheOrderOfTheParts(count: Int, threads: Int) {
    #expect(SideBySide.map(count, threads: threads) { $0 * 3 } == (0..<count).map { $0 * 3 })
  }

  @Test(arguments: [0, 1, 64, 65, 5000], [1, 4])
  func textStandsInTheOrderOfTheItems(count: Int, threads: Int) {
    var text = ""
    SideBySide.write(
      Array(0..<count), threads: threads, text: { $0.map { "\($0)\n" }.joined() }, to: { text += $0 })
    #expect(text == (0..<count).map { "\($0)\n" }.joined())
  }

  @Test func whatCannotBeWrittenEndsIt() {
    struct Full: Error {}
    var pieces = 0
    #expect(throws: Full.self) {
      try SideBySide.write(
        Array(0..<10_000), threads: 4, text: { _ in "x" },
        to: { _ in
          pieces += 1
          if pieces == 3 { throw Full() }
        })
    }
    #expect(pieces == 3)
  }
}
