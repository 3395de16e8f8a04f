import Foundation
import GRDB
import Mothlight

extension SQLiteStore {
  /// Pages of one step of a backup: 4 MiB.
  private static let pagesAtOnce: Int32 = 1024

  /// Copies the store as it is at this moment, while others go on reading and writing; then checks the copy.
  ///
  /// The copy appears under its name only when it is whole and on the disk. Writers' log grows while it is made.
  /// - Parameter progress: octets copied, and octets in all.
  /// - Returns: octets of the copy.
  /// - Throws: `StoreError`, one line; the store itself is never changed.
  public func backup(to copy: String, progress: @escaping (Int64, Int64) -> Void = { _, _ in }) throws(StoreError)
    -> Int64
  {
    guard !FileManager.default.fileExists(atPath: copy) else {
      throw StoreError(.refused, "\(copy): is there already; a backup overwrites nothing")
    }
    let part = copy + ".part"
    // What an earlier try left behind.
    Self.remove(part)
    do {
      try Self.make(part)
      try write(to: part, progress)
      guard rename(part, copy) == 0 else { throw Self.failed(copy) }
      try Self.sync((copy as NSString).deletingLastPathComponent)
      return Self.octets(copy)
    } catch {
      Self.remove(part)
      throw StoreError(error, path: copy)
    }
  }

  private func write(to part: String, _ progress: @escaping (Int64, Int64) -> Void) throws {
    let target = try DatabaseQueue(path: part)
    do {
      // One transaction of a reader all along: the copy is of one moment.
      try pool.backup(to: target, pagesPerStep: Self.pagesAtOnce) { step in
        progress(Int64(step.completedPageCount) << 12, Int64(step.totalPageCount) << 12)
      }
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB {
      throw StoreError.damaged(path, error.message ?? "a page cannot be read")
    }
    let answers = try target.writeWithoutTransaction { db in
      // Readable without a log beside it, e.g. from a medium that cannot be written.
      try db.execute(sql: "PRAGMA journal_mode = DELETE")
      return try String.fetchAll(db, sql: "PRAGMA quick_check(1)")
    }
    try target.close()
    guard answers == ["ok"] else { throw StoreError.damaged(path, answers.first ?? "no answer") }
    try Self.sync(part)
  }

  private static func remove(_ path: String) {
    for suffix in ["", "-journal", "-wal", "-shm"] { unlink(path + suffix) }
  }

  private static func failed(_ path: String) -> StoreError {
    StoreError(errno == ENOSPC ? .full : .unwritable, "\(path): cannot be made (\(String(cString: strerror(errno))))")
  }

  private static func sync(_ path: String) throws {
    let descriptor = open(path.isEmpty ? "." : path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failed(path) }
    defer { Foundation.close(descriptor) }
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw failed(path) }
  }
}
