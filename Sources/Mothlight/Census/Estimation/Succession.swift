import Glibc

/// Tags that took the place of another: a machine of a network with stable addresses that got another address all the
/// same.
///
/// Clean-up and a change of address both end a tag. After a change a tag with the same fingerprint begins in the same
/// network within days. How often that happens by chance is told by tags of the network whose lives overlap, which
/// cannot be one machine.
///
/// - Complexity: O(tags² of a network), for at most `tagsMost` of each.
struct Succession: Sendable {
  /// Tags for each machine of the networks, less one, by tags; `nil`: nothing tells.
  private(set) var share: Double?
  /// One standard error of it.
  private(set) var error = 0.0

  /// Hours within which the next tag begins: a weekend and a day off.
  private static let gapMost = 96
  private static let tagsMost = 3000

  private struct Life {
    var first: Int
    var last: Int
    var fingerprint: UInt64
  }

  init(_ b: AddressEstimator, among networks: [Int]) {
    guard b.sharing == .fingerprints, b.table.hourCount >= 10 * 24 else { return }
    let words = b.table.tags.words
    var lives = [[Life]](repeating: [], count: b.networks.count)
    let members = Set(networks.map(Int32.init))
    for tag in b.table.tags.entries where members.contains(tag.network) && b.measures.weight(tag, words) == 1 {
      guard lives[Int(tag.network)].count < Self.tagsMost else { continue }
      lives[Int(tag.network)].append(
        Life(first: tag.firstHour(words), last: tag.lastHour(words), fingerprint: tag.fingerprint))
    }
    var next = (alike: 0.0, any: 0.0)
    var beside = (alike: 0.0, any: 0.0)
    var tags = 0.0
    for n in networks {
      tags += Double(lives[n].count)
      for a in lives[n] {
        for b in lives[n] where b.first > a.first {
          let isAlike = a.fingerprint == b.fingerprint
          if b.first <= a.last {
            beside.any += 1
            if isAlike { beside.alike += 1 }
          } else if b.first <= a.last + Self.gapMost {
            next.any += 1
            if isAlike { next.alike += 1 }
          }
        }
      }
    }
    guard tags >= 200, beside.alike >= 20, beside.any > 0 else { return }
    let chance = beside.alike / beside.any
    // Both tags of a pair have to be in the sample.
    let all = tags * b.table.theta
    share = max(0, min(0.9, (next.alike - chance * next.any) / all))
    error = (next.alike + pow(chance * next.any, 2) / beside.alike).squareRoot() / all
  }
}
