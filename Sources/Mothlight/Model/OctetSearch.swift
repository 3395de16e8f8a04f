import Glibc

extension String {
  /// Whether the ASCII text `needle` stands in it, octet by octet.
  ///
  /// The standard library's `contains` compares characters, which is right for people's words and fifty times slower than
  /// what headers and targets need.
  /// - Complexity: O(octets), no allocation.
  func holds(_ needle: StaticString) -> Bool {
    var copy = self
    return copy.withUTF8 { octets in
      guard var at = octets.baseAddress.map({ UnsafeRawPointer($0) }) else { return false }
      let end = at + octets.count
      let length = needle.utf8CodeUnitCount
      while length > 0, end - at >= length,
        let found = memchr(at, Int32(needle.utf8Start.pointee), end - at - length + 1)
      {
        if memcmp(found, needle.utf8Start, length) == 0 { return true }
        at = UnsafeRawPointer(found) + 1
      }
      return false
    }
  }

  func holdsAny(_ needles: StaticString...) -> Bool { needles.contains { holds($0) } }
}
