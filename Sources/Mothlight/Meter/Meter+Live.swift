/// What a wire needs that is silent for a while: time passes without packets, too.
extension Meter {
  /// Before any packet, and far enough from its ends that a difference of two times does not overflow.
  static let awaitingPart = Int64.min / 4

  /// Visits the next entries of the table: ended flows are reported, and parts of those that are open for longer than the active
  /// timeout.
  /// - Parameters:
  ///   - now: nanoseconds by the clock that stamps the packets.
  ///   - visits: entries looked at; a whole round is `table.used` of them.
  mutating func sweep(at now: Int64, visits: Int, into out: inout [Observation]) {
    for _ in 0..<min(visits, table.used) {
      hand = hand &+ 1 < table.used ? hand &+ 1 : 0
      let e = table.entries + hand
      guard e.pointee.flags.contains(.live) else { continue }
      if now &- e.pointee.last > e.pointee.idleTimeout {
        emit(hand, into: &out)
        table.remove(hand)
      } else if !e.pointee.flags.contains(.awaitsPart), now &- e.pointee.first > activeTimeout {
        cut(hand, at: Self.awaitingPart, into: &out)
        e.pointee.flags.insert(.awaitsPart)
      }
    }
    if now &- lastExpiry > 1_000_000_000 {
      lastExpiry = now
      datagrams.expire(before: Timestamp(nanoseconds: now), into: &out)
    }
  }
}
