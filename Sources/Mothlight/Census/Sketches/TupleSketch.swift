/// A uniform sample of tags with everything that was seen of each: what all estimates of the census are made from.
///
/// A tag is kept if and only if the keyed hash of its address is below θ·2^64, with θ = 2^−k. All fingerprints of an address have one hash
/// and stay together. When the sample outgrows its budget, θ is halved and half of the addresses go. A count of n·θ sampled addresses
/// stands for n with a relative standard error of at most 1/√(nθ); any subset can be counted, and so can intersections (coordinated
/// sampling: Cohen and Kaplan, PODS 2007, doi 10.1145/1265530.1265565; Θ sketches: Dasgupta, Lang, Rhodes, Thaler, ICDT 2016, doi
/// 10.4230/LIPIcs.ICDT.2016.6).
///
/// **The content does not depend on the order of rows and merges.** Write S(θ) for all that was ever seen of addresses below θ, and
/// c(S) for its octets. What one tag keeps is a union, a minimum or a maximum, so it depends on the set of its rows alone, and c only
/// grows with S. θ is halved only when c of what is known of S(θ) exceeds the budget; then c(S(θ)) in the end does, too, so no order
/// can end above θ* = the largest power of two with c(S(θ*)) within the budget. And no order ends below θ*: at θ* the cost never
/// exceeds the budget. An address below θ* was below every earlier θ, so it was never dropped, and nothing of it is missing.
/// Repeated rows change nothing, so a merge of the same data twice does not either. (`dropHours` gives up the first half of this: θ may
/// be smaller than the remaining content would need.)
///
/// A row costs one comparison when its address is not sampled, else O(1). Contacts are not added up here, since that would count
/// repeated data twice; they stand in the cells of the rollup.
public struct TupleSketch: Sendable {
  public static let sensorsMost = 16
  /// 24 MiB: some 200,000 addresses that come and go, so 1/√(nθ) is 0.7 % for a quarter of these.
  public static let octetsMost = 24 << 20
  /// θ = 2^−40 keeps one address of 10^12; nothing needs less.
  static let halvingsMost = 40

  /// Of the secret under which the units were made.
  public let keyID: UInt64
  /// Budget for the tags.
  public let octetsMost: Int
  /// k of θ = 2^−k.
  public private(set) var halvings = 0
  /// Highest hash that is kept.
  private(set) var highest = UInt64.max
  private(set) var entries: [SampledTag] = []
  /// Open addressing over `entries`: low part of the mixed key, and number plus one; 0: free. The part saves looking at most entries of
  /// other keys, which is where time would go.
  private var index: [UInt64] = []
  /// Sum of `octets` of the tags.
  public private(set) var octets = 0

  /// - Parameters:
  ///   - keyID: `TagKeys.id`.
  ///   - octetsMost: memory for the tags, at least that of 64 small ones.
  public init(keyID: UInt64, octetsMost: Int = TupleSketch.octetsMost) {
    self.keyID = keyID
    self.octetsMost = max(64 * SampledTag.ownOctets, octetsMost)
  }

  /// Share of the addresses that is kept.
  public var theta: Double { highest == 0 ? 0 : Double(sign: .plus, exponent: -halvings, significand: 1) }
  /// Tags in the sample.
  public var count: Int { entries.count }
  public var isEmpty: Bool { entries.isEmpty }
  /// The sampled tags, in no particular order.
  public var tags: [SampledTag] { entries }
  /// The sampled tags by unit and fingerprint: those of one address stand together.
  /// - Complexity: O(n log n).
  public var sortedTags: [SampledTag] {
    entries.sorted { ($0.unit, $0.fingerprint) < ($1.unit, $1.fingerprint) }
  }

  /// Whether rows of this unit are looked at.
  @inline(__always)
  public func samples(_ unit: UInt64) -> Bool { unit <= highest }

  /// One row: `unit` came from `place` within `hour`.
  ///
  /// - Parameters:
  ///   - sensor: below `sensorsMost`; rows of others are not taken.
  ///   - companion: keyed hash of the identity that was shown; 0: none.
  @inline(__always)
  public mutating func insert(
    unit: UInt64, fingerprint: UInt64, hour: UInt32, sensor: UInt8, place: TagPlace, contacts: UInt32,
    companion: UInt64 = 0
  ) {
    guard unit <= highest else { return }
    take(unit, fingerprint, hour, sensor, place, contacts, companion)
  }

  @inline(never)
  private mutating func take(
    _ unit: UInt64, _ fingerprint: UInt64, _ hour: UInt32, _ sensor: UInt8, _ place: TagPlace, _ contacts: UInt32,
    _ companion: UInt64
  ) {
    guard sensor < Self.sensorsMost else { return }
    let at =
      find(unit, fingerprint) ?? append(SampledTag(unit: unit, fingerprint: fingerprint, place: place, hour: hour))
    let before = entries[at].octets
    entries[at].peakContacts = max(entries[at].peakContacts, contacts)
    entries[at].see(hour: hour, at: UInt16(sensor))
    entries[at].see(place, hour: hour)
    if companion != 0 {
      entries[at].see(.init(hash: UInt32(truncatingIfNeeded: companion >> 32), firstHour: hour, lastHour: hour))
    }
    octets &+= entries[at].octets &- before
    shrink()
  }

