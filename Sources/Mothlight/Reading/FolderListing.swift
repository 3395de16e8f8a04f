import Crypto
import Glibc

/// The regular files below a folder, in order of path, without hidden ones.
enum FolderListing {
  struct File: Sendable {
    var path: String
    var octets: UInt64
    var device: UInt64
    var inode: UInt64
  }

  static let maximumFiles = 100_000
  static let maximumDepth = 32

  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Links to files are followed, links to folders are not, so that a loop cannot trap the walk.
  /// - Throws: `unreadable` when the folder itself cannot be listed; folders below it are named in `warnings` instead.
  static func files(below root: String, warnings: inout [String]) throws(SourceError) -> [File] {
    var found: [File] = []
    var open: [(path: String, depth: Int)] = [(root, 0)]
    while let (folder, depth) = open.popLast() {
      guard let handle = opendir(folder) else {
        let error = DescriptorSource.error(errno, opening: folder)
        if depth == 0 { throw error }
        warnings.append(error.message)
        continue
      }
      defer { closedir(handle) }
      while let entry = readdir(handle) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
          pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name.hasPrefix(".") { continue }
        let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
        var status = stat()
        guard lstat(path, &status) == 0 else { continue }
        let isLink = status.st_mode & S_IFMT == S_IFLNK
        if isLink, stat(path, &status) != 0 { continue }
        switch status.st_mode & S_IFMT {
        case S_IFDIR where !isLink && depth < maximumDepth: open.append((path, depth + 1))
        case S_IFREG:
          guard found.count < maximumFiles else {
            warnings.append("\(root): more than \(maximumFiles) files; the rest was left out")
            return found.sorted { $0.path < $1.path }
          }
          found.append(
            File(
              path: path, octets: UInt64(clamping: status.st_size), device: UInt64(status.st_dev),
              inode: UInt64(status.st_ino)))
        default: break
        }
      }
    }
    return found.sorted { $0.path < $1.path }
  }
}

/// Remembers the files that were opened, so that the same bytes are not counted twice under two names.
final class SeenFiles {
  private struct Inode: Hashable {
    var device: UInt64
    var inode: UInt64
  }
  private var inodes: [Inode: String] = [:]
  private var contents: [[UInt8]: String] = [:]
  private static let edgeOctets = 65_536

  /// The earlier path of the same file or the same content; `nil` when it is new, and then it is remembered.
  func earlier(_ file: FolderListing.File) -> String? {
    let inode = Inode(device: file.device, inode: file.inode)
    if let earlier = inodes[inode] { return earlier }
    inodes[inode] = file.path
    guard file.octets > 0, let print = Self.fingerprint(file) else { return nil }
    if let earlier = contents[print], Self.areEqual(earlier, file.path) { return earlier }
    contents[print] = file.path
    return nil
  }

  static func file(at path: String) -> FolderListing.File? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return FolderListing.File(
      path: path, octets: UInt64(clamping: status.st_size), device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
  }

  /// Whether two files hold the same bytes; read only when size and edges agree.
  private static func areEqual(_ a: String, _ b: String) -> Bool {
    let first = open(a, O_RDONLY | O_CLOEXEC)
    let second = open(b, O_RDONLY | O_CLOEXEC)
    defer {
      if first >= 0 { close(first) }
      if second >= 0 { close(second) }
    }
    guard first >= 0, second >= 0 else { return false }
    var left = [UInt8](repeating: 0, count: edgeOctets)
    var right = left
    while true {
      let count = read(first, &left, edgeOctets)
      guard count >= 0, read(second, &right, edgeOctets) == count else { return false }
      if count == 0 { return true }
      if left[0..<count] != right[0..<count] { return false }
    }
  }

  /// SHA-256 over size, first and last 64 KiB.
  private static func fingerprint(_ file: FolderListing.File) -> [UInt8]? {
    let descriptor = open(file.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var hash = SHA256()
    withUnsafeBytes(of: file.octets.littleEndian) { hash.update(bufferPointer: $0) }
    var edge = [UInt8](repeating: 0, count: edgeOctets)
    for offset in [0, max(0, Int(clamping: file.octets) - edgeOctets)] {
      let count = pread(descriptor, &edge, edge.count, off_t(offset))
      guard count >= 0 else { return nil }
      hash.update(data: edge.prefix(count))
    }
    return Array(hash.finalize())
  }
}
