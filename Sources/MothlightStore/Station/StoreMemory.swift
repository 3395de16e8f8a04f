import GRDBSQLite

/// What SQLite holds in memory, for all stores that are open: caches of pages, mostly, which have bounds.
public enum StoreMemory {
  public static var octets: UInt64 { UInt64(clamping: sqlite3_memory_used()) }
}
