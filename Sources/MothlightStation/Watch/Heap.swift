import CLinux

/// How the C library keeps memory: a station runs for months, a command over files for a minute.
public enum Heap {
  /// Gives large blocks back to the system as soon as they are free, and keeps two arenas however many threads there are.
  ///
  /// Each judgement copies tables and lets go of the copies; without this the holes that they leave stay with the program: twice
  /// the memory after three hours of a campus (`Benchmarks/station_soak.py`). Call it first of all: what was allocated before stays where it is.
  /// - Returns: `false` where the C library has no such settings.
  @discardableResult
  public static func giveBackFreedBlocks() -> Bool { clinux_give_back_freed_blocks() != 0 }

  /// Keeps up to 512 MiB of freed memory for the next batch: else large blocks, up to the 32 MiB that glibc allows, go back to Linux
  /// and come again as new, zeroed pages, a tenth of a run over files. For a command that ends.
  /// - Returns: `false` where the C library has no such settings.
  @discardableResult
  public static func keepFreedBlocks() -> Bool { clinux_keep_freed_blocks(512 << 20, 32 << 20) != 0 }

  /// Gives free pages between used ones back to the system: a judgement makes and drops many small things, and what stays between
  /// them held 140 of 600 MB after a day of a campus.
  /// - Complexity: linear in the memory of the program, some milliseconds for each 100 MB.
  @discardableResult
  static func giveBackHoles() -> Bool { clinux_give_back_holes() != 0 }

  /// Octets in use, and octets that are free but stay with the program; `nil` where the C library does not tell.
  static func octets() -> (used: UInt64, free: UInt64)? {
    var (used, unused): (UInt64, UInt64) = (0, 0)
    return clinux_heap(&used, &unused) != 0 ? (used, unused) : nil
  }
}
