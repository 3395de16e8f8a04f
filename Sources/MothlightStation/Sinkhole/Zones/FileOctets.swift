import Glibc

/// Files as octets, without Foundation: whole small ones, and long lists line by line.
enum FileOctets {
  /// The whole of a file of at most `most` octets.
  static func read(_ path: String, most: Int) throws(ZoneFile.Problem) -> [UInt8] {
    let file = try open(path)
    defer { close(file) }
    var octets: [UInt8] = []
    try chunks(file, path) { chunk in
      octets.append(contentsOf: chunk)
      return octets.count <= most
    }
    guard octets.count <= most else { throw .init(path, 1, "is larger than \(most) octets") }
    return octets
  }

  /// Calls `body` with every line and its number, from 1, without its end.
  static func lines(
    _ path: String, _ body: (UnsafeRawBufferPointer, Int) -> Void
  ) throws(ZoneFile.Problem) {
    let file = try open(path)
    defer { close(file) }
    // The tail of a chunk that has no line end yet; a longer line is handed over as it is, since no name is that long.
    var tail: [UInt8] = []
    var number = 0
    func line(_ bytes: UnsafeRawBufferPointer) {
      number &+= 1
      body(bytes, number)
    }
    try chunks(file, path) { chunk in
      var start = 0
      while start < chunk.count, let base = chunk.baseAddress,
        let end = memchr(base + start, 0x0a, chunk.count &- start)
      {
        let length = UnsafeRawPointer(end) - (base + start)
        let piece = UnsafeRawBufferPointer(start: base + start, count: length)
        if tail.isEmpty {
          line(piece)
        } else {
          if tail.count < longest { tail.append(contentsOf: piece.prefix(longest)) }
          tail.withUnsafeBytes { line($0) }
          tail.removeAll(keepingCapacity: true)
        }
        start &+= length &+ 1
      }
      if tail.count < longest { tail.append(contentsOf: chunk[start...].prefix(longest)) }
      return true
    }
    if !tail.isEmpty { tail.withUnsafeBytes { line($0) } }
  }

  static func size(_ path: String) throws(ZoneFile.Problem) -> Int {
    let file = try open(path)
    defer { close(file) }
    var state = stat()
    return fstat(file, &state) == 0 ? Int(state.st_size) : 0
  }

  /// Octets kept of a line that goes over a chunk's end.
  private static let longest = 1024
  private static let chunkOctets = 1 << 18

  private static func open(_ path: String) throws(ZoneFile.Problem) -> Int32 {
    // Opening a pipe must not wait for its other end.
    let file = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw .init(path, 1, "\(path) cannot be read: \(String(cString: strerror(errno)))") }
    var state = stat()
    guard fstat(file, &state) == 0, state.st_mode & S_IFMT == S_IFREG else {
      close(file)
      throw .init(path, 1, "\(path) cannot be read: it is no regular file")
    }
    return file
  }

  private static func chunks(
    _ file: Int32, _ path: String, _ body: (UnsafeRawBufferPointer) -> Bool
  ) throws(ZoneFile.Problem) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkOctets, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = Glibc.read(file, buffer.baseAddress, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .init(path, 1, "\(path) cannot be read: \(String(cString: strerror(errno)))") }
      if count == 0 { return }
      guard body(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { return }
    }
  }

  /// `name` as seen from the folder of `path`, unless it is absolute.
  static func beside(_ path: String, _ name: String) -> String {
    guard !name.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { return name }
    return path[...slash] + name
  }
}
