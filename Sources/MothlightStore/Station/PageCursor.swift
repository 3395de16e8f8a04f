import Mothlight

/// Not GRDB's.
typealias Cursor = Mothlight.Cursor

/// Cursors as text: a letter for the list, and numbers between dots. Opaque to callers, checked when they come back.
enum PageCursor {
  static func make(_ list: Character, _ numbers: [UInt64]) -> Cursor {
    Cursor(String(list) + numbers.map { String($0, radix: 36) }.joined(separator: "."))
  }

  static func read(_ cursor: Cursor, _ list: Character, count: Int) throws(StoreError) -> [UInt64] {
    let parts = cursor.text.dropFirst().split(separator: ".", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { $0.utf8.count <= 13 ? UInt64($0, radix: 36) : nil }
    guard cursor.text.first == list, numbers.count == count, parts.count == count else {
      throw StoreError(.refused, "the cursor is not one of this list; ask for its first page")
    }
    return numbers
  }

  /// Most rows of one page.
  static let rowsMost = 1000

  static func clamped(_ limit: Int) -> Int { max(1, min(rowsMost, limit)) }
}
