import Glibc

/// A secret of some octets in a file that only its owner may read, as hexadecimal digits.
public enum SecretFile {
  /// Reads the secret, or makes one when there is no such file.
  /// - Throws: one line when the file holds something else, or when others may read it.
  /// - Returns: the octets, and whether they were made now.
  public static func open(_ path: String, octets count: Int) throws(ConfigurationError) -> (
    octets: [UInt8], isNew: Bool
  ) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      guard errno == ENOENT else { throw ConfigurationError("\(path): \(String(cString: strerror(errno)))") }
      return (try make(path, count), true)
    }
    guard status.st_mode & 0o077 == 0 else {
      throw ConfigurationError("\(path): others may read this key; take their rights away (chmod 600)")
    }
    let text: [UInt8]
    do throws(SpoolError) { text = try SpoolDisk.contents(of: path, most: 4096) } catch {
      throw ConfigurationError(error.message)
    }
    guard let octets = digits(text), octets.count == count else {
      throw ConfigurationError("\(path): is no key of \(2 * count) hexadecimal digits")
    }
    return (octets, false)
  }

  private static func make(_ path: String, _ count: Int) throws(ConfigurationError) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    let octets = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
      throw ConfigurationError("\(path): cannot make the key: \(String(cString: strerror(errno)))")
    }
    defer { _ = close(descriptor) }
    do throws(SpoolError) { try SpoolDisk().write(Array((Hex.encode(octets) + "\n").utf8), to: descriptor) } catch {
      throw ConfigurationError("\(path): \(error.message)")
    }
    guard fsync(descriptor) == 0 else { throw ConfigurationError("\(path): cannot make the key durable") }
    return octets
  }

  private static func digits(_ text: [UInt8]) -> [UInt8]? {
    let digits = text.filter { $0 != 0x0a && $0 != 0x0d && $0 != 0x20 }.map(hexDigit)
    guard digits.count % 2 == 0 else { return nil }
    var out: [UInt8] = []
    for i in stride(from: 0, to: digits.count, by: 2) {
      guard let high = digits[i], let low = digits[i + 1] else { return nil }
      out.append(high << 4 | low)
    }
    return out
  }
}
