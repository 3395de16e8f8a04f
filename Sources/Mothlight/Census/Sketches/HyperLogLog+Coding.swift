extension HyperLogLog {
  /// The portable form, the same octets for the same set on every machine: a frame `MHLL` around precision, key and registers.
  ///
  /// About an octet for each used register, at most half an octet for each register there is, and 34 octets around it.
  public var serialised: [UInt8] {
    var out = SpoolOctets()
    out.append([precision])
    out.fixed(keyID)
    encodeRegisters(into: &out)
    return SketchFrame.encoded(.hyperLogLog, out.bytes)
  }

  /// - Throws: `damaged`, `unsupportedVersion`.
  public init(serialised octets: [UInt8]) throws(SketchError) {
    var cursor = try SketchFrame.decodeWhole(octets, .hyperLogLog)
    let precision = try Int(cursor.need(UInt8.self, "the precision"))
    guard Self.precisions.contains(precision) else {
      throw .damaged(at: 0, "precision \(precision) is not one of 4 to 18")
    }
    self.init(precision: precision, keyID: try cursor.need(UInt64.self, "the key's number"))
    try decodeRegisters(&cursor)
    try cursor.needEnd()
  }

  private enum Form: UInt8 { case gaps, nibbles }
  /// An octet of a gap holds five bits of distance and three of rank; the highest of each says that a number follows.
  private static let gapMost = 31
  private static let rankMost = 7

  /// The shorter of two forms: gaps between used registers, or half an octet for each register above the lowest rank.
  func encodeRegisters(into out: inout SpoolOctets) {
    let counts = rankCounts
    let lowest = counts.firstIndex { $0 > 0 } ?? 0
    let above = counts.indices.dropFirst(lowest + 15).reduce(0) { $0 + counts[$1] }
    let nibblesOctets = 2 + registerCount / 2 + above
    // Gaps take an octet at least; measuring is dearer than writing, so write unless that alone is too much.
    if registerCount - counts[0] < nibblesOctets {
      var gaps = SpoolOctets()
      encodeGaps(used: registerCount - counts[0], into: &gaps)
      if gaps.bytes.count <= nibblesOctets { return out.append(gaps.bytes) }
    }
    out.append([Form.nibbles.rawValue, UInt8(lowest)])
    var ranks = [UInt8](repeating: 0, count: registerCount)
    forEachRegister { ranks[$0] = $1 }
    let nibbles = ranks.map { min(15, $0 - UInt8(lowest)) }
    out.append(stride(from: 0, to: nibbles.count, by: 2).map { nibbles[$0] | nibbles[$0 + 1] << 4 })
    out.append(ranks.filter { $0 - UInt8(lowest) >= 15 })
  }

  private func encodeGaps(used: Int, into out: inout SpoolOctets) {
    out.append([Form.gaps.rawValue])
    out.number(UInt64(used))
    var next = 0
    forEachRegister { index, rank in
      let gap = index - next
      let low = Int(rank) - 1
      out.append(CollectionOfOne(UInt8(min(gap, Self.gapMost) << 3 | min(low, Self.rankMost))))
      if gap >= Self.gapMost { out.number(UInt64(gap - Self.gapMost)) }
      if low >= Self.rankMost { out.number(UInt64(low - Self.rankMost)) }
      next = index + 1
    }
  }

  mutating func decodeRegisters(_ cursor: inout SpoolCursor) throws(SketchError) {
    switch try Form(rawValue: cursor.need(UInt8.self, "the form of the registers")) {
    case .gaps: try decodeGaps(&cursor)
    case .nibbles: try decodeNibbles(&cursor)
    case nil: throw .damaged(at: cursor.at, "the registers have a form that there is not")
    }
  }

  private var rankHighest: Int { 65 - Int(precision) }

  private mutating func decodeGaps(_ cursor: inout SpoolCursor) throws(SketchError) {
    let used = try Int(cursor.needNumber("the number of registers", most: UInt64(registerCount)))
    var next = 0
    for _ in 0..<used {
      let octet = try Int(cursor.need(UInt8.self, "a register"))
      var gap = octet >> 3
      if gap == Self.gapMost { gap += try Int(cursor.needNumber("a gap", most: UInt64(registerCount))) }
      var rank = octet & 7 + 1
      if rank == Self.rankMost + 1 { rank += try Int(cursor.needNumber("a rank", most: 64)) }
      guard next + gap < registerCount, rank <= rankHighest else {
        throw .damaged(at: cursor.at, "a register is out of range")
      }
      set(next + gap, UInt8(rank))
      next += gap + 1
    }
  }

  private mutating func decodeNibbles(_ cursor: inout SpoolCursor) throws(SketchError) {
    let lowest = try Int(cursor.need(UInt8.self, "the lowest rank"))
    guard lowest <= rankHighest, let packed = cursor.take(registerCount / 2) else {
      throw .damaged(at: cursor.at, "the registers are cut")
    }
    for index in 0..<registerCount {
      var rank = lowest + Int(packed[index / 2] >> UInt8(4 * (index & 1)) & 15)
      if rank == lowest + 15 { rank = try Int(cursor.need(UInt8.self, "a rank")) }
      guard rank <= rankHighest, rank >= lowest else { throw .damaged(at: cursor.at, "a rank is out of range") }
      if rank > 0 { set(index, UInt8(rank)) }
    }
  }
}
