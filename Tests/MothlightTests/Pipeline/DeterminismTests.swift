import Testing

@testable import Mothlight

@Suite struct DeterminismTests {
  private func traffic() -> PipelineFixture {
    var f = PipelineFixture()
    for n in 2..<14 as Range<UInt32> { f.browsing(PipelineFixture.ours(n), hours: 2, visitsPerHour: 12) }
    for n in 0..<80 {
      f.flow(
        Double(n), PipelineFixture.ours(5), PipelineFixture.outside(UInt32(5000 + n * 7)), port: 23, state: .unanswered)
    }
    for n in 0..<100 {
      f.flow(Double(n) * 60, PipelineFixture.ours(9), PipelineFixture.outside(66), port: 4711, state: .unanswered)
    }
    for n in 0..<60 { f.lookup(Double(n) * 20, PipelineFixture.ours(7), "qx\(n)vzkw\(n)jq.biz", nil) }
    return f
  }

  private func json(_ report: Report) throws -> String {
    var settings = ExporterSettings()
    settings.showAll = true
    var text = ""
    try ExporterRoster.make("json", settings).export(report) { text += $0 }
    return text
  }

  @Test func reportsAreByteEqualForAnyNumberOfShardsAndAnyBatch() throws {
    let f = traffic()
    let reference = try json(f.report(shards: 1, batch: 512))
    #expect(reference.contains("\"infected\""))
    for shards in [1, 2, 8] {
      for batch in [1, 7, 512, 100_000] { #expect(try json(f.report(shards: shards, batch: batch)) == reference) }
    }
  }
}
