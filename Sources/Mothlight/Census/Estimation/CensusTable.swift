/// What is known of one botnet over one window, laid out for the estimators: tags with the hours they were seen in,
/// and what each network showed hour by hour.
///
/// A *tag* is an address (IPv6: a /64) and a fingerprint; the hours of a tag lie in `words`, one bit each. Identities
/// that the protocol carries are kept in the same form.
public struct CensusTable: Sendable {
  /// First and last hour, UTC hours since 1970.
  public var hours: ClosedRange<UInt32>
  public var sensors: [String]
  /// Share of the units that are kept: 1, 1/2, 1/4...
  public var theta = 1.0
  /// The same for identities.
  public var identityTheta = 1.0
  public var networks: [Network] = []
  public var tags = Tags()
  public var identities = Tags()
  /// Check-ins by network and hour: `contacts[network * hourCount + hour]`, all sensors together.
  public var contacts: [Double] = []
  /// Distinct addresses by network and hour where the sketch kept only a part; empty when all are in `tags`.
  public var addresses: [Double] = []
  /// Distinct valid addresses in the whole window; `nil`: count the tags.
  public var addressesInWindow: Double?
  /// How often a source had how many check-ins in one hour; index 1024 holds all above.
  public var contactHistogram = [UInt64](repeating: 0, count: 1025)
  /// Rows dropped, by reason.
  public var dropped: [String: UInt64] = [:]
  public var rows: UInt64 = 0
  /// A sensor under load recorded one source in this many, at least for a while; 1: all.
  public var samplingFactor: UInt32 = 1
  /// Records that a sensor says it lost, and times that its clock was set back, by sensor.
  public var recordsLost: [String: UInt64] = [:]
  public var clockSteps: [String: UInt64] = [:]
  /// Share of the tags whose network was said differently by different rows.
  public var movedShare = 0.0

  /// A provider within a country.
  public struct Network: Sendable, Hashable {
    public var system: UInt32
    public var country: CountryCode
    public var timeZone: Int8
    public init(system: UInt32, country: CountryCode, timeZone: Int8) {
      self.system = system
      self.country = country
      self.timeZone = timeZone
    }
  }

  /// Entries with their hours; an entry's words cover its first to its last hour only.
  public struct Tags: Sendable {
    public struct Entry: Sendable, BitwiseCopyable {
      /// Keyed hash of the address or of the identity.
      public var unit: UInt64
      public var fingerprint: UInt64
      public var network: Int32
      /// Index of the first word, in words of the window.
      public var firstWord: UInt16
      public var wordCount: UInt16
      /// Index into `words`.
      public var start: Int
      /// Most check-ins in one row.
      public var peak: UInt16
      /// Identities seen with it; 0: none, 255: more than the sketch kept.
      public var identities: UInt8
      /// Its identity was replaced once, without overlap.
      public var isReplaced: Bool
    }
    public var entries: [Entry] = []
    public var words: [UInt64] = []
    /// For each sensor the words in the places of `words`; empty with one sensor.
    public var bySensor: [[UInt64]] = []
    public init() {}
    public var isEmpty: Bool { entries.isEmpty }
  }

  public init(hours: ClosedRange<UInt32>, sensors: [String]) {
    self.hours = hours
    self.sensors = sensors
  }

  public var hourCount: Int { Int(hours.upperBound - hours.lowerBound) + 1 }
}

extension CensusTable.Tags.Entry {
  /// Calls `body` with each word and its index in the window.
  @inline(__always) func forEachWord(_ words: [UInt64], _ body: (_ word: Int, _ bits: UInt64) -> Void) {
    for i in 0..<Int(wordCount) { body(Int(firstWord) + i, words[start + i]) }
  }

  func count(_ words: [UInt64]) -> Int {
    var sum = 0
    for i in 0..<Int(wordCount) { sum += words[start + i].nonzeroBitCount }
    return sum
  }

  /// Calls `body` with each hour of the window in which it was seen, in order.
  @inline(__always) func forEachHour(_ words: [UInt64], _ body: (Int) -> Void) {
    for i in 0..<Int(wordCount) {
      var bits = words[start + i]
      let base = (Int(firstWord) + i) * 64
      while bits != 0 {
        body(base + bits.trailingZeroBitCount)
        bits &= bits &- 1
      }
    }
  }

  func firstHour(_ words: [UInt64]) -> Int {
    for i in 0..<Int(wordCount) where words[start + i] != 0 {
      return (Int(firstWord) + i) * 64 + words[start + i].trailingZeroBitCount
    }
    return 0
  }

  func lastHour(_ words: [UInt64]) -> Int {
    for i in (0..<Int(wordCount)).reversed() where words[start + i] != 0 {
      return (Int(firstWord) + i) * 64 + 63 - words[start + i].leadingZeroBitCount
    }
    return 0
  }

  /// Word `index` of the window, 0 outside.
  @inline(__always) func word(_ words: [UInt64], _ index: Int) -> UInt64 {
    let i = index - Int(firstWord)
    return i >= 0 && i < Int(wordCount) ? words[start + i] : 0
  }

  /// Bits of the 64 hours that begin `lag` hours after word `index` begins.
  @inline(__always) func word(_ words: [UInt64], _ index: Int, after lag: Int) -> UInt64 {
    let whole = index + lag >> 6
    let part = UInt64(lag & 63)
    guard part != 0 else { return word(words, whole) }
    return word(words, whole) >> part | word(words, whole + 1) << (64 - part)
  }
}
