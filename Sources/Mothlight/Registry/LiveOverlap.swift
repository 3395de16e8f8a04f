/// One machine (or address unit) that was live in one hour.
public struct LivePair: Sendable, Hashable, Comparable {
  /// Whole UTC hours since 1970.
  public var hour: UInt32
  /// Keyed hash; both sets must use the same key.
  public var unit: UInt64

  public init(hour: UInt32, unit: UInt64) {
    self.hour = hour
    self.unit = unit
  }

  public static func < (a: LivePair, b: LivePair) -> Bool { a.hour != b.hour ? a.hour < b.hour : a.unit < b.unit }
}

/// Who was live when, thinned or not: a sketch or a list.
public protocol LiveSet {
  associatedtype Pairs: Sequence<LivePair>
  var livePairs: Pairs { get }
  /// Units above it were thinned out; `UInt64.max` when none were.
  var unitsMost: UInt64 { get }
}

extension LiveSet {
  public var unitsMost: UInt64 { .max }
}

/// A list of pairs that was not thinned.
public struct LiveList: LiveSet, Sendable {
  public var livePairs: [LivePair]
  public init(_ livePairs: [LivePair]) { self.livePairs = livePairs }
}

/// How far two sets are the same machines in the same hours. Hours in which only one of them was watched say nothing and are
/// left out.
public struct LiveOverlap: Sendable, Hashable {
  /// Pairs in both, and in either, over the hours that both have.
  public var shared: Int
  public var either: Int
  /// Of the smaller set over the same hours.
  public var smaller: Int
  /// Hours that both have.
  public var hours: Int
  /// Different units among `shared` and among `either`; pairs of one unit are not independent.
  public var sharedUnits: Int
  public var eitherUnits: Int

  /// From this on, two are suggested to be one (census.md section 7).
  public static let sameFrom = 0.3
  /// Units that must be shared before anything is suggested: fewer may be a handful of sandboxes.
  public static let sharedUnitsLeast = 10

  /// |A ∩ B| / |A ∪ B| of (hour, unit); `nil` without a common hour.
  public var jaccard: Double? { either > 0 ? Double(shared) / Double(either) : nil }
  /// |A ∩ B| / the smaller: near 1 with a low `jaccard`, one is a part of the other.
  public var containment: Double? { smaller > 0 ? Double(shared) / Double(smaller) : nil }

  /// 95 % interval of `jaccard` (Wilson, JASA 22, 1927, DOI 10.1080/01621459.1927.10502953) with units as the sample.
  public var jaccardRange: ClosedRange<Double>? {
    guard let p = jaccard, eitherUnits > 0 else { return nil }
    let n = Double(eitherUnits)
    let z = 1.96
    let centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    let low = max(0, centre - half)
    return low...max(low, min(1, centre + half))
  }

  public var suggestsOne: Bool { (jaccard ?? 0) > Self.sameFrom && sharedUnits >= Self.sharedUnitsLeast }
}

/// Same-hour overlap of two live sets; sets thinned to different degrees are compared at the lower one.
/// - Complexity: O(n log n) in the pairs of both.
public func overlap(of a: some LiveSet, and b: some LiveSet) -> LiveOverlap {
  let most = min(a.unitsMost, b.unitsMost)
  return LiveOverlap(sorted: sortedPairs(a, most), sortedPairs(b, most))
}

private func sortedPairs(_ set: some LiveSet, _ most: UInt64) -> [LivePair] {
  let sorted = set.livePairs.filter { $0.unit <= most }.sorted()
  return sorted.enumerated().compactMap { $0 == 0 || sorted[$0 - 1] != $1 ? $1 : nil }
}

extension LiveOverlap {
  /// - Parameters: both in order and without doubles.
  init(sorted a: [LivePair], _ b: [LivePair]) {
    let common = Set(a.lazy.map(\.hour)).intersection(b.lazy.map(\.hour))
    let a = a.filter { common.contains($0.hour) }
    let b = b.filter { common.contains($0.hour) }
    var sharedUnits: Set<UInt64> = []
    var shared = 0
    var (i, j) = (0, 0)
    while i < a.count, j < b.count {
      if a[i] == b[j] {
        shared += 1
        sharedUnits.insert(a[i].unit)
        i += 1
        j += 1
      } else if a[i] < b[j] {
        i += 1
      } else {
        j += 1
      }
    }
    self.init(
      shared: shared, either: a.count + b.count - shared, smaller: min(a.count, b.count), hours: common.count,
      sharedUnits: sharedUnits.count, eitherUnits: Set(a.lazy.map(\.unit)).union(b.lazy.map(\.unit)).count)
  }
}
