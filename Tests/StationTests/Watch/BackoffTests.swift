import Testing

@testable import MothlightStation

@Suite struct BackoffTests {
  /// One second, doubled, up to a minute; never longer than stated, never a quarter less.
  @Test func waitsDouble() {
    for name in ["eth0", "zeek", "a", ""] {
      var backoff = Backoff(name: name)
      for expected in [1.0, 2, 4, 8, 16, 32, 60, 60, 60] {
        let wait = backoff.wait(afterRunning: 0.1)
        #expect(wait <= expected && wait >= expected * (1 - Backoff.jitterMost))
      }
    }
  }

  @Test func aCalmRunBeginsAnew() {
    var backoff = Backoff(name: "eth0")
    for _ in 0..<5 { _ = backoff.wait(afterRunning: 299) }
    #expect(backoff.wait(afterRunning: 300) <= 1)
    #expect(backoff.wait(afterRunning: 1) > 1)
  }

  /// The same name waits equally long each time, different ones do not come back together.
  @Test func namesShiftTheTimes() {
    func waits(_ name: String) -> [Double] {
      var backoff = Backoff(name: name)
      return (0..<6).map { _ in backoff.wait(afterRunning: 0) }
    }
    #expect(waits("eth0") == waits("eth0"))
    #expect(Set((0..<20).map { waits("eth\($0)")[3] }).count > 15)
  }

  /// A source that fails for years does not overflow anything.
  @Test func manyFailures() {
    var backoff = Backoff(name: "x")
    for _ in 0..<10_000 { #expect(backoff.wait(afterRunning: 0) <= 60) }
  }
}
