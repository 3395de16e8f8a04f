import Glibc

/// What the writer needs of a disk; tests put one that fills up in its place.
protocol SpoolStorage: AnyObject {
  /// Makes a file that is not there yet.
  func create(_ path: String) throws(SpoolError) -> Int32
  func write(_ bytes: [UInt8], to descriptor: Int32) throws(SpoolError)
  func synchronise(_ descriptor: Int32) throws(SpoolError)
  func truncate(_ descriptor: Int32, to octets: Int) throws(SpoolError)
  func close(_ descriptor: Int32)
  /// Gives a file its final name and makes that durable.
  func rename(_ from: String, to: String) throws(SpoolError)
}

/// Why a spool could not be written or read. Equality is on the code alone.
public struct SpoolError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Code: String, Sendable {
    /// No room: writing goes on when there is some again.
    case full
    case unwritable, unreadable, notASpool, inUse, badKey
  }
  public var code: Code
  /// What, where, and what to do: one line.
  public var message: String
  /// The system's error number, 0 where it gave none.
  public var systemCode: Int32 = 0
  public init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }
  public static func == (a: SpoolError, b: SpoolError) -> Bool { a.code == b.code }
  public var description: String { message }

  static func system(_ path: String, _ what: String) -> SpoolError {
    let code = errno
    let isFull = code == ENOSPC || code == EDQUOT || code == EIO || code == EROFS
    var error = SpoolError(isFull ? .full : .unwritable, "\(path): \(what): \(String(cString: strerror(code)))")
    error.systemCode = code
    return error
  }
}

/// The disk itself.
final class SpoolDisk: SpoolStorage {
  func create(_ path: String) throws(SpoolError) -> Int32 {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o640)
    guard descriptor >= 0 else { throw .system(path, "cannot make the segment") }
    Self.synchronise(folderOf: path)
    return descriptor
  }

  func write(_ bytes: [UInt8], to descriptor: Int32) throws(SpoolError) {
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done)
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw .system("spool", "cannot write")
      }
      done += count
    }
  }

  func synchronise(_ descriptor: Int32) throws(SpoolError) {
    guard fdatasync(descriptor) == 0 else { throw .system("spool", "cannot make it durable") }
  }

  func truncate(_ descriptor: Int32, to octets: Int) throws(SpoolError) {
    guard ftruncate(descriptor, off_t(octets)) == 0 else { throw .system("spool", "cannot cut") }
  }

  func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

  func rename(_ from: String, to: String) throws(SpoolError) {
    guard Glibc.rename(from, to) == 0 else { throw .system(from, "cannot rename") }
    Self.synchronise(folderOf: to)
  }

  /// Makes a file's name as durable as its octets.
  private static func synchronise(folderOf path: String) {
    let folder = open(parent(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { return }
    fsync(folder)
    _ = Glibc.close(folder)
  }

  static func parent(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: 0x2f) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Names in a folder, sorted; empty when it cannot be read.
  static func names(in folder: String) -> [String] {
    guard let handle = opendir(folder) else { return [] }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// A regular file, or its beginning when that is longer than `most` octets. Anything else is refused unread: what is taken
  /// from a pipe is gone for the next reader.
  static func contents(of path: String, most: Int) throws(SpoolError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw SpoolError(.unreadable, "\(path): \(String(cString: strerror(errno)))")
    }
    defer { _ = Glibc.close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw SpoolError(.unreadable, "\(path): is no regular file; a spool is read from disk")
    }
    var out: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while out.count <= most {
      let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        throw SpoolError(.unreadable, "\(path): \(String(cString: strerror(errno)))")
      }
      if count == 0 { break }
      out += chunk[..<count]
    }
    return out
  }
}
