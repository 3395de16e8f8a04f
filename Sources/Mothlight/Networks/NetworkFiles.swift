import Foundation

/// Opens network directories: libloc's database, or files of the MaxMind DB format, told apart by content.
public enum NetworkFiles {
  /// Where Debian keeps libloc's database: the one that its updater refreshes, then the one of the package.
  public static let standardPaths = ["/var/lib/location/database.db", "/usr/share/libloc-location/location.db"]
  /// Word for the first of `standardPaths` that is there.
  public static let standardWord = "default"

  private static let locMagic = Array("LOCDBXX".utf8)
  /// "Metadata is found by looking for the last occurrence of this marker", within 128 KiB of the end (MaxMind DB 2.0).
  private static let maxMindMarker = Data([0xab, 0xcd, 0xef] + Array("MaxMind.com".utf8))
  private static let maxMindTail: UInt64 = 131_072

  /// The directory of all of `paths`, the first that knows an answer giving it; `nil` for none.
  public static func open(_ paths: [String]) throws(ConfigurationError) -> (any NetworkDirectory)? {
    var parts: [any NetworkDirectory] = []
    for path in paths { parts.append(try open(path)) }
    return parts.count > 1 ? JoinedNetworks(parts) : parts.first
  }

  /// The given file, else Debian's database if it is installed; for what is about strangers' addresses by nature.
  public static func openOrInstalled(_ path: String?) throws(ConfigurationError) -> (any NetworkDirectory)? {
    if let path { return try open(path) }
    return standardPaths.contains(where: FileManager.default.isReadableFile) ? try open(standardWord) : nil
  }

  /// - Throws: one line that names the file and what is wrong with it.
  public static func open(_ path: String) throws(ConfigurationError) -> any NetworkDirectory {
    guard path != standardWord else {
      guard let found = standardPaths.first(where: FileManager.default.isReadableFile) else {
        throw ConfigurationError(
          "--networks \(standardWord): Debian's database is not here (apt-get install libloc-database)")
      }
      return try LocDirectory(path: found)
    }
    guard let file = FileHandle(forReadingAtPath: path) else {
      throw ConfigurationError("--networks \(path): no such file can be read")
    }
    defer { try? file.close() }
    if Array((try? file.read(upToCount: locMagic.count)) ?? Data()) == locMagic { return try LocDirectory(path: path) }
    let size = (try? file.seekToEnd()) ?? 0
    try? file.seek(toOffset: size > maxMindTail ? size - maxMindTail : 0)
    guard let tail = try? file.readToEnd(), tail.range(of: maxMindMarker) != nil else {
      throw ConfigurationError("--networks \(path): neither a libloc database nor a MaxMind DB file")
    }
    return try MaxMindDirectory(path: path)
  }

  /// A file's name and date.
  static func origin(_ path: String, seconds: Int64) -> String {
    "\(URL(filePath: path).lastPathComponent) of \(Timestamp(seconds: seconds).description.prefix(10))"
  }
}
