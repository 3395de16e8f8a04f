import Glibc
import Mothlight

/// Looks through a folder again and again: a list of its files with what changes about them.
///
/// Polling rather than inotify(7): it sees what is written over NFS and into a container's volume, it has no queue that runs over
/// and no watch per folder, and after a rotation the folder has to be looked through anyway. A scan takes at most a tenth of
/// the time: the next one of a large tree waits ten times as long as the last took.
struct FolderScan {
  struct File: Hashable, Sendable {
    var path: String
    var device: UInt64
    var inode: UInt64
    var octets: UInt64
    /// Nanoseconds since 1970.
    var modified: Int64
    var identity: FileIdentity { FileIdentity(device: device, inode: inode) }
  }

  static let filesMost = 100_000
  static let depthMost = 16
  static let shareMost = 0.1

  let root: String
  /// Files left out because there were more than `filesMost`.
  private(set) var refused: UInt64 = 0
  private var nextAt = ContinuousClock.now

  init(root: String) { self.root = root }

  /// The regular files below the folder, in order of path, hidden ones left out; `nil` when it is too early for a large one.
  ///
  /// Links to folders are followed, each folder once: Zeek's `logs/current` is one.
  /// - Throws: `notFound`, `unreadable` for the folder itself.
  mutating func files() throws(SourceError) -> [File]? {
    let began = ContinuousClock.now
    guard began >= nextAt else { return nil }
    defer { nextAt = began + (ContinuousClock.now - began) / Self.shareMost }
    var found: [File] = []
    var seen: Set<FileIdentity> = []
    var waiting = [(path: root, depth: 0)]
    refused = 0
    while let (folder, depth) = waiting.popLast() {
      guard let handle = opendir(folder) else {
        if depth == 0 { throw Self.error(folder, errno) }
        continue
      }
      defer { closedir(handle) }
      var status = stat()
      guard fstat(dirfd(handle), &status) == 0,
        seen.insert(FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))).inserted
      else { continue }
      while let entry = readdir(handle) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
          pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name.hasPrefix(".") { continue }
        let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
        guard let (file, isFolder) = Self.look(path) else { continue }
        if isFolder {
          if depth < Self.depthMost { waiting.append((path, depth + 1)) }
        } else if found.count < Self.filesMost {
          found.append(file)
        } else {
          refused &+= 1
        }
      }
    }
    return found.sorted { $0.path < $1.path }
  }

  private static func look(_ path: String) -> (File, isFolder: Bool)? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    let kind = status.st_mode & S_IFMT
    guard kind == S_IFREG || kind == S_IFDIR else { return nil }
    return (File(path: path, status), kind == S_IFDIR)
  }

  private static func error(_ folder: String, _ code: Int32) -> SourceError {
    switch code {
    case ENOENT, ENOTDIR: SourceError(.notFound, "\(folder): there is no such folder; check the spelling, or make it")
    case EACCES: SourceError(.unreadable, "\(folder): no permission to look into it; run as a user who may")
    default: SourceError(.unreadable, "\(folder): cannot be looked through (\(String(cString: strerror(code))))")
    }
  }
}

/// A file on its disk, whatever its name.
struct FileIdentity: Hashable, Sendable {
  var device: UInt64
  var inode: UInt64
}

extension FolderScan.File {
  init(path: String, _ status: stat) {
    self.init(
      path: path, device: UInt64(status.st_dev), inode: UInt64(status.st_ino), octets: UInt64(clamping: status.st_size),
      modified: Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec))
  }

  /// The same of an open file; `nil` when it cannot be asked. `links` 0: its name is gone.
  static func of(_ descriptor: Int32, path: String) -> (file: FolderScan.File, links: UInt64)? {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    return (FolderScan.File(path: path, status), UInt64(status.st_nlink))
  }
}
