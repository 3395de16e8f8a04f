import Crypto
import Mothlight

/// By what a log is known again: the first octets of its content, unpacked.
struct ContentKey: Hashable, Sendable {
  /// A header and a first row with its time and identifiers.
  static let octetsMost = 4096

  var octets: Int
  var digest: String

  /// Of as much of a beginning as there is.
  init(_ head: some RandomAccessCollection<UInt8>) {
    octets = min(head.count, Self.octetsMost)
    digest = Self.digest(head.prefix(octets))
  }

  static func digest(_ head: some Sequence<UInt8>) -> String {
    SHA256.hash(data: Array(head)).prefix(16).map { octet in
      String(octet >> 4, radix: 16) + String(octet & 15, radix: 16)
    }.joined()
  }

  /// As in the journal.
  var text: String { "log:\(octets):\(digest)" }

  /// How long the beginnings are that the journal's keys stand for, longest first.
  static func lengths(of keys: [String]) -> Set<Int> {
    Set(keys.compactMap { $0.hasPrefix("log:") ? Int($0.split(separator: ":")[1]) : nil })
  }

  /// Whether `head` begins with what this key stands for.
  func isBeginning(of head: some RandomAccessCollection<UInt8>) -> Bool {
    head.count >= octets && Self.digest(head.prefix(octets)) == digest
  }
}
