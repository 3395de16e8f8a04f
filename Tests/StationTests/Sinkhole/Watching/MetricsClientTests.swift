import Mothlight
import Testing

@testable import MothlightStation

@Suite struct MetricsClientTests {
  @Test func onlyThisMachineIsAsked() throws {
    for text in ["192.0.2.1:9464", "8.8.8.8:80", "[2001:db8::1]:9464"] {
      #expect(MetricsClient(try #require(ListenAddress(text))) == nil)
    }
    #expect(MetricsClient(try #require(ListenAddress("127.0.0.1:9464"))) != nil)
    #expect(MetricsClient(try #require(ListenAddress("[::1]:9464"))) != nil)
  }

  @Test func valuesAreReadWithTheirLabels() {
    let page = """
      # HELP a Words.
      # TYPE a counter
      a_total 12
      b{level="x"} 0.5
      broken
      c nothing
      """
    #expect(MetricsClient.parse(page) == ["a_total": 12, "b{level=\"x\"}": 0.5])
  }
}
