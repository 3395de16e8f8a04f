import Glibc

/// The folder of `--state`: one file per generation, of which the two latest stay, and a lock while a run uses it.
///
/// A generation appears whole or not at all: it is written under a temporary name, synchronised, renamed, and the folder
/// synchronised; the one before it stays. Whatever moment the program dies, the folder holds a state.
public final class StateFolder {
  /// Steps of saving, for tests that stop at each.
  enum Step: CaseIterable, Sendable { case create, write, synchronise, rename, synchroniseFolder, remove }

  /// What the next run begins with.
  public private(set) var state = RollingState()
  /// One line each on generations that could not be used.
  public private(set) var notes: [String] = []
  /// Stops at a step as a dying process would: without tidying up. For tests.
  var stopsAt: Step?
  /// Fails at a step with a system error. For tests.
  var failsAt: (step: Step, code: Int32)?

  private let path: String
  private var lock: Int32 = -1
  private var loaded: UInt64?
  private var highest: UInt64 = 0
  /// Written by newer programs; theirs to remove.
  private var newer: Set<UInt64> = []

  private static let temporaryName = "state.partial"
  private static let lockName = "lock"
  private static let generationMost: UInt64 = 9_999_999_999

  /// Makes the folder if it is missing, locks it and reads the latest generation that is whole.
  /// - Throws: when it cannot be written to, when another run uses it, when no generation can be read.
  public init(path: String) throws(StateError) {
    self.path = path
    if mkdir(path, 0o700) != 0, errno != EEXIST {
      throw StateError("\(path): the state folder cannot be made (\(Self.reason(errno)))")
    }
    try takeLock()
    try load()
  }

  deinit { if lock >= 0 { close(lock) } }

  private func takeLock() throws(StateError) {
    lock = open("\(path)/\(Self.lockName)", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard lock >= 0 else {
      throw StateError(
        errno == ENOTDIR
          ? "\(path): is no folder; --state takes a folder of its own"
          : "\(path): the state folder cannot be written to (\(Self.reason(errno)))")
    }
    while flock(lock, LOCK_EX | LOCK_NB) != 0 {
      if errno == EINTR { continue }
      throw StateError(
        errno == EWOULDBLOCK
          ? "\(path): another run uses this state; wait for it to end"
          : "\(path): the state folder cannot be locked (\(Self.reason(errno)))")
    }
  }

  private func load() throws(StateError) {
    let generations = try list()
    highest = generations.first ?? 0
    for generation in generations {
      let name = Self.name(generation)
      do throws(StateDefect) {
        state = try Self.read("\(path)/\(name)")
        loaded = generation
        if !notes.isEmpty { notes.append("\(path): the state before it, \(name), is used") }
        return
      } catch {
        if error.isNewer { newer.insert(generation) }
        notes.append("\(path)/\(name): \(error.words); it was not used")
      }
    }
    guard generations.isEmpty else {
      throw StateError("\(notes.joined(separator: "; ")); move the folder away to begin a new state")
    }
  }

  /// Numbers of the generations there are, latest first.
  private func list() throws(StateError) -> [UInt64] {
    guard let handle = opendir(path) else {
      throw StateError("\(path): the state folder cannot be read (\(Self.reason(errno)))")
    }
    defer { closedir(handle) }
    var found: [UInt64] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if let generation = Self.generation(name) { found.append(generation) }
    }
    return found.sorted(by: >)
  }

  static func name(_ generation: UInt64) -> String { "state-\(pad(Int(clamping: generation), 10)).mothlight" }

