/// What writing remembers between transactions so that names need no look-up; forgotten when a transaction fails.
struct WriterMemory: Sendable {
  struct About: Hashable, Sendable {
    var subject: String
    var name: String
  }
  var runs: [String: Int64] = [:]
  var detectors: [String: Int64] = [:]
  var botnets: [String: Int64] = [:]
  var abouts: [About: (id: Int64, lastDay: Int)] = [:]
  var hasWords = false

  /// Names kept: some 200 octets each, so 26 MB; beyond it all are forgotten and looked up again.
  private static let aboutsMost = 1 << 17
  private static let runsMost = 1 << 10

  mutating func trim() {
    if abouts.count > Self.aboutsMost { abouts.removeAll() }
    if runs.count > Self.runsMost { runs.removeAll() }
  }
}
