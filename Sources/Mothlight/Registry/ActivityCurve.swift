#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// How many botnets are active: a number for each expiry, since the expiry decides it (census.md section 7).
public struct ActivityCurve: Sendable, Hashable {
  public struct Point: Sendable, Hashable {
    public var expiryDays: Int
    /// Rows with a sign of life within the expiry, by kind.
    public var active: [Botnet.Kind: Int]
    /// Of these, with two independent kinds of evidence.
    public var confirmed: Int
    /// Command servers with a sign of life within the expiry: another unit, often quoted as if it were botnets.
    public var servers: Int
    /// Publishers that saw life within the expiry.
    public var publishers: Int
    /// Rows that exactly one publisher saw, and exactly two.
    public var seenOnce: Int
    public var seenTwice: Int
    /// At least this many with the unseen; `nil` with fewer than two publishers.
    public var lowerBound: CensusRange?

    public var total: Int { active.values.reduce(0, +) }
  }

  public var points: [Point] = []
  public static let expiryDaysMost = 60

  /// One tracked row: what it is and what is known.
  public struct Row: Sendable {
    public var kind: Botnet.Kind
    public var evidence: [BotnetEvidence]

    public init(kind: Botnet.Kind, evidence: [BotnetEvidence]) {
      self.kind = kind
      self.evidence = evidence
    }
  }

  /// - Parameter serverLives: the last sign of life of each command server.
  /// - Complexity: O((evidence + servers) × days).
  public init(rows: [Row], serverLives: [Timestamp], at time: Timestamp, days: ClosedRange<Int> = 1...expiryDaysMost) {
    var ages = [Int](repeating: 0, count: days.upperBound + 1)
    for life in serverLives {
      if let age = Self.age(life, at: time), age <= days.upperBound { ages[age] += 1 }
    }
    let prepared = rows.map { Prepared($0, at: time) }
    for day in days { points.append(Self.point(prepared, ages, day)) }
  }

  private struct Prepared {
    var kind: Botnet.Kind
    var isConfirmed: Bool
    /// Days since each publisher last saw life.
    var ages: [Substring: Int] = [:]

    init(_ row: Row, at time: Timestamp) {
      kind = row.kind
      isConfirmed = BotnetStatus.isConfirmed(row.evidence)
      for item in row.evidence {
        guard let life = item.life, (item.first ?? life) <= time else { continue }
        guard let age = ActivityCurve.age(min(life, time), at: time) else { continue }
        let publisher = Origin.publisher(of: item.source)
        ages[publisher] = min(ages[publisher] ?? .max, age)
      }
    }
  }

  /// Expiry in whole days that a sign of this age still meets; `nil` for one in the future.
  private static func age(_ life: Timestamp, at time: Timestamp) -> Int? {
    let seconds = time.seconds(since: life)
    guard seconds >= 0, seconds < 1e12 else { return nil }
    return Int((seconds / 86_400).rounded(.up))
  }

  private static func point(_ rows: [Prepared], _ serverAges: [Int], _ day: Int) -> Point {
    var point = Point(
      expiryDays: day, active: [:], confirmed: 0, servers: serverAges[...day].reduce(0, +), publishers: 0, seenOnce: 0,
      seenTwice: 0)
    var publishers: Set<Substring> = []
    for row in rows {
      let seen = row.ages.filter { $0.value <= day }
      guard !seen.isEmpty else { continue }
      publishers.formUnion(seen.keys)
      point.active[row.kind, default: 0] += 1
      if row.isConfirmed { point.confirmed += 1 }
      if seen.count == 1 { point.seenOnce += 1 }
      if seen.count == 2 { point.seenTwice += 1 }
    }
    point.publishers = publishers.count
    point.lowerBound = chao(
      seen: point.total, once: point.seenOnce, twice: point.seenTwice, occasions: publishers.count)
    return point
  }

  /// Chao's lower bound for incidence data, bias-corrected, with its log-normal 95 % interval (Chao, Biometrics 43, 1987,
  /// DOI 10.2307/2531532). Publishers are the occasions; some rows being easier to see than others makes it a lower bound.
  /// - Returns: `nil` with fewer than two occasions, from which nothing about the unseen follows.
  public static func chao(seen: Int, once: Int, twice: Int, occasions: Int) -> CensusRange? {
    guard occasions >= 2, seen > 0 else { return nil }
    let s = Double(seen)
    let f1 = Double(once)
    let f2 = Double(twice)
    let a = Double(occasions - 1) / Double(occasions)
    let unseen = a * f1 * (f1 - 1) / (2 * (f2 + 1))
    guard unseen > 0 else { return CensusRange(low: s, value: s, high: s) }
    let variance: Double
    if f2 > 0 {
      let r = f1 / f2
      variance = f2 * (a / 2 * r * r + a * a * r * r * r + a * a / 4 * r * r * r * r)
    } else {
      let twice = 2 * f1 - 1
      variance = a * f1 * (f1 - 1) / 2 + a * a * f1 * twice * twice / 4 - a * a * f1 * f1 * f1 * f1 / (4 * (s + unseen))
    }
    let k = exp(1.96 * log(1 + max(0, variance) / (unseen * unseen)).squareRoot())
    return CensusRange(low: s + unseen / k, value: s + unseen, high: s + unseen * k)
  }
}
