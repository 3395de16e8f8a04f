import Glibc

/// Zeroed memory of fixed size, every page present before it is used: a first touch during a flood costs datagrams.
///
/// With a path it is a shared mapping of a file, so what is counted survives the process, however it ends; on a memory
/// file system (`/run`) nothing is written to a disk. Without one it is anonymous, on 2 MiB pages where the kernel has them.
final class TallyMemory {
  let base: UnsafeMutableRawPointer
  let octets: Int
  /// The file was there with this size already.
  let isReopened: Bool

  /// `MADV_HUGEPAGE` of Linux, which the C importer does not show.
  private static let hugePages: Int32 = 14
  /// `MADV_POPULATE_WRITE`, Linux 5.14.
  private static let populateWrite: Int32 = 23

  /// - Throws: one line with path and reason.
  init(octets wanted: Int, path: String?) throws(ConfigurationError) {
    let page = 1 << 21
    octets = (wanted &+ page &- 1) / page &* page
    if let path {
      (base, isReopened) = try Self.file(path, octets)
    } else {
      guard let mapped = mmap(nil, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        mapped != MAP_FAILED
      else {
        throw ConfigurationError("tally: no memory for \(wanted >> 20) MiB: \(Self.reason()); lower 'sources'")
      }
      base = mapped
      isReopened = false
      madvise(base, octets, Self.hugePages)
    }
    // Writing is what counts: reading would map the kernel's page of zeros, and storing what was read is optimised away.
    if madvise(base, octets, Self.populateWrite) != 0, !isReopened { memset(base, 0, octets) }
  }

  deinit { munmap(base, octets) }

  private static func reason() -> String { String(cString: strerror(errno)) }

  private static func file(
    _ path: String, _ octets: Int
  ) throws(ConfigurationError) -> (UnsafeMutableRawPointer, Bool) {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw ConfigurationError("tally: \(path): \(reason())") }
    defer { close(descriptor) }
    // Two programs on one table would count each into the other's entries.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      throw ConfigurationError("tally: \(path): in use by another program")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw ConfigurationError("tally: \(path): \(reason())") }
    let isReopened = Int(status.st_size) == octets
    if !isReopened, status.st_size > 0 {
      throw ConfigurationError("tally: \(path): has another size; 'sources' was changed. Move the file away")
    }
    let failure = posix_fallocate(descriptor, 0, off_t(octets))
    guard failure == 0 else {
      throw ConfigurationError("tally: \(path): \(octets >> 20) MiB: \(String(cString: strerror(failure)))")
    }
    guard let mapped = mmap(nil, octets, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), mapped != MAP_FAILED else {
      throw ConfigurationError("tally: \(path): \(reason())")
    }
    madvise(mapped, octets, hugePages)
    return (mapped, isReopened)
  }
}
