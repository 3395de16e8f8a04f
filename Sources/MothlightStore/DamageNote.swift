import Foundation
import Mothlight

/// A file beside a store that was found damaged, so that the next start does not write to it either.
///
/// It names the store by its inode: a backup that is put in its place is another file, and the note is void.
struct DamageNote {
  private let store: String
  private var path: String { store + ".damaged" }

  init(_ store: String) { self.store = store }

  /// Why the store must not be written to, as one line.
  var reason: String? {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8), let inode else { return nil }
    let lines = text.split(separator: "\n", maxSplits: 1)
    guard lines.count == 2, UInt64(lines[0]) == inode else { return nil }
    return VisibleText.escaped(lines[1].prefix { $0 != "\n" }.prefix(Self.charactersMost).description)
  }

  private static let charactersMost = 2000

  /// On a disk that cannot be written the damage is met again soon enough.
  func write(_ reason: String) {
    guard let inode else { return }
    try? Data("\(inode)\n\(reason)\n".utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
  }

  /// After a check that found all well.
  func remove() { unlink(path) }

  private var inode: UInt64? {
    var status = stat()
    return stat(store, &status) == 0 ? UInt64(status.st_ino) : nil
  }
}
