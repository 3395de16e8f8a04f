@testable import Mothlight

/// One input is a run of datagrams: the first octet says how many octets each has, so that state meets what follows. Bounds are
/// small, so that they are met. The first octets of each datagram are those of the format: what is of none is looked at no further.
private func run(_ bytes: RawSpan, _ format: [UInt8]) {
  guard bytes.byteCount > 1 else { return }
  var settings = FlowCollectorSettings()
  settings.exportersMost = 4
  settings.templatesPerExporter = 8
  settings.fieldsPerTemplate = 64
  settings.fieldsMost = 256
  settings.heldOctetsMost = 1024
  settings.heldSetsPerExporter = 8
  settings.waitingMost = 64
  settings.sampledFlowsMost = 64
  let collector = FlowCollector(settings)
  let piece = 32 + 4 * Int(bytes.u8(0))
  var second: Int64 = 1_795_608_000
  var at = 1
  while at < bytes.byteCount {
    let end = min(bytes.byteCount, at + piece)
    var datagram = bytes.extracting(at..<end).copied
    for i in datagram.indices.prefix(format.count) { datagram[i] = format[i] }
    // A quarter of an hour a datagram: things expire.
    second += 900
    datagram.withUnsafeBytes {
      collector.take($0, from: IPAddress(v4: UInt32(at % 5)), at: Timestamp(seconds: second))
    }
    if at & 1 == 0 { collector.advance(to: Timestamp(seconds: second)) }
    precondition((0...1024).contains(collector.heldOctets), "data kept back is bounded, and counted right")
    precondition((0...256).contains(collector.fieldCount), "templates are bounded, and counted right")
    at = end
  }
  precondition(collector.reports.count <= 4 && collector.reports.allSatisfy { $0.templates <= 8 })
  collector.finish()
  for o in collector.whole + collector.sampled {
    guard case .flow(let flow) = o.event else { continue }
    precondition(flow.last >= flow.first, "a flow ends after it began")
  }
}

func fuzzNetFlow5(_ bytes: RawSpan) { run(bytes, [0, 5]) }
func fuzzNetFlow9(_ bytes: RawSpan) { run(bytes, [0, 9]) }
func fuzzIPFIX(_ bytes: RawSpan) { run(bytes, [0, 10]) }
func fuzzSFlow(_ bytes: RawSpan) { run(bytes, [0, 0, 0, 5]) }
