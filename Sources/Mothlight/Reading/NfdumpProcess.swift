import Glibc

/// Runs an installed nfdump with its output on a pipe; ended and reaped when it goes.
final class NfdumpProcess {
  private var pid: pid_t = 0
  /// What it said on standard error, first line; filled by `wait`.
  private(set) var complaint = ""
  private var errors: Int32 = -1

  /// The tool's path: `named` itself when it holds a slash, else the first match in `PATH`.
  static func find(_ named: String) -> String? {
    if named.contains("/") { return access(named, X_OK) == 0 ? named : nil }
    let path = getenv("PATH").map { String(cString: $0) } ?? ""
    for folder in path.split(separator: ":").map(String.init) + ["/usr/bin", "/usr/local/bin"] {
      let candidate = "\(folder)/\(named)"
      if access(candidate, X_OK) == 0 { return candidate }
    }
    return nil
  }

  /// Starts `tool` and returns the read end of its output.
  /// - Throws: `toolFailed` when it cannot be started.
  func start(_ tool: String, _ arguments: [String]) throws(SourceError) -> Int32 {
    var output: [Int32] = [-1, -1]
    guard pipe(&output) == 0 else { throw Self.failure(tool, errno) }
    for end in output { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    // Complaints go to an unnamed file, so that a tool with much to say cannot block on them.
    var template = Array("/tmp/mothlight-nfdump-XXXXXX".utf8CString)
    errors = mkstemp(&template)
    if errors >= 0 {
      unlink(template)
      _ = fcntl(errors, F_SETFD, FD_CLOEXEC)
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output[1], 1)
    if errors >= 0 { posix_spawn_file_actions_adddup2(&actions, errors, 2) }
    // Dates come out in local time without a zone: ask for UTC.
    let environment = ["TZ=UTC", "LC_ALL=C", "PATH=/usr/bin:/bin"]
    var argv: [UnsafeMutablePointer<CChar>?] = ([tool] + arguments).map { strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
    defer { for pointer in argv + envp { free(pointer) } }
    let code = posix_spawn(&pid, tool, &actions, nil, &argv, &envp)
    close(output[1])
    guard code == 0 else {
      close(output[0])
      pid = 0
      throw Self.failure(tool, code)
    }
    return output[0]
  }

  private static func failure(_ tool: String, _ code: Int32) -> SourceError {
    SourceError(.toolFailed, "\(tool) cannot be started (\(String(cString: strerror(code))))")
  }

  /// Waits for the end; its exit status, or `nil` when a signal ended it.
  func wait() -> Int32? {
    guard pid > 0 else { return nil }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    pid = 0
    if errors >= 0 {
      var buffer = [UInt8](repeating: 0, count: 512)
      let count = pread(errors, &buffer, buffer.count, 0)
      let line = buffer.prefix(max(0, count)).split(separator: 0x0a).first ?? []
      complaint = String(decoding: line.filter { $0 >= 0x20 }, as: UTF8.self)
    }
    return status & 0x7f == 0 ? (status >> 8) & 0xff : nil
  }

  deinit {
    if pid > 0 {
      kill(pid, SIGKILL)
      _ = wait()
    }
    if errors >= 0 { close(errors) }
  }
}