  static func generation(_ name: String) -> UInt64? {
    guard name.hasPrefix("state-"), name.hasSuffix(".mothlight"), name.utf8.count == 26 else { return nil }
    let digits = name.dropFirst(6).prefix(10)
    return digits.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 } ? UInt64(digits) : nil
  }

  static func read(_ file: String) throws(StateDefect) -> RollingState {
    let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard descriptor >= 0 else { throw .damaged("it cannot be opened (\(reason(errno)))") }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw .foreign }
    let size = UInt64(clamping: status.st_size)
    guard size <= StateFormat.octetsMost else { throw .damaged("it is larger than any state") }
    var bytes = [UInt8](repeating: 0, count: Int(clamping: size))
    var position = 0
    while position < bytes.count {
      let got = bytes.withUnsafeMutableBytes { buffer in
        Glibc.read(descriptor, buffer.baseAddress?.advanced(by: position), buffer.count - position)
      }
      if got < 0, errno == EINTR { continue }
      guard got > 0 else { throw .damaged("it cannot be read to its end") }
      position += got
    }
    return try RollingState.decode(bytes).state
  }

  private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}

extension StateFolder {
  /// A step at which a test has the program die.
  struct Stopped: Error {}

  /// Writes the next generation and removes what is older than the one before it.
  /// - Throws: when it could not be written; the folder then holds what it held.
  public func save(_ state: RollingState) throws(StateError) {
    let generation = highest &+ 1
    guard generation <= Self.generationMost else {
      throw StateError("\(path): no further generation can be counted; begin a new state")
    }
    let temporary = "\(path)/\(Self.temporaryName)"
    do {
      try write(state, generation, to: temporary)
      try step(.rename) { rename(temporary, "\(self.path)/\(Self.name(generation))") }
    } catch let failure as SystemFailure {
      unlink(temporary)
      throw StateError(
        "\(path): the state could not be saved (\(Self.reason(failure.code))); the old one is still there")
    } catch { return }
    let before = loaded
    highest = generation
    loaded = generation
    self.state = state
    do {
      try step(.synchroniseFolder) { self.synchroniseFolder() }
      try step(.remove) { self.remove(keeping: [generation, before ?? generation]) }
    } catch let failure as SystemFailure {
      throw StateError("\(path): the state was written, but the folder not secured (\(Self.reason(failure.code)))")
    } catch { return }
  }

  /// Keeps the state on the disk alone, which may be 400 MB less: for who has it already and will not ask again.
  public func letGo() { state = RollingState() }

  private struct SystemFailure: Error { var code: Int32 }

  /// Does one step; a negative result is a failure with `errno`.
  private func step(_ step: Step, _ body: () -> Int32) throws {
    if stopsAt == step { throw Stopped() }
    if let failsAt, failsAt.step == step { throw SystemFailure(code: failsAt.code) }
    if body() < 0 { throw SystemFailure(code: errno) }
  }

  private func write(_ state: RollingState, _ generation: UInt64, to file: String) throws {
    unlink(file)
    var descriptor: Int32 = -1
    try step(.create) {
      descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
      return descriptor
    }
    defer { if descriptor >= 0 { close(descriptor) } }
    try state.encode(generation: generation) { part in
      // A process that dies in the middle leaves half of it.
      let written = stopsAt == .write ? Array(part.prefix(part.count / 2)) : part
      if failsAt?.step != .write, !Self.writeAll(written, to: descriptor) { throw SystemFailure(code: errno) }
      try step(.write) { 0 }
    }
    try step(.synchronise) { fsync(descriptor) }
    let closed = close(descriptor)
    descriptor = -1
    if closed < 0 { throw SystemFailure(code: errno) }
  }

  private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    bytes.withUnsafeBytes { buffer in
      var position = 0
      while position < buffer.count {
        let written = Glibc.write(descriptor, buffer.baseAddress?.advanced(by: position), buffer.count - position)
        if written < 0, errno == EINTR { continue }
        if written <= 0 { return false }
        position += written
      }
      return true
    }
  }

  private func synchroniseFolder() -> Int32 {
    let folder = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    guard folder >= 0 else { return -1 }
    defer { close(folder) }
    // Some network file systems cannot, and say so.
    return fsync(folder) == 0 || errno == EINVAL ? 0 : -1
  }

  /// Removing is no part of safety: what cannot be removed stays.
  private func remove(keeping kept: Set<UInt64>) -> Int32 {
    for generation in (try? list()) ?? [] where !kept.contains(generation) && !newer.contains(generation) {
      unlink("\(path)/\(Self.name(generation))")
    }
    return 0
  }
}
