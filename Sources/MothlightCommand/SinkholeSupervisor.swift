import Foundation
import MothlightStation

/// Starts the parts of a sinkhole as processes of their own and starts again what dies (R27).
struct SinkholeSupervisor {
  private let config: String
  private let parts: [SinkholeRun.Part]
  /// A part that ends with this status says that something has to be mended first.
  private static let needsMending: Int32 = 2
  private static let backOffSecondsMost = 60.0
  /// Seconds that a part may take to end before it is killed.
  private static let graceSeconds = 7.0
  /// Seconds that a part has to run before its next end counts as the first.
  private static let soundSeconds = 10.0
  /// Both ends of a pipe through which nothing is ever sent: parts hold the one, this process alone the other, so that they see
  /// its end, whatever ended it.
  private let lifeline: (reading: Int32, writing: Int32)

  private struct Child {
    let part: SinkholeRun.Part
    var process: pid_t = 0
    var startedAt = 0.0
    var nextStart = 0.0
    var backOff = 1.0
    var isRunning: Bool { process > 0 }
  }

  init(config: String, parts: [SinkholeRun.Part]) throws {
    self.config = config
    self.parts = parts
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0, ends.allSatisfy({ fcntl($0, F_SETFD, FD_CLOEXEC) == 0 }) else {
      throw Failure("sinkhole: no pipe: \(String(cString: strerror(errno)))")
    }
    lifeline = (ends[0], ends[1])
  }

  func run() throws {
    var children = parts.map { Child(part: $0) }
    for i in children.indices { try start(&children[i]) }
    while true {
      switch Signals.next(withinMilliseconds: 200) {
      case SIGTERM, SIGINT:
        stop(children)
        return
      case SIGHUP:
        for child in children where child.isRunning { kill(child.process, SIGHUP) }
      default: break
      }
      for i in children.indices {
        if let status = Self.ended(children[i].process) { try took(status, &children, i) }
        if !children[i].isRunning, Self.now() >= children[i].nextStart { try start(&children[i]) }
      }
    }
  }

  private func start(_ child: inout Child) throws {
    let program = "/proc/self/exe"
    let words = [
      CommandLine.arguments.first ?? "mothlight", "sinkhole", "run", config, "--only", child.part.rawValue,
      "--supervised",
    ]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process: pid_t = 0
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, lifeline.reading, 0)
    let code = posix_spawn(&process, program, &actions, nil, &arguments, environ)
    guard code == 0 else {
      throw Failure("\(child.part.rawValue): cannot be started: \(String(cString: strerror(code)))")
    }
    child.process = process
    child.startedAt = Self.now()
  }

  /// A part that cannot work ends the others; one that broke comes back.
  private func took(_ status: Int32, _ children: inout [Child], _ i: Int) throws {
    children[i].process = 0
    let hasExited = status & 0x7f == 0
    let code = status >> 8 & 0xff
    if hasExited, code == Self.needsMending, Self.now() - children[i].startedAt < 5 {
      stop(children)
      throw ExitStatus(code: Self.needsMending)
    }
    let ran = Self.now() - children[i].startedAt
    if ran > Self.soundSeconds { children[i].backOff = 1 }
    children[i].nextStart = Self.now() + children[i].backOff
    let how = hasExited ? "ended with status \(code)" : "was killed by signal \(status & 0x7f)"
    Terminal.complain("\(children[i].part.rawValue): \(how); started again in \(Int(children[i].backOff)) s")
    children[i].backOff = min(Self.backOffSecondsMost, children[i].backOff * 2)
  }

  private func stop(_ children: [Child]) {
    var left = children.filter(\.isRunning)
    for child in left { kill(child.process, SIGTERM) }
    let deadline = Self.now() + Self.graceSeconds
    while !left.isEmpty {
      left.removeAll { Self.ended($0.process) != nil }
      if Self.now() > deadline {
        for child in left { kill(child.process, SIGKILL) }
      }
      usleep(20_000)
    }
  }

  /// In a part: ends it in good order once its supervisor is gone, and without order if that takes too long.
  ///
  /// PR_SET_PDEATHSIG would do for the first half, but is forgotten when privileges are dropped.
  static func endWithSupervisor() {
    let thread = Thread {
      var octet: UInt8 = 0
      while true {
        let count = read(0, &octet, 1)
        if count == 0 || (count < 0 && errno != EINTR) { break }
      }
      kill(getpid(), SIGTERM)
      usleep(UInt32(graceSeconds * 1e6))
      _exit(3)
    }
    thread.name = "lifeline"
    thread.start()
  }

  /// How a process ended; `nil` while it runs.
  private static func ended(_ process: pid_t) -> Int32? {
    guard process > 0 else { return nil }
    var status: Int32 = 0
    return waitpid(process, &status, WNOHANG) == process ? status : nil
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

/// Ends the program with a status whose reason somebody else has told.
struct ExitStatus: Error {
  var code: Int32
}
