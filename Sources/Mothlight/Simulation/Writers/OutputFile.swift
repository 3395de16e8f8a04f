import Glibc

/// A regular file written through a buffer; devices, pipes and sockets are refused.
final class OutputFile {
  let path: String
  private var descriptor: Int32
  private var buffer: [UInt8] = []
  private static let bufferOctets = 1 << 18

  /// Throws when `path` is something else than a regular file, or has content that may not be replaced.
  static func check(_ path: String, overwrite: Bool) throws(SimulationError) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw SimulationError(.notARegularFile, "\(path): exists and is not a regular file; nothing was written")
    }
    guard overwrite || status.st_size == 0 else {
      throw SimulationError(.alreadyExists, "\(path): exists already; choose another folder, or give --overwrite")
    }
  }

  /// Makes a folder with its parents.
  static func makeFolder(_ path: String) throws(SimulationError) {
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      made += part + "/"
      if mkdir(made, 0o777) != 0, errno != EEXIST { throw failure(path, "cannot make the folder") }
    }
  }

  init(_ path: String) throws(SimulationError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
    guard descriptor >= 0 else { throw Self.failure(path, "cannot write") }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw SimulationError(.notARegularFile, "\(path): not a regular file")
    }
    buffer.reserveCapacity(Self.bufferOctets + 65_536)
  }

  deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

  func append(_ bytes: some Collection<UInt8>) throws(SimulationError) {
    buffer.append(contentsOf: bytes)
    if buffer.count >= Self.bufferOctets { try flush() }
  }

  func append(_ text: String) throws(SimulationError) { try append(Array(text.utf8)) }

  private func flush() throws(SimulationError) {
    var written = 0
    while written < buffer.count {
      let count = buffer.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written)
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw Self.failure(path, "cannot write")
      }
      written += count
    }
    buffer.removeAll(keepingCapacity: true)
  }

  func close() throws(SimulationError) {
    try flush()
    let result = Glibc.close(descriptor)
    descriptor = -1
    if result != 0 { throw Self.failure(path, "cannot write") }
  }

  private static func failure(_ path: String, _ what: String) -> SimulationError {
    SimulationError(.unwritable, "\(path): \(what): \(String(cString: strerror(errno)))")
  }
}
