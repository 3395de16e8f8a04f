import CLinux

/// glibc gives large freed blocks back to Linux and asks for new, zeroed ones at the next batch: a tenth of a run over files.
public enum FreedMemory {
  /// Most octets that stay with the program; a run over files ends soon.
  private static let keptOctets: Int32 = 512 << 20
  /// Blocks up to this size come from the heap: the most that glibc allows.
  private static let largestOctets: Int32 = 32 << 20

  /// To be called before the work of a command that ends; a station should give back what it no longer needs.
  public static func keep() { clinux_keep_freed(keptOctets, largestOctets) }
}
