import Glibc

/// Where a window's bytes come from: a descriptor, or a decompressor over one.
protocol ByteSource: AnyObject {
  /// Fills up to `count` octets at `target`; 0 means the end.
  func read(into target: UnsafeMutableRawPointer, count: Int) throws(SourceError) -> Int
  /// One line on how the stream ended, when it ended badly.
  var note: String? { get }
  /// Whether `note` means that data are missing.
  var lostData: Bool { get }
  /// Whether 0 octets mean "none yet" rather than the end.
  var isGrowing: Bool { get }
}

extension ByteSource {
  var isGrowing: Bool { false }
  var note: String? { nil }
  var lostData: Bool { false }
}

/// Bytes of an open file descriptor, with the few first ones looked at beforehand.
final class DescriptorSource: ByteSource {
  private let descriptor: Int32
  private let closes: Bool
  private let name: String
  private var head: [UInt8] = []
  private var headTaken = 0
  private(set) var octetsRead: UInt64 = 0
  private(set) var octetsTotal: UInt64?
  private(set) var identity: (device: UInt64, inode: UInt64)?

  init(descriptor: Int32, name: String, closes: Bool) {
    self.descriptor = descriptor
    self.name = name
    self.closes = closes
    var status = stat()
    if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG {
      octetsTotal = UInt64(clamping: status.st_size)
      identity = (UInt64(status.st_dev), UInt64(status.st_ino))
    }
  }

  convenience init(path: String) throws(SourceError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.error(errno, opening: path) }
    var status = stat()
    if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      close(descriptor)
      throw SourceError(.unreadable, "\(path): is a folder, not a file; give it as an input of its own")
    }
    self.init(descriptor: descriptor, name: path, closes: true)
  }

  deinit { if closes { close(descriptor) } }

  static func error(_ code: Int32, opening path: String) -> SourceError {
    switch code {
    case ENOENT, ENOTDIR:
      SourceError(.notFound, "\(path): there is no such file or folder; check the spelling")
    case EACCES, EPERM:
      SourceError(.unreadable, "\(path): no permission to read it; run as a user who may, or change its mode")
    case EMFILE, ENFILE:
      SourceError(.unreadable, "\(path): too many open files; raise the limit with ulimit -n")
    default:
      SourceError(.unreadable, "\(path): cannot be opened (\(String(cString: strerror(code))))")
    }
  }

  /// The first up to 4 octets, still to be read.
  func peek() throws(SourceError) -> [UInt8] {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 4, alignment: 4)
    defer { bytes.deallocate() }
    var count = 0
    while count < 4, let base = bytes.baseAddress {
      let got = try readRaw(into: base + count, count: 4 - count)
      if got == 0 { break }
      count += got
    }
    head = Array(bytes.prefix(count))
    return head
  }

  /// The descriptor was moved: what was looked at is not next.
  func forgetHead() { headTaken = head.count }

  func read(into target: UnsafeMutableRawPointer, count: Int) throws(SourceError) -> Int {
    let waiting = head.count - headTaken
    if waiting > 0 {
      let taken = min(waiting, count)
      for i in 0..<taken { target.storeBytes(of: head[headTaken + i], toByteOffset: i, as: UInt8.self) }
      headTaken += taken
      return taken
    }
    return try readRaw(into: target, count: min(count, ByteWindow.chunkOctets))
  }

  private func readRaw(into target: UnsafeMutableRawPointer, count: Int) throws(SourceError) -> Int {
    while true {
      let got = Glibc.read(descriptor, target, count)
      if got >= 0 {
        octetsRead &+= UInt64(got)
        return got
      }
      let code = errno
      if code == EINTR { continue }
      if code == EISDIR {
        throw SourceError(.unreadable, "\(name): is a folder, not a file; give it as an input of its own")
      }
      throw SourceError(
        .unreadable, "\(name): reading stopped at byte \(octetsRead) (\(String(cString: strerror(code))))")
    }
  }
}

/// Bytes that are in memory already.
final class ArraySource: ByteSource {
  private let bytes: [UInt8]
  private var position = 0
  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func read(into target: UnsafeMutableRawPointer, count: Int) -> Int {
    let taken = min(count, bytes.count - position)
    bytes.withUnsafeBytes { buffer in
      if let base = buffer.baseAddress, taken > 0 { target.copyMemory(from: base + position, byteCount: taken) }
    }
    position += max(0, taken)
    return max(0, taken)
  }
}
