import GRDB
import Mothlight

/// SQLite's errors as one line each.
extension StoreError {
  init(_ error: any Error, path: String) {
    if let error = error as? StoreError {
      self = error
      return
    }
    guard let error = error as? DatabaseError else {
      self.init(.unknown, "\(path): \(error)")
      return
    }
    switch error.resultCode {
    case .SQLITE_NOTADB, .SQLITE_CORRUPT: self = Self.damaged(path, error.message ?? "not a database")
    case .SQLITE_FULL:
      self.init(.full, "\(path): the disk is full; nothing of this was written; free some space and run it again")
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      self.init(.busy, "\(path): another program has been writing to it for \(SQLiteStore.busySeconds) s; run it again")
    case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
      self.init(.unwritable, "\(path): cannot be opened for writing; do you own the file and its folder?")
    case .SQLITE_IOERR where error.extendedResultCode == .SQLITE_IOERR_SHMSIZE:
      self.init(.full, "\(path): the disk is full; nothing of this was written; free some space and run it again")
    case .SQLITE_IOERR:
      self.init(
        .unwritable,
        "\(path): the disk cannot be written or read (\(error.extendedResultCode)); nothing of this was written")
    default: self.init(.unknown, "\(path): \(error.message ?? "error \(error.resultCode.rawValue)")")
    }
  }

  static func damaged(_ path: String, _ what: String) -> StoreError {
    // SQLite reports over several lines, with a headline between asterisks.
    let what = what.split(separator: "\n").filter { !$0.hasPrefix("***") }.joined(separator: "; ")
    return StoreError(
      .damaged,
      "\(path): is damaged (\(what)); move it away and restore a backup, or save what can be read with: "
        + "mothlight store rescue \(path) saved.sqlite")
  }
}
