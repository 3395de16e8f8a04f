@testable import Mothlight

/// A whole segment: header, chain, seal, what is behind a damage.
func fuzzSpool(_ bytes: RawSpan) {
  var records: UInt64 = 0
  let segment = SpoolSegment.scan(octets: bytes.withUnsafeBytes { Array($0) }) { _ in records &+= 1 }
  precondition(segment.goodOctets <= bytes.byteCount)
  precondition(records <= segment.records &+ (segment.rescue?.records ?? 0))
}

/// The payload of a block as an enemy with the key would write it: behind a right hash, so that the decoder is reached.
func fuzzSpoolBlock(_ bytes: RawSpan) {
  let payload = bytes.withUnsafeBytes { Array($0) }
  var decoder = SpoolDecoder(payload)
  var records: [SpoolRecord] = []
  while let record = decoder.next() { records.append(record) }
  // What was understood is written and read again: it must be the same.
  var encoder = SpoolEncoder()
  for record in records { encoder.append(record) }
  var again = SpoolDecoder(encoder.octets.bytes)
  for record in records { precondition(again.next().map { SpoolFuzz.isSame($0, record) } == true, "a record changed") }
  precondition(again.next() == nil && !again.isDamaged)
}

private enum SpoolFuzz {
  /// Times that are not whole seconds or are before 1970, and texts that are cut, are not kept exactly by design.
  static func isSame(_ a: SpoolRecord, _ b: SpoolRecord) -> Bool {
    switch (a, b) {
    case (.sighting(let a), .sighting(let b)): a.source == b.source && a.count == b.count && a.level == b.level
    case (.sample(let a, _), .sample(let b, _)): a.source == b.source && a.prefix == b.prefix && a.time == b.time
    case (.dnsCount(let a), .dnsCount(let b)): a.resolver == b.resolver && a.count == b.count && a.type == b.type
    case (.notice(let a), .notice(let b)): a.time == b.time && a.event == b.event
    default: false
    }
  }
}