  /// Makes this the sketch of all rows of both.
  ///
  /// - Parameter sensorNumbers: what each of the other's sensors is called here; `nil`: the same numbers.
  /// - Complexity: O(tags of `other`).
  /// - Throws: `differentKeys`, `tooManySensors`; nothing is changed then.
  public mutating func merge(_ other: TupleSketch, sensorNumbers: [UInt8]? = nil) throws(SketchError) {
    guard keyID == other.keyID else { throw .differentKeys }
    if let sensorNumbers {
      guard sensorNumbers.allSatisfy({ $0 < Self.sensorsMost }) else {
        throw .tooManySensors(Int(sensorNumbers.max() ?? 0) + 1)
      }
      let used = other.entries.reduce(UInt16(0)) { $0 | $1.sensors }
      guard 16 - used.leadingZeroBitCount <= sensorNumbers.count else { throw .tooManySensors(sensorNumbers.count + 1) }
    }
    if halvings < other.halvings { sample(halvings: other.halvings) }
    let numbers = sensorNumbers.map { $0.map(UInt16.init) }
    for tag in other.entries where tag.unit <= highest {
      let at =
        find(tag.unit, tag.fingerprint)
        ?? append(SampledTag(unit: tag.unit, fingerprint: tag.fingerprint, place: tag.place, hour: tag.placeHour))
      let before = entries[at].octets
      entries[at].merge(tag, sensorNumbers: numbers)
      octets &+= entries[at].octets &- before
      shrink()
    }
  }

  /// Forgets hours before `first`, and tags that have no others. θ stays.
  public mutating func dropHours(before first: UInt32) {
    keep(
      entries.compactMap { tag in
        tag.allHours.first.map { $0 >= first } == true ? tag : tag.dropped(before: first)
      })
  }

  // MARK: Table

  private mutating func shrink() {
    while octets > octetsMost, halvings < Self.halvingsMost { sample(halvings: halvings + 1) }
  }

  /// Keeps what θ = 2^−`halvings` keeps.
  mutating func sample(halvings: Int) {
    self.halvings = halvings
    highest = .max >> UInt64(halvings)
    keep(entries.filter { $0.unit <= highest })
  }

  private mutating func keep(_ kept: [SampledTag]) {
    entries = kept
    octets = kept.reduce(0) { $0 + $1.octets }
    index = []
    rebuildIndex()
  }

  /// High bits of a unit are zero in a small sample, and a fingerprint may be a small number.
  @inline(__always)
  private static func mixed(_ unit: UInt64, _ fingerprint: UInt64) -> UInt64 {
    (unit ^ fingerprint &* 0x9e37_79b9_7f4a_7c15) &* 0xd6e8_feb8_6659_fd93
  }

  @inline(__always)
  private func home(_ mixed: UInt64) -> Int { Int(truncatingIfNeeded: mixed >> 32) & (index.count &- 1) }

  private func find(_ unit: UInt64, _ fingerprint: UInt64) -> Int? {
    guard !index.isEmpty else { return nil }
    let mixed = Self.mixed(unit, fingerprint)
    var slot = home(mixed)
    while index[slot] != 0 {
      if index[slot] >> 32 == mixed & 0xffff_ffff {
        let at = Int(index[slot] & 0xffff_ffff) &- 1
        if entries[at].unit == unit, entries[at].fingerprint == fingerprint { return at }
      }
      slot = (slot &+ 1) & (index.count &- 1)
    }
    return nil
  }

  /// - Returns: its number.
  mutating func append(_ tag: SampledTag) -> Int {
    if entries.count == entries.capacity { entries.reserveCapacity(entries.count + max(64, entries.count / 4)) }
    entries.append(tag)
    octets &+= tag.octets
    if entries.count * 4 > index.count * 3 { rebuildIndex() } else { link(entries.count - 1) }
    return entries.count - 1
  }

  private mutating func rebuildIndex() {
    var size = max(64, index.count)
    while entries.count * 4 > size * 3 { size *= 2 }
    index = [UInt64](repeating: 0, count: size)
    for at in entries.indices { link(at) }
  }

  private mutating func link(_ at: Int) {
    let mixed = Self.mixed(entries[at].unit, entries[at].fingerprint)
    var slot = home(mixed)
    while index[slot] != 0 { slot = (slot &+ 1) & (index.count &- 1) }
    index[slot] = mixed << 32 | UInt64(at &+ 1)
  }
}

extension TupleSketch: Equatable {
  /// The same sample, whatever its order in memory.
  /// - Complexity: O(n log n).
  public static func == (a: TupleSketch, b: TupleSketch) -> Bool {
    a.keyID == b.keyID && a.octetsMost == b.octetsMost && a.halvings == b.halvings && a.count == b.count
      && a.octets == b.octets && a.sortedTags == b.sortedTags
  }
}

/// Who was live when, as far as the sample tells: two sketches of one key sample the same units.
extension TupleSketch: LiveSet {
  public var livePairs: [LivePair] {
    entries.flatMap { tag in tag.allHours.map { LivePair(hour: $0, unit: tag.unit) } }
  }

  public var unitsMost: UInt64 { highest }
}
