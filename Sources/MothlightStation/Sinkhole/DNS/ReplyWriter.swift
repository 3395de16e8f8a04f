/// Writes one reply. What does not fit under `limit` is not written and makes `isOver` true; the caller then truncates.
struct ReplyWriter {
  let base: UnsafeMutableRawPointer
  private(set) var at: Int
  /// Octets that the reply may have.
  var limit: Int
  private(set) var isOver = false

  init(_ base: UnsafeMutableRawPointer, at: Int, limit: Int) {
    self.base = base
    self.at = at
    self.limit = limit
  }

  @inline(__always)
  mutating func octet(_ value: UInt8) {
    guard at < limit else { return isOver = true }
    base.storeBytes(of: value, toByteOffset: at, as: UInt8.self)
    at &+= 1
  }

  @inline(__always)
  mutating func network16(_ value: UInt16) {
    guard at &+ 2 <= limit else { return isOver = true }
    base.storeBytes(of: value.bigEndian, toByteOffset: at, as: UInt16.self)
    at &+= 2
  }

  @inline(__always)
  mutating func network32(_ value: UInt32) {
    guard at &+ 4 <= limit else { return isOver = true }
    base.storeBytes(of: value.bigEndian, toByteOffset: at, as: UInt32.self)
    at &+= 4
  }

  @inline(__always)
  mutating func octets(_ source: UnsafeRawPointer, _ count: Int) {
    guard at &+ count <= limit else { return isOver = true }
    (base + at).copyMemory(from: source, byteCount: count)
    at &+= count
  }

  mutating func octets(_ source: [UInt8]) {
    source.withUnsafeBytes { if let start = $0.baseAddress { octets(start, $0.count) } }
  }

  /// Sets a length that was left open.
  func patch16(_ value: Int, at place: Int) {
    guard place &+ 2 <= limit else { return }
    base.storeBytes(of: UInt16(truncatingIfNeeded: value).bigEndian, toByteOffset: place, as: UInt16.self)
  }

  /// Back to an earlier length, with what was over forgotten.
  mutating func rewind(to place: Int, limit: Int) {
    at = place
    self.limit = limit
    isOver = false
  }
}
