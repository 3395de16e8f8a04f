extension TupleSketch {
  /// The portable form, the same octets for the same sample on every machine: a frame `MTUP` around the tags in order.
  /// - Complexity: O(n log n); some 40 octets for a tag that came for a day.
  public var serialised: [UInt8] {
    var out = SpoolOctets()
    encodeBody(into: &out)
    return SketchFrame.encoded(.tuples, out.bytes)
  }

  func encodeBody(into out: inout SpoolOctets) {
    out.fixed(keyID)
    out.number(UInt64(octetsMost))
    out.number(UInt64(halvings))
    out.number(UInt64(count))
    for tag in sortedTags { Self.encode(tag, into: &out) }
  }

  /// - Throws: `damaged`, `unsupportedVersion`.
  public init(serialised octets: [UInt8]) throws(SketchError) {
    var cursor = try SketchFrame.decodeWhole(octets, .tuples)
    try self.init(body: &cursor)
    try cursor.needEnd()
  }

  init(body cursor: inout SpoolCursor) throws(SketchError) {
    let key = try cursor.need(UInt64.self, "the key's number")
    let budget = try cursor.needNumber("the budget", most: 1 << 40)
    self.init(keyID: key, octetsMost: Int(budget))
    let halvings = try Int(cursor.needNumber("theta", most: UInt64(Self.halvingsMost)))
    if halvings > 0 { sample(halvings: halvings) }
    let count = try Int(cursor.needNumber("the number of tags", most: UInt64(UInt32.max) / 2))
    var previous: (UInt64, UInt64)?
    for _ in 0..<count {
      let tag = try Self.decode(&cursor)
      guard previous.map({ $0 < (tag.unit, tag.fingerprint) }) ?? true else {
        throw .damaged(at: cursor.at, "the tags are not in order")
      }
      guard tag.unit <= highest else { throw .damaged(at: cursor.at, "a tag is not of the sample") }
      previous = (tag.unit, tag.fingerprint)
      _ = append(tag)
      guard self.octets <= octetsMost || halvings == Self.halvingsMost else {
        throw .damaged(at: cursor.at, "more tags than the budget holds")
      }
    }
  }

  /// Bits of a tag's flags.
  private static let movedFlag: UInt8 = 1
  private static let moreCompanionsFlag: UInt8 = 2
  private static let fingerprintFlag: UInt8 = 4

  private static func encode(_ tag: SampledTag, into out: inout SpoolOctets) {
    out.fixed(tag.unit)
    let flags =
      (tag.hasMoved ? movedFlag : 0) | (tag.hasMoreCompanions ? moreCompanionsFlag : 0)
      | (tag.fingerprint != 0 ? fingerprintFlag : 0)
    out.append([flags, UInt8(bitPattern: tag.place.timeZone)])
    if tag.fingerprint != 0 { out.fixed(tag.fingerprint) }
    out.number(UInt64(tag.place.system))
    out.fixed(tag.place.country.raw)
    out.number(UInt64(tag.placeHour))
    out.number(UInt64(tag.peakContacts))
    out.fixed(tag.sensors)
    tag.forEachSensor { _, hours in
      out.number(UInt64(hours.base))
      out.number(UInt64(hours.wordCount))
      for i in 0..<hours.wordCount { out.fixed(hours.word(i)) }
    }
    out.number(UInt64(tag.companions.count))
    for companion in tag.companions {
      out.fixed(companion.hash)
      out.number(UInt64(companion.firstHour))
      out.number(UInt64(companion.lastHour - companion.firstHour))
    }
  }

  private static func decode(_ cursor: inout SpoolCursor) throws(SketchError) -> SampledTag {
    let unit = try cursor.need(UInt64.self, "a tag")
    let flags = try cursor.need(UInt8.self, "a tag")
    guard flags < 8 else { throw .damaged(at: cursor.at, "a tag has flags that there are not") }
    let zone = try Int8(bitPattern: cursor.need(UInt8.self, "a time zone"))
    let fingerprint = flags & fingerprintFlag != 0 ? try cursor.need(UInt64.self, "a fingerprint") : 0
    guard flags & fingerprintFlag == 0 || fingerprint != 0 else {
      throw .damaged(at: cursor.at, "an empty fingerprint is written out")
    }
    let system = try UInt32(cursor.needNumber("a system", most: UInt64(UInt32.max)))
    let country = try CountryCode(raw: cursor.need(UInt16.self, "a country"))
    let hour = try UInt32(cursor.needNumber("an hour", most: UInt64(UInt32.max)))
    var tag = SampledTag(
      unit: unit, fingerprint: fingerprint, place: .init(system: system, country: country, timeZone: zone), hour: hour)
    tag.hasMoved = flags & movedFlag != 0
    tag.hasMoreCompanions = flags & moreCompanionsFlag != 0
    tag.peakContacts = try UInt32(cursor.needNumber("a contact count", most: UInt64(UInt32.max)))
    let sensors = try cursor.need(UInt16.self, "the sensors")
    guard sensors != 0 else { throw .damaged(at: cursor.at, "a tag that no sensor saw") }
    for sensor in 0..<UInt16(sensorsMost) where sensors >> sensor & 1 == 1 {
      tag.see(try hours(&cursor), at: sensor)
    }
    try decodeCompanions(of: &tag, &cursor)
    return tag
  }

  private static func hours(_ cursor: inout SpoolCursor) throws(SketchError) -> HourSet {
    let base = try UInt32(cursor.needNumber("the first hours", most: 1 << 26))
    let count = try Int(cursor.needNumber("a number of words", most: 1 << 26))
    // Words are read before they are believed, so a wrong count costs no memory.
    var words: [UInt64] = []
    for _ in 0..<count { words.append(try cursor.need(UInt64.self, "the hours")) }
    guard let set = HourSet(base: base, words: words) else {
      throw .damaged(at: cursor.at, "a set of hours has no first or no last")
    }
    return set
  }

  private static func decodeCompanions(of tag: inout SampledTag, _ cursor: inout SpoolCursor) throws(SketchError) {
    let count = try Int(cursor.needNumber("a number of identities", most: UInt64(SampledTag.companionsMost)))
    for _ in 0..<count {
      let hash = try cursor.need(UInt32.self, "an identity")
      let first = try UInt32(cursor.needNumber("an hour", most: UInt64(UInt32.max)))
      let last = try UInt32(cursor.needNumber("an hour", most: UInt64(UInt32.max - first))) + first
      guard tag.companions.last.map({ $0.hash < hash }) ?? true else {
        throw .damaged(at: cursor.at, "the identities of a tag are not in order")
      }
      tag.companions.append(.init(hash: hash, firstHour: first, lastHour: last))
    }
  }
}
