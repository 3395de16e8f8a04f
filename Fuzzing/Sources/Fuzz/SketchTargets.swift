@testable import Mothlight

/// Any octets, and the same as a body behind a right checksum, so that the decoders are reached. What is read is written and read again.
func fuzzSketch(_ bytes: RawSpan) {
  let octets = bytes.withUnsafeBytes { Array($0) }
  for octets in [octets, SketchFrame.encoded(.hyperLogLog, octets)] {
    guard let sketch = try? HyperLogLog(serialised: octets) else { continue }
    precondition((try? HyperLogLog(serialised: sketch.serialised)) == sketch, "a counter changed")
    precondition(sketch.estimate.isFinite && sketch.estimate >= 0)
  }
  for octets in [octets, SketchFrame.encoded(.tuples, octets)] {
    guard var sketch = try? TupleSketch(serialised: octets) else { continue }
    precondition((try? TupleSketch(serialised: sketch.serialised)) == sketch, "a sample changed")
    let before = sketch
    try? sketch.merge(before)
    precondition(sketch == before, "a sample merged with itself is another")
  }
}

/// The state of a rollup, and cells behind a good one.
func fuzzRollup(_ bytes: RawSpan) {
  let octets = bytes.withUnsafeBytes { Array($0) }
  let state = SketchFrame.encoded(.rollup, octets)
  let cells = good + SketchFrame.encoded(.cells, octets)
  for octets in [octets, state, cells] {
    guard let rollup = try? CensusRollup(serialised: octets) else { continue }
    for hour in rollup.hoursWithCells { precondition(rollup.cells(ofHour: hour).allSatisfy { $0.addresses.isFinite }) }
    for day in rollup.daysWithCells { _ = rollup.cells(ofDay: day) }
    let again = rollup.serialised
    precondition((try? CensusRollup(serialised: again))?.serialised == again, "a rollup changed")
  }
}

private let good = (try? CensusRollup(botnet: "b", sensors: ["s"], keys: .published))?.serialised ?? []
