import Crypto
import Hummingbird
import Mothlight
import NIOCore
import Synchronization

/// Answers to changes, for a client that did not get the first one and sends the same again (Idempotency-Key).
final class IdempotencyTable: Sendable {
  struct Key: Hashable, Sendable {
    var actor: String
    var text: String
  }
  enum Finding: Sendable {
    /// Go on, and call `keep` or `drop`.
    case new
    case known(Answer)
    /// The same key came with another request.
    case other
    /// The first request is not answered yet.
    case running
    /// So many keys are in use that none can be promised to be remembered.
    case full
  }
  struct Answer: Sendable {
    var status: Int
    var place: String?
    var body = ByteBuffer()
  }
  private struct Entry {
    var request: [UInt8]
    var answer: Answer?
    var time: Timestamp
  }

  /// An answer is kept for so long.
  static let keptSeconds = 86_400.0
  /// Keys that are kept; a change of a case answers some 10 KiB.
  private let most: Int
  private let entries = Mutex<[Key: Entry]>([:])

  init(most: Int = 1024) { self.most = most }

  /// - Parameter request: method, path and body.
  func begin(_ key: Key, request: [UInt8], at time: Timestamp) -> Finding {
    let hash = Array(SHA256.hash(data: request))
    return entries.withLock { entries in
      if let entry = entries[key], time.seconds(since: entry.time) < Self.keptSeconds {
        guard entry.request == hash else { return .other }
        return entry.answer.map { .known($0) } ?? .running
      }
      if entries.count >= most {
        entries = entries.filter { $0.value.answer == nil || time.seconds(since: $0.value.time) < Self.keptSeconds }
        let old = entries.filter { $0.value.answer != nil }.min { $0.value.time < $1.value.time }
        if entries.count >= most {
          guard let old else { return .full }
          entries[old.key] = nil
        }
      }
      entries[key] = Entry(request: hash, time: time)
      return .new
    }
  }

  func keep(_ key: Key, _ answer: Answer) { entries.withLock { $0[key]?.answer = answer } }

  /// What failed may be tried again.
  func drop(_ key: Key) { entries.withLock { _ = $0.removeValue(forKey: key) } }

  /// What may stand in the header.
  static func isKey(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { $0 &- 0x30 < 10 || $0 | 0x20 &- 0x61 < 26 || $0 == 0x2d || $0 == 0x5f }
  }
}
