/// What the overlap of live machines suggests: two rows are one botnet, or the servers of one row are two. A person decides.
public enum OverlapSuggestion: Sendable, Hashable {
  case merge(String, String, LiveOverlap)
  /// Groups of a botnet's servers that share no machines to speak of.
  case split(String, groups: [[String]])

  /// Live machines of a botnet, or of one of its servers when these are known apart.
  public struct Labelled: Sendable {
    public var botnet: String
    public var server: String
    public var pairs: [LivePair]
    public init(botnet: String, server: String = "", pairs: [LivePair]) {
      self.botnet = botnet
      self.server = server
      self.pairs = pairs
    }
  }

  private enum Bound {
    /// Sets that one pair may stand in: a unit in more of them is a sandbox or a poisoner, and proves nothing.
    static let setsOfOnePair = 64
    /// Overlap of two servers below which they have no machines in common to speak of.
    static let apartBelow = 0.02
    /// Servers of one botnet that are compared, the busiest first: all pairs are looked at.
    static let serversCompared = 100
    /// Pairs of a server's set from which on a missing overlap says something.
    static let pairsLeast = 50
  }

  /// - Complexity: O(n log n) in all pairs, and the sum over those pairs of sets that share something.
  public static func all(of sets: [Labelled]) -> [OverlapSuggestion] {
    let servers = merged(sets) { $0.botnet + "\u{0}" + $0.server }
    let botnets = merged(sets) { $0.botnet }
    return merges(botnets) + splits(servers)
  }

  /// Sets of one key put together, in order and without doubles.
  private static func merged(_ sets: [Labelled], by key: (Labelled) -> String) -> [Labelled] {
    var all: [String: Labelled] = [:]
    for set in sets {
      all[key(set), default: Labelled(botnet: set.botnet, server: set.server, pairs: [])].pairs += set.pairs
    }
    return all.sorted { $0.key < $1.key }.map { entry in
      var set = entry.value
      set.pairs = Set(set.pairs).sorted()
      return set
    }
  }

  private static func merges(_ botnets: [Labelled]) -> [OverlapSuggestion] {
    var holders: [LivePair: [Int]] = [:]
    for (i, set) in botnets.enumerated() {
      for pair in set.pairs where holders[pair, default: []].count <= Bound.setsOfOnePair {
        holders[pair, default: []].append(i)
      }
    }
    var candidates: Set<[Int]> = []
    for sets in holders.values where sets.count > 1 && sets.count <= Bound.setsOfOnePair {
      for (n, a) in sets.enumerated() {
        for b in sets[(n + 1)...] { candidates.insert([a, b]) }
      }
    }
    let found = candidates.compactMap { pair -> (String, String, LiveOverlap)? in
      let overlap = LiveOverlap(sorted: botnets[pair[0]].pairs, botnets[pair[1]].pairs)
      return overlap.suggestsOne ? (botnets[pair[0]].botnet, botnets[pair[1]].botnet, overlap) : nil
    }
    return found.sorted { a, b in
      let (x, y) = (a.2.jaccard ?? 0, b.2.jaccard ?? 0)
      return x != y ? x > y : (a.0, a.1) < (b.0, b.1)
    }.map { .merge($0.0, $0.1, $0.2) }
  }

  private static func splits(_ servers: [Labelled]) -> [OverlapSuggestion] {
    let groups = Dictionary(grouping: servers.filter { !$0.server.isEmpty && $0.pairs.count >= Bound.pairsLeast }) {
      $0.botnet
    }
    return groups.sorted { $0.key < $1.key }.compactMap { botnet, all in
      let sets = Array(all.sorted { $0.pairs.count > $1.pairs.count }.prefix(Bound.serversCompared))
      guard let parts = parts(of: sets), parts.count > 1 else { return nil }
      return .split(botnet, groups: parts.map { $0.map { sets[$0].server } })
    }
  }

  /// Servers joined by common machines; `nil` when some pair was never watched in the same hour, so that nothing follows.
  private static func parts(of sets: [Labelled]) -> [[Int]]? {
    var part = Array(sets.indices)
    for i in sets.indices {
      for j in sets.indices where j > i {
        let overlap = LiveOverlap(sorted: sets[i].pairs, sets[j].pairs)
        guard let jaccard = overlap.jaccard else { return nil }
        if jaccard >= Bound.apartBelow {
          let (from, to) = (part[j], part[i])
          for k in part.indices where part[k] == from { part[k] = to }
        }
      }
    }
    return Dictionary(grouping: sets.indices) { part[$0] }.values.map { $0.sorted() }.sorted { $0[0] < $1[0] }
  }
}
