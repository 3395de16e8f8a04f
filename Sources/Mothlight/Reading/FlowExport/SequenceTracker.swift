/// Follows the sequence numbers of one exporter: what was lost on the way.
///
/// Exporters disagree with their standards on what they count, so each way of counting is followed by itself, and the one
/// that fits best is believed. A real loss is a gap in all of them.
struct SequenceTracker {
  /// What one message holds; `nil` where it could not be read.
  struct Content {
    var records: Int?
    /// Of `records`, those that are options.
    var options = 0
  }

  /// Ways of counting. The standards': NetFlow v5 and IPFIX records before the message, NetFlow v9 and sFlow messages.
  enum Way: Int, CaseIterable {
    case records, recordsWithoutOptions, recordsIncluded, recordsIncludedWithoutOptions, messages
    var unit: Unit { self == .messages ? .messages : .records }
  }
  enum Unit { case records, messages }

  private struct Track {
    var last: UInt32 = 0
    var content = Content()
    var isFollowing = false
    var lost: UInt64 = 0
    var late: UInt64 = 0
    var restarts: UInt64 = 0
    /// Messages that did not follow the one before.
    var misses: UInt64 = 0
  }

  private var tracks = InlineArray<5, Track>(repeating: Track())
  private(set) var way: Way

  /// Another way is believed once the present one has missed this often more than twice as often: a loss may fit by chance.
  private static let missesMost: UInt64 = 2
  /// A larger step forward is a restart, not a loss: a second of the fastest exporter.
  private static let gapMost: Int32 = 1 << 20
  /// A larger step back is a restart, not a message that came late.
  private static let lateMost: Int32 = 1 << 12

  init(_ way: Way) { self.way = way }

  private var track: Track { tracks[way.rawValue] }
  var unit: Unit { way.unit }
  /// In `unit`.
  var lost: UInt64 { track.lost }
  /// Messages that came after later ones.
  var late: UInt64 { track.late }
  /// How often it began anew.
  var restarts: UInt64 { track.restarts }

  mutating func note(_ sequence: UInt32, _ content: Content) {
    for way in Way.allCases { Self.note(sequence, content, way, &tracks[way.rawValue]) }
    guard let best = Way.allCases.min(by: { tracks[$0.rawValue].misses < tracks[$1.rawValue].misses }) else { return }
    if tracks[best.rawValue].misses &* 2 &+ Self.missesMost <= track.misses { way = best }
  }

  private static func note(_ sequence: UInt32, _ content: Content, _ way: Way, _ track: inout Track) {
    guard track.isFollowing else {
      track.isFollowing = true
      track.last = sequence
      track.content = content
      return
    }
    let counted: Int? =
      switch way {
      case .records: track.content.records
      case .recordsWithoutOptions: track.content.records.map { $0 &- track.content.options }
      case .recordsIncluded: content.records
      case .recordsIncludedWithoutOptions: content.records.map { $0 &- content.options }
      case .messages: 1
      }
    guard let counted else {
      // Between messages whose records are not known nothing can be said.
      track.last = sequence
      track.content = content
      return
    }
    let gap = Int32(bitPattern: sequence &- track.last &- UInt32(clamping: counted))
    if gap != 0 { track.misses &+= 1 }
    if gap < 0, gap >= -lateMost {
      track.late &+= 1
      track.lost &-= min(track.lost, way == .messages ? 1 : UInt64(clamping: content.records ?? 0))
      return
    }
    track.last = sequence
    track.content = content
    if gap > gapMost || gap < 0 {
      track.restarts &+= 1
    } else {
      track.lost &+= UInt64(gap)
    }
  }
}
